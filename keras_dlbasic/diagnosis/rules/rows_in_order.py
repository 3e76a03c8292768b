"""Rows that come sorted, or in blocks of a kind."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule
from keras_dlbasic.diagnosis.row_order import order_seen, shuffled_rows
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE


@rule(kind="cause", explains=(*NOT_LEARNING, *UNSTABLE))
def rows_in_order(run: Run, *, forgotten: float = 0.1, ratio: float = 1.5) -> Verdict:
    """Compare the targets of batches with those of shuffled rows.

    If batches contain one class after the other, the model learns the current class and
    forgets the others. Order alone may be harmless. So it only counts if it can explain
    a symptom, or if the loss on training rows at the end is higher than the loss of
    their own batches.

    Args:
        run: The run.
        forgotten: Minimum difference between the loss on mixed training rows at the end
            and the mean loss of the epoch, relative to the loss of a constant
            prediction. For shuffled rows it is negative, because the mean includes
            earlier steps. If all rows that were read have one target: minimum change of
            the loss from epoch to epoch.
        ratio: Minimum ratio of these two losses.
    """
    if blocks := _in_blocks(run, forgotten):
        return blocks
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


def _in_blocks(run: Run, swing: float) -> Finding | None:
    """Report rows of one class only, in the batches read, beside a loss that jumps."""
    data = run.facts.data
    if data is None or not data.one_sided or not len(run.loss):
        return None
    found = run.descent
    if not found.swing > swing or not found.swing_of_level > swing:
        return None
    n_rows = data.targets[0].n_rows if data.targets else None
    read = f"the {n_rows} rows" if n_rows else "all rows"
    return Finding(
        severity="warning",
        risk="critical",
        message=(
            f"The training rows seem to come in blocks: {read} that were read have the "
            f"same target, and the loss changes by {found.swing:.0%} of the baseline "
            "loss from epoch to epoch. The model learns one kind of rows and forgets "
            "the others."
        ),
        value=found.swing,
        threshold=swing,
        unit="share of the baseline loss",
        confidence=0.75,
        remedies=(shuffled_rows(),),
    )


def _forgotten(run: Run) -> tuple[float, float]:
    """Return by how much the probe is worse than the last epochs, and their loss."""
    last = run.descent.last
    # a loss of weighted rows is of another size than that of the probe
    if run.outcome.loss is None or (run.facts.data and run.facts.data.weights):
        return float("nan"), last
    return run.outcome.loss + run.penalty - last, last
