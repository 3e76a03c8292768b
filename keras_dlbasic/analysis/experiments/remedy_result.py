"""What a study of remedies against overfitting found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import (
    Interval,
    Ranking,
    mean_interval,
    rank,
)
from keras_dlbasic.analysis.experiments.paired_comparison import (
    PairedDifference,
    paired_differences,
)
from keras_dlbasic.analysis.experiments.remedy_advice import RemedyAdvice
from keras_dlbasic.analysis.experiments.result_table import as_table
from keras_dlbasic.analysis.experiments.study_table import bounds_of, measure_interval
from keras_dlbasic.records import TrialResult

UNTREATED = "untreated"
MEASURES = (
    "val_error",
    "train_error",
    "gap",
    "val_loss",
    "train_loss",
    "training_seconds",
    "inference_seconds",
    "parameters",
)
TIMES = ("training_seconds", "inference_seconds")

HARDLY_FITS = 0.7
"""With more of a constant prediction's error left in training, nothing was learned."""


@names_nearest
class RemedyResult(Plotted):
    """The trials of a `studies.RemedyStudy`.

    Args:
        trials: The trials.
        names: The name of each arm, by remedy and strength.
        about: Settings of the study by name.

    Attributes:
        trials: The trials, `TrialResult`.
        arms: The names of the arms, the untreated model first.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import RemedyResult
    >>> from keras_dlbasic.records import TrialResult
    >>> trials = [
    ...     TrialResult(
    ...         {"remedy": remedy, "strength": None, "seed": seed},
    ...         values={
    ...             "kind": "classes", "train_error": 0.0, "val_error": 0.2,
    ...             "row_errors": np.eye(5)[seed], "row_brier": np.eye(5)[seed],
    ...         },
    ...     )
    ...     for remedy in ("untreated", "L2") for seed in range(3)
    ... ]
    >>> result = RemedyResult(trials, names={})
    >>> result.arms, result.recommendation.remedy  # both do the same
    (('untreated', 'L2'), None)
    """

    def __init__(
        self,
        trials: Sequence[TrialResult],
        *,
        names: Mapping[tuple[str, float | None], str],
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.trials = tuple(trials)
        self.about = dict(about or {})
        self._names = dict(names)
        found = dict.fromkeys(self._name(trial) for trial in self.trials)
        self.arms = tuple(found)

    @property
    def times_comparable(self) -> bool:
        """Whether no two trials ran in parallel."""
        return not any(trial.parallel for trial in self.trials)

    @property
    def kind(self) -> str:
        """What is predicted: `"classes"`, `"labels"` or `"numbers"`."""
        kinds = [t.values["kind"] for t in self.trials if "kind" in t.values]
        return kinds[0] if kinds else "classes"

    def values(self, measure: str) -> dict[str, np.ndarray]:
        """Return a measure by arm, one value per seed, without the trials that failed.

        Args:
            measure: `"val_error"`, `"train_error"`, `"gap"`, `"val_loss"`,
                `"train_loss"`, `"training_seconds"`, `"inference_seconds"` or
                `"parameters"`. `"gap"` is held-out error minus training error.
        """
        if measure not in MEASURES:
            raise ValueError(
                f"`measure` must be one of {MEASURES}. Received: {measure!r}"
            )
        return {arm: self._values(arm, measure) for arm in self.arms}

    def ranking(self, measure: str = "val_error", *, level: float = 0.95) -> Ranking:
        """Return the arms in order of a measure, with intervals over seeds."""
        if measure in TIMES and not self.times_comparable:
            note = "times are not compared: trials may have run in parallel"
            return Ranking(measure, (), (), note)
        found = self.values(measure).items()
        values: dict[Any, Any] = {arm: v for arm, v in found if len(v)}
        every = np.concatenate([*values.values(), []])
        return rank(
            measure,
            values,
            level=level,
            log=measure in TIMES,
            bounds=bounds_of(measure, every, self.kind),
        )

    def interval(self, arm: str, measure: str = "val_error") -> Interval:
        """Return the mean of a measure over the seeds of an arm and its 95 % interval.

        Args:
            arm: One of `arms`.
            measure: As for `values`.
        """
        return measure_interval(self._values(arm, measure), measure, self.kind)

    @cached_property
    def differences(self) -> dict[str, PairedDifference]:
        """Held-out error less that of the untreated model, by arm.

        Paired by seed and by held-out row; see `analysis.paired_differences`. An
        ensemble is compared with its members, which are untreated models of as many
        seeds. Arms of which a trial failed are left out.
        """
        return self._compared("row_errors")

    @cached_property
    def brier_differences(self) -> dict[str, PairedDifference]:
        """The same for the squared error of the probabilities."""
        return self._compared("row_brier")

    @property
    def does_not_fit(self) -> bool:
        """Whether the untreated model hardly fits its own training data.

        That is, its training error is more than 0.7 times that of a constant
        prediction, averaged over the seeds. False if the latter is not known.
        """
        constant = float(self.about.get("constant_error", float("nan")))
        error = self._values(UNTREATED, "train_error")
        return bool(len(error) and error.mean() > HARDLY_FITS * constant)

    @cached_property
    def recommendation(self) -> RemedyAdvice:
        """Which remedy to take: of those clearly better, the one of least error.

        A model that does not fit its training data has another problem, and gets none.
        Clearly better is a remedy with which the held-out error is clearly lower. A
        share of wrong answers is a coarse measure, so where there is none such, those
        count that are likely better: the error is lower by more than chance explains
        in 1 of 10 cases and the squared error of the probabilities is clearly lower; or
        it is so in 1 of 20 cases, and the squared error is lower at all.
        """
        if not self.differences:
            return RemedyAdvice(None, None, self._why_nothing())
        if self.does_not_fit:
            return RemedyAdvice(None, None, self._why_not_yet())
        compared = (UNTREATED, *self.differences)
        mean = {arm: float(self._values(arm, "val_error").mean()) for arm in compared}
        # If no arm is clearly better, one whose errors and squared errors of the
        # probabilities are both lower is recommended, as likely only.
        better = [arm for arm, found in self.differences.items() if found.is_lower]
        confidence = "clear" if better else "likely"
        if not better:
            better = [arm for arm in self.differences if self._is_likely_better(arm)]
        better.sort(key=lambda arm: mean[arm])
        if not better:
            return RemedyAdvice(None, None, self._why_none(mean))
        best = better[0]
        found = self.differences[best]
        before = mean[best] - found.interval.mean  # of an ensemble: of its members
        reason = (
            f"It changes the held-out error from {before:.3g} to {mean[best]:.3g} "
            f"({found}){self._costs(best)}."
        )
        if confidence == "likely":
            brier = self.brier_differences[best]
            how = "clearly lower" if brier.is_lower else "lower too, if not clearly"
            reason += (
                " The share of wrong answers alone would not be sure; the squared "
                f"error of the probabilities is {how} ({brier})."
            )
        cheaper = self._as_good(best, better[1:])
        if cheaper:
            listed = "; ".join(f"{arm}{self._costs(arm)}" for arm in cheaper)
            reason += f" Not distinguishable from it: {listed}."
        others = tuple(better[1:])
        return RemedyAdvice(best, self.differences[best], reason, others, confidence)

    def table(self) -> Any:
        """Return one row per arm, a `pandas.DataFrame`.

        If pandas is not installed, a similar table of NumPy arrays by column name.

        `val_error` and `gap` are means over the seeds with 95 % intervals. `difference`
        is the held-out error minus that of the untreated model, with simultaneous
        intervals. `training_time` and `inference_time` are multiples of the untreated
        model's.
        """
        return as_table(self._columns())

    def _columns(self) -> dict[str, np.ndarray]:
        rows = [self._row(arm) for arm in self.arms]
        return {name: _column([row[name] for row in rows]) for name in rows[0]}

    def trial_table(self) -> Any:
        """Return one row per trial, as columns by name."""
        rows = []
        for trial in self.trials:
            row: dict[str, Any] = {
                "remedy": self._name(trial),
                "seed": trial.settings["seed"],
                "status": trial.status,
                "error": trial.error,
                "initial_weights": trial.values.get("initial_weights", ""),
            }
            row.update({name: _measure(trial, name) for name in MEASURES})
            rows.append(row)
        names = rows[0] if rows else ()
        return as_table({name: _column([row[name] for row in rows]) for name in names})

    def __repr__(self) -> str:
        advice = self.recommendation.remedy or "none"
        return (
            f"<RemedyResult: {len(self.trials)} trials of {len(self.arms)} arms; "
            f"recommended: {advice}>"
        )

    def __str__(self) -> str:
        if not self.trials:
            return "No trial was run."
        table = self._columns()
        facts = [self.about.get(n) for n in ("rows", "held_out_rows", "updates")]
        on = " on {} training and {} held-out samples, {} updates".format(*facts)
        what = {
            "classes": "share of wrong classes",
            "labels": "share of wrong labels",
            "numbers": "squared error, as a share of the variance",
        }[self.kind]
        lines = [
            f"Remedies{on if None not in facts else ''}; error: {what}",
            f"{'':15} {'held-out error':>18} {'difference':>24} {'gap':>6} "
            f"{'train':>6} {'infer':>6}",
        ]
        for place, arm in enumerate(self.arms):
            if table["note"][place]:
                lines.append(f"{arm:15} {table['note'][place]}")
                continue
            interval = self.interval(arm, "val_error")
            found = self.differences.get(arm)
            times = [
                f"{table[name][place]:.2f}x" if self.times_comparable else "-"
                for name in ("training_time", "inference_time")
            ]
            lines.append(
                f"{arm:15} {interval!s:>18} {found or ''!s:>24} "
                f"{table['gap'][place]:>6.3f} {times[0]:>6} {times[1]:>6}"
            )
        lines.append(str(self.recommendation))
        return wrapped("\n".join(lines))

    # -- inner -------------------------------------------------------------------

    def _name(self, trial: TrialResult) -> str:
        key = trial.settings["remedy"], trial.settings.get("strength")
        return self._names.get(key, str(key[0]))

    def _of(self, arm: str) -> list[TrialResult]:
        return [trial for trial in self.trials if self._name(trial) == arm]

    def _values(self, arm: str, measure: str) -> np.ndarray:
        done = [trial for trial in self._of(arm) if trial.status == "done"]
        return np.array([_measure(trial, measure) for trial in done], np.float64)

    def _compared(self, measure: str) -> dict[str, PairedDifference]:
        rows = self._sound(measure)
        baseline = rows.pop(UNTREATED, None)
        if baseline is None:
            return {}
        own = self._sound(f"untreated_{measure}")
        # as differences to nothing, since not all have the same baseline
        moved = {arm: found - own.get(arm, baseline) for arm, found in rows.items()}
        found = paired_differences(moved, np.zeros_like(baseline))
        is_share = measure == "row_errors" and self.kind != "numbers"
        most = 1.0 if is_share else np.inf
        return {
            arm: difference.within(
                -float(own.get(arm, baseline).mean()),
                most - float(own.get(arm, baseline).mean()),
            )
            for arm, difference in found.items()
        }

    def _is_likely_better(self, arm: str) -> bool:
        from scipy.stats import t as student

        if self.kind == "numbers":
            return False  # their error is no coarse measure, and there is no second
        found, brier = self.differences[arm], self.brier_differences[arm]
        if found.interval.n < 2 or not brier.interval.mean < 0:
            return False
        # A clear fall of the squared error is evidence of its own, so the share of
        # wrong answers may be known less well.
        level = 0.9 if brier.is_lower else 0.95
        quantile = float(student.ppf(level, 2 * (found.interval.n - 1)))
        return found.interval.mean + quantile * found.standard_error < 0

    def _sound(self, measure: str) -> dict[str, np.ndarray]:
        """Return `[seeds, rows]` by arm; those with a failed trial left out."""
        rows = {}
        for arm in self.arms:
            trials = sorted(self._of(arm), key=lambda t: int(t.settings["seed"]))
            if all(measure in t.values and t.status == "done" for t in trials):
                rows[arm] = np.array([t.values[measure] for t in trials], np.float64)
        return rows

    def _row(self, arm: str) -> dict[str, Any]:
        error = self.interval(arm, "val_error")
        gap = self.interval(arm, "gap")
        nan = float("nan")
        found = self.differences.get(arm)
        difference = found.interval if found else Interval(nan, nan, nan, 0)
        row: dict[str, Any] = {
            "remedy": arm,
            "seeds": error.n,
            "val_error": error.mean,
            "val_error_low": error.low,
            "val_error_high": error.high,
            "difference": difference.mean,
            "difference_low": difference.low,
            "difference_high": difference.high,
            "clearly_better": bool(found and found.is_lower),
            "clearly_worse": bool(found and found.is_higher),
            "gap": gap.mean,
            "gap_low": gap.low,
            "gap_high": gap.high,
        }
        for name in ("train_error", "val_loss", "train_loss", "parameters"):
            row[name] = mean_interval(self._values(arm, name)).mean
        row["training_time"] = self._ratio(arm, "training_seconds")
        row["inference_time"] = self._ratio(arm, "inference_seconds")
        row["note"] = self._note(arm)
        return row

    def _ratio(self, arm: str, measure: str) -> float:
        own, base = self._values(arm, measure), self._values(UNTREATED, measure)
        if not (len(own) and len(base) and self.times_comparable):
            return float("nan")
        return float(np.median(own) / np.median(base))

    def _note(self, arm: str) -> str:
        trials = self._of(arm)
        failed = [trial for trial in trials if trial.status != "done"]
        if not failed:
            return ""
        first = failed[0]
        return f"{len(failed)} of {len(trials)} trials {first.status}: {first.error}"

    def _costs(self, arm: str) -> str:
        if not self.times_comparable:
            return ""
        training = self._ratio(arm, "training_seconds")
        inference = self._ratio(arm, "inference_seconds")
        return (
            f", at {training:.2g} times the training and {inference:.2g} times the "
            "inference time"
        )

    def _as_good(self, best: str, others: Sequence[str]) -> list[str]:
        errors = self._sound("row_errors")
        compared = paired_differences({o: errors[o] for o in others}, errors[best])
        return [o for o in others if not compared[o].is_higher]

    def _distance(self, arm: str) -> float:
        """Return the difference in standard errors."""
        found = self.differences[arm]
        return found.interval.mean / max(found.standard_error, 1e-12)

    def _why_not_yet(self) -> str:
        error = float(self._values(UNTREATED, "train_error").mean())
        return (
            "this model does not fit yet. Untreated, its error on its own training "
            f"data is {error:.3g}, where a constant prediction has "
            f"{float(self.about['constant_error']):.3g}: there is no overfitting to "
            "close. Find out why it does not learn first: `kd.treat(model, x, y)`."
        )

    def _why_nothing(self) -> str:
        if UNTREATED not in self._sound("row_errors"):
            return f"the untreated model did not train ({self._note(UNTREATED)})"
        return "no remedy could be tried"

    def _why_none(self, mean: Mapping[str, float]) -> str:
        nearest = min(self.differences, key=self._distance)
        gap = float(self._values(UNTREATED, "gap").mean())
        text = (
            "no remedy is clearly better than the untreated model, whose held-out "
            f"error is {mean[UNTREATED]:.3g} with a gap of {gap:.3g}. Nearest to it "
            f"was {nearest} ({self.differences[nearest]})"
        )
        if self.differences[nearest].interval.mean < 0:
            text += "; more seeds or more held-out data may decide"
        return f"{text}."


def _measure(trial: TrialResult, measure: str) -> float:
    values = trial.values
    if measure == "gap":
        return _measure(trial, "val_error") - _measure(trial, "train_error")
    return float(values.get(measure, float("nan")))


def _column(values: list[Any]) -> np.ndarray:
    if all(isinstance(value, str) for value in values):
        return np.array(values, dtype=str)
    if all(isinstance(value, (bool, np.bool_)) for value in values):
        return np.array(values, bool)
    if all(isinstance(value, int) for value in values):
        return np.array(values, np.int64)
    return np.array(values, np.float64)
