"""How much lower the loss would get without constraints of weights."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_once import run_once
from keras_dlbasic._keras.graph import describe_variables
from keras_dlbasic.landscape.objective import Objective
from keras_dlbasic.records.probe_facts import ConstraintFacts

ROWS, STEPS = 128, 12

MOST_WEIGHTS, MOST_SECONDS = 10**6, 5.0
"""Models with more weights, and those that take longer, are not tried."""

LITTLE = 0.05
"""A loss that falls by a smaller share of itself falls by nothing."""

STEP = 0.1
"""Length of a step of a kernel, relative to the norm of one drawn by LeCun's law."""

Parts = list[np.ndarray]


def constraint_facts(
    model: Any, x: Any, y: Any, batch_size: int | None = None
) -> ConstraintFacts | None:
    """Take gradient steps from the final weights, with constraints and without.

    Both take steps of the same length on the same rows. The weights of the model stay
    as they are.

    Args:
        model: A compiled model, trained.
        x: Inputs of some rows.
        y: Their targets.
        batch_size: Number of rows that fit into memory at once. Defaults to None: all.

    Returns:
        The losses; None for a model without constrained kernels, for a large or slow
        one, or if its loss cannot be evaluated outside `fit`.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.inspection.constraint_facts import constraint_facts
    >>> layer = keras.layers.Dense(1, kernel_constraint="non_neg")
    >>> model = keras.Sequential([keras.Input((1,)), layer])
    >>> model.compile(loss="mse")
    >>> layer.set_weights([np.zeros((1, 1)), np.zeros(1)])
    >>> x = np.linspace(-1, 1, 9)[:, None]
    >>> facts = constraint_facts(model, x, -x)
    >>> facts.kind, facts.held == facts.loss, facts.free < facts.loss / 2
    ('NonNeg', True, True)
    """
    variables = list(model.trainable_variables)
    kernels = [place for place, v in enumerate(variables) if len(v.shape) > 1]
    held = [place for place in kernels if variables[place].constraint is not None]
    if not held:
        return None
    rows = keras.tree.map_structure(lambda a: np.asarray(a)[:ROWS], (x, y))
    try:
        with warnings.catch_warnings(action="ignore"), run_once():
            objective = Objective(model, *rows, micro_batch=batch_size or ROWS)
            if objective.size > MOST_WEIGHTS:
                return None
            loss = objective.loss()

            def project(parts: Parts) -> None:
                for place in held:
                    tensor = ops.convert_to_tensor(parts[place].astype("float32"))
                    value = variables[place].constraint(tensor)
                    parts[place] = np.asarray(ops.convert_to_numpy(value), np.float64)

            began = time.monotonic()
            without = _lowest(objective, kernels, lambda parts: None, began)
            # where there is nothing to win, constraints keep nothing back
            is_lower = without < loss - LITTLE * abs(loss)
            with_it = _lowest(objective, kernels, project, began) if is_lower else loss
    except Exception:  # a model that runs in `fit` only; code of the user's
        return None
    info = describe_variables(model, variables)[held[0]]
    kind = type(variables[held[0]].constraint).__name__
    return ConstraintFacts(info.layer, kind, loss, with_it, without)


def _lowest(
    objective: Objective,
    kernels: list[int],
    project: Callable[[Parts], None],
    began: float,
) -> float:
    """Return the lowest loss on a path along the gradient of the kernels.

    Raises:
        TimeoutError: If that takes too long.
    """
    weights = objective.weights()
    losses = []
    for _ in range(STEPS):
        if time.monotonic() - began > MOST_SECONDS:
            raise TimeoutError
        loss, gradient = objective.gradient(weights)
        losses.append(loss)
        parts = objective.split(weights)
        slopes = objective.split(gradient)
        for place in kernels:
            norm = float(np.linalg.norm(slopes[place]))
            if norm > 0:
                usual = float(parts[place].shape[-1]) ** 0.5
                parts[place] = parts[place] - STEP * usual / norm * slopes[place]
        project(parts)
        weights = np.concatenate([part.ravel() for part in parts])
    return float(np.nanmin([*losses, objective.loss(weights)]))
