"""The operations that outputs come from, on JAX: read off a jaxpr."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import keras

from keras_dlbasic._backends.operation import Operation

_NAMES = {
    **dict.fromkeys(("reshape", "squeeze", "expand_dims", "slice"), "reshape"),
    **dict.fromkeys(("dynamic_slice", "broadcast_in_dim", "rev"), "reshape"),
    **dict.fromkeys(("stop_gradient", "copy", "copy_p", "device_put"), "identity"),
    **dict.fromkeys(("add", "add_any"), "add"),
    "convert_element_type": "cast",
    "transpose": "transpose",
    "gather": "gather",
    "concatenate": "concatenate",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "neg": "negative",
    **dict.fromkeys(("min", "max"), "limit"),
    "reduce_sum": "sum",
    "dot_general": "matmul",
    "conv_general_dilated": "convolution",
    "rsqrt": "rsqrt",
    "sqrt": "rsqrt",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "exp": "exponential",
}
"""Of JAX's primitives."""

_FUNCTIONS = {
    **{name: name for name in ("relu", "relu6", "softplus", "log_softmax", "elu")},
    **{name: name for name in ("selu", "silu", "leaky_relu", "gelu", "softmax")},
    **{name: name for name in ("hard_sigmoid", "log_sigmoid", "celu", "hard_tanh")},
    "soft_sign": "softsign",
    "hard_silu": "hard_silu",
}
"""Of functions of `jax.nn`, whose name a jaxpr keeps."""

_INLINED = ("jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2")


def traced(function: Callable[[Any], list[Any]], inputs: Any) -> list[Operation]:
    """Trace a function of arrays, without running it.

    Args:
        function: Returns a list of tensors.
        inputs: A structure of NumPy arrays.

    Returns:
        For each tensor, the operation that it comes from.
    """
    specs = keras.tree.map_structure(
        lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), inputs
    )
    closed = jax.make_jaxpr(function)(specs)
    known: dict[Any, Operation] = {}
    known.update((v, Operation("input")) for v in closed.jaxpr.invars)
    known.update((v, Operation("weight")) for v in closed.jaxpr.constvars)
    return _read(closed.jaxpr, known)


def _read(jaxpr: Any, known: dict[Any, Operation]) -> list[Operation]:
    """Return the operations of a jaxpr's outputs; those of its inputs are known."""

    def operation_of(atom: Any) -> Operation:
        is_number = hasattr(atom, "val")
        return Operation("weight") if is_number else known[atom]

    for equation in jaxpr.eqns:
        inputs = [operation_of(atom) for atom in equation.invars]
        known.update(zip(equation.outvars, _outputs(equation, inputs), strict=True))
    return [operation_of(atom) for atom in jaxpr.outvars]


def _outputs(equation: Any, inputs: list[Operation]) -> list[Operation]:
    primitive, params = equation.primitive.name, equation.params
    # A jaxpr shows a call of a `jax.nn` function with its name. A known one counts as
    # one operation, so what it is made of is not read.
    name = _FUNCTIONS.get(str(params.get("name")))
    if name is not None:
        # a function's further arguments are numbers, such as a slope
        return [Operation(name, lambda: inputs[:1])]
    # Any other call is read through, as if its operations stood in the outer jaxpr: its
    # inputs are those that the call is given.
    inner = params.get("call_jaxpr") or params.get("fun_jaxpr") or params.get("jaxpr")
    if primitive in _INLINED or primitive.startswith(("custom_jvp", "custom_vjp")):
        jaxpr = getattr(inner, "jaxpr", inner)
        given = dict(zip(jaxpr.invars, inputs, strict=True))
        given.update((v, Operation("weight")) for v in jaxpr.constvars)
        return _read(jaxpr, given)
    name = _NAMES.get(primitive, "other")
    operation = Operation(name, lambda: inputs, _axis(equation))
    return [operation for _ in equation.outvars]


def _axis(equation: Any) -> Any:
    if equation.primitive.name == "transpose":
        return tuple(equation.params["permutation"])
    axes: Any = equation.params.get("axes") or ()
    if equation.primitive.name != "reduce_sum" or len(axes) != 1:
        return None
    return axes[0] - len(equation.invars[0].aval.shape)
