"""What a model makes of the probe at one of its outputs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.missed_class import (
    ENOUGH,
    class_scores,
    missed_class,
    ranked_above,
)
from keras_dlbasic.analysis.scoring import TaskKind, skill
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.diagnosis.loss_sense import loss_sense
from keras_dlbasic.inspection.baseline import (
    as_columns,
    best_constant,
    rewards_the_truth,
    sample_losses,
)
from keras_dlbasic.inspection.beyond_facts import beyond_facts
from keras_dlbasic.inspection.category_facts import category_facts
from keras_dlbasic.inspection.dense_reference import beyond_places, dense_scores
from keras_dlbasic.inspection.masked_inside import without_masked
from keras_dlbasic.inspection.outside_facts import outside_facts
from keras_dlbasic.inspection.reads_targets import reads_targets
from keras_dlbasic.inspection.reconstruction import (
    ALIKE,
    SAME,
    component_skill,
    likeness,
)
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.inspection.truth_facts import truth_facts
from keras_dlbasic.records import ProbeFacts
from keras_dlbasic.records.probe_facts import RareFacts

LEAST_PICTURES = 32
"""Of fewer the mean at each place is not known well enough."""

WRONG = ("wrong", "opposite", "blind", "extreme", "numbers")


HALF = 0.5
"""A class counts as recognized where at least this share of its rows is right."""


class OutputProbe:
    """The targets of the probe for an output, and how its predictions are judged.

    Args:
        y: Targets of the rows, None if there are none.
        loss: The loss of the output, as `model.compile` was given it; None if it has
            none, or one that is not known.
        kind: What is known of the loss.
        task: What the predictions are.
        activation: Activation of the output. Defaults to `"unknown"`.
    """

    def __init__(
        self,
        y: Any,
        loss: Any,
        kind: LossKind,
        task: TaskKind,
        activation: str | None = "unknown",
    ) -> None:
        self.y = y
        self.loss = loss
        self.kind = kind
        self.task = task
        self.activation = activation
        self._losses: np.ndarray | None = None
        self._has_places = False

    def facts(
        self,
        inputs: list[np.ndarray],
        shape: tuple[int, ...],
        units: int | None = None,
        *,
        mask: float | None = None,
        is_ids: bool = False,
    ) -> ProbeFacts:
        """Return what simple predictors reach.

        Args:
            inputs: The inputs of the rows, one array for each input of the model.
            shape: Shape of what the model gives for all rows.
            units: Units of the model's narrowest layer. Defaults to None: not known.
            mask: The value of the steps of values that the model masks. Defaults to
                None: it masks none.
            is_ids: Whether the only input holds ids. Defaults to `False`.
        """
        n_rows = len(inputs[0])
        facts = ProbeFacts(rows=n_rows)
        if self.y is None or not shape or len(self.y) != shape[0]:
            return facts
        if self.loss is not None:
            facts = self._with_baseline(facts, self.y, shape)
        # Scoring zeros shows how the targets can be scored, or why they cannot, before
        # the model has made any prediction.
        known = skill(self.y, np.zeros(shape), self.task)
        columns = as_columns(self.y, shape)
        has_rows = columns is not None and len(columns) == n_rows
        references: dict[str, float] = {}
        masked: dict[str, float] = {}
        categories = None
        if has_rows and len(inputs) == 1 and not known.reason:
            assert columns is not None
            if is_ids:
                references = reference_scores(
                    inputs[0], columns, known.task, is_ids=True
                )
            else:
                references = _references(inputs[0], columns, known.task, units)
                categories = category_facts(inputs[0], columns, known.task)
            if mask is not None and inputs[0].ndim == 3:
                for at_end in (False, True):  # what is aligned by its end, too
                    packed = without_masked(inputs[0], mask, at_end=at_end)
                    scores = reference_scores(packed, columns, known.task)
                    masked |= {f"{name} {at_end}": v for name, v in scores.items()}
        dense = None
        is_plain = len(inputs) == 1 and not is_ids and mask is None
        if is_plain and not known.reason and columns is not None and not has_rows:
            dense = dense_scores(inputs[0], columns, shape, known.task)
            references = {} if dense is None else dense.references
            self._has_places = dense is not None
        return replace(
            facts,
            scored_as=str(known.task),
            no_skill=known.reason,
            references=references,
            categories=categories,
            masked_reference=max(masked.values(), default=None),
            by_position=None if known.reason else self._by_position(shape),
            dense=None if dense is None else dense.facts,
        )

    def _by_position(self, shape: tuple[int, ...]) -> float | None:
        """Return the skill of the mean of the other rows at each place of a picture."""
        n = shape[0]
        columns = as_columns(self.y, shape)
        if len(shape) < 4 or n < LEAST_PICTURES or columns is None:
            return None
        places = columns.reshape(n, -1)
        if not np.isfinite(places).all():
            return None
        others = (places.sum(axis=0) - places) / (n - 1)
        at_zero = self.kind.decides_at_zero
        answers = others.reshape(n, *shape[1:]) - (0.5 if at_zero else 0.0)
        found = skill(self.y, answers, self.task, from_logits=at_zero).value
        return float(found) if math.isfinite(found) else None

    @property
    def _limited(self) -> str | None:
        """The activation, if the loss is the user's own.

        Keras' own losses of probabilities clip what they are given.
        """
        return self.activation if self.kind.family == "unknown" else None

    def _with_baseline(
        self, facts: ProbeFacts, y: np.ndarray, shape: tuple[int, ...]
    ) -> ProbeFacts:
        """Add the loss of the best constant prediction, if that means something."""
        if self.kind.family == "unknown":
            truth = truth_facts(self.loss, y, shape, self.activation)
            reads = reads_targets(self.loss, np.asarray(y), shape)
            beyond = beyond_facts(self.loss, y, shape, self.activation)
            outside = outside_facts(self.loss, y, shape, self.activation)
            facts = replace(
                facts, truth=truth, beyond=beyond, outside=outside, reads_targets=reads
            )
            # a loss below that of a constant is no success if being right costs more
            if truth is not None and loss_sense(truth) in WRONG:
                return facts
            # nor is there a best constant where no targets are read: a gap between two
            # scores costs the less, the larger it is
            if reads is False:
                return facts
        try:
            losses = best_constant(self.loss, y, shape, self._limited)
            if not self.task.is_known and np.isfinite(losses).all():
                args = (self.loss, y, shape, losses)
                losses = losses if rewards_the_truth(*args) else np.full(1, np.nan)
        except Exception as error:  # a user's loss; targets that do not fit
            failed = f"{type(error).__name__}: {error}"[:200]
            return replace(facts, baseline_failed=failed)
        if not np.isfinite(losses).all():
            return facts
        self._losses = losses
        return replace(facts, baseline_loss=float(losses.mean()))

    def judge(self, outputs: Any, looked: np.ndarray | None = None) -> dict[str, float]:
        """Return what is said of the predictions for some of the rows.

        Args:
            outputs: The predictions.
            looked: Places of the rows that they are for. Defaults to None: all.
        """
        y = self.y if self.y is None or looked is None else self.y[looked]
        predicted = np.asarray(keras.ops.convert_to_numpy(outputs), np.float64)
        said = {"non_finite": float(np.mean(~np.isfinite(predicted)))}
        width = predicted.shape[-1] if predicted.ndim > 1 else 1
        columns = predicted.reshape(-1, width)
        with np.errstate(over="ignore", invalid="ignore"):
            said["spread"] = float(np.sqrt(np.mean(columns.var(axis=0))))
            # where the answer by logits and that by probabilities differ
            said["undecided"] = float(np.mean((columns > 0) & (columns <= 0.5)))
        if said["non_finite"] or y is None:
            return said
        if self._losses is not None:
            losses = sample_losses(self.loss, y, outputs)
            # huge predictions are finite, their losses may not be
            with np.errstate(over="ignore", invalid="ignore"):
                known = self._losses if looked is None else self._losses[looked]
                gain = losses - known
                # The loss on all rows, of which the constant prediction's is known: so
                # a model that gives the constant comes to its loss on any rows.
                loss = float(self._losses.mean() + gain.mean())
                # of a few rows that may come out below all losses that there are
                is_below = loss < 0 <= min(losses.min(), self._losses.min())
                said["loss"] = float(losses.mean()) if is_below else loss
                said["loss_error"] = float(gain.std() / math.sqrt(len(gain)))
        if predicted.ndim and len(predicted) == len(y):
            at_zero = self.kind.decides_at_zero
            found = skill(y, predicted, self.task, from_logits=at_zero)
            said["skill"] = found.value
            if self._has_places:
                known_columns = as_columns(y, predicted.shape)
                if known_columns is not None:
                    said["beyond_places"] = beyond_places(predicted, known_columns)
            said |= missed_class(y, predicted, found.task, from_logits=at_zero)
            if found.task is TaskKind.CLASSES:
                counts = np.bincount(columns.argmax(axis=1))
                said["commonest"] = float(counts.max() / len(columns))
        return said

    def rarest(
        self, outputs: Any, rows: np.ndarray, own: np.ndarray
    ) -> RareFacts | None:
        """Return how a model does on a rare class.

        Args:
            outputs: The predictions for some rows.
            rows: Places of the rows.
            own: Places of those of them that are of rare classes.

        Returns:
            Of the class with the fewest right answers; None if at least half of the
            rows of each are right, or a row has no class (but each of its steps, say).
        """
        predicted = np.asarray(keras.ops.convert_to_numpy(outputs), np.float64)
        y, at_zero = np.asarray(self.y), self.kind.decides_at_zero
        if not np.isfinite(predicted).all() or len(predicted) != len(rows):
            return None
        task = skill(y[rows], predicted, self.task, from_logits=at_zero).task
        found = class_scores(y[rows], predicted, task, from_logits=at_zero)
        if found is None or len(found.own) != len(rows):
            return None
        is_own = np.isin(rows, own)
        whole = class_scores(y, np.zeros((len(y), *predicted.shape[1:])), task)
        assert whole is not None
        counts = whole.own.sum(axis=0)
        worst: RareFacts | None = None
        for label in np.flatnonzero(counts):
            of_class = found.own[:, label]
            # other classes are in these rows by chance, and some few times only
            if (is_own & of_class).sum() < ENOUGH:
                continue
            if counts[label] > len(y) / 2:
                continue
            right = float(found.said[of_class, label].mean())
            others = len(y) - counts[label] if whole.several else counts.max()
            if right < min(HALF, worst.right if worst else HALF):
                worst = RareFacts(
                    label=int(label),
                    rows=int(of_class.sum()) if not right else 0,
                    ratio=float(others / counts[label]),
                    right=right,
                    rank=ranked_above(found.scores[:, label], of_class),
                )
        return worst


def _references(
    x: np.ndarray, columns: np.ndarray, task: TaskKind, units: int | None
) -> dict[str, float]:
    """Return what simple predictors reach, which must go through as few units.

    Where inputs are to be given back, a linear predictor is perfect: it copies. Where
    they are to be cleaned, it has no bottleneck either.
    """
    alike = likeness(x, columns)
    if not alike > ALIKE:
        return reference_scores(x, columns, task)
    if alike < SAME or units is None:
        return {}
    return component_skill(columns, units, task)
