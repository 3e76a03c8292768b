"""Which inputs of a model are numbers of rows in an embedding."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.layer_kinds import kind_of


def embedded_inputs(model: Any) -> dict[str, bool] | None:
    """Return by the name of each input whether it goes to an embedding first.

    Operations without weights on the way, such as a cast, change nothing of that.

    Args:
        model: A built model.

    Returns:
        The inputs in their order; None where there is no graph to tell.
    """
    graph = _graph(model)
    if graph is None:
        return None
    layers, after = graph
    return {name: _is_embedded(layer, after, set()) for name, layer in layers.items()}


def vocabularies(model: Any) -> dict[str, int | None] | None:
    """Return by the name of each input how many rows its embedding has.

    Only embeddings that take the input itself count, in models within the model as
    well: what comes between may hash or clip ids. Of several the smallest counts.

    Args:
        model: A built model.

    Returns:
        The inputs in their order, with None where there is no such embedding; None
        where there is no graph to tell.
    """
    graph = _graph(model)
    if graph is None:
        return None
    layers, after = graph
    found: dict[str, int | None] = {}
    for name, layer in layers.items():
        users = after.get(id(layer), [])
        found[name] = min(_rows(users), default=None)
    return found


def _rows(users: list[Any]) -> list[int]:
    """Return the rows of the embeddings among layers, and of models that begin so."""
    rows = [int(user.input_dim) for user in users if _looks_up(user)]
    for user in users:
        inner = vocabularies(user) if isinstance(user, keras.Model) else None
        if inner is not None and len(inner) == 1:
            rows += [size for size in inner.values() if size is not None]
    return rows


def _graph(model: Any) -> tuple[dict[str, Any], dict[int, list[Any]]] | None:
    """Return the layer of each input by its name, and which layers follow which."""
    try:
        tensors = list(model.inputs)
        layers = [tensor._keras_history.operation for tensor in tensors]
        after = consumers_of(model)
    except (AttributeError, TypeError, ValueError):  # subclassed
        return None
    if hasattr(model, "_functional") and layers:  # Keras leaves it out of `layers`
        after.setdefault(id(layers[0]), model.layers[:1])
    names = [tensor.name for tensor in tensors]
    return dict(zip(names, layers, strict=True)), after


def largest_vocabulary(model: Any) -> int:
    """Return the most rows of an embedding in a model, 0 if it has none."""
    sizes = [part.input_dim for part in model._flatten_layers() if _is_embedding(part)]
    return max((int(n) for n in sizes if n), default=0)


def _looks_up(layer: Any) -> bool:
    """Return whether a layer is an embedding that does no more than look up rows."""
    return _is_embedding(layer) and type(layer).call is keras.layers.Embedding.call


def _is_embedding(layer: Any) -> bool:
    return kind_of(layer).kind == "embedding" and hasattr(layer, "input_dim")


def _is_embedded(at: Any, after: dict[int, list[Any]], seen: set[int]) -> bool:
    seen.add(id(at))
    for user in after.get(id(at), []):
        if id(user) in seen:
            continue
        parts = list(getattr(user, "_flatten_layers", list)())
        if any(_is_embedding(part) for part in parts):
            return True
        # A layer without weights, such as a reshaping, still passes on numbers of rows.
        has_weights = bool(getattr(user, "weights", ()))
        if not has_weights and _is_embedded(user, after, seen):
            return True
    return False
