"""Measures per layer at some of the steps of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.row_buffer import RowBuffer


@names_nearest
class LayerTable:
    """Measurements by step and layer; at most 1,024 steps are kept.

    Args:
        labels: Labels of the layers (or weights), one column each.
        measures: Names of the measures.

    Attributes:
        labels: The layers.
        measures: The names of the measures.
        steps: Number of steps trained before each row, `[n]`.
        epochs: Epoch of each row, `[n]`, 0-based.

    Example:
    >>> from keras_dlbasic.records import LayerTable
    >>> table = LayerTable(["dense"], ["mean", "variance"])
    >>> table.append(10, 0, {"mean": [0.5], "variance": [1.0]})
    >>> table["variance"]
    array([[1.]])
    >>> table
    <LayerTable: 1 row about 1 layer, after step 10; table[...] has 'mean', 'variance'>
    """

    def __init__(self, labels: Iterable[str], measures: Iterable[str]) -> None:
        self.labels = tuple(labels)
        self.measures = tuple(measures)
        self._rows = RowBuffer(1, len(self.measures), len(self.labels))

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        measures = ", ".join(repr(name) for name in self.measures)
        about = (
            f"{_counted(len(self), 'row')} about {_counted(len(self.labels), 'layer')}"
        )
        if len(self) == 1:
            about += f", after step {self.steps[0]}"
        elif len(self):
            about += f", after steps {self.steps[0]} to {self.steps[-1]}"
        return f"<LayerTable: {about}; table[...] has {measures}>"

    def __getitem__(self, measure: str) -> np.ndarray:
        """Return the values of a measure, `[n, n_layers]`."""
        if measure not in self.measures:
            raise KeyError(
                f"There is no measure {measure!r} in this table; there are "
                f"{', '.join(repr(name) for name in self.measures)}."
            )
        place = self.measures.index(measure)
        return self._rows.measures[:, place, :].astype(np.float64)

    @property
    def steps(self) -> np.ndarray:  # noqa: D102 - see the class
        return self._rows.steps

    @property
    def epochs(self) -> np.ndarray:  # noqa: D102
        return self._rows.scalars[:, 0].astype(np.int64)

    def column(self, index: int, label: str) -> LayerTable:
        """Return a table with one of the layers, under another label."""
        table = LayerTable((label,), self.measures)
        table._rows = self._rows.of_variable(index)
        return table

    def append(
        self, step: int, epoch: int, values: Mapping[str, Sequence[float] | np.ndarray]
    ) -> None:
        """Add a row.

        Args:
            step: Number of steps trained so far, larger than in the previous row.
            epoch: Number of the epoch, 0-based.
            values: One value per layer, by measure. Missing measures become NaN.
        """
        nothing = np.full(len(self.labels), np.nan)
        rows = np.array([values.get(name, nothing) for name in self.measures])
        self._rows.append(
            step,
            np.array([float(epoch)]),
            rows.reshape(len(self.measures), len(self.labels)),
        )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
