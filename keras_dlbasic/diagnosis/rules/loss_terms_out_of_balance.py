"""A term that a model adds to its loss, which leaves nothing for the others."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units"),
    needs=("network", "skill"),
    live=False,
)
def loss_terms_out_of_balance(
    run: Run, *, collapsed: float = 0.1, share: float = 0.01, learnable: float = 0.15
) -> Verdict:
    """Look for a term of `add_loss` that was minimized where nothing else was learned.

    In variational autoencoders the divergence of the code from its prior pulls against
    the reconstruction. Where it weighs too much, the code is made the same for all
    inputs: the term falls to zero, and the output is constant (posterior collapse).

    Args:
        run: The run.
        collapsed: Share of its first value to which the term has fallen.
        share: Size of the term before training, in units of the loss of a constant
            prediction, from which it can matter.
        learnable: Skill of a simple predictor from which there is something to learn.
    """
    probe = run.facts.probe
    start = None if probe is None else probe.added_at_start
    end = None if probe is None else probe.added_at_end
    if start is None or end is None:
        return Fine("no term of `add_loss` was seen before and after training")
    outcome = run.outcome
    text = f"what the model adds to its loss went from {start:.3g} to {end:.3g}"
    if outcome.learned is not False or (outcome.reference or 0.0) < learnable:
        return Fine(text)
    can_matter = start > share * abs(outcome.baseline or 0.0)
    if not can_matter or abs(end) > collapsed * start:
        return Fine(text)
    return Finding(
        severity="warning",
        message=(
            f"A term that the model adds to its loss fell from {start:.3g} to "
            f"{end:.3g}, while the compiled loss is no better than that of a constant "
            f"prediction, {outcome.baseline:.4g}: the term outweighs it, and is "
            "smallest where the model ignores its inputs."
        ),
        risk="critical",
        value=end / start,
        threshold=collapsed,
        unit="of the term at the start",
        confidence=0.85,
        evidence={"start": start, "end": end},
        remedies=(
            suggest.by_hand(
                "multiply the added term by 0.01, or raise its weight from 0 in the "
                "first epochs",
                "the compiled loss then decides what is learned",
            ),
            suggest.by_hand(
                "sum the compiled loss over all columns where the added term is a sum",
                "both then grow with the size of the data in the same way",
            ),
        ),
    )
