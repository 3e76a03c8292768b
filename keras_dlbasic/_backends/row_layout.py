"""How to read the row of a step: one float32 vector of what was reduced on the device.

Pure NumPy: what the numbers are about was told when the step was traced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic.records import MEASURES

UNKNOWN = -(2.0**120)
"""What stands for NaN on the device, since debuggers of training steps stop at NaN.

No measure is as low. Keras takes the mean over replicas: they agree on all that is
masked so, which the loss of a replica's own samples is not."""

SAFE_SQUARES = (1e-30, 1e37)
"""Between these a float32 sum of squares has neither lost nor overflown anything."""

STEP_FIELDS = ("batch_loss", "layout", "learning_rate", "batch_size")
"""The first numbers of a row; its layout by number, see `RowLayouts`."""

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class UpdateLayout:
    """What the numbers of one optimizer call are about.

    Attributes:
        fields: Names of the vectors and their lengths, in the order of the row.
        shapes: Shapes of the variables.
        held: Places of the variables that have entries.
        present: Places of those that have a gradient.
        units: Places of those with one entry per unit: biases and offsets.
        clip_kind: How the optimizer clips, see `Clipping`.
        is_accumulated: Whether gradients are accumulated over micro-steps.
        skips_non_finite: Whether an update with non-finite gradients is skipped.
    """

    fields: dict[str, int]
    shapes: list[tuple[int, ...]]
    held: list[int]
    present: list[int]
    units: list[int]
    clip_kind: str | None = None
    is_accumulated: bool = False
    skips_non_finite: bool = False


class RowLayout:
    """Reads rows of one training step.

    Args:
        variables: The variables of all updates in turn.
        updates: What the numbers of each are about.
        places: Where in the order of columns each variable belongs. Defaults to None:
            in the order given.

    Attributes:
        variables: The variables that a row is about, in the order of its columns: of
            one that is updated twice the last update counts.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        updates: list[UpdateLayout],
        places: Sequence[int] | None = None,
    ) -> None:
        # A variable may be updated more than once in a step. Its last update counts,
        # since it led to the weights after the step.
        last = {id(variable): place for place, variable in enumerate(variables)}
        order = range(len(variables)) if places is None else places
        self._columns = sorted(last.values(), key=lambda place: order[place])
        self._updates = updates
        self.variables = [variables[place] for place in self._columns]

    def is_like(self, other: RowLayout) -> bool:
        """Return whether rows of `other` are read alike."""
        ids, others = ([id(v) for v in x.variables] for x in (self, other))
        is_same = ids == others and self._columns == other._columns
        return is_same and self._updates == other._updates

    def read(self, row: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        """Take the row of a step apart.

        Args:
            row: Vector of `measures.measure_row`.

        Returns:
            The values of the step by name, and an array `[n_measures, n_variables]`,
            rows as in `records.MEASURES`; NaN for what is not known.
        """
        row = _known(row)
        scalars = dict(zip(STEP_FIELDS, row.tolist(), strict=False))
        blocks, replica_squares = [], []
        is_skipped = False
        with np.errstate(all="ignore"):
            for layout, values in self._parts(row):
                blocks.append(_measures(values, layout))
                own = values.get("replica_square", np.array([np.nan]))
                replica_squares.append(own[0] / values["scale"][0] ** 2)
                if layout.skips_non_finite and layout.present:
                    is_skipped |= bool((values["non_finite"] > 0).any())
            del scalars["layout"]
            scalars["skipped"] = float(is_skipped)
            scalars["replica_gradient_norm"] = float(np.sqrt(np.sum(replica_squares)))
            measures = np.concatenate(blocks, axis=1)[:, self._columns]
            return scalars, measures.astype(np.float32)

    def learning_rates(self, row: np.ndarray) -> np.ndarray | None:
        """Return the learning rate of each variable; None if they share it, or unknown.

        Args:
            row: Vector of `measures.measure_row`.
        """
        if len(self._updates) == 1:
            return None
        rates = np.concatenate(
            [
                np.full(len(layout.shapes), values["learning_rate"][0])
                for layout, values in self._parts(_known(row))
            ]
        )[self._columns]
        is_told = not (np.isnan(rates).all() or (rates == rates[0]).all())
        return rates if is_told else None

    def _parts(self, row: np.ndarray) -> Iterator[tuple[UpdateLayout, Values]]:
        """Yield the layout and the numbers of each update."""
        # The blocks of the updates follow each other in the row. Each layout has the
        # names and lengths of its fields, in the order in which they were written.
        start = len(STEP_FIELDS)
        for layout in self._updates:
            values: Values = {}
            for name, length in layout.fields.items():
                values[name] = row[start : start + length]
                start += length
            yield layout, values


class RowLayouts:
    """The layouts of a step's rows: of each program that the step was traced to.

    A step that was traced again may go on running its earlier programs, for batches of
    their shapes; so each row holds the number of its layout.
    """

    def __init__(self) -> None:
        self._known: list[RowLayout] = []

    @property
    def is_empty(self) -> bool:
        """Whether no layout is known."""
        return not self._known

    def number(self, layout: RowLayout) -> int:
        """Return the number of a layout, the same for layouts that read alike."""
        for number, known in enumerate(self._known):
            if known.is_like(layout):
                return number
        self._known.append(layout)
        return len(self._known) - 1

    def of(self, row: np.ndarray) -> RowLayout:
        """Return the layout of a row."""
        return self._known[round(float(row[STEP_FIELDS.index("layout")]))]


def _known(row: np.ndarray) -> np.ndarray:
    """Return a row with NaN for what is not known."""
    # Keras may have averaged the marker for NaN over replicas, so it is compared with a
    # tolerance.
    is_unknown = np.abs(row / UNKNOWN - 1) < 1e-6
    return np.where(is_unknown, np.nan, row).astype(np.float64)


def _measures(values: Values, layout: UpdateLayout) -> np.ndarray:
    """Return the measures of one optimizer call, `[n_measures, n_variables]`."""
    measures = np.full((len(MEASURES), len(layout.shapes)), np.nan)
    by_name = dict(zip(MEASURES, measures, strict=True))
    for name in ("weight_norm", "update_norm", "non_finite"):
        by_name[name][:] = 0.0
    if not layout.present:
        return measures
    n, m = len(layout.present), len(layout.held)
    scale = values["scale"][0]
    gradient_norm, weight_norm = values["norms"][:n] / scale, values["norms"][n:]
    update_norm = values["update_norms"]
    is_finite = values["non_finite"] == 0
    # The largest entry of a gradient with NaN is arbitrary. The norm is not finite
    # then, so it serves as the maximum, too.
    max_abs = np.where(is_finite, np.abs(values["max_abs"] / scale), gradient_norm)
    factor = np.where(
        is_finite, _clip_factor(values, layout.clip_kind, gradient_norm), np.nan
    )
    # A micro-step that only accumulates changes no weights: there is no update to
    # measure, and nothing is clipped.
    if layout.is_accumulated and not values["is_update"][0] > 0:
        factor, update_norm = np.full(n, np.nan), np.full(m, np.nan)
    by_name["gradient_norm"][layout.present] = gradient_norm
    by_name["max_abs_gradient"][layout.present] = max_abs
    by_name["clip_factor"][layout.present] = factor
    by_name["weight_norm"][layout.held] = weight_norm
    by_name["update_norm"][layout.held] = update_norm
    by_name["non_finite"][layout.present] = values["non_finite"]
    if layout.units:
        sizes = [layout.shapes[place][0] for place in layout.units]
        by_name["zero_unit_fraction"][layout.units] = values["zeros"] / sizes
    return measures


def _clip_factor(
    values: Values, kind: str | None, gradient_norm: np.ndarray
) -> np.ndarray:
    """Return norm after clipping / norm before, for gradients that are finite."""
    if kind is None:
        return np.ones_like(gradient_norm)
    norm, scale, limit = gradient_norm, values["scale"][0], values["limit"][0]
    is_small = values["max_abs"] / scale <= limit
    if "mean_squares" in values:  # of gradients accumulated without the scale
        norm, scale = np.sqrt(values["mean_squares"]), 1.0
        is_small = np.zeros_like(is_small)  # the mean may have larger entries
    if "unscaled_clipped_squares" in values:
        squares = values["unscaled_clipped_squares"]
        squares = np.where((squares == 0) & (norm > 0), np.nan, squares)  # underflown
        return _ratio(np.sqrt(squares), norm)
    if "clipped_squares" in values:
        # Sums of squares this small have lost digits. If no entry is above the limit,
        # nothing was clipped, whatever the ratio of the sums.
        squares = values["clipped_squares"]
        factor = _ratio(np.sqrt(squares) / scale, norm)
        return np.where(is_small & (squares < SAFE_SQUARES[0]), 1.0, factor)
    # Clipping by norm multiplies by `limit / norm` if the norm is above the limit. With
    # `global_clipnorm` there is one norm for all variables.
    seen = np.sqrt(values["clip_squares"]) / scale
    if kind == "global_clipnorm":
        seen = np.full_like(seen, np.sqrt(np.sum(np.square(seen))))
    return limit / np.maximum(seen, limit)


def _ratio(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return after / before, 1 where there was nothing to clip."""
    return np.where(before > 0, after / before, 1.0)
