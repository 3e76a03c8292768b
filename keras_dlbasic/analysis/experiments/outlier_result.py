"""What a study of outliers found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import Interval
from keras_dlbasic.analysis.experiments.result_table import as_table
from keras_dlbasic.analysis.experiments.study_table import (
    error_kind,
    measure_interval,
)
from keras_dlbasic.records import TrialResult


def average_precision(planted: Any, scores: Any) -> float:
    """Return how well scores rank planted rows before the others.

    The mean, over the planted rows, of the share of planted ones among those with at
    least their score: 1 if all come first, about their share if scores know nothing.

    Args:
        planted: True for planted rows `[n]`.
        scores: Higher for what is suspected more `[n]`.

    Returns:
        A number from 0 to 1; NaN if nothing is planted.

    Example:
    >>> from keras_dlbasic.analysis.experiments.outlier_result import average_precision
    >>> average_precision([True, False, True], [0.9, 0.1, 0.5])
    1.0
    """
    p = np.asarray(planted, bool)
    s = np.asarray(scores, np.float64)
    if not p.any():
        return float("nan")
    # At each planted row, precision is the share of planted ones among the rows that
    # score at least as high.
    at_least = s[None, :] >= s[p][:, None]
    return float(np.mean((at_least & p[None, :]).sum(axis=1) / at_least.sum(axis=1)))


def relative_ranks(scores: Any) -> np.ndarray:
    """Return the ranks of scores, from 0 for the lowest to 1; alike ones share theirs.

    Example:
    >>> from keras_dlbasic.analysis.experiments.outlier_result import relative_ranks
    >>> relative_ranks([0.3, 9.0, 0.1]).tolist()
    [0.5, 1.0, 0.0]
    """
    _, places, counts = np.unique(
        np.asarray(scores), return_inverse=True, return_counts=True
    )
    ranks = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(ranks[places] / max(1, len(places) - 1))


@names_nearest
class OutlierResult(Plotted):
    """The trials of a `studies.OutlierStudy`.

    Args:
        trials: The trials.
        about: Settings of the study by name.

    Attributes:
        trials: The trials, `TrialResult`.
        kinds: What was planted: `"labels"`, `"inputs"`.
        shares: The shares that were planted, including 0.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import OutlierResult
    >>> from keras_dlbasic.records import TrialResult
    >>> trials = [
    ...     TrialResult(
    ...         {"kind": kind, "share": share, "seed": seed},
    ...         values={"val_error": 0.1 + share, "row_scores": np.eye(8)[5]},
    ...     )
    ...     for kind, share in (("none", 0.0), ("labels", 0.2)) for seed in (0, 1, 2)
    ... ]
    >>> result = OutlierResult(trials)
    >>> result.shares, int(np.argmax(result.scores))  # row 5 is suspicious
    ((0.0, 0.2), 5)
    """

    def __init__(
        self, trials: Sequence[TrialResult], *, about: Mapping[str, Any] | None = None
    ) -> None:
        self.trials = tuple(trials)
        self.about = dict(about or {})
        settings = [trial.settings for trial in self.trials]
        self.kinds = tuple(dict.fromkeys(s["kind"] for s in settings if s["share"]))
        self.shares = tuple(sorted({float(s["share"]) for s in settings}))

    def intervals(
        self, kind: str = "labels", measure: str = "val_error"
    ) -> dict[float, Interval]:
        """Return the mean over seeds and its 95 % interval, by planted share.

        Args:
            kind: What was planted: `"labels"` or `"inputs"`.
            measure: `"val_error"`, `"train_error"`, `"val_loss"`, `"train_loss"` or
                `"average_precision"`.
        """
        found = {}
        for share in self.shares:
            values = [
                float(t.values.get(measure, float("nan")))
                for t in self._of(kind, share)
                if t.status == "done"
            ]
            found[share] = measure_interval(values, measure, error_kind(self.trials))
        return found

    @cached_property
    def scores(self) -> np.ndarray:
        """How much each label is suspected: its mean rank over the seeds, from 0 to 1.

        By the loss on the row, averaged over the training, and by that of a model that
        was trained on other rows. From the trials in which nothing was planted.
        """
        return self._mean_rank("row_scores")

    @cached_property
    def input_scores(self) -> np.ndarray:
        """How much the inputs of each row are suspected: the rank of their distance.

        To the five nearest rows, from 0 to 1. Empty for trials of earlier versions.
        """
        return self._mean_rank("input_scores")

    def _mean_rank(self, name: str) -> np.ndarray:
        rows = [
            np.asarray(t.values[name], np.float64)
            for t in self._of("none", 0.0)
            if t.status == "done" and name in t.values
        ]
        # Ranks, since the losses of two seeds may be of different size. Scores that are
        # all alike suspect no row.
        ranks = [relative_ranks(row) for row in rows if len(np.unique(row)) > 1]
        return np.mean(ranks, axis=0) if ranks else np.empty(0)

    def suspects(self, n: int = 20, kind: str = "labels") -> np.ndarray:
        """Return the most suspicious rows, the most suspicious first.

        Args:
            n: Number of rows. Defaults to 20.
            kind: `"labels"` (default): rows whose loss falls last, and is high for
                models that were not trained on them. `"inputs"`: rows whose inputs are
                far from those of all other rows.

        Raises:
            ValueError: If `kind` is neither.
        """
        if kind not in ("labels", "inputs"):
            raise ValueError(
                f'`kind` must be "labels" or "inputs". Received: kind={kind!r}'
            )
        scores = self.scores if kind == "labels" else self.input_scores
        return np.argsort(-scores, kind="stable")[:n]

    def table(self) -> Any:
        """Return one row per trial, a `pandas.DataFrame`.

        If pandas is not installed, a similar table of NumPy arrays by column name.
        """
        rows: dict[str, Any] = {
            name: np.array([trial.settings[name] for trial in self.trials])
            for name in ("kind", "share", "seed")
        }
        rows["status"] = np.array([trial.status for trial in self.trials])
        rows["error"] = np.array([trial.error for trial in self.trials])
        for name in (
            "train_error",
            "val_error",
            "train_loss",
            "val_loss",
            "average_precision",
        ):
            rows[name] = np.array(
                [float(t.values.get(name, float("nan"))) for t in self.trials]
            )
        return as_table(rows)

    def __str__(self) -> str:
        lines = []
        for kind in self.kinds:
            found = self.intervals(kind, "average_precision")
            lines.append(f"Held-out error with wrong {kind}:")
            for share, error in self.intervals(kind).items():
                text = f"    {share:6.1%}: {error}"
                if share and found[share].n:
                    text += f", found again with average precision {found[share]}"
                lines.append(text)
        for trial in self.trials:
            if trial.status != "done":
                lines.append(f"{dict(trial.settings)} {trial.status}: {trial.error}")
        if len(self.scores):
            first = ", ".join(map(str, self.suspects(10).tolist()))
            lines.append(f"Labels to check, in rows {first}")
        if len(self.input_scores):
            first = ", ".join(map(str, self.suspects(10, "inputs").tolist()))
            lines.append(f"Inputs to check, in rows {first}")
        return wrapped("\n".join(lines))

    def _of(self, kind: str, share: float) -> list[TrialResult]:
        # with nothing planted there is no kind
        return [
            t
            for t in self.trials
            if float(t.settings["share"]) == share
            and (t.settings["kind"] == kind or not share)
        ]
