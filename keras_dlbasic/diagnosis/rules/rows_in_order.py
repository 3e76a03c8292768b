"""Rows that come sorted, or in blocks of a kind."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule
from keras_dlbasic.diagnosis.row_order import order_seen, shuffled_rows
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE


@rule(kind="cause", explains=(*NOT_LEARNING, *UNSTABLE))
def rows_in_order(run: Run, *, forgotten: float = 0.1, ratio: float = 1.5) -> Verdict:
    """Compare the targets of batches with those of random draws.

    Batches of one class after the other teach a model the class at hand, and undo the
    others. Order alone need not do harm, so it counts where that shows: where a symptom
    is found that it can cause, or where rows that were trained are worse known
    in the end than they were in their own batch.

    Args:
        run: The run.
        forgotten: Loss on training rows of all kinds at the end, above the mean loss of
            the batches of the epoch, relative to the loss of a constant prediction,
            that counts. Without order it is below zero: the epoch's mean is from before
            its last steps.
        ratio: That loss relative to the mean of the epoch that counts as well.
    """
    seen = order_seen(run)
    if seen is None:
        return Skipped(run.reasons.batches)
    if not seen.is_in_order:
        return Fine(f"the rows are shuffled: {seen.text}")
    # Order shows in the loss: each batch is known well as it comes, and rows of all
    # kinds together are not.
    worse, last = _forgotten(run)
    is_forgotten = worse > forgotten * run.descent.scale and worse > (ratio - 1) * last
    text = f"The training rows are not shuffled: {seen.text}."
    if is_forgotten:
        text += (
            f" In the last epochs the loss is {last:.3g} on the batches as they come, "
            f"but {last + worse:.3g} on a mixed sample of the training rows: the model "
            "forgets earlier rows."
        )
    return Finding(
        severity="warning" if is_forgotten else "info",
        risk="critical",
        # of one class a batch a reader should know, even where the run learns
        note=seen.one_class,
        message=text,
        value=seen.share,
        threshold=0.8,
        unit="of random draws",
        confidence=0.95 if is_forgotten else 0.85,
        evidence={"log10_chance": seen.log10_chance, "forgotten": worse},
        remedies=(shuffled_rows(),),
    )


def _forgotten(run: Run) -> tuple[float, float]:
    """Return by how much the probe is worse than the last epochs, and their loss."""
    last = run.descent.last
    # a loss of weighted rows is of another size than that of the probe
    if run.outcome.loss is None or (run.facts.data and run.facts.data.weights):
        return float("nan"), last
    return run.outcome.loss + run.penalty - last, last
