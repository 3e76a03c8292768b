"""What a study of capacity found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import Interval, mean_interval
from keras_dlbasic.analysis.experiments.result_table import as_table
from keras_dlbasic.analysis.experiments.study_table import (
    VariedNumber,
    measure_interval,
)
from keras_dlbasic.records import TrialResult

FITTED = 0.01
"""A training error below this share of the variance counts as fitted, for numbers."""


@names_nearest
class CapacityResult(Plotted):
    """The trials of a `studies.CapacityStudy`.

    Args:
        trials: The trials.
        about: Settings of the study by name: `"rows"`, `"outputs"`, `"by"`, ...

    Attributes:
        trials: The trials, `TrialResult`.
        sizes: The sizes, by number of parameters.

    Example:
    >>> from keras_dlbasic.analysis import CapacityResult
    >>> from keras_dlbasic.records import TrialResult
    >>> trials = [
    ...     TrialResult(
    ...         {"size": size, "seed": seed},
    ...         values={"val_error": e + seed / 1000, "train_error": 0.1},
    ...     )
    ...     for size, e in ((1, 0.4), (2, 0.2), (4, 0.3)) for seed in (0, 1, 2)
    ... ]
    >>> CapacityResult(trials).best
    2.0
    """

    def __init__(
        self, trials: Sequence[TrialResult], *, about: Mapping[str, Any] | None = None
    ) -> None:
        unknown = float("inf")
        ordered = sorted(
            trials,
            key=lambda t: (
                float(t.values.get("parameters", unknown)),
                float(t.settings["size"]),
            ),
        )
        # a size whose first trial failed has its place from the others
        self._varied = VariedNumber(ordered, "size")
        self.trials = self._varied.trials
        self.sizes = self._varied.places
        self.about = dict(about or {})

    @property
    def parameters(self) -> dict[float, int]:
        """Number of trainable weights of each size that was built."""
        grid = self._varied.grid("parameters")
        return {
            size: int(np.nanmax(row))
            for size, row in zip(self.sizes, grid, strict=True)
            if np.isfinite(row).any()
        }

    def table(self) -> Any:
        """Return one row per trial, a `pandas.DataFrame`.

        If pandas is not installed, a similar table of NumPy arrays by column name.
        """
        columns = self._varied.columns(
            "parameters", "depth", "train_error", "val_error", "train_loss", "val_loss"
        )
        return as_table(columns)

    def intervals(self, measure: str = "val_error") -> dict[float, Interval]:
        """Return the mean over seeds and its 95 % interval, by size.

        Args:
            measure: `"val_error"`, `"train_error"`, `"val_loss"` or `"train_loss"`.
        """
        grid = self._varied.grid(measure)
        found = zip(self.sizes, grid, strict=True)
        return {
            size: measure_interval(row, measure, self._varied.kind)
            for size, row in found
        }

    @property
    def best(self) -> float | None:
        """The size with the lowest mean held-out error; None if no trial finished."""
        found = {s: i.mean for s, i in self.intervals().items() if i.n}
        return min(found, key=lambda size: found[size]) if found else None

    @property
    def interpolates_from(self) -> float | None:
        """The smallest size that fits all training data; None if none does.

        For classes: less than half a sample is wrong, averaged over the seeds. For
        numbers: less than 0.01 of the variance is unexplained.
        """
        kinds = [t.values["kind"] for t in self.trials if "kind" in t.values]
        rows = float(self.about.get("rows", np.inf))
        # less than half a row is wrong: none is, on average
        limit = FITTED if kinds and kinds[0] == "numbers" else 0.5 / rows
        for size, found in self.intervals("train_error").items():
            if found.n and found.mean < limit:
                return size
        return None

    @property
    def threshold(self) -> float | None:
        """Parameters at which interpolation is expected: samples times outputs.

        Reference:
            Belkin, Hsu, Ma & Mandal (2019), Reconciling modern machine-learning
            practice and the classical bias-variance trade-off.
        """
        if "rows" not in self.about or "outputs" not in self.about:
            return None
        return float(self.about["rows"]) * float(self.about["outputs"])

    @property
    def larger_does_worse(self) -> dict[float, Interval]:
        """Sizes above the best with clearly more held-out error, and by how much.

        Compared with the best size of the same seed. The intervals are simultaneous
        (Bonferroni).
        """
        if self.best is None:
            return {}
        grid = self._varied.grid("val_error")
        place = self.sizes.index(self.best)
        above = range(place + 1, len(self.sizes))
        found = {}
        for other in above:
            # Seed by seed, which takes out what the seeds have in common; and each at a
            # stricter level the more there are, so that one of many is not found worse
            # by chance.
            level = 1 - 0.05 / len(above)
            interval = mean_interval(grid[other] - grid[place], level=level)
            if interval.n > 1 and interval.low > 0:
                found[self.sizes[other]] = interval
        return found

    def __str__(self) -> str:
        by = self.about.get("by", "size")
        lines = [f"Held-out and training error by {by}:"]
        training = self.intervals("train_error")
        parameters = self.parameters
        for size, found in self.intervals().items():
            if found.n:
                lines.append(
                    f"    {by} {size:g} ({parameters[size]} parameters): {found}, "
                    f"training {training[size].mean:.3g}"
                )
        lines += self._varied.troubles()
        if self.best is None:
            return "\n".join([*lines, "No trial finished."])
        lines.append(f"Lowest held-out error: {by} {self.best:g}.")
        if self.interpolates_from is not None:
            lines.append(
                f"From {by} {self.interpolates_from:g} on, all training data are "
                "fitted."
            )
        worse = self.larger_does_worse
        for size, interval in worse.items():
            lines.append(f"{by} {size:g} is clearly worse: by {interval}.")
        if not worse:
            lines.append("No larger one is clearly worse.")
        return "\n".join(lines)
