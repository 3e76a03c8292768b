"""Models that start from the same weights in every trial with the same seed."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.batch_sizes import flatten
from keras_dlbasic._trials.one_device import refuse_several_devices
from keras_dlbasic.records.json_text import json_text

DIGESTED_ROWS = 256

_built: weakref.WeakSet[Any] = weakref.WeakSet()
"""The models that were built here and still exist."""


class SharedModelError(TypeError):
    """Raised if a function that builds models returns one that it returned before."""


def build_seeded(build_model: Callable[..., Any], seed: int, *args: Any) -> Any:
    """Return `build_model(*args)` with initial weights that depend on `seed` alone.

    Raises:
        TypeError: If it is not a compiled model.
        SharedModelError: If it is a model that was returned before.
        ValueError: If it is distributed over several devices.
    """
    keras.utils.set_random_seed(seed)
    model = build_model(*args)
    if not isinstance(model, keras.Model):
        raise TypeError(
            "The function that builds the model must return a compiled Keras model. "
            f"Received: {type(model).__name__}."
            + " Does it end with `return model`?"
            * (model is None)
        )
    if not getattr(model, "compiled", False):
        raise TypeError(
            "The function that builds the model must return a compiled one. Received: "
            f"{type(model).__name__} '{model.name}', not compiled. Call "
            "`model.compile(optimizer, loss)` in it."
        )
    # A model that an earlier trial has trained would go on from its weights.
    if model in _built:
        raise SharedModelError(
            "The function that builds the model must return a new one each time. "
            f"Received: the same {type(model).__name__} '{model.name}' as before. "
            "Build the model within the function, or give the model itself in place of "
            "the function: it is cloned for each trial."
        )
    _built.add(model)
    refuse_several_devices(model, "A study")
    return model


def weights_digest(model: Any) -> str:
    """Return a short text that differs if any weight does."""
    digest = hashlib.blake2b(digest_size=6)
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def model_digest(model: Any) -> str:
    """Return a short text that differs if architecture or compilation does.

    Names that Keras counts up are left out.
    """
    config: dict[str, Any] = {"kind": type(model).__name__}
    for method in ("get_config", "get_compile_config"):
        try:
            config[method] = getattr(model, method)()
        except Exception:  # a model of the user's that cannot be described
            config[method] = [tuple(v.shape) for v in model.variables]
    text = json_text(_nameless(config), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


_COUNTED = ("name", "registered_name", "inbound_nodes", "input_layers", "output_layers")


def _nameless(config: Any) -> Any:
    if isinstance(config, dict):
        # Keras counts names up within a process, as in `dense_3`. The same code gives
        # other names the next time, which make no other model.
        kept = {k: v for k, v in config.items() if k not in _COUNTED}
        return {key: _nameless(value) for key, value in kept.items()}
    if isinstance(config, (list, tuple)):
        return [_nameless(value) for value in config]
    if isinstance(config, (str, int, float, bool, type(None))):
        return config
    return type(config).__name__


def data_digest(*parts: Any) -> str:
    """Return a short text of the shapes and of some rows spread over the data."""
    digest = hashlib.blake2b(digest_size=6)
    for leaf in flatten(list(parts)):
        digest.update(repr((tuple(leaf.shape), str(leaf.dtype))).encode())
        # Some rows spread over the data distinguish it from other data well enough, and
        # are read quickly from a disk.
        step = -(-leaf.shape[0] // DIGESTED_ROWS)
        digest.update(np.ascontiguousarray(leaf[::step]).tobytes())
    return digest.hexdigest()


def study_facts(study: Any, model: Any, *data: Any) -> dict[str, str]:
    """Return what tells one study from another, as far as all studies have it."""
    return {
        "study": type(study).__name__,
        "backend": keras.backend.backend(),
        "model": model_digest(model),
        "data": data_digest(*data),
    }
