"""What `detect_overfitting` says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from keras_dlbasic._display import Displayed
from keras_dlbasic.analysis.overfitting.curve_pattern import Pattern
from keras_dlbasic.analysis.overfitting.curve_turn import FEWEST_POINTS, CurveTurn

MOST_ERRORS = 100.0
"""A larger statistic tells no more than this."""

_WORDS = {
    "improving": "the validation loss is still falling.",
    "plateau": "the validation loss lies still or wanders within its noise.",
    "oscillating_loss": "the validation loss oscillates; it does not rise for good.",
    "diverging": "the run diverges.",
    "recovered": "the validation loss rose for a while and came back, as in double "
    "descent or after a restart.",
    "non_finite_values": "the losses end in NaN or infinity.",
    "no_validation": "there is no validation loss to judge by; give `fit` "
    "`validation_data` or `validation_split`.",
    "too_short": f"fewer than {FEWEST_POINTS} epochs have a validation loss.",
}


@dataclass(frozen=True, repr=False)
class OverfittingVerdict(Displayed):
    """Whether a run overfits, as far as its curves go.

    Attributes:
        detected: Whether it does.
        onset: First epoch of the rise of the validation loss, at its lowest level,
            0-based; None if the run does not overfit.
        gap: Validation loss minus training loss per epoch, `[n]`.
        severity: `"info"` (not detected, or a rise below 5 %), `"warning"` or
            `"critical"` (25 % and more).
        confidence: One minus about the chance that noise alone shows as much (see
            `find_turn`). It is about the rise alone.
        pattern: What the curves do: `"overfitting"`, `"improving"`, `"plateau"`,
            `"oscillating_loss"`, `"diverging"`, `"recovered"` (rose and came back, as
            in double descent), `"non_finite_values"`, `"no_validation"` or
            `"too_short"`.
        rise: Rise of the validation loss over its lowest level, relative to it.
        turn: The test on the validation loss, with statistic and threshold.
        train_change: Change of the training loss since the rise began, relative; None
            if there was no rise.
        metric: The same test on the validation metric, None if there was none.
        metric_gap: By how much the metric is better in training, `[n]`, or None.
        last_epoch: Number of the last epoch, None if there was none.
    """

    detected: bool
    onset: int | None
    gap: np.ndarray = field(repr=False)
    severity: Literal["info", "warning", "critical"]
    confidence: float
    pattern: Pattern
    rise: float
    turn: CurveTurn = field(repr=False)
    train_change: float | None = None
    metric: CurveTurn | None = field(default=None, repr=False)
    metric_gap: np.ndarray | None = field(default=None, repr=False)
    last_epoch: int | None = None

    @property
    def reason(self) -> str:
        """The verdict in words, with 1-based epochs."""
        text = self._about_loss()
        if self.metric is not None:
            text += " " + self._about_metric()
        return text

    def __str__(self) -> str:
        return self.reason

    def _about_loss(self) -> str:
        turn = self.turn
        if not self.detected or self.onset is None or self.last_epoch is None:
            text = f"No overfitting: {_WORDS.get(self.pattern, '')}"
            if self.pattern == "diverging" and turn.turned and self.train_change:
                text = (
                    "No overfitting but divergence: the training loss rises too, by "
                    f"{self.train_change:.1%} where the validation loss rises by "
                    f"{turn.rise:.1%}."
                )
            return text
        return (
            f"Overfitting since epoch {self.onset + 1}: by epoch {self.last_epoch + 1} "
            f"the validation loss rose by {turn.rise:.1%}, from {turn.lowest:.4g} to "
            f"{turn.last:.4g}, {_bounded(turn.statistic)} standard errors of its "
            f"noise (threshold {turn.threshold:.1f}); the training loss changed by "
            f"{self.train_change or 0.0:+.1%} since."
        )

    def _about_metric(self) -> str:
        assert self.metric is not None
        if self.metric.turned and self.metric.onset is not None:
            return (
                "The validation metric gets worse since epoch "
                f"{self.metric.onset + 1}, by {self.metric.rise:.1%}."
            )
        if self.detected:
            return (
                "The validation metric does not get worse: the model gets too sure of "
                "its answers rather than more often wrong."
            )
        return "The validation metric does not get worse."


def _bounded(statistic: float) -> str:
    return f"{statistic:.1f}" if statistic <= MOST_ERRORS else f"over {MOST_ERRORS:.0f}"
