"""A loss that is stuck at the value of a constant prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_dlbasic.analysis.landscape.critical_point import VERDICTS
from keras_dlbasic.diagnosis import (
    Finding,
    Fine,
    RemedySuggestion,
    Run,
    Skipped,
    Verdict,
    rule,
    suggest,
)
from keras_dlbasic.diagnosis.generalization import predictors_find_nothing, reads_ids
from keras_dlbasic.diagnosis.still_curves import hardly_moves

PAIRS = suggest.check_rows(
    "simple predictors learn nothing either, so inputs and targets may not match"
)
WHY_RATE = "a wrong learning rate is the most common cause"


LEAST_CURVE = 4
"""With fewer epochs there is no later half to judge."""


@rule(kind="symptom", needs=("loss",), live=False, per_output=True)
def plateau(
    run: Run,
    *,
    flat: float = 0.01,
    least_updates: int = 20,
    least_epochs: int = 5,
    same: float = 1e-6,
    zero: float = 1e-3,
) -> Verdict:
    """Look for a run that has learned nothing and whose loss does not decrease.

    If the targets are known, the model must be no better than a constant prediction.
    Without targets, a plateau can only be distinguished from convergence if the loss is
    the same in all epochs, or is the logarithm of the number of classes. For a table of
    epochs, a loss that hardly changes is a warning. If the curvature was measured
    (`CurvatureProbe`), the message names the kind of point.

    Args:
        run: The run.
        flat: Maximum fall of the loss over the last half of the run, relative to the
            loss of a constant prediction.
        least_updates: Minimum number of updates.
        least_epochs: Minimum number of epochs if the targets are not known.
        same: Maximum range of the losses of all epochs, relative to the first, for
            equal losses. It is the resolution of float32, with a margin for the mean of
            an epoch.
        zero: A loss up to this value may be zero, so it is not a plateau.
    """
    descent = run.descent
    outcome = run.outcome
    if outcome.is_known:
        if outcome.learned is not False:
            return Fine("the model is better than a constant prediction")
        if descent.falls and descent.drop > flat:
            return Fine("the loss still falls")
        if _weighted_loss_falls(run, flat):
            return Fine("the loss with its weights still falls")
        if max(run.record.trained_steps, descent.n_epochs) < least_updates:
            return Fine(f"fewer than {least_updates} updates")
        how = "hardly decreases" if descent.falls else "does not decrease"
        return _found(
            run,
            outcome.loss_saved,
            f"The model {outcome.failure}, and its loss {how}.",
            0.95,
        )
    # The loss of a constant prediction is not known: only the curve is left to judge.
    loss = run.loss[np.isfinite(run.loss)]
    is_long = len(loss) >= least_epochs
    if is_long and np.ptp(loss) <= same * abs(loss[0]) and abs(loss[0]) > zero:
        return _found(
            run, float(np.ptp(loss)), "The loss is the same in all epochs.", 0.9
        )
    # Without targets a model that guesses can still be told where the loss of a guess
    # is known: any classes alike, each with the same probability.
    chance = _chance(run)
    if chance and is_long:
        last = float(np.median(loss[-3:]))
        is_still = np.ptp(loss[len(loss) // 2 :]) < flat * chance
        if is_still and abs(last / chance - 1) < flat:
            text = f"The loss is stuck at {chance:.4g}, the value for random guessing."
            return _found(run, last, text, 0.8)
    if run.has_curves_only and is_long and hardly_moves(run.record, flat, zero):
        return _unclear(loss)
    return Skipped(run.reasons.outcome)


def _weighted_loss_falls(run: Run, flat: float) -> bool:
    """Return whether the loss of weighted rows falls, on the scale that it has itself.

    Weights that are small or negative make it another one than that of a constant.
    """
    data, loss = run.facts.data, run.loss[np.isfinite(run.loss)]
    if data is None or not data.weights or len(loss) < LEAST_CURVE:
        return False
    later = loss[len(loss) // 2 :]
    return bool(later[0] - later[-1] > flat * np.abs(loss).max())


def _unclear(loss: np.ndarray) -> Finding:
    return Finding(
        severity="warning",
        message=(
            f"The loss hardly moves: in {len(loss)} epochs it stays between "
            f"{loss.min():.4g} and {loss.max():.4g}. The curves alone do not show "
            "whether the model learns nothing or was already trained."
        ),
        value=float(np.ptp(loss)),
        confidence=0.6,
        remedies=(
            suggest.by_hand(
                "record a run with `kd.callbacks.TrainingDoctor(x, y)`",
                "it compares the predictions with a constant one",
            ),
            suggest.range_test(WHY_RATE),
        ),
    )


def _chance(run: Run) -> float | None:
    if not run.loss_kind.is_crossentropy:
        return None
    if run.loss_kind.family == "zero_one":
        return math.log(2)
    outputs = run.facts.outputs
    units = outputs[0].units or 0 if len(outputs) == 1 else 0
    return math.log(units) if units > 1 else None


def _found(run: Run, value: float | None, message: str, confidence: float) -> Finding:
    rate = suggest.range_test(WHY_RATE)
    start = suggest.new_weights("poor initial weights can block signals and gradients")
    remedies: tuple[RemedySuggestion, ...] = (rate, start)
    if predictors_find_nothing(run) and not reads_ids(run):
        remedies = (PAIRS, *remedies)
    verdict, row = _ground(run)
    evidence: dict[str, Any] = {}
    if verdict is not None:
        evidence = {"point": verdict, **row}
        message += " " + _SAID[verdict].format(**row)
        # no learning rate gets units going that have no slope
        if verdict in ("plateau", "degenerate"):
            remedies = (start, rate)
        elif verdict in ("saddle", "not_stationary"):
            remedies = (rate,)
    return Finding(
        severity="critical",
        message=message,
        value=value,
        confidence=confidence,
        evidence=evidence,
        remedies=remedies,
    )


_SAID = {
    "saddle": "It is at a saddle point: the curvature is {smallest:.2g} in one "
    "direction, along which the loss falls by {escape_fall:.2g}. Smaller batches or a "
    "higher learning rate help to leave it.",
    "minimum": "It is at a local minimum: no direction of negative curvature was "
    "found. Longer training will not help; new initial weights or another model may.",
    "plateau": "It is on a plateau: {inert_share:.0%} of the weights have no effect on "
    "the loss here or nearby (dead or saturated units).",
    "degenerate": "{inert_share:.0%} of the weights have zero gradient and zero "
    "curvature here, as weights that start at zero do.",
    "not_stationary": "The gradient is not zero: following it would lower the loss by "
    "{gradient_fall:.2g}, but the steps do not follow it.",
}


def _ground(run: Run) -> tuple[str | None, dict[str, float]]:
    """Return the verdict on where the run ended, with numbers, if it was looked at."""
    table = run.record.tables.get("curvature")
    if table is None or not len(table):
        return None, {}
    row = {name: float(table[name][-1, 0]) for name in table.measures}
    if not math.isfinite(row["verdict"]):
        return None, {}
    return VERDICTS[int(row.pop("verdict"))], row
