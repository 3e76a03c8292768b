"""What a study of sample sizes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import Interval
from keras_dlbasic.analysis.experiments.power_law import PowerLaw, fit_power_law
from keras_dlbasic.analysis.experiments.result_table import as_table
from keras_dlbasic.analysis.experiments.study_table import (
    VariedNumber,
    measure_interval,
)
from keras_dlbasic.records import TrialResult


@names_nearest
class SampleSizeResult(Plotted):
    """The trials of a `studies.SampleSizeStudy`.

    Args:
        trials: The trials.
        about: Settings of the study by name.

    Attributes:
        trials: The trials, `TrialResult`.
        sizes: The sample sizes, the smallest first.

    Example:
    >>> from keras_dlbasic.analysis import SampleSizeResult
    >>> from keras_dlbasic.records import TrialResult
    >>> trials = [
    ...     TrialResult(
    ...         {"size": n, "seed": seed},
    ...         values={"val_error": 3 * n**-0.5 + seed / 1000, "train_error": 0.01},
    ...     )
    ...     for n in (50, 100, 200, 400) for seed in (0, 1, 2)
    ... ]
    >>> result = SampleSizeResult(trials)
    >>> result.sizes, result.more_data_helps
    ((50, 100, 200, 400), True)
    """

    def __init__(
        self, trials: Sequence[TrialResult], *, about: Mapping[str, Any] | None = None
    ) -> None:
        ordered = sorted(trials, key=lambda trial: float(trial.settings["size"]))
        self._varied = VariedNumber(ordered, "size")
        self.trials = self._varied.trials
        self.sizes = tuple(int(size) for size in self._varied.places)
        self.about = dict(about or {})

    def table(self) -> Any:
        """Return one row per trial, a `pandas.DataFrame`.

        If pandas is not installed, a similar table of NumPy arrays by column name.
        """
        columns = self._varied.columns("train_error", "val_error")
        return as_table(columns)

    def intervals(self, measure: str = "val_error") -> dict[int, Interval]:
        """Return the mean over seeds and its 95 % interval, by size.

        Args:
            measure: `"val_error"`, `"train_error"`, `"val_loss"` or `"train_loss"`.
        """
        grid = self._varied.grid(measure)
        return {
            size: measure_interval(row, measure, self._varied.kind)
            for size, row in zip(self.sizes, grid, strict=True)
        }

    def power_law(self, measure: str = "val_error") -> PowerLaw | None:
        """Return the power law of a measure; None with fewer than three sizes."""
        return fit_power_law(self.sizes, self._varied.grid(measure))

    @cached_property
    def twice(self) -> Interval | None:
        """The held-out error that twice the data are expected to bring."""
        law = self.power_law()
        most = np.inf if self._varied.kind == "numbers" else 1.0
        return None if law is None else law.predict(2 * self.sizes[-1], most=most)

    @property
    def more_data_helps(self) -> bool | None:
        """Whether twice the data would clearly lower the error; None if not known.

        That is, the whole interval predicted for twice the data is below the error
        measured with all data.
        """
        if self.twice is None:
            return None
        now = self.intervals()[self.sizes[-1]]
        return bool(self.twice.high < now.mean)

    def __str__(self) -> str:
        lines = ["Held-out and training error against sample size:"]
        held_out, training = self.intervals(), self.intervals("train_error")
        lines += [
            f"    {size:>7}: {held_out[size]!s:>26}  training {training[size].mean:.3g}"
            for size in self.sizes
        ]
        lines += self._varied.troubles()
        law = self.power_law()
        if law is None or self.twice is None:
            lines.append("Too few sizes for a power law: at least three are needed.")
            return wrapped("\n".join(lines))
        lines.append(
            f"Power law: {law.floor:.3g} + {law.factor:.3g} * n ** -{law.exponent:.2g}"
        )
        now = held_out[self.sizes[-1]].mean
        verdict = "that is clearly less" if self.more_data_helps else "not clearly less"
        lines.append(
            f"Twice the data ({2 * self.sizes[-1]}) would bring {self.twice} instead "
            f"of {now:.3g}: {verdict}."
        )
        return wrapped("\n".join(lines))
