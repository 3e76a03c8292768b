"""The loss and its gradient, evaluated once before training."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.run_once import run_once
from keras_dlbasic._keras.graph import describe_variables
from keras_dlbasic.landscape.objective import Objective
from keras_dlbasic.records.facts import StartFacts

ROWS = 32


def start_facts(model: Any, x: Any, y: Any) -> StartFacts | None:
    """Evaluate the loss of a model and its gradient on a few rows.

    Args:
        model: A built and compiled model.
        x: Inputs.
        y: Targets.

    Returns:
        What was not finite; None if the loss cannot be evaluated outside `fit`.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.inspection.start_facts import start_facts
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss=lambda y, p: keras.ops.log(keras.ops.abs(y)))
    >>> start_facts(model, np.ones((8, 2)), np.zeros((8, 1))).loss_is_finite
    False
    """
    rows = keras.tree.map_structure(lambda a: np.asarray(a)[:ROWS], (x, y))
    try:
        with warnings.catch_warnings(action="ignore"), run_once():
            objective = Objective(model, *rows)
            loss, gradient = objective.gradient()
    except Exception:  # a model that runs in `fit` only; a loss of the user's
        return None
    parts = objective.split(gradient)
    known = describe_variables(model, model.trainable_variables)
    lost = [
        info.layer
        for info, part in zip(known, parts, strict=True)
        if not np.isfinite(part).all()
    ]
    return StartFacts(bool(np.isfinite(loss)), tuple(dict.fromkeys(lost)))
