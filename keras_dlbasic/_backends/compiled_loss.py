"""Losses of Keras, compiled where each of their operations would be by itself."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras

Compute = Callable[[Any, Any], Any]

_by_name: dict[str, Compute] = {}
_by_object: weakref.WeakKeyDictionary[Any, tuple[str, Compute]] = (
    weakref.WeakKeyDictionary()
)


def compiled_loss(loss: Any, make: Callable[[Any], Compute]) -> Compute:
    """Return a function of targets and outputs, compiled on JAX if that is safe.

    JAX compiles each operation that is run eagerly, and each again for other shapes;
    together they take one compilation, and a tenth of the time to run. Code of a user's
    is run as it is, since it may do more than compute.

    Args:
        loss: A name, a function or a `Loss`, as `keras.losses.get` takes it.
        make: Given what `keras.losses.get` returns, makes the function.
    """
    resolved = keras.losses.get(loss)
    if keras.backend.backend() != "jax" or not is_of_keras(resolved):
        return make(resolved)
    settings = f"{keras.config.floatx()} {_settings(loss)}"
    if isinstance(loss, str):
        name = f"{loss} {settings}"
        if name not in _by_name:
            _by_name[name] = _compiled(lambda *given: make(resolved)(*given))
        return _by_name[name]
    if resolved is not loss:  # a configuration: another object each time
        return make(resolved)
    kept = _by_object.get(loss)
    if kept is None or kept[0] != settings:
        known = weakref.ref(loss)  # what is kept for a loss must not keep it alive
        kept = settings, _compiled(lambda *given: make(known())(*given))
        _by_object[loss] = kept
    return kept[1]


def _settings(loss: Any) -> str:
    """Return what a loss was made with, and may be changed to, as text."""
    kwargs = getattr(loss, "_fn_kwargs", {})  # what Keras gives to its function
    return repr(sorted(kwargs.items())) if isinstance(kwargs, dict) else ""


def _compiled(function: Compute) -> Compute:
    module = import_module("keras_dlbasic._backends.jax.compiled")
    compiled: Compute = module.compiled(function)
    return compiled


def is_of_keras(loss: Any) -> bool:
    """Return whether no code of a user's is run by a loss."""
    parts = [loss, getattr(loss, "fn", loss)]
    modules = [getattr(one, "__module__", None) or "" for one in parts]
    return all(module.startswith("keras.") for module in modules)
