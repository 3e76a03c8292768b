"""A run that was stopped on its way down."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.curves import descent_of
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("loss",), live=False)
def stopped_too_early(
    run: Run,
    *,
    share: float = 0.5,
    fall: float = 0.1,
    last: int = 2,
    good: float = 0.9,
    begun: float = 0.25,
    slow: float = 0.01,
    steady: float = 0.05,
    rising: int = 2,
) -> Verdict:
    """Look for a run that ended long before its last epoch, while it still improved.

    For example, `EarlyStopping` with too little patience ends the run after a single
    epoch without improvement.

    Args:
        run: The run.
        share: Maximum share of the planned epochs for an early end.
        fall: Minimum relative fall of the training loss over the last half of the
            epochs.
        last: Maximum number of epochs since the best validation loss: usual values of
            patience are three and more.
        good: Skill from which on a run counts as successful.
        begun: Up to this share of the planned epochs, `slow` replaces `fall`, if the
            last epoch is the best and the model has less than half the skill of simple
            predictors.
        slow: Minimum fall of the training loss, like `fall`, for such a run.
        steady: Replaces `fall` if the last epoch is the best and the validation loss
            fell by as much: it was not the validation loss that ended the run.
        rising: Minimum number of epochs by which a validation loss that has risen in
            each of them ended the run, where the model is better than simple
            predictors: one such epoch may be noise.
    """
    planned, ran = run.facts.epochs, len(run.loss)
    if not planned:
        return Skipped("the number of planned epochs is not known")
    if ran > share * planned:
        return Fine(f"{ran} of {planned} epochs were trained")
    if not np.isfinite(run.loss).all():
        return Fine("the loss was not finite when it ended")
    # The last half shows whether the run was still improving; one epoch is mostly
    # noise.
    half = run.loss[ran // 2 :]
    drop = _fall(half)
    if (run.outcome.skill or 0.0) >= good:
        return Fine(
            f"the model had learned when training ended (skill {run.outcome.skill:.2f})"
        )
    val = run.val_loss
    is_known = bool(np.isfinite(val).any())
    since = len(val) - 1 - int(np.nanargmin(val)) if is_known else 0
    improves = since <= last
    rose = since >= rising and bool((np.diff(val[-since - 1 :]) > 0).all())
    if rose and _is_ahead(run):
        return Fine(f"the validation loss had risen for {since} epochs in a row")
    if ran <= begun * planned and is_known and since == 0 and _is_behind(run):
        fall = slow
    is_steady = is_known and since == 0 and _fall(val[ran // 2 :]) >= steady
    fall = min(fall, steady) if is_steady else fall
    falls = is_steady or descent_of(run.record).falls
    if drop < fall or not improves or not falls:
        return Fine(f"the loss fell by {drop:.0%} over the last half")
    return Finding(
        severity="warning",
        message=(
            f"The run was stopped after {ran} of {planned} epochs although it was "
            f"still improving: the training loss fell by {drop:.0%} over the last half."
        ),
        epoch=ran - 1,
        value=float(drop),
        threshold=fall,
        unit="share of the loss",
        confidence=0.85,
        remedies=(
            suggest.by_hand(
                "keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)",
                "a single epoch without improvement may be noise",
            ),
        ),
    )


def _fall(losses: np.ndarray) -> float:
    """Return how much losses fell from the first to the last, relative to the first."""
    begin = abs(float(losses[0])) if len(losses) > 1 else 0.0
    return float((losses[0] - losses[-1]) / begin) if begin > 0 else 0.0


def _is_ahead(run: Run) -> bool:
    """Return whether the model has more skill than simple predictors."""
    skill, reference = run.outcome.skill, run.outcome.reference
    return skill is not None and reference is not None and skill > reference


def _is_behind(run: Run) -> bool:
    """Return whether the model has less than half the skill of simple predictors."""
    skill, reference = run.outcome.skill, run.outcome.reference
    if skill is None or reference is None:
        return False
    return skill < 0.5 * reference
