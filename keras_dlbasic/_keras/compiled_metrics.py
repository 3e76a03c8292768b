"""The metrics that a model was compiled with."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers


def compiled_metrics(model: Any) -> Any:
    """Return `metrics` as given to `model.compile`; None if none were or can be told.

    Those that Keras has resolved ("accuracy" becomes one of several) are not built
    before the first step.
    """
    compiled = getattr(model, "_compile_metrics", None)
    return getattr(compiled, "_user_metrics", None)


def logged_names(model: Any) -> list[str] | None:
    """Return the names under which Keras logs the losses and metrics of a fit.

    Callbacks may write other names into the logs.

    Args:
        model: A compiled model.

    Returns:
        The names, without those of the validation; None where they are not known for
        sure before the first epoch: of several outputs, or where code of the user's may
        log something else.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.compiled_metrics import logged_names
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss="mse", metrics=["mae", keras.metrics.R2Score(name="r2")])
    >>> logged_names(model)
    ['loss', 'mae', 'r2']
    """
    # A model or layer of the user's may keep metrics of its own, also such as it makes
    # in its first call.
    if not all(map(_is_of_keras, all_layers(model))):
        return None
    # With several outputs Keras puts their names in front.
    if len(getattr(model, "outputs", None) or ()) != 1:
        return None
    compiled = getattr(model, "_compile_metrics", None)
    if len(model.metrics) != 1 + (compiled is not None):
        return None  # there are more than the loss and those of `compile`
    names: list[str | None] = ["loss"]
    for which in ("_user_metrics", "_user_weighted_metrics"):
        given = getattr(compiled, which, None) or []
        names += map(_name, given if isinstance(given, (list, tuple)) else [None])
    # Keras numbers names that are given twice.
    if len(set(names)) < len(names):
        return None
    known = [name for name in names if name is not None]
    return known if len(known) == len(names) else None


def _name(metric: Any) -> str | None:
    """Return the name under which a metric is logged, None if it is not sure."""
    if isinstance(metric, str):
        return metric
    if isinstance(metric, keras.metrics.Metric):  # the user's may give a dict
        return str(metric.name) if _is_of_keras(metric) else None
    # Keras makes snake case of the names of functions: `MyMetric` becomes `my_metric`.
    name = getattr(metric, "__name__", "")
    is_plain = isinstance(metric, FunctionType) and name.isidentifier()
    return name if is_plain and name == name.lower() else None


def _is_of_keras(part: Any) -> bool:
    return type(part).__module__.startswith("keras.")
