"""The metrics that a model was compiled with."""

from __future__ import annotations

from typing import Any

import keras


def compiled_metrics(model: Any) -> Any:
    """Return `metrics` as given to `model.compile`; None if none were or can be told.

    Those that Keras has resolved ("accuracy" becomes one of several) are not built
    before the first step.
    """
    compiled = getattr(model, "_compile_metrics", None)
    return getattr(compiled, "_user_metrics", None)


def logged_names(model: Any) -> list[str] | None:
    """Return the names under which the losses and metrics of a fit are logged.

    Args:
        model: A compiled model.

    Returns:
        The names, without those of the validation; None where they cannot be told
        before the first step: of several outputs, or where code of the user's logs.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.compiled_metrics import logged_names
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss="mse", metrics=["mae", keras.metrics.R2Score(name="r2")])
    >>> logged_names(model)
    ['loss', 'mae', 'r2']
    """
    # A class that overrides one of these may log anything, so its names are not known
    # before its first epoch.
    kind = type(model)
    own = ("train_step", "metrics", "compute_metrics")
    if any(getattr(kind, name) is not getattr(keras.Model, name) for name in own):
        return None
    compiled = getattr(model, "_compile_metrics", None)
    names = ["loss"]
    for which in ("_user_metrics", "_user_weighted_metrics"):
        given = getattr(compiled, which, None) or []
        if not isinstance(given, (list, tuple)):
            return None
        for metric in given:
            name = metric if isinstance(metric, str) else getattr(metric, "name", None)
            name = name or getattr(metric, "__name__", None)
            if not isinstance(name, str):
                return None
            names.append(name)
    return names if len(keras.tree.flatten(model.loss)) == 1 else None
