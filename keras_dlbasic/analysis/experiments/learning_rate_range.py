"""Which learning rate follows from a range test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest

SMOOTHING = 0.9
"""Share of the running mean of the loss that each step keeps."""

BELOW_MINIMUM = 10.0
"""The suggestion lies so far below the rate with the least loss."""


@names_nearest
@dataclass(frozen=True, repr=False)
class LearningRateRange(Plotted):
    """The result of a learning-rate range test.

    Attributes:
        learning_rate: The rate of each step, `[n]`, ascending.
        loss: The loss of each step's batch before its update, `[n]`.
        smoothed: A running mean of `loss`, `[n]`.
        suggestion: The recommended rate; None if no rate lowered the loss by more than
            its noise.
        least: The rate with the lowest smoothed loss.
        diverged: The first rate from which on the loss stayed above its initial value
            or was not finite; None if there is none.
        reason: The result as text.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> rate = np.geomspace(1e-5, 10, 100)
    >>> loss = 1 - 0.5 / (1 + 1e-2 / rate) + rate**2
    >>> found = kd.analysis.judge_learning_rates(rate, loss)
    >>> found.suggestion < found.least < found.diverged
    True
    """

    learning_rate: np.ndarray
    loss: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    least: float
    diverged: float | None
    reason: str

    def __str__(self) -> str:
        return wrapped(self.reason)

    def table(self) -> list[dict[str, float]]:
        """Return a table with one row per step: learning rate, loss, smoothed loss."""
        return [
            {"learning_rate": float(r), "loss": float(v), "smoothed": float(s)}
            for r, v, s in zip(
                self.learning_rate, self.loss, self.smoothed, strict=True
            )
        ]


@names_nearest
def judge_learning_rates(learning_rate: Any, loss: Any) -> LearningRateRange:
    """Choose a learning rate from the losses of a range test.

    In a range test the rate grows from step to step (Smith 2017, "Cyclical Learning
    Rates for Training Neural Networks"). At first the loss hardly changes, then it
    falls, and it rises when steps become too long. The suggestion is a tenth of the
    rate with the lowest smoothed loss (Howard and Gugger 2020), if the loss fell by
    more than its noise.

    Args:
        learning_rate: Rate of each step, `[n]`, positive and ascending.
        loss: Batch loss of each step, `[n]`; values after the first non-finite one are
            ignored.

    Returns:
        A `LearningRateRange`.

    Raises:
        ValueError: If there are fewer than 10 steps, or the rates do not ascend.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> rate = np.geomspace(1e-5, 10, 100)
    >>> loss = 1 - 0.5 / (1 + 1e-2 / rate) + rate**2
    >>> found = kd.analysis.judge_learning_rates(rate, loss)
    >>> 0.005 < found.suggestion < 0.05
    True
    """
    rate = np.asarray(learning_rate, np.float64)
    values = np.asarray(loss, np.float64)
    if rate.ndim != 1 or rate.shape != values.shape or len(rate) < 10:
        raise ValueError(
            "A range test needs as many losses as learning rates, at least 10. "
            f"Received: shapes {rate.shape} and {values.shape}"
        )
    if not (rate > 0).all() or not (np.diff(rate) > 0).all():
        raise ValueError(
            "`learning_rate` must be positive and ascend. Received: from "
            f"{rate[0]:g} to {rate[-1]:g}"
        )
    smoothed = _running_mean(values)
    finite = np.isfinite(smoothed)
    end = len(rate) if finite.all() else int(np.argmin(finite))
    if end < 5:
        return LearningRateRange(
            rate,
            values,
            smoothed,
            None,
            float("nan"),
            float(rate[0]),
            "the loss is not finite from the first steps on",
        )
    begin, noise = _level(values[:end])
    # The first losses only set the level, so the lowest loss is looked for behind them.
    # From there on, the first rate with a loss clearly above the level counts as
    # diverging.
    head = min(end - 1, _head(end))
    lowest = head + int(np.argmin(smoothed[head:end]))
    least = float(rate[lowest])
    above = np.flatnonzero(smoothed[lowest:end] > begin + 3 * noise)
    diverged = float(rate[lowest + above[0]]) if len(above) else None
    if diverged is None and end < len(rate):
        diverged = float(rate[end])
    fall = begin - smoothed[lowest]
    if fall <= 3 * noise:
        reason = (
            f"no rate from {rate[0]:.2g} to {rate[-1]:.2g} made the loss fall by more "
            "than its noise"
        )
        return LearningRateRange(rate, values, smoothed, None, least, diverged, reason)
    suggestion = least / BELOW_MINIMUM
    reason = (
        f"the loss fell from {begin:.3g} to {smoothed[lowest]:.3g} at a rate of "
        f"{least:.2g}"
    )
    if diverged is not None:
        reason += f" and rose from {diverged:.2g} on"
    reason += f": train with {suggestion:.2g}"
    return LearningRateRange(
        rate, values, smoothed, suggestion, least, diverged, reason
    )


def _running_mean(values: np.ndarray) -> np.ndarray:
    mean, smoothed = 0.0, np.empty_like(values)
    for place, value in enumerate(values):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        # the mean begins at zero: without the division the first losses would look low
        smoothed[place] = mean / (1 - SMOOTHING ** (place + 1))
    return smoothed


def _head(length: int) -> int:
    return max(5, length // 10)


def _level(values: np.ndarray) -> tuple[float, float]:
    """Return where the loss begins, and the noise of a running mean's distance to it.

    The first tenth of the steps hardly learns. Differences of neighbors tell the noise
    apart from a trend; a running mean keeps (1 - s) / (1 + s) of the variance, a median
    of n values pi / 2n.
    """
    head = values[: _head(len(values))]
    # From differences, since the loss may fall here already, and by their median, since
    # it may jump. Two things are compared with it: a running mean and the median of the
    # first losses, whose variances add up.
    spread = np.diff(values[: max(5, len(values) // 3)])
    sigma = 1.4826 * float(np.median(np.abs(spread - np.median(spread)))) / np.sqrt(2)
    share = (1 - SMOOTHING) / (1 + SMOOTHING) + np.pi / (2 * len(head))
    noise = sigma * float(np.sqrt(share))
    return float(np.median(head)), max(noise, 1e-9 * abs(float(head[0])))
