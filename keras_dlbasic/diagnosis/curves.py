"""What the training loss of a run does, on the scale of what a constant reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic.analysis.overfitting.curve_turn import difference_noise
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.records import TrainingRecord


@dataclass(frozen=True)
class Descent:
    """What the training loss of a run does.

    Attributes:
        scale: What losses are relative to: the constant predictor's loss, else the loss
            before training, else the first epoch's. Of losses below zero it is at least
            their whole fall.
        has_baseline: Whether it is the constant predictor's.
        first: Loss at the start: before training if known, else of the first epoch.
        last: Median of the last three epochs.
        lowest: Lowest epoch.
        highest: Largest loss of an epoch (or, for batches of 8 rows and more, of a
            sampled batch).
        highest_step: Step of it, or None.
        drop: Fall of the loss over the last half of the epochs, relative to `scale`.
        falls: Whether the last half falls, beyond its own noise.
        swing: Deviation of the epochs from their neighbors, after the first quarter,
            relative to `scale`.
        swing_of_level: The same relative to the level of the loss itself.
        n_epochs: Number of epochs with a finite loss.
    """

    scale: float
    has_baseline: bool
    first: float
    last: float
    lowest: float
    highest: float
    highest_step: int | None
    drop: float
    falls: bool
    swing: float
    swing_of_level: float
    n_epochs: int


def descent_of(record: TrainingRecord, baseline: float | None = None) -> Descent:
    """Describe the training loss of a run.

    Args:
        record: What was recorded.
        baseline: Loss of the constant predictor. Defaults to None: not known.

    Raises:
        Skipped: If no finite training loss was logged.
    """
    loss = record.epochs.get("loss", np.zeros(0))
    loss = loss[np.isfinite(loss)]
    if not len(loss):
        raise Skipped("no finite training loss was logged")
    first, scale = _begin(record, loss, baseline)
    highest, step = _highest(record, loss)
    half = loss[len(loss) // 2 :]
    drop, falls = _fall(half)
    swing, level = _swing(loss)
    if loss.min() < 0:
        # Likelihoods cross zero, so their ratios mean nothing; their fall does.
        fall = max(first, float(loss.max())) - float(loss.min())
        scale, level = max(abs(scale), fall), max(level, fall)
    unit = scale if scale > 0 else 1.0
    return Descent(
        scale=scale,
        has_baseline=bool(baseline),
        first=first,
        last=float(np.median(loss[-3:])),
        lowest=float(loss.min()),
        highest=highest,
        highest_step=step,
        drop=drop / unit,
        falls=falls,
        swing=swing / unit,
        swing_of_level=swing / level if level > 0 else 0.0,
        n_epochs=len(loss),
    )


def penalty_of(record: TrainingRecord) -> float:
    """Return the weight penalty at the end, 0 if it is not known.

    Args:
        record: What was recorded.
    """
    table = record.tables.get("probe")
    if table is None or not len(table) or "penalty" not in table.measures:
        return 0.0
    value = float(table["penalty"][-1, 0])
    return value if np.isfinite(value) else 0.0


def _begin(
    record: TrainingRecord, loss: np.ndarray, baseline: float | None
) -> tuple[float, float]:
    table = record.tables.get("probe")
    # Best is a look before training. Else the first batch tells, if it was measured,
    # and else the first epoch, within which the loss may have fallen far.
    first = float("nan")
    if table is not None and len(table) and table.epochs[0] < 0:
        first = float(table["loss"][0, 0] + np.nan_to_num(table["penalty"][0, 0]))
    if not np.isfinite(first):
        sampled = record.batch_loss
        sampled = sampled[np.isfinite(sampled)]
        has_start = len(sampled) and len(record.steps) and record.steps[0] == 0
        first = float(sampled[0]) if has_start else float(loss[0])
    scale = float(baseline) if baseline else abs(first)
    return first, scale


def _highest(record: TrainingRecord, loss: np.ndarray) -> tuple[float, int | None]:
    best, step = float(loss.max()), None
    # Peaks within an epoch are averaged away in its mean. The loss of a few rows says
    # little, though: it is high where the rows are hard.
    rows = np.isfinite(record.batch_loss) & (record.batch_size >= 8)
    if rows.any():
        place = np.flatnonzero(rows)[np.argmax(record.batch_loss[rows])]
        if record.batch_loss[place] > best:
            best, step = float(record.batch_loss[place]), int(record.steps[place])
    return best, step


def _fall(values: np.ndarray) -> tuple[float, bool]:
    if len(values) < 3:
        drop = float(values[0] - values[-1])
        return drop, drop > 0
    t = np.arange(len(values)) - (len(values) - 1) / 2
    # A line through the second half, against the scatter around it: two epochs compared
    # with each other would be mostly noise.
    slope = float(t @ values / (t @ t))
    residuals = values - values.mean() - slope * t
    error = np.sqrt(residuals @ residuals / max(len(values) - 2, 1) / (t @ t))
    return -slope * (len(values) - 1), bool(-slope > 4 * error)


def _swing(loss: np.ndarray) -> tuple[float, float]:
    late = loss[len(loss) // 4 :]
    level = float(np.median(np.abs(loss)))
    if len(late) < 8:
        return 0.0, level
    # of differences, so that neither bends nor a single drop count
    return difference_noise(late), float(np.median(np.abs(late)))
