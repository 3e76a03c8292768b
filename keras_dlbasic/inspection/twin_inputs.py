"""What a model of pairs gives for two inputs that are the same, and what that costs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.missed_class import ranked_above
from keras_dlbasic.inspection.baseline import sample_losses
from keras_dlbasic.inspection.inference_run import output_of
from keras_dlbasic.records.probe_facts import TwinFacts

MIN_ROWS = 32
"""Of each label; of fewer pairs a share is little known."""

ROUNDING = 0.01
"""How far the outputs for the same inputs may be from 0 or 1, and from each other."""

MOST_FEATURES = 2048


def twin_facts(model: Any, x: Any, y: Any, loss: Any) -> TwinFacts | None:
    """Run a model on pairs of inputs that are the same, and compute the loss of both.

    Args:
        model: A trained model with two inputs and one output.
        x: The inputs of some pairs.
        y: Their labels, 0 and 1, by row.
        loss: What the model was compiled with.

    Returns:
        None unless labels are 0 and 1, inputs are alike in shape, and the output for
        the same inputs is 0 or 1 and no pair has one beyond it, as of a distance or a
        likeness.
    """
    leaves = [np.asarray(leaf) for leaf in keras.tree.flatten(x)]
    label = np.asarray(y).ravel()
    if len(leaves) != 2 or not _is_pair(leaves[0], leaves[1], label):
        return None
    given = _outputs(model, x)
    one, _ = leaves
    same = _outputs(model, keras.tree.pack_sequence_as(x, [one, one]))
    if given is None or same is None or len(given) != len(label):
        return None
    value = float(np.round(np.median(same)))
    if value not in (0.0, 1.0) or np.abs(same - value).max() > ROUNDING:
        return None
    away = given - value
    if away.min() < -ROUNDING < ROUNDING < away.max():
        return None  # neither the least nor the most
    costs = [_cost(loss, y, of, float(np.median(same))) for of in (0, 1)]
    positive = label == 1
    return TwinFacts(
        same=value,
        loss_of_0=costs[0],
        loss_of_1=costs[1],
        nearer=ranked_above(-_gaps(*leaves), positive),
        told=ranked_above(-np.abs(away), positive),
        rows_of_0=int((~positive).sum()),
        rows_of_1=int(positive.sum()),
    )


def _is_pair(one: np.ndarray, other: np.ndarray, label: np.ndarray) -> bool:
    is_numeric = one.dtype.kind in "fiub" and one.dtype == other.dtype
    counts = [int((label == of).sum()) for of in (0, 1)]
    return (
        is_numeric
        and one.shape == other.shape
        and len(label) == len(one) == sum(counts)
        and min(counts) >= MIN_ROWS
    )


def _outputs(model: Any, x: Any) -> np.ndarray | None:
    """Return the numbers that a model gives, one for each row; None for others."""
    given = output_of(model, x)
    if given is None or not given.ndim or given.size != len(given):
        return None
    return given.ravel() if np.isfinite(given).all() else None


def _cost(loss: Any, y: Any, label: int, output: float) -> float:
    targets = np.full_like(np.asarray(y), label)
    outputs = np.full((len(targets), 1), output, "float32")
    return float(sample_losses(loss, targets, outputs).mean())


def _gaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return how far the inputs of each pair are from each other."""
    one, other = (
        part.reshape(len(part), -1)[:, :MOST_FEATURES] for part in (one, other)
    )
    if one.dtype.kind in "iub":  # ids: the share that differs
        return np.asarray((one != other).mean(axis=1))
    scale = np.concatenate([one, other]).std(axis=0)
    kept = scale > 0
    return np.asarray(np.square((one - other)[:, kept] / scale[kept]).mean(axis=1))
