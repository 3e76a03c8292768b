"""The loss that a constant predictor reaches."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic.gradients.generators import generators_kept


def sample_losses(loss: Any, targets: Any, outputs: Any) -> np.ndarray:
    """Return the loss of each row by a compiled loss, weights and penalties apart.

    Args:
        loss: What `model.compile` was given: a name, a function or a `Loss`.
        targets: Targets of the rows.
        outputs: The model's outputs for them.

    Returns:
        Array `[n]`; the mean over positions for outputs with several.
    """
    function = keras.losses.get(loss)
    if isinstance(function, keras.losses.Loss):
        function = function.call
    targets, outputs = ops.convert_to_tensor(targets), ops.convert_to_tensor(outputs)
    if len(targets.shape) == len(outputs.shape) - 1 and outputs.shape[-1] == 1:
        targets = ops.expand_dims(targets, -1)
    if "float" in keras.backend.standardize_dtype(targets.dtype):
        targets = ops.cast(targets, outputs.dtype)
    with generators_kept():  # a loss may smooth targets by noise
        losses = function(targets, outputs)
    values = np.asarray(ops.convert_to_numpy(losses), np.float64)
    return values.reshape(len(values), -1).mean(axis=1) if values.ndim else values[None]


def best_constant(loss: Any, targets: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the losses of the rows under the best constant predictor.

    Tried are, per column, the mean, the median, the frequencies of the classes and
    their logarithms and log odds, so that losses of probabilities, of logits and of
    values are all served; the one with the smallest mean loss is taken.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.

    Returns:
        Array `[n]`; all NaN if the loss can be computed of none.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.facts.baseline import best_constant
    >>> best_constant("mse", np.array([1.0, 3.0]), (2, 1)).tolist()
    [1.0, 1.0]
    """
    best = np.full(len(targets), np.nan)
    for constant in _candidates(np.asarray(targets, np.float64), shape[-1]):
        outputs = np.broadcast_to(constant, shape).astype("float32")
        losses = sample_losses(loss, targets, outputs)
        if not np.isfinite(losses).all() or len(losses) != len(targets):
            continue
        if np.isnan(best).any() or losses.mean() < best.mean():
            best = losses
    return best


def _candidates(targets: np.ndarray, width: int) -> list[np.ndarray]:
    columns = as_columns(targets, width)
    if columns is None:
        return []
    mean = columns.mean(axis=0)
    found = [mean, np.median(columns, axis=0)]
    if columns.min() >= 0 and columns.max() <= 1:
        share = np.clip(mean, 1e-7, 1 - 1e-7)
        found += [share, np.log(share), np.log(share / (1 - share))]
    if columns.min() >= 0 and mean.min() > 0:
        found.append(np.log(mean))  # Poisson with a logarithm
    if width == 1 and set(np.unique(columns)) <= {0.0, 1.0, -1.0}:
        found += [np.array([-1.0]), np.array([1.0])]  # hinges
    return found


def as_columns(targets: np.ndarray, width: int) -> np.ndarray | None:
    """Return targets as columns like the outputs; class numbers become one-hot.

    None if they do not fit.
    """
    targets = np.asarray(targets, np.float64)
    if targets.ndim > 1 and targets.shape[-1] == width:
        return targets.reshape(-1, width)
    flat = targets.reshape(-1)
    if width == 1:
        return flat[:, None]
    whole = np.isfinite(flat).all() and (flat == np.round(flat)).all()
    if not whole or flat.min() < 0 or flat.max() >= width:
        return None
    return np.asarray(np.eye(width)[flat.astype(int)])
