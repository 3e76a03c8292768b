"""What a study of batch sizes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.batch_size_advice import BatchSizeAdvice, advise
from keras_dlbasic.analysis.experiments.comparison import Ranking, rank
from keras_dlbasic.analysis.experiments.result_table import as_table
from keras_dlbasic.analysis.experiments.study_table import bounds_of
from keras_dlbasic.analysis.gradients.noise_scale import NoiseScale, noise_scale_of
from keras_dlbasic.records import TrialResult

TIMES = (
    "seconds",
    "seconds_per_update",
    "updates_per_second",
    "samples_per_second",
    "seconds_to_target",
)
"""Columns that are times: not the same in two runs, compared from sequential ones."""

FIRST_COLUMNS = (
    "learning_rate",
    "updates",
    "samples",
    "epochs",
    "train_loss",
    "val_loss",
    "update_noise",
    "gradient_cosine",
    "loss_jitter",
    "noise_scale",
    "updates_to_target",
    "samples_to_target",
    "epochs_to_target",
    *TIMES,
)

LOGARITHMIC = {
    "loss_jitter",
    *TIMES,
    *(f"{u}_to_target" for u in ("updates", "samples", "epochs")),
}

NOT_COMPARED = (
    "times are not compared: trials may have run in parallel; run the study without "
    "an executor to compare them"
)


@names_nearest
class BatchSizeResult(Plotted):
    """The trials of a `studies.BatchSizeStudy`.

    Args:
        trials: The trials.
        rows: Samples in the data set.
        about: Settings of the study by name: `"budget"`, `"learning_rate_scaling"`,
            `"batch_normalization"`, ...
        target_loss: The target training loss. Defaults to None: the initial loss minus
            90 % of the largest decrease that any trial reached.

    Attributes:
        trials: The trials, `TrialResult`.
        batch_sizes: The batch sizes, the largest first.
        target_loss: The target training loss.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import BatchSizeResult
    >>> from keras_dlbasic.records import TrialResult
    >>> updates = np.arange(11.0)
    >>> trials = [
    ...     TrialResult(
    ...         {"batch_size": size, "seed": seed},
    ...         values={
    ...             "curve_updates": updates, "curve_samples": updates * size,
    ...             "curve_seconds": updates, "curve_loss": 1 - 0.1 * updates,
    ...         },
    ...     )
    ...     for size in (8, 32) for seed in (0, 1)
    ... ]
    >>> result = BatchSizeResult(trials, rows=100, target_loss=0.5)
    >>> result.batch_sizes
    (32, 8)
    """

    def __init__(
        self,
        trials: Sequence[TrialResult],
        *,
        rows: int,
        about: Mapping[str, Any] | None = None,
        target_loss: float | None = None,
    ) -> None:
        self.trials = tuple(trials)
        self.rows = rows
        self.about = dict(about or {})
        sizes = {int(t.settings["batch_size"]) for t in self.trials}
        self.batch_sizes = tuple(sorted(sizes, reverse=True))
        self.target_loss = (
            self._default_target() if target_loss is None else float(target_loss)
        )

    @property
    def times_comparable(self) -> bool:
        """Whether no two trials ran in parallel."""
        return not any(trial.parallel for trial in self.trials)

    def regime(self, batch_size: int) -> str:
        """Return `"full"`, `"mini"` or `"single"`."""
        if batch_size >= self.rows:
            return "full"
        return "single" if batch_size == 1 else "mini"

    def table(self) -> Any:
        """Return one row per trial, a `pandas.DataFrame`.

        If pandas is not installed, a similar table of NumPy arrays by column name.

        Column `times_from` says whether the times of a row come from a sequential run.
        Only such times are compared.
        """
        return as_table(self._columns())

    def _columns(self) -> dict[str, np.ndarray]:
        rows = [self._row(trial) for trial in self.trials]
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: _column([row.get(name) for row in rows]) for name in names}

    def values(self, measure: str) -> dict[int, np.ndarray]:
        """Return a column of the table by batch size, without failed trials."""
        table = self._columns()
        if measure not in table:
            raise ValueError(
                f"`measure` must be a column of the table: {list(table)}. Received: "
                f"{measure!r}"
            )
        column = np.asarray(table[measure], np.float64)
        usable = table["status"] == "done"
        sizes = table["batch_size"]
        return {b: column[usable & (sizes == b)] for b in self.batch_sizes}

    def ranking(self, measure: str, *, level: float = 0.95) -> Ranking:
        """Return the batch sizes in order of a measure, with intervals over seeds.

        Args:
            measure: A column of the table.
            level: Confidence level.

        Returns:
            A `Ranking`. If `measure` is a time and trials ran in parallel, it has no
            order and a note says why.
        """
        if measure in TIMES and not self.times_comparable:
            return Ranking(measure, (), (), NOT_COMPARED)
        values = self.values(measure)
        return rank(
            measure,
            {b: v for b, v in values.items() if len(v)},
            level=level,
            log=measure in LOGARITHMIC,
            bounds=bounds_of(measure, np.concatenate([*values.values(), []])),
        )

    @cached_property
    def noise_scale(self) -> NoiseScale:
        """The gradient noise scale of the data set, over all trials that finished."""
        done = [t for t in self.trials if t.status == "done"]
        return _noise_scale(done)

    @cached_property
    def recommendation(self) -> BatchSizeAdvice:
        """Which batch size to take, and why."""
        table = self._columns()
        return advise(
            table,
            rows=self.rows,
            times_comparable=self.times_comparable,
            noise_scale=self.noise_scale,
            about=self.about,
        )

    def __str__(self) -> str:
        lines = [
            f"Batch sizes on {self.rows} samples, budget {self.about.get('budget')}, "
            f"target loss {self.target_loss:.4g}"
        ]
        for measure, unit in (
            ("seconds_per_update", "seconds an update"),
            ("update_noise", "noise in the updates (0 steady, 1 random)"),
            ("loss_jitter", "jitter of the batch loss"),
            ("updates_to_target", "updates to the target"),
            ("samples_to_target", "samples to the target"),
            ("seconds_to_target", "seconds to the target"),
            ("train_loss", "final training loss"),
            ("val_loss", "final validation loss"),
        ):
            if measure not in self._columns():
                continue
            ranking = self.ranking(measure)
            lines.append(f"{unit}:")
            if ranking.note:
                lines.append(f"    {ranking.note}")
            lines.extend(self._lines(measure, ranking))
            if not ranking.note:
                lines.append(f"    {str(ranking).partition(': ')[2]}")
        for trial in self.trials:
            if trial.status != "done":
                lines.append(f"{dict(trial.settings)} {trial.status}: {trial.error}")
        threads = sorted({t.threads for t in self.trials if t.threads})
        if len(threads) > 1:
            lines.append(
                "trials ran with different numbers of threads "
                f"({', '.join(map(str, threads))}): they may differ in the last bits"
            )
        lines.append(str(self.noise_scale))
        lines.append(str(self.recommendation))
        return wrapped("\n".join(lines))

    def _lines(self, measure: str, ranking: Ranking) -> list[str]:
        """Return a line per batch size, with how many seeds reached the target."""
        found = dict(zip(ranking.order, ranking.intervals, strict=True))
        seeds: dict[Any, int] = {b: len(v) for b, v in self.values(measure).items()}
        # what never reached the target has no rank, but should not be missing either
        arms = list(found)
        if measure.endswith("_to_target") and not ranking.note:
            arms += [b for b in self.batch_sizes if b not in found and seeds[b]]
        lines = []
        for size in arms:
            interval = found.get(size)
            text = "not reached" if interval is None else str(interval)
            if interval is not None and interval.n < seeds[size]:
                text += f" (from {interval.n} of {seeds[size]} seeds)"
            lines.append(f"    batch size {size!s:>6}: {text}")
        return lines

    # -- inner -------------------------------------------------------------------

    def _row(self, trial: TrialResult) -> dict[str, Any]:
        values = trial.values
        size = int(trial.settings["batch_size"])
        row: dict[str, Any] = {
            "batch_size": size,
            "regime": self.regime(size),
            "seed": trial.settings["seed"],
            "status": trial.status,
            "error": trial.error,
            "times_from": "parallel run" if trial.parallel else "sequential run",
            "threads": trial.threads,
            "initial_weights": values.get("initial_weights", ""),
        }
        found = {**values, "noise_scale": _noise_scale([trial]).value}
        found.update(self._to_target(values))
        for name in FIRST_COLUMNS:
            row[name] = found.get(name, float("nan"))
        for name, value in found.items():
            if name.startswith(("train_", "val_")):
                row[name] = value
        return row

    def _to_target(self, values: Mapping[str, Any]) -> dict[str, float]:
        names = ("updates", "samples", "seconds")
        found = {f"{name}_to_target": float("nan") for name in (*names, "epochs")}
        losses = np.asarray(values.get("curve_loss", ()), np.float64)
        reached = np.flatnonzero(losses <= self.target_loss)
        if len(reached):
            place = int(reached[0])
            for name in names:
                curve = np.asarray(values[f"curve_{name}"], np.float64)
                found[f"{name}_to_target"] = _crossing(
                    losses, curve, place, self.target_loss
                )
            found["epochs_to_target"] = found["samples_to_target"] / self.rows
        return found

    def _default_target(self) -> float:
        curves = [
            np.asarray(t.values["curve_loss"], np.float64)
            for t in self.trials
            if len(t.values.get("curve_loss", ()))
        ]
        if not curves:
            return float("nan")
        # Nine tenths of the way down: at the lowest loss of all there would be one
        # trial to have reached it, and nothing to compare.
        start = float(np.mean([curve[0] for curve in curves]))
        best = float(np.min([np.nanmin(curve) for curve in curves]))
        return start - 0.9 * (start - best)


def _crossing(
    losses: np.ndarray, places: np.ndarray, first: int, target: float
) -> float:
    """Return where the losses cross the target, by linear interpolation."""
    if first == 0:
        return float(places[0])
    above, below = losses[first - 1], losses[first]
    share = (above - target) / (above - below)
    return float(places[first - 1] + share * (places[first] - places[first - 1]))


def _noise_scale(trials: Sequence[TrialResult]) -> NoiseScale:
    noise, signal = (
        [value for t in trials for value in t.values.get(name, ())]
        for name in ("noise_trace", "noise_signal")
    )
    return noise_scale_of(noise, signal, estimand="data")


def _column(values: list[Any]) -> np.ndarray:
    if all(isinstance(value, str) or value is None for value in values):
        return np.array([value or "" for value in values], dtype=str)
    if all(isinstance(value, int) for value in values):
        return np.array(values, np.int64)
    return np.array([np.nan if v is None else v for v in values], np.float64)
