"""A training loss that oscillates from epoch to epoch."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.row_order import order_seen, shuffled_rows


@rule(kind="symptom", needs=("loss",), live=False)
def oscillating_loss(
    run: Run, *, swing: float = 0.04, of_level: float = 0.03, epochs: int = 11
) -> Verdict:
    """Measure how the epochs deviate from their neighbors.

    An epoch's loss is a mean over all its rows, so what it deviates by is movement of
    the weights, not the luck of a batch.

    Args:
        run: The run.
        swing: Deviation relative to the loss of a constant prediction that counts: less
            is no harm, however small the loss. Of 296 healthy runs of 37 kinds
            (`benchmarks/diagnosis.py`) none of 11 epochs and more is above 0.02.
        of_level: Deviation relative to the loss itself that counts as well.
        epochs: Fewer epochs than this are too few to tell a swing from a course.
    """
    descent = run.descent
    if descent.n_epochs < epochs:
        return Skipped(f"needs {epochs} epochs")
    # where rows come in order, the loss oscillates at any rate: shorter steps forget
    # the last kind of rows more slowly, but learn the next one more slowly as well
    order = order_seen(run)
    in_order = order is not None and order.is_in_order
    if descent.swing > swing and descent.swing_of_level > of_level:
        return Finding(
            severity="warning",
            message=(
                "The training loss oscillates: from epoch to epoch it changes by "
                f"{descent.swing:.1%} of the baseline loss, which is "
                f"{descent.swing_of_level:.0%} of its current value."
            ),
            value=descent.swing,
            threshold=swing,
            unit="share of the baseline loss",
            confidence=0.9,
            remedies=(shuffled_rows(),) if in_order else _shorter_steps(),
        )
    return Fine(f"the loss oscillates by {descent.swing:.1%} of the baseline loss")


def _shorter_steps() -> tuple[RemedySuggestion, ...]:
    return (
        suggest.lower_learning_rate("shorter steps do not overshoot the minimum"),
        suggest.batch_size("larger batches have less gradient noise", 32),
        suggest.optimizer("adapts its step size"),
    )
