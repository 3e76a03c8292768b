"""What a constant at the output would save."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.baseline import sample_losses
from keras_dlbasic.inspection.output_probe import OutputProbe
from keras_dlbasic.records.probe_facts import OffsetFacts

UNLIMITED = (None, "linear", "exponential", "softplus", "custom", "unknown")
EDGE = 1e-6
TURNS = 200
STEADY = 1e-3
"""What varies by less, as a share of its mean, is a constant."""

ADDING = {
    "attention",
    "custom",
    "embedding",
    "foreign",
    "normalization",
    "recurrent",
}
"""Kinds of layers that add a constant, or may do so."""

FARTHEST = 30.0
"""Probabilities of logits beyond this are 0 and 1."""


def has_no_bias(model: Any) -> bool:
    """Return whether nothing in a model adds a constant.

    It then has kernels only, and layers of Keras' own whose weights are known. A
    normalization divides by what may be nearly constant, and operations that are no
    layers, or code of the user's, may add what they like.

    Args:
        model: A built model.
    """
    kernels = [w for w in model.weights if "float" in str(w.dtype)]
    if not kernels or any(len(w.shape) < 2 for w in kernels):
        return False
    parts = all_layers(model)
    layers = [layer for layer in parts if not isinstance(layer, keras.Model)]
    if {kind_of(layer).kind for layer in layers} & ADDING or any(
        np.any(getattr(layer, "offset", 0)) for layer in layers
    ):
        return False
    return not any(
        _acts_by_itself(part) for part in parts if isinstance(part, keras.Model)
    )


def _acts_by_itself(model: Any) -> bool:
    """Return whether a model does anything that is no layer."""
    if not type(model).call.__module__.startswith("keras."):
        return True
    is_graph = not isinstance(model, keras.Sequential)
    return is_graph and any(
        not isinstance(operation, keras.layers.Layer) for operation in model.operations
    )


def holds_constant(x: np.ndarray) -> bool:
    """Return whether inputs contain a constant, as a column of ones does.

    Several columns may sum up to it, as those of one-hot vectors.

    Args:
        x: Inputs of some rows, samples first.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.offset_facts import holds_constant
    >>> column = np.arange(4.0)[:, None]
    >>> holds_constant(column), holds_constant(np.hstack([column, np.ones((4, 1))]))
    (False, True)
    """
    rows = np.asarray(x, np.float64).reshape(len(x), -1)
    size = np.abs(rows.mean(axis=0))
    if (rows.std(axis=0) < STEADY * size).any():
        return True
    if 2 * rows.shape[1] > len(rows) or not np.isfinite(rows).all():
        return False  # columns that are more sum up to anything
    ones = np.ones(len(rows))
    found = np.linalg.lstsq(rows, ones, rcond=None)[0]
    return bool(np.abs(rows @ found - ones).max() < STEADY)


def offset_facts(
    output: OutputProbe,
    given: np.ndarray,
    looked: np.ndarray,
    *,
    has_bias: bool = False,
) -> OffsetFacts | None:
    """Add the best constant to what the activation of an output is given.

    Args:
        output: What is judged.
        given: What the model predicts for some rows.
        looked: Places of these rows.
        has_bias: Whether something in the model adds a constant. Defaults to `False`.

    Returns:
        The losses without and with it; None where a constant cannot be found, as for
        outputs of other activations.
    """
    y = None if output.y is None else np.asarray(output.y)[looked]
    if y is None or output.loss is None or not np.isfinite(given).all():
        return None
    moved = _moved(output, given, y)
    if moved is None:
        return None
    loss, best = (
        float(sample_losses(output.loss, y, part.astype("float32")).mean())
        for part in (given, moved)
    )
    if not np.isfinite([loss, best]).all():
        return None
    is_values = output.task is TaskKind.VALUES
    shift = float((moved - given).mean()) if is_values else np.nan
    return OffsetFacts(loss, best, has_bias, shift)


def _moved(output: OutputProbe, given: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    axes = tuple(range(given.ndim - 1))
    if output.task is TaskKind.VALUES and output.activation in UNLIMITED:
        if y.size != given.size:
            return None
        moved: np.ndarray = given + (y.reshape(given.shape) - given).mean(axis=axes)
        return moved
    if output.activation == "softmax" and output.task is TaskKind.CLASSES:
        return _of_shares(given, y)
    is_labels = output.task is TaskKind.LABELS and y.size == given.size
    if not is_labels or set(np.unique(y)) - {0, 1}:
        return None
    if output.activation == "sigmoid":
        known = np.clip(given, EDGE, 1 - EDGE)
        logits = np.log(known / (1 - known))
        return _expit(logits + _offset(logits, y.reshape(given.shape), axes))
    if output.kind.decides_at_zero and output.activation in (None, "linear"):
        return given + _offset(given, y.reshape(given.shape), axes)
    return None


def _offset(logits: np.ndarray, y: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return what makes the mean probability that of the targets, by halving."""
    low = np.full(logits.shape[-1], -2 * FARTHEST)
    high, wanted = -low, y.mean(axis=axes)
    for _ in range(60):
        middle = (low + high) / 2
        is_above = _expit(logits + middle).mean(axis=axes) > wanted
        low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
    return np.clip((low + high) / 2, -FARTHEST, FARTHEST)


def _of_shares(given: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Scale the shares of classes until they have those of the targets on average."""
    width = given.shape[-1]
    shares = given.reshape(-1, width)
    if y.size == given.size:
        wanted = y.reshape(-1, width).mean(axis=0)
    elif y.size == len(shares) and np.isin(y, np.arange(width)).all():
        wanted = np.bincount(y.astype(int).ravel(), minlength=width) / y.size
    else:
        return None
    shares = np.clip(shares, EDGE, None)
    for _ in range(TURNS):
        shares = shares / shares.sum(axis=-1, keepdims=True)
        shares = shares * np.maximum(wanted, EDGE) / shares.mean(axis=0)
    moved: np.ndarray = (shares / shares.sum(axis=-1, keepdims=True)).reshape(
        given.shape
    )
    return moved


def _expit(logits: np.ndarray) -> np.ndarray:
    shares: np.ndarray = 1 / (1 + np.exp(-np.clip(logits, -FARTHEST, FARTHEST)))
    return shares
