"""A term that a model adds to its loss, which leaves nothing for the others."""

from __future__ import annotations

from collections.abc import Mapping

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.diagnosis.target_deviation import target_deviation

MANY = 4
"""Of smaller batches a sum is little more than a mean."""

ALL_OF_IT = 0.01
"""Share of the term that may be left where it is not known whether there is anything to
learn."""


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units"),
    needs=("network",),
    live=False,
)
def loss_terms_out_of_balance(
    run: Run,
    *,
    collapsed: float = 0.1,
    share: float = 0.1,
    learnable: float = 0.15,
    constant: float = 0.1,
    rounding: float = 0.01,
    reached: float = 0.7,
) -> Verdict:
    """Look for a term of `add_loss` that is minimized while nothing else is learned.

    In variational autoencoders the KL divergence of the code from its prior competes
    with the reconstruction. If its weight is too large, the code becomes the same for
    all inputs: the term falls to zero, and the output is constant (posterior collapse).
    The term must be large, it must fall, and the output must be constant: a small term
    often falls while the loss is not learned for another reason.

    A term that is summed over the rows of a batch, while the compiled loss is their
    mean, outweighs it by the size of the batch. It is named where it is large and the
    model does much worse than simple predictors.

    Args:
        run: The run.
        collapsed: Maximum ratio of the last value of the term to its first.
        share: Minimum size of the term before training, relative to the loss of a
            constant prediction.
        learnable: Minimum skill of a simple predictor, so that there is something to
            learn. Where it is not known, as with a custom loss, the term must have
            fallen to a hundredth.
        constant: Maximum standard deviation of the predictions, relative to that of the
            targets, for a constant output. It is then 1 % of the variance.
        rounding: Maximum difference between the term for all rows and the terms for
            both halves of the rows together, relative to it, for a sum over rows.
        reached: Maximum skill of a model with such a term, as a share of that of simple
            predictors.
    """
    probe = run.facts.probe
    start = None if probe is None else probe.added_at_start
    end = None if probe is None else probe.added_at_end
    if start is None or end is None:
        return Fine("no term of `add_loss` was seen before and after training")
    limits = {"share": share, "learnable": learnable}
    if found := _summed_over_rows(
        run, end, **limits, rounding=rounding, reached=reached
    ):
        return found
    outcome = run.outcome
    text = f"the terms of `add_loss` changed from {start:.3g} to {end:.3g}"
    if outcome.learned is not False:
        return Fine(text)
    if outcome.baseline is None:  # the skill alone says that nothing was learned
        return Skipped(run.reasons.outcome)
    # with a custom loss simple predictors cannot be scored
    if outcome.reference is not None and outcome.reference < learnable:
        return Fine(text)
    if outcome.reference is None:
        collapsed = min(collapsed, ALL_OF_IT)
    can_matter = start > share * abs(outcome.baseline)
    if not can_matter or abs(end) > collapsed * start:
        return Fine(text)
    spread = float(run.probed("spread")[-1])
    if not spread < constant * target_deviation(run):
        return Fine(f"{text}, and the output still differs from input to input")
    return Finding(
        severity="warning",
        message=(
            f"The term that the model adds by `add_loss` fell from {start:.3g} to "
            f"{end:.3g}, but the compiled loss is still that of a constant prediction "
            f"({outcome.baseline:.4g}), and the output is nearly the same for all "
            "inputs. The added term outweighs the compiled loss, and it is smallest if "
            "the model ignores its inputs (posterior collapse)."
        ),
        risk="critical",
        value=end / start,
        threshold=collapsed,
        unit="of the term at the start",
        confidence=0.85,
        evidence={"start": start, "end": end, "spread": spread},
        remedies=(
            suggest.by_hand(
                "multiply the added term by 0.01, or raise its weight from 0 over the "
                "first epochs (annealing)",
                "the compiled loss then dominates",
            ),
            suggest.by_hand(
                "sum the compiled loss over the columns if the added term is a sum",
                "both terms then scale alike with the number of columns",
            ),
        ),
    )


def _of_batch(run: Run, end: float, rounding: float) -> float:
    """Return the size of a term for a batch if it is a sum over rows, else 0."""
    size, rows, probe = run.facts.batch_size, run.probe_rows, run.facts.probe
    halves = None if probe is None else probe.added_in_halves
    if halves is None or not size or not rows or size < MANY:
        return 0.0
    configs = run.facts.loss if isinstance(run.facts.loss, Mapping) else {}
    if configs.get("reduction") == "sum":  # then both are sums
        return 0.0
    return abs(end) * size / rows if abs(end - halves) <= rounding * abs(end) else 0.0


def _summed_over_rows(
    run: Run,
    end: float,
    *,
    share: float,
    learnable: float,
    rounding: float,
    reached: float,
) -> Finding | None:
    """Look for a large term that is a sum where the compiled loss is a mean."""
    term, outcome = _of_batch(run, end, rounding), run.outcome
    skill, reference, baseline = outcome.skill, outcome.reference, outcome.baseline
    if skill is None or reference is None or baseline is None:
        return None
    if not term > share * abs(baseline):
        return None
    if reference < learnable or skill >= reached * reference:
        return None
    return Finding(
        severity="warning",
        message=(
            "The term that the model adds by `add_loss` is a sum over the rows of a "
            "batch (for two halves of the rows it is half as large each), while the "
            f"compiled loss is a mean. With {run.facts.batch_size} rows it is "
            f"{term:.3g}, and the loss of a constant prediction is {baseline:.3g}. The "
            f"skill of the model is "
            f"{skill:.2f}, that of a simple predictor {reference:.2f}."
        ),
        risk="critical",
        value=term / abs(baseline),
        threshold=share,
        unit="of the loss of a constant prediction",
        confidence=0.9,
        remedies=(
            suggest.by_hand(
                "self.add_loss(ops.mean(ops.sum(term, axis=-1)))",
                "the weight of the term then does not depend on the batch size",
            ),
        ),
    )
