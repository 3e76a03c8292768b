"""Functions compiled on JAX."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np

from keras_dlbasic._backends.run_once import is_once

LEAST = {"xla_backend_optimization_level": 0}

QUICK = {
    **LEAST,
    # These emit several times as much code for the same numbers.
    "xla_cpu_use_fusion_emitters": False,
    # The parts that code is split into are compiled at the same time, but take more
    # work together.
    "xla_cpu_parallel_codegen_split_count": 1,
}
"""Options of XLA for a function that runs once."""

HAS_OPTIONS = "compiler_options" in inspect.signature(jax.jit).parameters
"""JAX has them from 0.4.38 on."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function, compiled once for each shape of its arrays.

    Within `run_once` it is compiled with less effort.
    """
    # the options are known to the compiler for CPUs; others have less to gain
    if is_once() and jax.default_backend() == "cpu" and HAS_OPTIONS:
        return jax.jit(function, compiler_options=_known_options())
    return jax.jit(function)


@cache
def _known_options() -> dict[str, Any]:
    """Return the options of `QUICK` that this version of XLA knows.

    An option that is not known is an error where a function is compiled, and XLA's
    options come and go.
    """
    for options in (QUICK, LEAST):
        if _are_known(options):
            return options
    return {}


def _are_known(options: dict[str, Any]) -> bool:
    try:
        identity = jax.jit(lambda x: x, compiler_options=options)
        identity.lower(np.float32(0)).compile()
    except Exception:  # what is raised differs by version
        return False
    return True
