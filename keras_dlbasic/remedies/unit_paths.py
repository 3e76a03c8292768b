"""Where the units of a layer go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.activations import activation_function, activation_name
from keras_dlbasic._keras.connections import calls_of, operation_of
from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.layer_kinds import class_kind
from keras_dlbasic.analysis.activations.table import ACTIVATIONS


def has_units(layer: Any) -> bool:
    """Return whether units can be taken out of a layer, and some of its inputs as well.

    So it is with Dense and plain convolutions, unless they are wrapped.
    """
    return class_kind(type(layer)).fans in ("dense", "convolution")


class UnitsStayError(Exception):
    """Says why the units of a layer cannot be taken out."""


@dataclass(frozen=True)
class UnitPath:
    """A way on which the units of a layer reach a kernel.

    Attributes:
        between: The layers on the way, which keep units apart.
        consumer: The layer whose kernel takes them.
        constants: What each unit sends on if its own kernel is zero.
    """

    between: tuple[Any, ...]
    consumer: Any
    constants: np.ndarray


class UnitPaths:
    """The connections of a Sequential or Functional model, seen from its units."""

    def __init__(self, model: Any) -> None:
        self._consumers = consumers_of(model)
        self._outputs = {id(operation_of(t)) for t in model.outputs}

    def is_last(self, layer: Any) -> bool:
        """Return whether a layer's units are outputs of the model and nothing else."""
        at = layer
        while len(after := self._consumers.get(id(at), [])) == 1:
            at = after[0]
            if has_units(at):
                return False
        return not after

    def of(self, layer: Any) -> list[UnitPath]:
        """Return the ways from a layer to all kernels that its units reach.

        Raises:
            UnitsStayError: If they reach anything else.
        """
        _check_simple(layer)
        _check_known_activation(layer)
        return [
            UnitPath(between, consumer, _constants(layer, between))
            for between, consumer in self._from(layer, ())
        ]

    def _from(
        self, at: Any, between: tuple[Any, ...]
    ) -> list[tuple[tuple[Any, ...], Any]]:
        if id(at) in self._outputs:
            raise UnitsStayError("they are outputs of the model")
        found = []
        for after in self._consumers.get(id(at), []):
            if has_units(after):
                _check_simple(after)
                found.append((between, after))
            else:
                _check_passes(after)
                found += self._from(after, (*between, after))
        return found


def _check_simple(layer: Any) -> None:
    name = f"'{layer.name}'"
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        raise UnitsStayError(f"{name} has its channels first")
    if len(calls_of(layer)) > 1:
        raise UnitsStayError(f"{name} is called more than once")
    if getattr(layer, "groups", 1) != 1:
        raise UnitsStayError(f"{name} is a grouped convolution")


def _check_known_activation(layer: Any) -> None:
    name = activation_name(layer)
    if name is not None and (name not in ACTIVATIONS or not ACTIVATIONS[name].slope):
        raise UnitsStayError(f"the activation of '{layer.name}' may couple units")


def _check_passes(layer: Any) -> None:
    """Check that a layer without kernel keeps units apart."""
    kind = class_kind(type(layer))
    if kind.state == "averages":
        passes = layer.axis in (-1, len(layer.input.shape) - 1)
    else:  # a softmax couples units, and a PReLU has weights for each
        is_known = kind.kind == "activation" and kind.activation != "softmax"
        is_elementwise = is_known and not getattr(layer, "weights", ())
        passes = kind.passes == "units" or is_elementwise
    if not passes:
        raise UnitsStayError(
            f"they go into '{layer.name}' of class {type(layer).__name__}"
        )
    _check_simple(layer)
    _check_known_activation(layer)


def _constants(layer: Any, between: tuple[Any, ...]) -> np.ndarray:
    """Return what each unit would give behind `between` if its kernel were zero."""
    if layer.use_bias:
        values = np.asarray(ops.convert_to_numpy(layer.bias), np.float32)
    else:
        values = np.zeros(layer.kernel.shape[-1], np.float32)
    # A unit that is taken out leaves behind what it gives without its inputs: its bias,
    # as it comes through the layers up to the next kernel, whose bias takes it over.
    for at in (layer, *between):
        if class_kind(type(at)).state == "averages":
            mean, variance = (
                ops.convert_to_numpy(v) for v in (at.moving_mean, at.moving_variance)
            )
            values = (values - mean) / np.sqrt(variance + at.epsilon)
            values = values * (ops.convert_to_numpy(at.gamma) if at.scale else 1)
            values = values + (ops.convert_to_numpy(at.beta) if at.center else 0)
        else:
            function = activation_function(at)
            if function is not None:
                if isinstance(function, str):
                    function = keras.activations.get(function)
                tensor = ops.convert_to_tensor(values.astype("float32"))
                values = np.asarray(ops.convert_to_numpy(function(tensor)))
    return np.asarray(values, np.float64)
