"""Names and places of a model's trainable variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import VariableInfo
from keras_dlbasic.records.printable import printable

Place = tuple[int, ...]


@names_nearest
def describe_variables(model: Any, variables: Sequence[Any]) -> list[VariableInfo]:
    """Return the layer, role and depth of each variable.

    Args:
        model: A built `keras.Model`.
        variables: Variables of the model, in any order.

    Returns:
        One `VariableInfo` per variable, in the order of `variables`.

    Example:
    >>> import keras
    >>> from keras_dlbasic.gradients import describe_variables
    >>> dense = keras.layers.Dense(1, name="out")
    >>> model = keras.Sequential([keras.Input((4,)), dense])
    >>> [(v.layer, v.role, v.shape) for v in describe_variables(model, model.weights)]
    [('out', 'kernel', (4, 1)), ('out', 'bias', (1,))]
    """
    owners: dict[int, tuple[Any, str, Place, bool]] = {}
    labels: dict[str, int] = {}
    for layer, label, place, is_whole in walk_layers(model):
        # A weight that several layers share belongs to the one that comes first.
        own = [w for w in own_weights(layer, is_whole) if id(w) not in owners]
        if not own:
            continue
        labels[label] = labels.get(label, 0) + 1
        unique = label if labels[label] == 1 else f"{label}#{labels[label]}"
        simple = not _sublayers(layer)
        owners.update({id(w): (layer, unique, place, simple) for w in own})
    places = sorted({owners[id(v)][2] for v in variables if id(v) in owners})
    depths = {place: depth for depth, place in enumerate(places)}
    return [_info(v, owners.get(id(v)), depths) for v in variables]


def _info(
    variable: Any,
    owner: tuple[Any, str, Place, bool] | None,
    depths: dict[Place, int],
) -> VariableInfo:
    path, name = printable_path(variable), printable(variable.name)
    shape = tuple(int(n) for n in variable.shape)
    if owner is None:  # trained by the optimizer, but no weight of the model
        return VariableInfo(path, path, name, shape, len(depths))
    _, label, place, simple = owner
    has_units = (
        simple
        and len(shape) == 1
        and variable.name in ("bias", "beta")
        and getattr(variable, "regularizer", None) is None
    )
    return VariableInfo(path, label, name, shape, depths[place], has_units)


def printable_path(variable: Any) -> str:
    """Return the path of a variable as records have it."""
    return printable(getattr(variable, "path", variable.name))


def own_weights(layer: Any, is_whole: bool) -> list[Any]:
    """Return the weights of a layer, without those of its layers unless it is whole."""
    if is_whole:
        return list(layer.weights)
    inner = {id(w) for sub in _sublayers(layer) for w in sub.weights}
    return [w for w in layer.weights if id(w) not in inner]


def walk_layers(model: Any) -> Iterator[tuple[Any, str, Place, bool]]:
    """Yield the layers of a model, itself first, as users know them.

    Yields:
        The layer, its label, its place (tuples sort from input to output) and whether
        it is taken whole: one without layers of its own, or one of Keras' with all
        that is in it.
    """
    yield from _walk(model, (), (), set())


def _walk(
    layer: Any, names: tuple[str, ...], place: Place, seen: set[int]
) -> Iterator[tuple[Any, str, Place, bool]]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    is_whole = bool(names) and (not _sublayers(layer) or _is_part_of_keras(layer))
    yield layer, printable("/".join(names) or layer.name), place, is_whole
    if is_whole:
        return
    for level, sublayer in _levels(layer):
        yield from _walk(sublayer, (*names, sublayer.name), (*place, level), seen)


def _levels(layer: Any) -> Iterator[tuple[int, Any]]:
    """Yield sublayers with their place: topological where a graph is known."""
    by_depth = getattr(layer, "_operations_by_depth", None)
    sublayers = _sublayers(layer)
    if not by_depth:
        yield from enumerate(sublayers, start=1)
        return
    # Keras counts depth from the outputs, the place from the inputs. Layers outside of
    # the graph come last.
    greatest = max(by_depth)
    level_of = {
        id(operation): greatest - depth + 1
        for depth, operations in by_depth.items()
        for operation in operations
    }
    ordered = sorted(
        sublayers, key=lambda sub: level_of.get(id(sub), greatest + 2)
    )  # stable: parallel layers stay in the model's order
    for sub in ordered:
        yield level_of.get(id(sub), greatest + 2), sub


def all_layers(layer: Any) -> list[Any]:
    """Return a layer or model and all that is in it, at any depth, itself first."""
    return list(layer._flatten_layers())


def _sublayers(layer: Any) -> list[Any]:
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    return list(layer._flatten_layers(include_self=False, recursive=False))


def _is_part_of_keras(layer: Any) -> bool:
    """Return whether a layer is one that users know by its own name.

    The cell of an LSTM or the projections of an attention layer are details of these.
    """
    return not any(
        isinstance(part, keras.Model)
        or not type(part).__module__.startswith(("keras.", "keras_dlbasic."))
        for part in all_layers(layer)
    )
