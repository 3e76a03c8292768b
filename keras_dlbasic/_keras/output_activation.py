"""Which activation the operations that an output comes from amount to."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._backends.operation import Operation

UNKNOWN = "unknown"

ACTIVATIONS = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
)
_PASSING = ("cast", "identity", "reshape", "transpose")
_SUMS = ("add", "subtract", "multiply", "divide", "negative", "sum", "mean", "matmul")


def output_activation(operation: Operation) -> tuple[str | None, int | None]:
    """Return the activation that a tensor went through last.

    Args:
        operation: The operation that the tensor comes from.

    Returns:
        Its name in Keras, None where nothing limits the values, `"normalization"` or
        `"unknown"`; and the axis of a softmax, counted from the end, where that is
        known.

    Example:
    >>> from keras_dlbasic._backends.operation import Operation
    >>> from keras_dlbasic._keras.output_activation import output_activation
    >>> sigmoid = Operation("sigmoid")
    >>> output_activation(Operation("reshape", lambda: [sigmoid]))
    ('sigmoid', None)
    """
    name, axis = _named(*_behind(operation))
    return (None if name == "linear" else name), axis


def _named(at: Operation, axes: list[Any]) -> tuple[str, int | None]:
    """Name what an operation does to values, reshaping left out of account.

    Args:
        at: The operation.
        axes: What has happened to the axes of its output since.
    """
    softmax_axis = _softmax_axis(at)
    if softmax_axis is not None:
        return "softmax", _moved(softmax_axis[0], axes)
    if at.name in ACTIVATIONS:
        return at.name, None
    if at.name in ("input", "convolution", "gather"):
        return "linear", None
    if at.name in ("normalization", "rsqrt"):
        return "normalization", None
    if at.name == "concatenate":
        names = {_named(*_behind(part))[0] for part in at.inputs}
        return (names.pop() if len(names) == 1 else UNKNOWN), None
    if at.name not in (*_SUMS, "limit"):
        return UNKNOWN, None
    name = _sum_of(at)
    is_cut = at.name == "limit" and name == "linear"
    return (UNKNOWN if is_cut else name), None


def _sum_of(at: Operation) -> str:
    """Name what arithmetic gives: free values as long as nothing limited them before.

    What is limited and then scaled or shifted, such as five times a sigmoid, has limits
    that are not known.
    """
    parts = [part for part in at.inputs if not _is_fixed(part)]
    if at.name == "matmul" and len(parts) == 1:
        return "linear"  # a kernel lifts all limits
    # Sums of values without limits have no limits either, and normalized values stay so
    # with a free offset. Anything else, such as a sigmoid plus something, is not known.
    names = {_named(*_behind(part))[0] for part in parts}
    if "normalization" in names and names <= {"normalization", "linear"}:
        return "normalization"
    return "linear" if names == {"linear"} else UNKNOWN


def _behind(operation: Operation) -> tuple[Operation, list[Any]]:
    """Go back to where values were made; return it and what the axes went through."""
    axes: list[Any] = []
    while operation.name in _PASSING or (
        operation.name == "gather" and not _is_fixed(operation.inputs[0])
    ):
        if operation.name == "transpose":
            axes.append(operation.axis)
        elif operation.name in ("reshape", "gather"):
            axes.append(None)
        operation = operation.inputs[0]
    return operation, axes


def _is_fixed(operation: Operation) -> bool:
    """Return True for weights and numbers, and for what is computed from these only."""
    if operation.name == "weight":
        return True
    computed = (*_PASSING, *_SUMS[:-1], "rsqrt")
    inputs = operation.inputs if operation.name in computed else []
    return bool(inputs) and all(_is_fixed(part) for part in inputs)


def _softmax_axis(at: Operation) -> tuple[int | None] | None:
    """Return a softmax's axis in a tuple; None if an operation is no softmax.

    JAX has no operation of that name: there it is `exp(z) / sum(exp(z))`.
    """
    if at.name == "softmax":
        return (at.axis,)
    if at.name != "divide" or len(at.inputs) != 2:
        return None
    above, below = (_behind(part)[0] for part in at.inputs)
    is_ratio = above.name == "exponential" and below.name == "sum"
    if is_ratio and _behind(below.inputs[0])[0] is above:
        return (below.axis,)
    return None


def _moved(axis: int | None, axes: list[Any]) -> int | None:
    """Return where an axis is at the output; None if that is not known."""
    # Go forward from where the values were made to the output. A reshaping, marked by
    # None, loses track of the axis.
    for permutation in reversed(axes):
        if axis is None or permutation is None:
            return None
        axis = permutation.index(axis + len(permutation)) - len(permutation)
    return axis
