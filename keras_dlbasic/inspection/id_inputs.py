"""Which inputs are numbers of rows in an embedding, such as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dlbasic._keras.embedded_inputs import embedded_inputs, largest_vocabulary
from keras_dlbasic.analysis.evenly import evenly

ROWS = 256


def id_inputs(model: Any, inputs: Sequence[tuple[str, np.ndarray]]) -> list[bool]:
    """Tell for each array of inputs whether it holds ids.

    The graph of the model tells. Without one, whole numbers that the largest embedding
    of the model has rows for are taken for ids.

    Args:
        model: A built model.
        inputs: The arrays with their names, in the order of the model's inputs.
    """
    graph = embedded_inputs(model)
    if graph is None or len(graph) != len(inputs):
        rows = largest_vocabulary(model)
        return [_may_be_ids(array, rows) for _, array in inputs]
    in_order = zip(inputs, graph.values(), strict=True)
    return [graph.get(name, by_place) for (name, _), by_place in in_order]


def _may_be_ids(array: np.ndarray, rows: int) -> bool:
    if not rows or array.dtype.kind not in "iuf" or not array.size:
        return False
    some = array[evenly(len(array), ROWS)]
    is_whole = bool((some == np.round(some)).all())
    return is_whole and bool(some.min() >= 0 and some.max() < rows)
