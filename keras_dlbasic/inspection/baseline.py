"""The loss that a constant predictor reaches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.as_tensor import as_tensor
from keras_dlbasic._backends.compiled_loss import compiled_loss, is_of_keras
from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic.analysis.scoring import target_columns

LOWEST = {"sigmoid": 0.0, "hard_sigmoid": 0.0, "softmax": 0.0, "tanh": -1.0}
"""Activations that give values up to 1, and the smallest value that they give."""

AT_ONCE = 32
"""Rows that a loss of the user's is given together, about as many as in a fit: one that
compares all pairs or triples of rows takes memory by the square or cube of that."""


def sample_losses(loss: Any, targets: Any, outputs: Any) -> np.ndarray:
    """Return the loss of each row by a compiled loss, weights and penalties apart.

    A loss of the user's is given `AT_ONCE` rows at a time.

    Args:
        loss: What `model.compile` was given: a name, a function or a `Loss`.
        targets: Targets of the rows.
        outputs: The model's outputs for them.

    Returns:
        Array `[n]`; the mean over positions for outputs with several. Of a loss that
        gives one number for several rows, an entry for each part of the rows.
    """
    compute = compiled_loss(loss, fitted)
    n = len(outputs)
    is_plain = n <= AT_ONCE or is_of_keras(keras.losses.get(loss))
    pairs = (
        [(targets, outputs)]
        if is_plain
        else [(targets[part], outputs[part]) for part in parts_of(n)]
    )
    with generators_kept(loss):  # it may smooth targets by noise
        parts = [_by_row(compute(as_tensor(y), as_tensor(p))) for y, p in pairs]
    return np.concatenate(parts)


def parts_of(n: int) -> list[slice]:
    """Return which of `n` rows a loss of the user's is given together."""
    ends = np.linspace(0, n, max(1, -(-n // AT_ONCE)) + 1).astype(int)
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _by_row(losses: Any) -> np.ndarray:
    values = np.asarray(ops.convert_to_numpy(losses), np.float64)
    return values.reshape(len(values), -1).mean(axis=1) if values.ndim else values[None]


def fitted(loss: Any) -> Callable[[Any, Any], Any]:
    """Return a function that calls a loss with targets as Keras gives them to it.

    Args:
        loss: A loss of Keras' or of the user's.
    """
    is_fitted = True
    function = loss
    if isinstance(loss, keras.losses.Loss):
        # Keras gives targets an axis for its own losses and for functions, and leaves
        # them as they are for a class of the user's: that may spread them by mistake.
        is_fitted = type(loss).__module__.startswith("keras.")
        function = loss.call

    def compute(targets: Any, outputs: Any) -> Any:
        lacks_axis = len(targets.shape) == len(outputs.shape) - 1
        if is_fitted and lacks_axis and outputs.shape[-1] == 1:
            targets = ops.expand_dims(targets, -1)
        if "float" in keras.backend.standardize_dtype(targets.dtype):
            targets = ops.cast(targets, outputs.dtype)
        return function(targets, outputs)

    return compute


def best_constant(
    loss: Any,
    targets: np.ndarray,
    shape: tuple[int, ...],
    activation: str | None = None,
) -> np.ndarray:
    """Return the losses of the rows under the best constant predictor.

    Tried are, per column, the mean, the median, the frequencies of the classes and
    their logarithms and log odds, so that losses of probabilities, of logits and of
    values are all served; the one with the smallest mean loss is taken.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.
        activation: Activation of the outputs. Of what a sigmoid, softmax or tanh cannot
            give nothing is tried. Defaults to None: outputs are not limited.

    Returns:
        Array `[n]`; all NaN if the loss can be computed of none.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.baseline import best_constant
    >>> best_constant("mse", np.array([1.0, 3.0]), (2, 1)).tolist()
    [1.0, 1.0]
    """
    tried = []
    lowest = LOWEST.get(str(activation), -np.inf)
    highest = 1.0 if activation in LOWEST else np.inf
    for constant in _candidates(np.asarray(targets, np.float64), shape):
        if not lowest <= constant.min() <= constant.max() <= highest:
            continue
        outputs = np.broadcast_to(constant, shape).astype("float32")
        losses = sample_losses(loss, targets, outputs)
        if np.isfinite(losses).all() and len(losses) == len(targets):
            tried.append((constant, outputs, losses))
    # A loss such as the mean of -y * p is for logarithms of probabilities. Of numbers
    # that are not limited it says nothing: the larger, the better.
    if any(_falls_without_end(loss, targets, *one[1:]) for one in tried):
        tried = [one for one in tried if abs(np.exp(one[0]).sum() - 1) < 1e-3]
    found = [losses for _, _, losses in tried]
    return min(found, key=np.mean, default=np.full(len(targets), np.nan))


def _falls_without_end(
    loss: Any, targets: np.ndarray, outputs: np.ndarray, losses: np.ndarray
) -> bool:
    """Return whether ten and a hundred times an answer are better and better."""
    largest = sample_losses(loss, targets, 100 * outputs).mean()
    if not largest < 0:  # as it is of nearly all
        return False
    larger = sample_losses(loss, targets, 10 * outputs).mean()
    return bool(largest - larger < 5 * (larger - losses.mean()) < 0)


def rewards_the_truth(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...], constant: np.ndarray
) -> bool:
    """Return True if a loss compares each row with its own target.

    Of a loss that is not known, a constant tells nothing unless that is so: losses of
    embeddings compare rows with each other, and a run that does no better than a
    constant there may be halfway to a good end.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.
        constant: Losses of the rows under the best constant predictor.
    """
    columns = as_columns(targets, shape)
    if columns is None:
        return False
    # the truth as values or probabilities, and as logits
    truths = (columns, 20.0 * (2.0 * columns - 1.0))
    found = [_mean_loss(loss, targets, truth, shape) for truth in truths]
    return _is_by_row(loss, targets, shape) and any(
        value < 0.9 * constant.mean()
        for value in found  # NaN is no reward either
    )


def _mean_loss(
    loss: Any, targets: np.ndarray, columns: np.ndarray, shape: tuple[int, ...]
) -> float:
    outputs = columns.reshape(shape).astype("float32")
    return float(sample_losses(loss, targets, outputs).mean())


def _is_by_row(loss: Any, targets: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return True if the loss of a row is the same whatever the other rows are."""
    drawn = np.random.default_rng(0).random(shape)
    # of several sizes: margins make losses flat where outputs are far apart
    for size in (0.01, 0.1, 1.0):
        outputs = (size * drawn).astype("float32")
        losses = sample_losses(loss, targets, outputs)[::2]
        half = sample_losses(loss, targets[::2], outputs[::2])
        if len(half) != len(losses) or not np.allclose(half, losses, rtol=1e-3):
            return False
    return True


def _candidates(targets: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
    columns = as_columns(targets, shape)
    if columns is None:
        return []
    width = columns.shape[1]
    # Which constant is best depends on the loss: the mean for squared errors, the
    # median for absolute ones, and the shares of the classes, as they are or as logits,
    # for cross-entropies.
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


def as_columns(targets: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return targets as columns like the outputs; class numbers become one-hot.

    Args:
        targets: Targets, samples first.
        shape: Shape of the model's outputs. Where it has an axis more, each entry of
            the targets is a class number, however many there are in the last axis.

    Returns:
        Array `[n, width]`; None if they do not fit.
    """
    columns = target_columns(np.asarray(targets), shape)
    width = shape[-1] if len(shape) > 1 else 1
    if columns is None or columns.shape[1] == width:
        return columns
    numbers = columns[:, 0]
    whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()
    if not whole or numbers.min() < 0 or numbers.max() >= width:
        return None
    return np.asarray(np.eye(width)[numbers.astype(int)])
