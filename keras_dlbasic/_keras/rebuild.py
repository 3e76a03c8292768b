"""A model made anew with some layers changed, and its weights where shapes allow."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.outputs import check_known


@dataclass(frozen=True)
class Chain:
    """The replacement of a layer.

    Attributes:
        heir: The layer that gets the old weights, where shapes allow.
        after: Layers after it.
    """

    heir: Any
    after: Sequence[Any] = ()


Edit = Callable[[Any], Chain | None]
"""Gives the chain for a layer; None leaves the layer as it is."""


def rebuild(
    model: Any,
    edit: Edit = lambda layer: None,
    *,
    first: Sequence[Sequence[Any]] = (),
    compile_changes: Mapping[str, Any] | None = None,
) -> Any:
    """Return a model like `model` with changed layers, compiled like it.

    Args:
        model: A built Sequential or Functional model; nested models are included.
        edit: Function that returns the replacement of a layer. Defaults to no
            replacement.
        first: For each input, layers to insert after it.
        compile_changes: Arguments of `compile` that change.

    Returns:
        A new model with a new optimizer state. Weights are copied from `model` if the
        shapes of a layer are the same and its weights are finite.

    Raises:
        ValueError: If the model is not built, its connections are not known, or the
            changed layers do not fit together.
    """
    check_known(model)
    heirs: list[tuple[Any, Any]] = []
    try:
        new = _rebuilt(model, edit, heirs, first)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"Model '{model.name}' cannot be rebuilt with this change: {error} "
            "Layers that rely on fixed shapes, such as Reshape or sums with the input, "
            "must be changed by hand."
        ) from error
    destroyed = [old.name for old, heir in heirs if not _inherit(heir, old)]
    if destroyed:
        warnings.warn(
            f"Weights of model '{model.name}' are not finite, in the layers "
            f"{destroyed}: an earlier training destroyed them. Those layers start "
            "from new weights.",
            stacklevel=3,
        )
    return compile_like(new, model, **(compile_changes or {}))


def behind(model: Any, layer: Any, compile_changes: Mapping[str, Any]) -> Any:
    """Return a copy of a model with one output and a layer behind it.

    Raises:
        ValueError: If the model cannot be rebuilt.
    """
    body = rebuild(model)
    if isinstance(body, keras.Sequential):
        inputs = _input_like(model.inputs[0])
        new = keras.Sequential([inputs, *body.layers, layer], name=model.name)
    else:
        new = keras.Model(body.input, layer(body.outputs[0]), name=model.name)
    return compile_like(new, model, **compile_changes)


def with_config(layer: Any, **changes: Any) -> Any:
    """Return a new layer like `layer` with changes in its configuration.

    For a wrapper, arguments that it does not have are changed in the wrapped layer.
    """

    def change(config: dict[str, Any]) -> dict[str, Any]:
        is_wrapper = len(configurations(config)) > 1
        return {n: v for n, v in changes.items() if n in config or not is_wrapper}

    return edited(layer, change)


def edited(layer: Any, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Any:
    """Return a new layer like `layer`, its configuration changed at each level.

    Args:
        layer: A layer, which may wrap others or have cells.
        change: Given the configuration of the layer, of what it wraps and of its cells,
            one after the other; returns the entries that change.
    """
    config = dict(layer.get_config())
    for part in _parts_of(config):
        part.pop("build_config", None)  # its shapes may be others now
    for part in configurations(config):
        # a change may be meant for a wrapper or for what it wraps
        part.update(change(part))
    return type(layer).from_config(config)


def configurations(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a layer's configuration and those of what it wraps, and of its cells."""
    return [config, *(part["config"] for part in _parts_of(config))]


def _parts_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the serialized layers within a configuration, at all depths."""
    found = []
    for name in _PARTS:
        parts = config.get(name) or []
        for part in parts if isinstance(parts, list) else [parts]:
            if isinstance(part, dict) and isinstance(part.get("config"), dict):
                found += [part, *_parts_of(part["config"])]
    return found


_PARTS = ("layer", "backward_layer", "cell", "cells")
"""Where layers keep the configurations of layers that they wrap."""


def compile_like(new: Any, model: Any, **changes: Any) -> Any:
    """Compile `new` with the `compile` arguments of `model`, with some changes.

    Args:
        new: The model to compile; it may be `model` itself.
        model: A model.
        changes: Arguments of `compile` that change.

    Raises:
        ValueError: If an argument cannot be copied.
    """
    if not model.compiled:
        return new
    try:
        arguments = {**_compile_arguments(model, changes), **changes}
        if new is not model:  # else they are its own, and the user's objects stay
            arguments = keras.tree.map_structure(_copied, arguments)
        # the edit may have brought in a layer that XLA cannot compile; "auto" finds out
        if not all(layer.supports_jit for layer in all_layers(new)):
            arguments["jit_compile"] = "auto"
        new.compile(**arguments)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"The compile arguments of model '{model.name}' cannot be copied: {error} "
            "A custom optimizer needs a `get_config`."
        ) from error
    return new


def _compile_arguments(model: Any, left_out: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model was compiled with, as a second model can take it.

    Not by way of the serialized arguments: there functions of the user's, such as a
    metric, are names that have to be registered to be found again.
    """
    given: Mapping[str, Any] | None = getattr(
        getattr(model, "_compile_config", None), "config", None
    )
    if given is None:
        raise ValueError("its class overrides `compile`.")
    return {name: value for name, value in given.items() if name not in left_out}


def _copied(argument: Any) -> Any:
    """Return an argument of `compile`, anew if it has a state."""
    if isinstance(argument, keras.optimizers.Optimizer):
        return type(argument).from_config(argument.get_config())
    if isinstance(argument, keras.metrics.Metric) and _says_all(type(argument)):
        try:
            return type(argument).from_config(argument.get_config())
        except Exception:  # without a `get_config` of its own: its state is shared
            return argument
    return argument


def _says_all(metric_class: type) -> bool:
    """Return whether a configuration of Keras' or the user's has all arguments.

    One that a class inherits from Keras beside an `__init__` of its own has not.
    """
    own = [c for c in metric_class.__mro__ if not c.__module__.startswith("keras.")]
    has_arguments = any("__init__" in vars(c) for c in own if c is not object)
    return not has_arguments or any("get_config" in vars(c) for c in own)


def _rebuilt(
    model: Any,
    edit: Edit,
    heirs: list[tuple[Any, Any]],
    first: Sequence[Sequence[Any]] = (),
) -> Any:
    # A layer that is called in several places has one heir, so that it goes on sharing
    # its weights.
    chains: dict[int, Chain] = {}

    def chain_of(layer: Any) -> Chain:
        if id(layer) not in chains:
            chains[id(layer)] = _chain(layer, edit, heirs)
        return chains[id(layer)]

    if isinstance(model, keras.Sequential):
        layers: list[Any] = [layer for front in first for layer in front]
        for layer in model.layers:
            chain = chain_of(layer)
            layers += [chain.heir, *chain.after]
        return keras.Sequential(
            [_input_like(model.inputs[0]), *layers], name=model.name
        )

    inputs = keras.tree.map_structure(_input_like, model.input)
    # `clone_model` calls the layers on the new inputs. What comes in front of an input
    # takes its place in these calls only, so that the model keeps its inputs.
    replacements: dict[int, Any] = {}
    for tensor, front in zip(keras.tree.flatten(inputs), first, strict=False):
        replacements[id(tensor)] = tensor
        for layer in front:
            replacements[id(tensor)] = layer(replacements[id(tensor)])
    places: dict[int, Chain] = {}

    def clone(operation: Any) -> Any:
        chain = chain_of(operation)
        places[id(chain.heir)] = chain
        return chain.heir

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        chain = places.get(id(operation), Chain(operation))
        args, kwargs = keras.tree.map_structure(
            lambda value: replacements.get(id(value), value), (args, kwargs)
        )
        outputs = operation(*args, **kwargs)
        for layer in chain.after:
            outputs = layer(outputs)
        return outputs

    with replaced(model, "compiled", False):  # `compile_like` does it
        return keras.models.clone_model(
            model, inputs, clone_function=clone, call_function=call
        )


def _chain(layer: Any, edit: Edit, heirs: list[tuple[Any, Any]]) -> Chain:
    if isinstance(layer, keras.layers.InputLayer) or not isinstance(
        layer, keras.layers.Layer
    ):
        return Chain(layer)
    if isinstance(layer, keras.Model):
        check_known(layer)
        return Chain(_rebuilt(layer, edit, heirs))
    chain = edit(layer) or Chain(with_config(layer))
    heirs.append((layer, chain.heir))
    return chain


def _input_like(tensor: Any) -> Any:
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _inherit(heir: Any, old: Any) -> bool:
    """Hand weights over where shapes allow; False if they are not finite."""
    # A layer of another shape starts anew, and so does one whose weights are lost: with
    # NaN in them nothing would be fixed. Only the latter is worth a warning.
    shapes = [tuple(v.shape) for v in heir.variables]
    if shapes != [tuple(v.shape) for v in old.variables]:
        return True
    values = [np.asarray(keras.ops.convert_to_numpy(v)) for v in old.variables]
    if not all(np.isfinite(value.astype("float64")).all() for value in values):
        return False
    for new, value in zip(heir.variables, values, strict=True):
        new.assign(value)
    return True
