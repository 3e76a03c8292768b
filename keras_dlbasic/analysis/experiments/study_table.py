"""What results of studies with one varied number share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_dlbasic.analysis.experiments.comparison import Interval, mean_interval
from keras_dlbasic.records import TrialResult

BOUNDS = {
    "val_error": (0.0, np.inf),
    "train_error": (0.0, np.inf),
    "average_precision": (0.0, 1.0),
    "update_noise": (0.0, 2.0),
    "gradient_cosine": (-1.0, 1.0),
}
"""What no mean of a measure can leave. Losses may be of any sign; see `bounds_of`."""

SHARES = ("val_error", "train_error")
"""Measures that are shares of wrong answers, unless the targets are numbers."""


def bounds_of(measure: str, values: Any, kind: str = "numbers") -> tuple[float, float]:
    """Return what the mean of a measure cannot leave.

    A loss that is positive in all trials is taken to be a positive one.

    Args:
        measure: Its name.
        values: All its values.
        kind: `"classes"`, `"labels"` or `"numbers"`: what an error is of.
    """
    if kind != "numbers" and measure in (*SHARES, "gap"):
        return (-1.0 if measure == "gap" else 0.0), 1.0
    if measure in BOUNDS:
        return BOUNDS[measure]
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    positive = measure.endswith("loss") and len(known) and known.min() > 0
    return (0.0 if positive else -np.inf), np.inf


def measure_interval(values: Any, measure: str, kind: str = "numbers") -> Interval:
    """Return the mean of a measure and its 95 % interval, within its bounds."""
    return mean_interval(values, bounds=bounds_of(measure, values, kind))


def error_kind(trials: Iterable[TrialResult]) -> str:
    """Return what an error is of: `"classes"`, `"labels"` or `"numbers"`."""
    kinds = (t.values["kind"] for t in trials if "kind" in t.values)
    return str(next(kinds, "numbers"))


class VariedNumber:
    """Trials of which one number was varied, over seeds.

    Args:
        trials: The trials.
        name: The name of the number in the settings.
    """

    def __init__(self, trials: Sequence[TrialResult], name: str) -> None:
        self.trials = tuple(trials)
        self.name = name
        settings = [trial.settings for trial in self.trials]
        self.places = tuple(dict.fromkeys(float(s[name]) for s in settings))
        self.seeds = tuple(dict.fromkeys(int(s["seed"]) for s in settings))

    def columns(self, *first: str) -> dict[str, np.ndarray]:
        """Return one row per trial, as columns by name."""
        names = [*first]
        for trial in self.trials:
            names += [n for n, v in trial.values.items() if np.ndim(v) == 0]
        rows: dict[str, list[Any]] = {
            self.name: [t.settings[self.name] for t in self.trials],
            "seed": [t.settings["seed"] for t in self.trials],
            "status": [t.status for t in self.trials],
            "error": [t.error for t in self.trials],
        }
        for name in dict.fromkeys(names):
            rows[name] = [t.values.get(name, float("nan")) for t in self.trials]
        return {name: np.array(column) for name, column in rows.items()}

    @property
    def kind(self) -> str:
        """`"classes"`, `"labels"` or `"numbers"`: what the error is of."""
        return error_kind(self.trials)

    def grid(self, measure: str) -> np.ndarray:
        """Return a measure `[places, seeds]`; NaN where a trial failed."""
        values = np.full((len(self.places), len(self.seeds)), np.nan)
        for trial in self.trials:
            if trial.status == "done" and measure in trial.values:
                row = self.places.index(float(trial.settings[self.name]))
                column = self.seeds.index(int(trial.settings["seed"]))
                values[row, column] = float(trial.values[measure])
        return values

    def troubles(self) -> list[str]:
        """Return a line for each trial that did not finish."""
        return [
            f"{dict(t.settings)} {t.status}: {t.error}"
            for t in self.trials
            if t.status != "done"
        ]
