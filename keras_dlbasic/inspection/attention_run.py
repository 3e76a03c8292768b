"""How attention deals out its weights, on a few rows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic._keras.softmax_calls import SoftmaxCall, softmax_calls
from keras_dlbasic.records.probe_facts import AttentionFacts

ROWS = 16
LEAST_ENTRIES = 4
"""With fewer entries a large weight on one of them is no wonder."""

MASKED = -5000.0
"""Lower scores are those of a mask, whose usual numbers are -1e4 and below."""

ALL = 0.9
"""An entry with so much of the weight has nearly all of it."""


def attention_run(model: Any, x: Any) -> tuple[AttentionFacts, ...]:
    """Run a model on some rows, and measure each softmax within it.

    The softmax of an output is left out: it has the shape of an output. The state of
    the model and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of some rows, of which the first 16 are used.

    Returns:
        The facts of each softmax of Keras' over at least four entries that are not
        masked, in the order of the calls.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.inspection.attention_run import attention_run
    >>> x = keras.Input((8, 3))
    >>> model = keras.Model(x, keras.layers.Attention()([x, x]))
    >>> (facts,) = attention_run(model, np.zeros((4, 8, 3), "float32"))
    >>> facts.entries, facts.decided
    (8.0, 0.0)
    """
    if not _may_attend(model):
        return ()
    few = keras.tree.map_structure(lambda leaf: leaf[:ROWS], x)
    owners: list[Any] = []

    def run() -> list[Any]:
        with without_gradients(), keras.StatelessScope(), softmax_calls() as calls:
            outputs = keras.tree.flatten(model(few, training=False))
        shapes = {tuple(output.shape) for output in outputs}
        inner = [call for call in calls if tuple(call.weights.shape) not in shapes]
        owners[:] = [call.layer for call in inner]
        return [_measured(call) for call in inner]

    found = run_apart(model, run)
    labels = {id(layer): label for layer, label, _, _ in walk_layers(model)}
    pairs = zip(owners, found, strict=True)
    facts = [
        _facts(labels.get(id(owner), ""), told, _is_new(owner, model))
        for owner, told in pairs
    ]
    return tuple(one for one in facts if one.entries >= LEAST_ENTRIES)


def _may_attend(model: Any) -> bool:
    kinds = {kind_of(layer).kind for layer, *_ in walk_layers(model)}
    return bool(code_of_users(model)) or "attention" in kinds


def _measured(call: SoftmaxCall) -> Any:
    """Return entries, spread of the scores and the share of the decided, by tensors."""
    scores = ops.moveaxis(ops.cast(call.scores, "float32"), call.axis, -1)
    weights = ops.moveaxis(ops.cast(call.weights, "float32"), call.axis, -1)
    free = ops.cast(scores > MASKED, "float32")
    entries = ops.sum(free, axis=-1)
    counted = ops.cast(entries >= LEAST_ENTRIES, "float32")
    n = ops.maximum(ops.sum(counted), 1.0)
    some = ops.maximum(entries, 1.0)
    scores = ops.where(free > 0, scores, ops.zeros_like(scores))
    mean = ops.sum(scores, axis=-1, keepdims=True) / some[..., None]
    variance = ops.sum(free * ops.square(scores - mean), axis=-1) / some
    decided = ops.cast(ops.max(weights, axis=-1) > ALL, "float32")
    return ops.stack(
        [
            ops.sum(counted * entries) / n,
            ops.sum(counted * ops.sqrt(variance)) / n,
            ops.sum(counted * decided) / n,
        ]
    )


def _facts(label: str, told: Any, is_new: bool) -> AttentionFacts:
    entries, spread, decided = map(float, ops.convert_to_numpy(told))
    return AttentionFacts(label, entries, spread, decided, is_new)


def _is_new(owner: Any, model: Any) -> bool:
    """Return whether biases are as they are made; without any nothing speaks for it."""
    for holder in (owner, model):
        weights = getattr(holder, "weights", ())
        biases = [w for w in weights if w.name == "bias" and w.ndim == 1]
        if biases:
            values = [np.asarray(ops.convert_to_numpy(w)) for w in biases]
            return all(np.isin(one, (0, 1)).all() for one in values)
    return False
