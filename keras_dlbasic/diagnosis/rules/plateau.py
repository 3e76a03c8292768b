"""A loss that lies still where a constant answer is."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.diagnosis.curves import descent_of
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import find_learning_rate, initialize


@rule("symptom", live=False)
def plateau(run: Run, *, flat: float = 0.01, least_updates: int = 20) -> Judged:
    """Look for a run that has learned nothing and does not move.

    With the targets known, that is no better than a constant answer. Without them only
    a loss that is the same in all epochs can be told from one that has converged, or
    one that is at the logarithm of the number of classes.

    Args:
        run: The run.
        flat: Fall of the loss over the last half, relative to what a constant answer
            reaches, that still counts as flat.
        least_updates: Before so many updates nothing is flat.
    """
    descent = descent_of(run)
    outcome = run.outcome
    if outcome.is_known:
        if outcome.learned is not False:
            return "the model does better than a constant answer"
        if descent.falls and descent.drop > flat:
            return "the loss still falls"
        if max(run.record.trained_steps, descent.n_epochs) < least_updates:
            return f"fewer than {least_updates} updates"
        return _found(
            outcome.skill,
            "The model does no better than always giving the "
            "same answer, and its loss lies still.",
            0.95,
        )
    loss = run.loss[np.isfinite(run.loss)]
    if len(loss) >= 5 and np.ptp(loss) <= 1e-6 * abs(loss[0]) and abs(loss[0]) > 1e-3:
        return _found(float(np.ptp(loss)), "The loss is the same in all epochs.", 0.9)
    chance = _chance(run)
    if chance and len(loss) >= 5 and abs(np.median(loss[-3:]) / chance - 1) < flat:
        if np.ptp(loss[len(loss) // 2 :]) < flat * chance:
            return _found(
                float(np.median(loss[-3:])),
                f"The loss lies still at {chance:.4g}, that of guessing.",
                0.8,
            )
    raise Skipped("needs `x=` and `y=` to tell a plateau from convergence")


def _chance(run: Run) -> float | None:
    if not run.loss_kind.is_crossentropy:
        return None
    outputs = (run.facts.get("network") or {}).get("outputs") or []
    if run.loss_kind.family == "zero_one":
        return math.log(2)
    if len(outputs) == 1 and (outputs[0].get("units") or 0) > 1:
        return math.log(outputs[0]["units"])
    return None


def _found(value: float | None, message: str, confidence: float) -> Found:
    return Found(
        "critical",
        message,
        remedies=(
            find_learning_rate(
                "a learning rate that is far off is the commonest cause"
            ),
            initialize("signals may not get through"),
        ),
        details={"value": value, "confidence": confidence},
    )
