"""A training loss that oscillates from epoch to epoch."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.row_order import order_seen, shuffled_rows

VALIDATION_TIMES = 1.5
"""A validation loss that usually changes by this factor in an epoch is worth a note."""

LARGEST = 50.0
"""Logarithm of such a factor; larger ones tell no more."""


@rule(kind="symptom", needs=("loss",), live=False)
def oscillating_loss(
    run: Run, *, swing: float = 0.04, of_level: float = 0.03, epochs: int = 11
) -> Verdict:
    """Measure how much the loss of an epoch deviates from that of its neighbors.

    If only the validation loss jumps, it is a note. The loss of an epoch is a mean over
    all its rows, so deviations come from changes of the weights, not from random
    batches. Up to twice `swing` is a note if the model has a high skill.

    Args:
        run: The run.
        swing: Minimum deviation relative to the loss of a constant prediction. A
            smaller one is harmless, however small the loss. Of 296 healthy runs of 37
            kinds (`benchmarks/diagnosis.py`) none with 11 or more epochs is above 0.02.
        of_level: Minimum deviation relative to the loss itself.
        epochs: Minimum number of epochs.
    """
    descent = run.descent
    if descent.n_epochs < epochs:
        return _validation_jumps(run) or Skipped(f"needs {epochs} epochs")
    # where rows come in order, the loss oscillates at any rate: shorter steps forget
    # the last kind of rows more slowly, but learn the next one more slowly as well
    order = order_seen(run)
    in_order = order is not None and order.is_in_order
    if descent.swing > swing and descent.swing_of_level > of_level:
        is_harmless = run.outcome.is_good and descent.swing < 2 * swing
        return Finding(
            severity="info" if is_harmless else "warning",
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
    calm = Fine(f"the loss oscillates by {descent.swing:.1%} of the baseline loss")
    return _validation_jumps(run) or calm


def _validation_jumps(run: Run) -> Finding | None:
    """Return a remark on a validation loss that oscillates where training does not."""
    val = run.val_loss[np.isfinite(run.val_loss)]
    if len(val) < 2 or not val.min() > 0:
        return None
    if run.overfitting.pattern != "oscillating_loss":
        return None
    late = val[len(val) // 4 :]
    # The logarithm is bounded: a ratio of losses may be beyond what a float holds.
    steps = np.abs(np.diff(np.log(late)))
    times = float(np.exp(min(np.median(steps), LARGEST))) if len(steps) else 1.0
    if times < VALIDATION_TIMES:
        return None
    return Finding(
        severity="info",
        message=(
            f"The validation loss changes by a factor of {times:.2g} from one epoch to "
            "the next, which the training loss does not show. Either there are few "
            "validation samples, or the steps are too long, or the moving statistics "
            "of a normalization follow too slowly. Do not judge by a single epoch."
        ),
        value=times,
        threshold=VALIDATION_TIMES,
        unit="ratio of neighboring epochs",
        confidence=0.7,
        remedies=_shorter_steps(),
    )


def _shorter_steps() -> tuple[RemedySuggestion, ...]:
    return (
        suggest.lower_learning_rate("shorter steps do not overshoot the minimum"),
        suggest.batch_size("larger batches have less gradient noise", 32),
        suggest.optimizer("adapts its step size"),
    )
