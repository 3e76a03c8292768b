"""Functions compiled on JAX."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax

from keras_dlbasic._backends.run_once import is_once

QUICK = {"xla_backend_optimization_level": 0}
HAS_OPTIONS = "compiler_options" in inspect.signature(jax.jit).parameters
"""JAX has them from 0.4.38 on."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function, compiled once for each shape of its arrays.

    Within `run_once` it is compiled with less effort.
    """
    # the option is known to the compiler for CPUs; others have less to gain
    if is_once() and jax.default_backend() == "cpu" and HAS_OPTIONS:
        return jax.jit(function, compiler_options=QUICK)
    return jax.jit(function)
