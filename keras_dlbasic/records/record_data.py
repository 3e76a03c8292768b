"""What was measured during a training run, without the ways to store it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic._display import brief
from keras_dlbasic.records.epoch_table import EpochTable
from keras_dlbasic.records.facts import RunFacts
from keras_dlbasic.records.layer_table import LayerTable
from keras_dlbasic.records.row_buffer import RowBuffer
from keras_dlbasic.records.variable_info import VariableInfo

MEASURES = (
    "gradient_norm",
    "weight_norm",
    "update_norm",
    "max_abs_gradient",
    "non_finite",
    "zero_unit_fraction",
    "clip_factor",
)
"""What is measured per sampled step and variable, in the order of the rows."""

SCALARS = (
    "epoch",
    "batch_loss",
    "learning_rate",
    "skipped",
    "batch_size",
    "replica_gradient_norm",
)
"""What is measured per sampled step, in the order of the rows."""


class RecordData:
    """The arrays of a `TrainingRecord`, which adds reading and writing of files.

    What reads and writes files stands between the two, so that none of these modules
    imports another in a circle.

    Args:
        variables: As for `TrainingRecord`.
        facts: As for `TrainingRecord`.
    """

    def __init__(
        self,
        variables: Iterable[VariableInfo] = (),
        facts: RunFacts | Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(facts, RunFacts):
            facts = RunFacts.from_dict(facts or {})
        self.facts = facts
        self.trained_steps = 0
        self.tables: dict[str, LayerTable] = {}
        self._epochs = EpochTable()
        self.variables: tuple[VariableInfo, ...] = tuple(variables)
        self._rows = RowBuffer(len(SCALARS), len(MEASURES), len(self.variables))

    def __repr__(self) -> str:
        tables = "; tables " + ", ".join(map(repr, self.tables)) if self.tables else ""
        return brief(
            self,
            f"{len(self.steps)} sampled of {self.trained_steps} steps, "
            f"{len(self.variables)} variables, {len(self._epochs)} epochs{tables}",
        )

    # -- what was measured -------------------------------------------------------

    @property
    def steps(self) -> np.ndarray:  # noqa: D102 - see the class
        return self._rows.steps

    @property
    def step_epochs(self) -> np.ndarray:  # noqa: D102
        return self._scalar("epoch").astype(np.int64)

    @property
    def gradient_norm(self) -> np.ndarray:  # noqa: D102
        return self._measure("gradient_norm")

    @property
    def weight_norm(self) -> np.ndarray:  # noqa: D102
        return self._measure("weight_norm")

    @property
    def update_norm(self) -> np.ndarray:  # noqa: D102
        return self._measure("update_norm")

    @property
    def max_abs_gradient(self) -> np.ndarray:  # noqa: D102
        return self._measure("max_abs_gradient")

    @property
    def non_finite(self) -> np.ndarray:  # noqa: D102
        return self._measure("non_finite").astype(np.int64)

    @property
    def zero_unit_fraction(self) -> np.ndarray:  # noqa: D102
        return self._measure("zero_unit_fraction")

    @property
    def clip_factor(self) -> np.ndarray:  # noqa: D102
        return self._measure("clip_factor")

    @property
    def batch_loss(self) -> np.ndarray:  # noqa: D102
        return self._scalar("batch_loss")

    @property
    def learning_rate(self) -> np.ndarray:  # noqa: D102
        return self._scalar("learning_rate")

    @property
    def batch_size(self) -> np.ndarray:  # noqa: D102
        return self._scalar("batch_size")

    @property
    def skipped(self) -> np.ndarray:  # noqa: D102
        return self._scalar("skipped").astype(bool)

    @property
    def replica_gradient_norm(self) -> np.ndarray:  # noqa: D102
        return self._scalar("replica_gradient_norm")

    @property
    def global_gradient_norm(self) -> np.ndarray:  # noqa: D102
        return global_norm(self.gradient_norm, self._measure("non_finite"))

    @property
    def epochs(self) -> dict[str, np.ndarray]:  # noqa: D102
        return self._epochs.columns

    def _measure(self, name: str) -> np.ndarray:
        return self._rows.measures[:, MEASURES.index(name), :]

    def _scalar(self, name: str) -> np.ndarray:
        return self._rows.scalars[:, SCALARS.index(name)]

    # -- by layer ----------------------------------------------------------------

    @property
    def layers(self) -> tuple[str, ...]:
        """Labels of the layers that have trainable variables, from input to output."""
        ordered = sorted(self.variables, key=lambda variable: variable.depth)
        return tuple(dict.fromkeys(variable.layer for variable in ordered))

    def by_layer(self, measure: str) -> np.ndarray:
        """Join a measure over the variables of each layer.

        Args:
            measure: `"gradient_norm"`, `"weight_norm"`, `"update_norm"` (root of the
                sum of squares), `"max_abs_gradient"` (largest), `"non_finite"` (sum)
                or `"zero_unit_fraction"` (of the variable that has it).

        Returns:
            Array `[n, n_layers]`, columns in the order of `layers`.

        Raises:
            ValueError: If the measure is not one of these.
        """
        join = _JOINS.get(measure)
        if join is None:
            raise ValueError(
                f"`measure` must be one of {sorted(_JOINS)}. Received: {measure!r}"
                f"{self._place_of(measure)}"
            )
        values = self._measure(measure).astype(np.float64)
        non_finite = self._measure("non_finite")
        joined = np.empty((len(values), len(self.layers)))
        for column, layer in enumerate(self.layers):
            members = [i for i, v in enumerate(self.variables) if v.layer == layer]
            joined[:, column] = join(values[:, members], non_finite[:, members])
        return joined

    def _place_of(self, measure: str) -> str:
        """Say where else a measure is to be found, to end an error's text."""
        if measure in MEASURES:
            return f". Of each variable it is in `record.{measure}`"
        for name, table in self.tables.items():
            if measure in (name, *table.measures):
                return f". See `record.tables[{name!r}]`: {table}"
        if measure in self.epochs:
            return f". It is in `record.epochs[{measure!r}]`, one value per epoch"
        names = ", ".join(map(repr, self.tables)) or "none so far"
        return f". Other monitors write to `record.tables[...]`; there are: {names}"

    # -- writing -----------------------------------------------------------------

    def note(self, **known: Any) -> None:
        """Add to the facts, which cannot be changed themselves.

        Args:
            known: Fields of `RunFacts` by name.
        """
        self.facts = replace(self.facts, **known)

    def set_variables(self, variables: Iterable[VariableInfo]) -> None:
        """Say which variables the rows are about, before the first row.

        Raises:
            ValueError: If there are rows already.
        """
        if len(self._rows):
            raise ValueError(
                "The variables of a record cannot change once it has rows. It has "
                f"{len(self._rows)} rows about {len(self.variables)} variables. Start "
                "a new record."
            )
        self.variables = tuple(variables)
        self._rows = RowBuffer(len(SCALARS), len(MEASURES), len(self.variables))

    def append_step(
        self, step: int, scalars: Mapping[str, float], measures: np.ndarray
    ) -> None:
        """Add a sampled step.

        Args:
            step: Number of the step, greater than that of the last one.
            scalars: A value for each name in `SCALARS`; NaN for those that miss.
            measures: Array `[n_measures, n_variables]`, rows as in `MEASURES`.
        """
        row = np.array([scalars.get(name, np.nan) for name in SCALARS])
        self._rows.append(step, row, measures)
        self.trained_steps = max(self.trained_steps, step + 1)

    @property
    def last_epoch(self) -> int:
        """Number of the last epoch that has logs, -1 as long as there is none."""
        known = self.epochs["epoch"]
        return int(known[-1]) if len(known) else -1

    def epoch_offset(self, first: int) -> int:
        """Return what to add to the epochs of a fit so that they follow on.

        Args:
            first: Number of the first epoch of the fit.
        """
        last = self.last_epoch
        return 0 if first > last else last + 1 - first

    def append_epoch(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Add the logs of an epoch; an epoch that is there already is completed."""
        self._epochs.append(epoch, logs)


def global_norm(norms: np.ndarray, non_finite: np.ndarray) -> np.ndarray:
    """Join norms of variables to the norm over all of them.

    Args:
        norms: Norm per variable, `[n, n_variables]`. NaN stands for a variable without
            a gradient, which counts as zero unless all are, or, where `non_finite` is
            not zero, for a gradient that holds NaN.
        non_finite: Number of gradient entries that are NaN or infinite, same shape.

    Returns:
        Array `[n]`.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.records.record_data import global_norm
    >>> global_norm(np.array([[3.0, 4.0], [3.0, np.nan]]), np.zeros((2, 2)))
    array([5., 3.])
    """
    values = norms.astype(np.float64)
    # A norm that is NaN without any entry that is not finite was not measured.
    absent = np.isnan(values) & (non_finite == 0)
    with np.errstate(over="ignore"):
        joined = np.sqrt(np.sum(np.where(absent, 0.0, values) ** 2, axis=1))
    joined[absent.all(axis=1)] = np.nan
    return joined


def _largest(values: np.ndarray, non_finite: np.ndarray) -> np.ndarray:
    absent = np.isnan(values) & (non_finite == 0)
    joined: np.ndarray = np.where(absent, -np.inf, values).max(axis=1)
    joined[absent.all(axis=1)] = np.nan
    return joined


_JOINS = {
    "gradient_norm": global_norm,
    "weight_norm": global_norm,
    "update_norm": global_norm,
    "max_abs_gradient": _largest,
    "non_finite": lambda values, _: values.sum(axis=1),
    "zero_unit_fraction": _largest,
}
