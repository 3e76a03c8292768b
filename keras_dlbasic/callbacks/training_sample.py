"""A sample of the training data, evaluated in the middle of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


class TrainingSample:
    """Evaluates a model on a fixed sample and leaves no trace in it.

    Args:
        x: Inputs: an array, a list, tuple or dictionary of arrays, or a data set that
            can be read again and again and gives batches with targets.
        y: Targets, in the same forms; None with a data set.
        rows: Largest number of rows, taken evenly from arrays.
    """

    def __init__(self, x: Any, y: Any, rows: int) -> None:
        self.x, self.y = x, y
        self.n_rows: int | None = None
        leaves = [leaf for leaf in keras.tree.flatten((x, y)) if leaf is not None]
        if y is None or not all(hasattr(leaf, "shape") for leaf in leaves):
            return
        n = len(leaves[0])
        if any(len(leaf) != n for leaf in leaves):
            raise ValueError(
                "`x` and `y` must have the same number of rows. Received: "
                f"{[tuple(leaf.shape) for leaf in leaves]}"
            )
        self.n_rows = min(rows, n)
        if self.n_rows < n:
            chosen = np.linspace(0, n - 1, self.n_rows).round().astype(int)
            self.x, self.y = keras.tree.map_structure(
                lambda leaf: np.asarray(leaf)[chosen], (x, y)
            )

    def evaluate(self, model: Any) -> dict[str, float]:
        """Return loss and metrics in inference mode, as validation measures them."""
        # seeds that layers draw from in inference, states, metrics
        variables = [*model.non_trainable_variables, *model.metrics_variables]
        before = [keras.ops.convert_to_numpy(v.value).copy() for v in variables]
        arrays: Mapping[str, Any] = {} if self.y is None else {"y": self.y}
        try:
            logs = model.evaluate(
                x=self.x,
                **arrays,
                batch_size=None if self.n_rows is None else min(self.n_rows, 256),
                verbose=0,
                return_dict=True,
            )
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
        return {name: float(value) for name, value in logs.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0
