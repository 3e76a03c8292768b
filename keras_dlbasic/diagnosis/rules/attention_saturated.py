"""Attention whose scores are so large that one entry gets all of the weight."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

EXPLAINS = (*NOT_LEARNING, "overfitting", "vanishing_gradients", "oscillating_loss")


@rule(kind="cause", explains=EXPLAINS, needs=("network",))
def attention_saturated(
    run: Run, *, decided: float = 0.3, spread: float = 4.0, still: float = 0.8
) -> Verdict:
    """Look for attention that selects single entries before anything was learned.

    The dot product of two vectors grows with their length. If it is not divided by the
    square root of the length, a softmax over the scores is nearly 1 for one entry and 0
    for all others, and then has hardly a gradient. Scaled scores of new weights have a
    standard deviation of about 1, so that all entries get some weight. Each softmax
    within the model is measured on a few rows before and after training, without
    entries that are masked. Pretrained attention, whose biases are not 0, does not
    count, because it may well be decided.

    It is a warning if the scores are those of queries and keys, the model is decided
    after training, too, and its skill is not high. Gates and lookups with a low
    temperature may be meant so: they are a note.

    Args:
        run: The run.
        decided: Minimum share of the rows in which one of at least four entries has
            more than 0.9 of the weight before training. With scaled scores it is at
            most 0.02.
        spread: Minimum standard deviation of the scores before training.
        still: The same as `decided` after training.
    """
    probe = run.record.facts.probe
    if probe is None or probe.attention_at_start is None:
        return Skipped("the model was not run before the first step")
    start, end = probe.attention_at_start, probe.attention_at_end
    if not start:
        return Skipped("no softmax was seen within the model")
    new = [at for at, facts in enumerate(start) if facts.is_new]
    if not new:
        return Fine("no softmax with new weights is known within the model")

    def order(at: int) -> tuple[bool, bool, float]:
        facts = start[at]
        is_so = facts.decided >= decided and facts.spread >= spread
        return is_so, facts.is_attention, facts.decided

    place = max(new, key=order)
    first = start[place]
    if not order(place)[0]:
        return Fine(
            f"before training, one entry gets nearly all of the weight in at most "
            f"{first.decided:.0%} of the rows of a softmax"
        )
    last = end[place] if end is not None and len(end) == len(start) else None
    if last is not None and not last.decided >= still:
        return Fine("attention was saturated before training, and is no longer")
    name = f" of layer '{first.layer}'" if first.layer else ""
    then = "" if last is None else f", and in {last.decided:.0%} after it"
    skill = run.outcome.skill
    is_harmed = last is not None and skill is not None and not run.outcome.is_good
    is_harmed = is_harmed and first.is_attention
    kind = "attention" if first.is_attention else "softmax"
    usual = " (about 1 if they are scaled)" if first.is_attention else ""
    return Finding(
        severity="warning" if is_harmed and not run.live else "info",
        risk="critical" if first.is_attention else "info",
        message=(
            f"The {kind}{name} was saturated from the start: before training, one "
            f"of {first.entries:.0f} entries gets more than 90% of the weight in "
            f"{first.decided:.0%} of the cases{then}. The scores have a standard "
            f"deviation of {first.spread:.3g}{usual}, so their softmax "
            "has hardly a gradient."
        ),
        layer=first.layer or None,
        value=first.decided,
        threshold=decided,
        unit="share of the cases",
        confidence=0.85 if first.is_attention else 0.5,
        evidence={
            "spread": first.spread,
            "entries": first.entries,
            "after_training": None if last is None else last.decided,
        },
        remedies=()
        if not first.is_attention
        else (
            suggest.by_hand(
                "scores = scores / keras.ops.sqrt(width of the query), before the "
                "softmax; use_scale=True in keras.layers.Attention",
                "dot products of long vectors are large",
            ),
            suggest.normalization("keeps queries and keys at a size of 1", "layer"),
        ),
    )
