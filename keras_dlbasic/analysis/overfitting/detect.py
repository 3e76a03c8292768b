"""Overfitting, told from the curves of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.overfitting.curve_cycles import LevelCurves, without_cycles
from keras_dlbasic.analysis.overfitting.curve_pattern import (
    Pattern,
    change_since,
    ends_non_finite,
    name_pattern,
)
from keras_dlbasic.analysis.overfitting.curve_turn import CurveTurn, find_turn
from keras_dlbasic.analysis.overfitting.curve_unit import in_plain_unit
from keras_dlbasic.analysis.overfitting.verdict import (
    ALPHA,
    FALLING_ALPHA,
    SEVERITIES,
    OverfittingVerdict,
    Severity,
)

Curve = Sequence[float] | np.ndarray

WITH_VALIDATION = 0.25
"""Share of the relative rise that the training loss may show too, noise apart."""

CLEAR_RISE = 0.25
"""A training loss that rises by more than this diverges, whatever validation does."""


@names_nearest
def detect_overfitting(
    loss: Curve,
    val_loss: Curve,
    *,
    metric: Curve | None = None,
    val_metric: Curve | None = None,
    mode: Literal["min", "max"] | None = None,
    min_rise: float = 0.01,
    epochs: Sequence[int] | np.ndarray | None = None,
    learning_rate: Curve | None = None,
    min_severity: Severity = "info",
) -> OverfittingVerdict:
    """Return whether a run overfits, as far as its curves go, and since when.

    A run overfits if its validation loss has turned up for good, by more than its own
    noise explains and by at least `min_rise`, while its training loss has not. The
    threshold is high enough for a test after every epoch of a run that falls and then
    lies flat for some tens of epochs; the longer it lies flat, the likelier is a false
    alarm on the way (see `find_turn`). A validation loss that oscillates, blows up with
    the training loss, rises and comes back, has one bad epoch or is stuck is not
    overfitting; `pattern` and `reason` say what it is.

    Where the learning rate comes back up (warm restarts, cyclic rates), epochs of the
    same phase are compared: give `learning_rate`, or the cycles are looked for in the
    curves once there are three.

    The verdict is about the loss. A metric is judged by the same test and reported
    apart: a validation loss that rises while the accuracy still improves means that the
    model gets too sure of itself rather than more often wrong.

    Args:
        loss: Training loss per epoch, `[n]`, best measured in inference mode.
        val_loss: Validation loss per epoch, `[n]`. NaN in epochs without validation.
        metric: Training metric per epoch, `[n]`, for the metric's gap. Defaults to
            None.
        val_metric: Validation metric per epoch, `[n]`, NaN as in `val_loss`. Defaults
            to None.
        mode: `"max"` if the metric is to be maximized, `"min"` if minimized. Has to be
            given with `val_metric`.
        min_rise: Smallest rise over the lowest validation loss that counts, relative to
            it. Defaults to `0.01`.
        epochs: Numbers of the epochs, `[n]`, rising. Defaults to `0, 1, ..., n - 1`.
        learning_rate: Learning rate of each epoch, `[n]`. Defaults to None: not known.
        min_severity: Lowest severity that counts as detected: `"info"` (any rise that
            is not noise), `"warning"` (from 5 %) or `"critical"` (from 25 %). Defaults
            to `"info"`.

    Returns:
        The verdict.

    Raises:
        ValueError: If the curves differ in length, `mode` is missing or neither,
            `min_rise` is negative, or `min_severity` is none of the three.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import detect_overfitting
    >>> t = np.arange(40)
    >>> loss = np.exp(-t / 10)
    >>> val_loss = 0.5 + 0.5 * np.exp(-t / 5) + 0.01 * np.maximum(0, t - 20)
    >>> verdict = detect_overfitting(loss, val_loss)
    >>> verdict.detected, verdict.onset, verdict.severity
    (True, 20, 'critical')
    """
    train, val = _array(loss, "loss"), _array(val_loss, "val_loss")
    numbers = np.arange(len(train)) if epochs is None else np.asarray(epochs)
    scores = _array(val_metric, "val_metric")
    train_scores = _array(metric, "metric")
    rates = _array(learning_rate, "learning_rate")
    _check_lengths(
        {"loss": train, "val_loss": val, "epochs": numbers, "learning_rate": rates}
        | {"val_metric": scores, "metric": train_scores}
    )
    _check_settings(mode, val_metric is not None, min_rise, min_severity)
    known_rates = rates if np.isfinite(rates).any() else None
    # The verdict is about ratios, so that the unit of a curve is free.
    plain_train, _ = in_plain_unit(train)
    plain_val, unit = in_plain_unit(val)
    level = without_cycles(plain_train, plain_val, known_rates)
    turn, change = _judge(level.train, level.val, min_rise)
    pattern = _pattern(plain_train, plain_val, turn, change, level)
    found = pattern == "overfitting"
    severity = _severity(turn.rise) if found else "info"
    turned_metric = None
    if val_metric is not None:
        plain_scores, metric_unit = in_plain_unit(scores)
        signed = -plain_scores if mode == "max" else plain_scores
        turned_metric = _in_unit(_turn(signed, min_rise, ALPHA), metric_unit)
    return OverfittingVerdict(
        detected=found and SEVERITIES[severity] >= SEVERITIES[min_severity],
        onset=int(numbers[turn.onset]) if found and turn.onset is not None else None,
        gap=_difference(val, train),
        severity=severity,
        confidence=turn.confidence,
        pattern=pattern,
        rise=turn.rise,
        train_change=change,
        turn=_numbered(_in_unit(turn, unit), numbers),
        metric=None if turned_metric is None else _numbered(turned_metric, numbers),
        metric_gap=None
        if metric is None or val_metric is None
        else _gap(train_scores, scores, mode),
        last_epoch=int(numbers[-1]) if len(numbers) else None,
        min_severity=min_severity,
        best_epoch=_best_epoch(val, numbers),
        cyclic=level.cyclic,
        last_compared=_last_finite(level.val, numbers),
    )


def _last_finite(values: np.ndarray, numbers: np.ndarray) -> int | None:
    known = np.flatnonzero(np.isfinite(values))
    return int(numbers[known[-1]]) if len(known) else None


def _best_epoch(val: np.ndarray, numbers: np.ndarray) -> int | None:
    """Return the number of the first epoch of the lowest finite validation loss."""
    known = np.flatnonzero(np.isfinite(val))
    return int(numbers[known[np.argmin(val[known])]]) if len(known) else None


def _judge(
    train: np.ndarray, val: np.ndarray, min_rise: float
) -> tuple[CurveTurn, float | None]:
    """Test the validation loss; return also what the training loss did since."""
    turn = _turn(val, min_rise, FALLING_ALPHA)
    if turn.onset is None:
        return turn, None
    change, error = change_since(train, turn.onset)
    # A training loss that has clearly fallen since is evidence by itself: without it
    # the validation loss alone has to be beyond doubt.
    if change > -2 * error:
        turn = _turn(val, min_rise, ALPHA)
    return turn, change


def _pattern(
    train: np.ndarray,
    val: np.ndarray,
    turn: CurveTurn,
    change: float | None,
    level: LevelCurves,
) -> Pattern:
    if ends_non_finite(train, val):
        return "non_finite_values"
    if not np.isfinite(val).any():
        return "no_validation"
    if turn.onset is None or change is None:
        # A swing that the learning rate explains is not an oscillation of the run.
        return name_pattern(train, level.val if level.explained else val)
    _, error = change_since(level.train, turn.onset)
    # Where both losses rise, the run goes wrong and does not overfit. Some rise is
    # allowed for: the training loss has noise of its own, which grows with
    # regularization.
    allowed = min(WITH_VALIDATION * turn.rise, CLEAR_RISE)
    if change > max(2 * error, allowed):
        return "diverging"
    return "overfitting"


def _turn(values: np.ndarray, min_rise: float, alpha: float) -> CurveTurn:
    """Judge what is finite of a curve; the onset is an index of the whole."""
    known = np.flatnonzero(np.isfinite(values))
    turn = find_turn(values[known], min_rise=min_rise, alpha=alpha)
    if turn.onset is None:
        return turn
    return replace(turn, onset=int(known[turn.onset]))


def _in_unit(turn: CurveTurn, unit: float) -> CurveTurn:
    """Return a verdict on a curve that was divided by `unit`, as one on the curve."""
    lowest, last, noise = (v * unit for v in (turn.lowest, turn.last, turn.noise))
    return replace(turn, lowest=lowest, last=last, noise=noise)


def _numbered(turn: CurveTurn, numbers: np.ndarray) -> CurveTurn:
    if turn.onset is None:
        return turn
    return replace(turn, onset=int(numbers[turn.onset]))


def _gap(train: np.ndarray, val: np.ndarray, mode: str | None) -> np.ndarray:
    return _difference(train, val) if mode == "max" else _difference(val, train)


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    # inf - inf is NaN, and the largest numbers of both signs are infinitely far apart
    with np.errstate(over="ignore", invalid="ignore"):
        gap: np.ndarray = one - other
    return gap


def _severity(rise: float) -> Severity:
    if rise < 0.05:
        return "info"
    return "warning" if rise < 0.25 else "critical"


def _array(curve: Curve | None, name: str) -> np.ndarray:
    values = np.asarray([] if curve is None else curve, np.float64)
    if values.ndim != 1:
        raise ValueError(
            f"`{name}` must be a curve, one value per epoch. Received an array of "
            f"shape {values.shape}."
        )
    return values


def _check_lengths(curves: dict[str, np.ndarray]) -> None:
    n = len(curves["loss"])
    needed = ("loss", "val_loss", "epochs")
    if any(
        len(values) != n and (name in needed or len(values))
        for name, values in curves.items()
    ):
        lengths = {name: len(values) for name, values in curves.items() if len(values)}
        raise ValueError(
            "The curves must be of one length, one value per epoch, NaN where an "
            f"epoch had no validation. Received lengths {lengths}. "
            "`TrainingRecord.from_history(history).epochs` has this form."
        )


def _check_settings(
    mode: str | None, has_metric: bool, min_rise: float, min_severity: str
) -> None:
    if min_severity not in SEVERITIES:
        raise ValueError(
            '`min_severity` must be "info", "warning" or "critical". '
            f"Received: min_severity={min_severity!r}"
        )
    if mode not in (None, "min", "max") or (has_metric and mode is None):
        raise ValueError(
            '`mode` must be "max" or "min" where `val_metric` is given: whether it is '
            f"to be maximized or minimized. Received: mode={mode!r}"
        )
    if not min_rise >= 0:
        raise ValueError(f"`min_rise` must not be negative. Received: {min_rise!r}")
