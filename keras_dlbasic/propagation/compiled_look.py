"""A run of a model that is compiled once and reduces what goes through its layers."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._backends.run_once import is_once
from keras_dlbasic._keras.activations import channel_axis
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.joins_rows import joins_rows
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.analysis.activations.statistics import saturation_levels
from keras_dlbasic.analysis.activations.unit_moments import UnitMoments, merged
from keras_dlbasic.propagation.probe import (
    LayerProbe,
    Outputs,
    Path,
    probe_layers,
    watched,
)

PIECE, WHOLE = 2**18, 2**21
"""Rows with about this many entries of inputs go through a model at once: where rows do
not influence each other, and where they do."""

LEAST_AT_ONCE = 16

Seen = tuple[Outputs, dict[str, UnitMoments]]
"""The outputs by path, and the moments of the units by label of the layer."""


class CompiledLook:
    """Runs a model as `run_probe` does, in one compiled function.

    Each layer's activations are reduced on the device, so that only vectors of the
    length of its units leave it, and the outputs. The function is traced once for each
    shape of inputs and reads the weights as they are.

    Args:
        model: The model.

    Attributes:
        failed: Why the model cannot be run so; None as long as it can.
        traces: Number of functions that were traced, one for each shape.
    """

    def __init__(self, model: Any) -> None:
        self.failed: str | None = None
        self.traces = 0
        self._programs: dict[Any, _Program] = {}
        self._is_by_row = not _mixes_rows(model)

    def run(self, model: Any, x: Any) -> Seen:
        """Run a model.

        Args:
            model: The model.
            x: A batch. Where rows do not influence each other, it is taken in pieces of
                one length, so that no more memory is needed than for one of these.

        Returns:
            The outputs, NumPy arrays, by their path in what the model gives; and by
            label of each layer, in the order in which they ran, the moments of its
            units.

        Raises:
            ArithmeticError: If activations leave the range of single precision.
        """
        arrays = keras.tree.flatten(x)
        rows = len(arrays[0])
        # If rows do not depend on each other, they go through the model in pieces,
        # which needs less memory. The results are joined along the rows.
        piece = _piece_length(rows, arrays) if self._is_by_row else rows
        parts = []
        with generators_kept(model):
            for begin in range(0, rows, piece):
                part = keras.tree.map_structure(
                    lambda leaf, begin=begin: leaf[begin : begin + piece], x
                )
                parts.append(self._run(model, part))
        if len(parts) > 1 and not all(np.ndim(p) for p in parts[0][0].values()):
            raise ValueError("an output has no rows")
        return _joined(parts)

    def _run(self, model: Any, x: Any) -> tuple[Outputs, dict[str, list[UnitMoments]]]:
        shapes = ((leaf.shape, str(leaf.dtype)) for leaf in keras.tree.flatten(x))
        key = (is_once(), *shapes)  # compiled with less effort, others run slower
        if key not in self._programs:
            self.traces += 1
            self._programs[key] = _Program()
        return self._programs[key](model, x)


@dataclass
class _Call:
    """A call of a layer that is looked at.

    Attributes:
        label: Label of the layer.
        shape: Shape of what it gave.
        n_units: Number of its units.
        n_sums: Number of sums over each unit.
    """

    label: str
    shape: tuple[int, ...]
    n_units: int
    n_sums: int


@dataclass
class _Program:
    """The compiled function for inputs of one shape."""

    paths: list[Path] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._backend = backend_module("look", "Models can be looked at")
        self._function = self._backend.Program(self._traced)

    def __call__(
        self, model: Any, x: Any
    ) -> tuple[Outputs, dict[str, list[UnitMoments]]]:
        tensors, vector = self._function(model, x)
        outputs = [keras.ops.convert_to_numpy(tensor) for tensor in tensors]
        layers: dict[str, list[UnitMoments]] = {}
        for call, moments in self._read(keras.ops.convert_to_numpy(vector)):
            if not moments.is_in_range:
                raise ArithmeticError("activations leave the range of single precision")
            layers.setdefault(call.label, []).append(moments)
        for label, found in layers.items():
            shapes = {call.shape[1:] for call in self.calls if call.label == label}
            if len(shapes) > 1:  # such calls have no units in common
                layers[label] = [moments.as_one_unit for moments in found]
        return dict(zip(self.paths, outputs, strict=True)), layers

    def _traced(self, model: Any, x: Any) -> Any:
        """Run the model and return its outputs, and a vector of all sums."""
        # PyTorch runs this each time, the others once: what is noted here is the same
        # each time, since the layers run in the same order.
        self.calls.clear()
        sums: list[Any] = []

        def meet(probe: LayerProbe, call: int, tensor: Any) -> Any:
            return tensor

        def note(probe: LayerProbe) -> None:
            sums.append(self._reduced(probe))
            # let go of them: the memory is needed for the layers that follow
            probe.inputs[-1] = probe.preactivations[-1] = probe.outputs[-1] = None

        with watched(probe_layers(model), meet, note):
            outputs = model(x, training=False)
        self.paths = [path for path, _ in keras.tree.flatten_with_path(outputs)]
        vector = self._backend.joined(sums) if sums else keras.ops.zeros((0,))
        return keras.tree.flatten(outputs), vector

    def _reduced(self, probe: LayerProbe) -> Any:
        outputs, axis = probe.outputs[-1], channel_axis(probe.layer)
        levels = saturation_levels(probe.activation)
        sums = self._backend.unit_sums(outputs, probe.preactivations[-1], levels, axis)
        n_sums, n_units = (int(n) for n in sums.shape)
        shape = tuple(int(n) for n in outputs.shape)
        self.calls.append(_Call(probe.label, shape, n_units, n_sums))
        return sums

    def _read(self, vector: np.ndarray) -> Iterator[tuple[_Call, UnitMoments]]:
        begin = 0
        for call in self.calls:
            end = begin + call.n_sums * call.n_units
            sums = vector[begin:end].reshape(call.n_sums, call.n_units)
            begin = end
            yield call, UnitMoments.of_sums(sums, prod(call.shape) // call.n_units)


def _joined(parts: list[tuple[Outputs, dict[str, list[UnitMoments]]]]) -> Seen:
    outputs, layers = parts[0]
    if len(parts) > 1:
        outputs = {
            path: np.concatenate([part[0][path] for part in parts]) for path in outputs
        }
    return outputs, {
        label: merged([moments for part in parts for moments in part[1][label]])
        for label in layers
    }


def rows_at_once(model: Any, inputs: list[Any]) -> int:
    """Return how many rows a look at a model may have, for the memory it takes.

    Args:
        model: The model.
        inputs: Its inputs, samples first.
    """
    rows = len(inputs[0])
    if not _mixes_rows(model):
        return rows  # they are taken in pieces
    entries = sum(prod(np.shape(array)[1:]) for array in inputs)
    return min(rows, max(LEAST_AT_ONCE, WHOLE // max(1, entries)))


def _mixes_rows(model: Any) -> bool:
    """Return whether what a model gives for a row may hang on the other rows."""
    layers = all_layers(model)
    averages = any(kind_of(la).state == "averages" and la.trainable for la in layers)
    return averages or bool(code_of_users(model)) or joins_rows(model)


def _piece_length(rows: int, arrays: list[Any]) -> int:
    """Return how many rows to take at once, so that all pieces are of one length."""
    entries = sum(prod(np.shape(array)[1:]) for array in arrays)
    most = max(8, PIECE // max(1, entries))
    # The length divides the number of rows, so that one compiled function serves all
    # pieces. With only short divisors, as for a prime number, all rows go at once.
    sizes = [size for size in range(1, rows + 1) if rows % size == 0 and size <= most]
    return sizes[-1] if sizes and sizes[-1] * 8 > most else rows


_looks: weakref.WeakKeyDictionary[Any, tuple[Any, CompiledLook]] = (
    weakref.WeakKeyDictionary()
)


def compiled_look(model: Any) -> CompiledLook:
    """Return the look of a model, a new one if the model has changed since the last."""
    state = _state(model)
    known = _looks.get(model)
    # A compiled function would go on with the layers, activations and `trainable` flags
    # that it was traced with.
    if known is None or known[0] != state:
        known = _looks[model] = state, CompiledLook(model)
    return known[1]


def _state(model: Any) -> Any:
    """Return what a compiled function of the model hangs on, besides the weights."""
    layers = [
        (
            weakref.ref(layer),
            layer.trainable,
            layer.dtype_policy.name,
            id(getattr(layer, "activation", None)),
        )
        for layer in all_layers(model)
    ]
    variables = [id(variable) for variable in model.variables]
    return layers, variables, id(getattr(model, "optimizer", None))
