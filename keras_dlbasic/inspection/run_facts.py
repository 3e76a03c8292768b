"""What is known of a run besides its measurements."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import keras

from keras_dlbasic._backends.replicas import replicas_of
from keras_dlbasic._keras.compiled_metrics import compiled_metrics
from keras_dlbasic._keras.optimizer import evaluated_weights
from keras_dlbasic._keras.output_labels import loss_weights
from keras_dlbasic._version import __version__
from keras_dlbasic.records import RunFacts
from keras_dlbasic.records.json_text import plain
from keras_dlbasic.records.printable import printable


def run_facts(
    model: Any, params: Mapping[str, Any], known: RunFacts | None = None
) -> RunFacts:
    """Return the facts of a fit that is about to begin.

    Args:
        model: A compiled model.
        params: The `params` that Keras gives callbacks.
        known: What is known besides. Defaults to None: nothing.
    """
    return replace(
        known or RunFacts(),
        backend=keras.backend.backend(),
        model_name=printable(model.name),
        epochs=params.get("epochs"),
        steps_per_epoch=params.get("steps"),
        steps_per_execution=model.steps_per_execution,
        jit_compile=bool(model.jit_compile),
        run_eagerly=bool(model.run_eagerly),
        dtype_policy=str(getattr(model.dtype_policy, "name", model.dtype_policy)),
        optimizer=_optimizer_config(getattr(model, "optimizer", None)),
        evaluated_weights=evaluated_weights(getattr(model, "optimizer", None)),
        loss=loss_config(getattr(model, "loss", None)),
        own_loss=tuple(own_steps(model)),
        loss_weights=_plain(loss_weights(model)),
        metrics=_metrics(compiled_metrics(model)),
        replicas=replicas_of(model),
        versions=_versions(),
    )


def own_steps(model: Any) -> list[str]:
    """Return the names of methods of the user's that may compute the loss."""
    names = ("compute_loss", "train_step")
    base: Any = keras.Model
    return [n for n in names if getattr(type(model), n, None) is not getattr(base, n)]


def _optimizer_config(optimizer: Any) -> Any:
    if optimizer is None:
        return None
    try:
        with warnings.catch_warnings():  # that functions in it cannot be saved
            warnings.simplefilter("ignore")
            config = dict(optimizer.get_config())
    except Exception:  # a user's optimizer may have none
        config = {}
    return {"class_name": type(optimizer).__name__, **_plain(config)}


def loss_config(loss: Any) -> Any:
    """Return a compiled loss as `LossKind` reads it, JSON-serializable."""
    if isinstance(loss, Mapping):
        return {str(name): loss_config(part) for name, part in loss.items()}
    if isinstance(loss, (list, tuple)):
        return [loss_config(part) for part in loss]
    if isinstance(loss, keras.losses.Loss):
        try:
            config = _plain(loss.get_config())
        except Exception:  # a user's loss may have none
            config = {}
        return {"class_name": type(loss).__name__, **config, **_own(type(loss))}
    if loss is None or isinstance(loss, str):
        return loss
    own = _own(loss)
    return {"class_name": _name(loss), **own} if own else _name(loss)


def _metrics(given: Any) -> Any:
    """Return compiled metrics, JSON-serializable, each as `loss_config` has losses."""
    if isinstance(given, Mapping):
        return {str(name): _metrics(part) for name, part in given.items()}
    if isinstance(given, (list, tuple)):
        return [_metrics(part) for part in given]
    if not isinstance(given, keras.metrics.Metric):
        return loss_config(given)
    try:
        config = _plain(given.get_config())
    except Exception:  # a user's metric may have none
        config = {}
    return {"class_name": type(given).__name__, **config, **_own(type(given))}


def _own(loss: Any) -> dict[str, bool]:
    """Mark what is not Keras' own, which may have the name of one that is."""
    module = str(getattr(loss, "__module__", ""))
    return {} if module.split(".")[0] == "keras" else {"own": True}


def _plain(value: Any) -> Any:
    return plain(value, other=_name, keep_non_finite=True)


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", type(value).__name__))


def _versions() -> dict[str, str]:
    # Keras may be installed as `keras` or as `keras-nightly`: its metadata do not tell
    versions = {
        "python": platform.python_version(),
        "keras_dlbasic": __version__,
        "keras": keras.__version__,
    }
    return {**versions, **_installed()}


@cache
def _installed() -> dict[str, str]:
    """Return the versions of packages, by the metadata, which take a while to find."""
    versions = {}
    for package in ("numpy", "tensorflow", "tensorflow_cpu", "jax", "torch"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
