"""What `detect_overfitting` says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.overfitting.curve_pattern import Pattern
from keras_dlbasic.analysis.overfitting.curve_turn import FEWEST_POINTS, CurveTurn

ALPHA = 0.05
"""Largest `p_value` at which a validation loss counts as risen."""

FALLING_ALPHA = 0.15
"""The same where the training loss has clearly fallen since, which is evidence too."""

WORTH_SAYING = 0.05
"""A rise that is not detected is reported from this size."""

MOST_ERRORS = 100.0
"""A larger statistic tells no more than this."""

Severity = Literal["info", "warning", "critical"]

SEVERITIES = {"info": 0, "warning": 1, "critical": 2}

_REVERSAL = (-0.42, -1.91, 1.26, -1.21)
"""Log odds that a rise goes back: constant, and by the logarithms of the epochs since
the onset, of those that are left and of the statistic over its threshold. Fitted to 257
made runs that were flagged (`benchmarks/overfitting_reversal.py`)."""

_FAR = 3.0
"""Beyond this many thresholds noise is out of the question; a hump is not."""

_WORDS = {
    "improving": "the validation loss is still falling.",
    "plateau": "the validation loss is flat, or changes only within its noise.",
    "oscillating_loss": "the validation loss oscillates without a lasting rise.",
    "diverging": "the run diverges.",
    "recovered": "the validation loss rose for a while and came back, as in double "
    "descent or after a restart.",
    "non_finite_values": "the losses end in NaN or infinity.",
    "no_validation": "there is no validation loss to judge by; give `fit` "
    "`validation_data` or `validation_split`.",
    "too_short": f"fewer than {FEWEST_POINTS} epochs have a validation loss.",
}

_TOO_SHORT_CYCLES = (
    f"fewer than {FEWEST_POINTS} epochs with the lowest learning rates of a cycle have "
    "a validation loss."
)


@names_nearest
@dataclass(frozen=True, repr=False)
class OverfittingVerdict(Displayed):
    """Whether a run overfits, as far as its curves go.

    Attributes:
        detected: Whether it does, at `min_severity` or above.
        onset: First epoch of the rise of the validation loss, at its lowest level,
            0-based; None if the run does not overfit at any level.
        gap: Validation loss minus training loss per epoch, `[n]`.
        severity: `"info"` (not detected, or a rise below 5 %), `"warning"` or
            `"critical"` (25 % and more).
        confidence: One minus `p_value`. It is about the rise alone.
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
        min_severity: Lowest severity that counts as detected.
        best_epoch: Number of the epoch with the lowest validation loss, the one that
            `EarlyStoppingReport` restores; None if no value is finite. On a noisy curve
            it may come after `onset`.
        cyclic: Whether the learning rate comes back up, so that epochs of the same
            phase were compared.
        last_compared: Number of the last epoch that was compared, before `last_epoch`
            where the learning rate has come back up since; None if there was none.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> val = np.r_[np.linspace(1.0, 0.5, 15), np.linspace(0.5, 0.9, 15)]
    >>> verdict = kd.analysis.detect_overfitting(np.geomspace(1.0, 0.01, 30), val)
    >>> verdict.detected, verdict.severity, verdict.best_epoch
    (True, 'critical', 14)
    """

    detected: bool
    onset: int | None
    gap: np.ndarray = field(repr=False)
    severity: Severity
    confidence: float
    pattern: Pattern
    rise: float
    turn: CurveTurn = field(repr=False)
    train_change: float | None = None
    metric: CurveTurn | None = field(default=None, repr=False)
    metric_gap: np.ndarray | None = field(default=None, repr=False)
    last_epoch: int | None = None
    min_severity: Severity = "info"
    best_epoch: int | None = None
    cyclic: bool = False
    last_compared: int | None = None

    @property
    def p_value(self) -> float:
        """About the chance that noise alone shows as much: 1 - confidence.

        More exactly, that a loss with such noise that is flat for 30 epochs shows as
        much at any of them; for independent noise it is rather less (see `find_turn`).
        A rise counts below 0.05, and below 0.15 where the training loss has clearly
        fallen since.
        """
        return 1.0 - self.confidence

    def chance_of_reversal(self, epochs_left: int) -> float:
        """Return about how likely the finished run will not be called overfitting.

        A rise may be noise, or the hump of a double descent, which nothing in the
        curves tells from overfitting while it rises. How long it has lasted, how many
        epochs are left and how far it stands out say how often a rise went back, in
        made runs of which one in sixteen kinds is a double descent. On other such runs
        the estimate was too high rather than too low.

        Args:
            epochs_left: Epochs that are still to be trained.

        Returns:
            The chance, from 0 to 1; 1 if nothing is detected, and 0 if it is and no
            epoch is left.
        """
        if not self.detected or self.onset is None:
            return 1.0
        if epochs_left < 1:
            return 0.0
        times = self.turn.statistic / self.turn.threshold
        constant, by_age, by_rest, by_size = _REVERSAL
        log_odds = (
            constant
            + by_age * math.log(max(self._last_seen - self.onset, 1))
            + by_rest * math.log(epochs_left + 1)
            + by_size * math.log(min(max(times, 1.0), _FAR))
        )
        return 1 / (1 + math.exp(-log_odds))

    @property
    def reason(self) -> str:
        """The verdict as text, with 1-based epochs."""
        text = self._about_loss()
        if self.metric is not None:
            text += " " + self._about_metric()
        return text

    def __str__(self) -> str:
        return wrapped(self.reason)

    @property
    def _last_seen(self) -> int:
        """The last epoch that tells of the rise."""
        last = self.last_epoch if self.last_compared is None else self.last_compared
        assert last is not None
        return last

    def _about_loss(self) -> str:
        turn = self.turn
        if self.onset is None:
            text = f"No overfitting: {_WORDS.get(self.pattern, '')}"
            if self.pattern == "too_short" and self.cyclic:
                text = f"No overfitting: {_TOO_SHORT_CYCLES}"
            if self.pattern == "plateau" and turn.rise >= WORTH_SAYING:
                text = (
                    f"No overfitting shown: the validation loss ends {turn.rise:.0%} "
                    f"above its lowest level, {turn.statistic:.1f} standard errors of "
                    f"its noise{_why_not(turn)}"
                )
            if self.pattern == "diverging" and turn.turned and self.train_change:
                text = (
                    "No overfitting but divergence: the training loss rises too, by "
                    f"{self.train_change:.1%} where the validation loss rises by "
                    f"{turn.rise:.1%}."
                )
            return text
        start = f"Overfitting since epoch {self.onset + 1}: by"
        if not self.detected:
            start = (
                f"No overfitting at severity {self.min_severity!r}, a rise of severity "
                f"{self.severity!r} since epoch {self.onset + 1}: by"
            )
        among = " at the same phase of the learning rate" if self.cyclic else ""
        return (
            f"{start} epoch {self._last_seen + 1} "
            f"the validation loss rose by {turn.rise:.1%}{among}, from "
            f"{turn.lowest:.4g} to {turn.last:.4g}, while the training loss changed by "
            f"{self.train_change or 0.0:+.1%}. The rise is {_bounded(turn.statistic)} "
            f"standard errors of the noise (threshold {turn.threshold:.1f}, p-value "
            f"{_chance(self.p_value)})."
        )

    def _about_metric(self) -> str:
        assert self.metric is not None
        if self.metric.turned and self.metric.onset is not None:
            return (
                "The validation metric gets worse since epoch "
                f"{self.metric.onset + 1}, by {self.metric.rise:.1%}."
            )
        if self.onset is not None:
            return (
                "The validation metric does not get worse: the model becomes "
                "overconfident rather than less accurate."
            )
        return "The validation metric does not get worse."


def _why_not(turn: CurveTurn) -> str:
    """Return why a rise does not count."""
    if turn.statistic <= turn.threshold:
        return f" (threshold {turn.threshold:.1f})."
    return (
        f", above the threshold of {turn.threshold:.1f}, but only the last epochs show "
        "it, an earlier rise as large came back, or it is below `min_rise`. Train a "
        "few more epochs."
    )


def _bounded(statistic: float) -> str:
    return f"{statistic:.1f}" if statistic <= MOST_ERRORS else f"over {MOST_ERRORS:.0f}"


def _chance(p_value: float) -> str:
    if p_value < 0.001:
        return "below 0.1%"
    # By itself such a chance would be too large; why it is not has to be said.
    limit = f"; the limit is {FALLING_ALPHA:.0%} because the training loss has fallen"
    return f"{p_value:.1%}" + limit * (p_value >= ALPHA)
