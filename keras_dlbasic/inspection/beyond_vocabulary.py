"""Ids that an embedding has no row for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dlbasic._keras.embedded_inputs import vocabularies

MOST_ENTRIES = 2**26


def vocabulary_sizes(
    model: Any, inputs: Sequence[tuple[str, np.ndarray]]
) -> list[int | None]:
    """Return for each array of inputs how many rows its embedding has.

    Args:
        model: A built model.
        inputs: The arrays with their names, in the order of the model's inputs.
    """
    graph = vocabularies(model)
    if graph is None or len(graph) != len(inputs):
        return [None] * len(inputs)
    in_order = zip(inputs, graph.values(), strict=True)
    return [graph.get(name, by_place) for (name, _), by_place in in_order]


def beyond_vocabulary(x: np.ndarray, size: int | None) -> dict[str, Any]:
    """Count the samples with ids that an embedding of `size` rows has none for.

    Args:
        x: Ids, samples first.
        size: Number of rows of the embedding; None if there is none.

    Returns:
        Fields of `InputFacts`.
    """
    if size is None or x.dtype.kind not in "iuf" or not x.size:
        return {}
    some = x[: max(1, MOST_ENTRIES * len(x) // x.size)]  # one bad id is enough
    flat = some.reshape(len(some), -1)
    wrong = (flat >= size) | (flat < 0)
    return {
        "vocabulary": size,
        "beyond_vocabulary": int(wrong.any(axis=1).sum()),
        "not_whole": float((np.isfinite(flat) & (flat != np.trunc(flat))).mean()),
    }
