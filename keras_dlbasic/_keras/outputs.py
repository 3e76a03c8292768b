"""What a model's outputs are, and which layers make them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.checks import check_built
from keras_dlbasic._keras.connections import inputs_of, inside_of, operation_of
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.intercepted import intercepted
from keras_dlbasic._keras.layer_kinds import HIDDEN, KERNELS, core_of, kind_of
from keras_dlbasic._keras.output_activation import UNKNOWN, output_activation
from keras_dlbasic._keras.trained_judge import trained_judge

LIMITED = ("hard_sigmoid", "sigmoid", "softmax")
"""Activations that give 0 to 1, which is next to nothing as a logit."""

BEFORE = (*LIMITED, "relu", "relu6")
"""Activations after which logits have no sense: they leave out numbers below 0."""

FREE_LENGTH = 16
"""Length of an axis that a model leaves open, in the example that it is traced on."""


@dataclass(frozen=True)
class Output:
    """An output of a model.

    Attributes:
        name: The layer or operation that it comes from, as far as is known.
        activation: Name of the activation that its values go through last; None if they
            are not limited; `"custom"` for a function of the user's; `"normalization"`;
            `"unknown"`.
        units: Length of its last axis, None if not known.
        rank: Number of its axes, None if not known.
        softmax_axis: Axis over which a softmax adds up to one, counted from the end;
            None if there is none, or it is not known.
        limited_before: Activation whose limited values the last one is given, as those
            of a softmax behind another, or of a ReLU; None if there is none, or it is
            not known.
        judge: Label of the nested model that makes it, if it is compiled by itself and
            trained here, see `trained_judge`.
    """

    name: str
    activation: str | None
    units: int | None = None
    rank: int | None = None
    softmax_axis: int | None = None
    limited_before: str | None = None
    judge: str | None = None


def model_outputs(model: Any, x: Any = None) -> list[Output]:
    """Return what the outputs of a model are.

    Where the last layer does not say so, the model is traced on two rows, once: an
    `ops.sigmoid` in `call` counts, and not which layer was defined last. State and
    random generators stay as they are.

    Args:
        model: A built model. What is known of others is that there is an output.
        x: A batch of inputs. Defaults to None: zeros, of the shapes that the model was
            built for.
    """
    tensors = keras.tree.flatten(getattr(model, "outputs", None) or [])
    found = [
        replace(_from_graph(tensor), judge=trained_judge(model, tensor))
        for tensor in tensors
    ]
    # The graph says it in most models, at no cost. What happens within layers of one's
    # own only shows as the model is traced, which takes longer.
    if found and all(output.activation != UNKNOWN for output in found):
        return found
    traced = trace_outputs(model, x)
    if not found:
        return traced or [Output(model.name, UNKNOWN)]
    if len(traced) != len(found):
        return found
    return [
        replace(own, activation=seen.activation, softmax_axis=seen.softmax_axis)
        if own.activation == UNKNOWN
        else own
        for own, seen in zip(found, traced, strict=True)
    ]


def _from_graph(tensor: Any) -> Output:
    """Describe an output by the layer it comes from, where that says all."""
    # a nested model is an operation of the outer one: its last layer is what counts
    inner, operation = tensor, operation_of(tensor)
    while isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
        inner = inside_of(operation, inner)
        operation = operation_of(inner)
    name, rank, axis = activation_name(operation), len(tensor.shape), None
    is_active_operation = name and not isinstance(operation, keras.layers.Layer)
    says_all = kind_of(operation).kind in (*KERNELS, "activation")
    activation = name if says_all or is_active_operation else UNKNOWN
    if activation == "softmax":
        axis = getattr(core_of(operation), "axis", -1)
        axis = (axis % rank) - rank if isinstance(axis, int) else None
    before = _limited_before(inner, operation) if activation in LIMITED else None
    return Output(operation.name, activation, tensor.shape[-1], rank, axis, before)


def _limited_before(tensor: Any, operation: Any) -> str | None:
    """Return the activation that limits what an activation layer is given."""
    given = inputs_of(tensor) if kind_of(operation).kind == "activation" else []
    if len(given) != 1:
        return None
    name = activation_name(operation_of(given[0]))
    return name if name in BEFORE else None


def trace_outputs(model: Any, x: Any = None) -> list[Output]:
    """Trace a model on two rows; return nothing if that is not possible.

    Args:
        model: A built model.
        x: As for `model_outputs`.
    """
    if not getattr(model, "built", False):
        return []
    for example in _examples(model, x):
        try:
            return _trace(model, example)
        except Exception:
            continue
    return []


def _trace(model: Any, example: Any) -> list[Output]:
    shapes: list[tuple[Any, ...]] = []
    names: list[str] = []

    def run(inputs: Any) -> list[Any]:
        with keras.StatelessScope(), _named(model) as made_by:
            outputs = keras.tree.flatten(model(inputs, training=False))
        # what `call` itself makes of the last layer's tensor is put down to that layer
        last = next(reversed(made_by.values()), ("", None))[0]
        for number, output in enumerate(outputs):
            other = last if len(outputs) == 1 and last else f"output_{number}"
            names.append(made_by.get(id(output), (other, None))[0])
            shapes.append(tuple(output.shape))
        return outputs

    backend = backend_module("last_operations", "Models can be traced")
    with warnings.catch_warnings(action="ignore"), generators_kept(model):
        operations = backend.traced(run, example)
        found = [output_activation(operation) for operation in operations]
    return [
        Output(name, activation, (None, *shape[1:])[-1], len(shape), axis)
        for name, shape, (activation, axis) in zip(names, shapes, found, strict=True)
    ]


@contextmanager
def _named(model: Any) -> Iterator[dict[int, tuple[str, Any]]]:
    """Within the context, note by `id` which layer made a tensor, and the tensor."""
    made_by: dict[int, tuple[str, Any]] = {}

    def noting(label: str) -> Any:
        def run(call: Any, *args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            for tensor in keras.tree.flatten(outputs):
                made_by.setdefault(id(tensor), (label, tensor))
            return outputs

        return run

    with ExitStack() as stack:
        for layer, label, _, is_whole in walk_layers(model):
            if is_whole and layer is not model:
                stack.enter_context(intercepted(layer, noting(label)))
        yield made_by


def _as_keras(array: np.ndarray) -> np.ndarray:
    kinds = {"f": keras.config.floatx(), "i": "int32", "u": "int32"}
    return array.astype(kinds.get(array.dtype.kind, array.dtype))


def _examples(model: Any, x: Any) -> Iterator[Any]:
    """Yield batches that a model may take: two rows of `x`, and of zeros."""
    leaves = keras.tree.flatten(x)
    if all(isinstance(a, np.ndarray) or keras.ops.is_tensor(a) for a in leaves):
        rows = [np.asarray(keras.ops.convert_to_numpy(a[:2])) for a in leaves]
        yield keras.tree.pack_sequence_as(x, [_as_keras(row) for row in rows])
    # Zeros do as well as data: nothing but the operations is read. Whole numbers need
    # to be valid tokens, which zero is.
    if getattr(model, "inputs", None):
        is_sequential = isinstance(model, keras.Sequential)
        tensors = model.inputs[0] if is_sequential else model.input
        yield keras.tree.map_structure(
            lambda t: np.zeros(_filled(t.shape), t.dtype), tensors
        )
        return
    shape = (model.get_build_config() or {}).get("input_shape")
    for dtype in (keras.config.floatx(), "int32"):  # rows of a table have whole numbers
        if shape:
            yield _zeros(shape, dtype)


def _zeros(shape: Any, dtype: str) -> Any:
    if isinstance(shape, dict):
        return {name: _zeros(part, dtype) for name, part in shape.items()}
    if shape and isinstance(shape[0], (tuple, list, dict)):
        return [_zeros(part, dtype) for part in shape]
    return np.zeros(_filled(shape), dtype)


def _filled(shape: Any) -> tuple[int, ...]:
    _, *others = shape
    return 2, *(FREE_LENGTH if n is None else n for n in others)


def output_part(model: Any) -> set[int]:
    """Return the `id`s of the last kernel layers of a model and of what follows them.

    Their units and activations belong to the task: what changes hidden layers leaves
    them alone.

    Raises:
        ValueError: If the model is not built or its connections are not known.
    """
    check_known(model)
    part: set[int] = set()
    _walk_model(model, part)
    return part


def check_known(model: Any) -> None:
    """Refuse a model whose connections or training step are not known.

    Raises:
        ValueError: If it is not built, neither Sequential nor Functional, or has a
            `train_step` of its own.
    """
    check_built(model)
    is_known = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    if not is_known or type(model).train_step is not keras.Model.train_step:
        raise ValueError(
            "Only Sequential and Functional models with Keras' own `train_step` can be "
            f"rebuilt. Received: '{model.name}' of class {type(model).__name__}. "
            "Change its code by hand, or rebuild the Functional model inside it."
        )


def _walk_model(model: Any, part: set[int]) -> bool:
    if isinstance(model, keras.Sequential):
        return any(_visit(layer, part) for layer in reversed(model.layers))
    found = [_walk_back(tensor, part) for tensor in model.outputs]
    return all(found)


def _walk_back(tensor: Any, part: set[int]) -> bool:
    """Go back to the kernel layers that a tensor comes from; tell if all were found."""
    if _visit(operation_of(tensor), part):
        return True
    found = [_walk_back(parent, part) for parent in inputs_of(tensor)]
    return bool(found) and all(found)


def _visit(operation: Any, part: set[int]) -> bool:
    part.add(id(operation))
    if isinstance(operation, keras.Model) and hasattr(operation, "outputs"):
        return _walk_model(operation, part)
    return kind_of(operation).kind in HIDDEN
