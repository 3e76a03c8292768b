"""How attention deals out its weights, on a few rows."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.in_trace import current_graph, in_inner_trace
from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic._keras.softmax_calls import (
    SoftmaxCall,
    TooManyScoresError,
    softmax_calls,
)
from keras_dlbasic.records.probe_facts import AttentionFacts

ROWS = 16
LEAST_ENTRIES = 4
"""With fewer entries a large weight on one of them is no wonder."""

MOST_SCORES, MOST_ENTRIES = 2**22, 2**24
"""Number of scores of one call, and of entries of the inputs."""

MASKED = -5000.0
"""Lower scores are those of a mask, whose usual numbers are -1e4 and below."""

ALL = 0.9
"""An entry with so much of the weight has nearly all of it."""


def attention_run(model: Any, x: Any) -> tuple[AttentionFacts, ...] | None:
    """Run a model on some rows, and measure each softmax within it.

    The softmax of an output is left out: it has the shape of an output. So is one in
    code that is compiled, mapped or otherwise traced, as its numbers are not known. The
    state of the model and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of some rows, of which the first 16 are used, or fewer if these have
            many entries or scores.

    Returns:
        The facts of each softmax of Keras' over at least four entries that are not
        masked, in the order of the calls; calls with scores of one shape in one layer
        are one. None if the model cannot be run so, or one row is too large.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.inspection.attention_run import attention_run
    >>> x = keras.Input((8, 3))
    >>> model = keras.Model(x, keras.layers.Attention()([x, x]))
    >>> (facts,) = attention_run(model, np.zeros((4, 8, 3), "float32"))
    >>> facts.entries, facts.decided
    (8.0, 0.0)
    """
    try:
        if not _may_attend(model):
            return ()
        n = _rows(model, x)
        while n:
            few = keras.tree.map_structure(lambda leaf, n=n: leaf[:n], x)
            found = _run(model, few)
            if found is not None:
                return found
            n //= 2
    except Exception:  # no more is known of the model then
        return None
    return None


def _rows(model: Any, x: Any) -> int:
    """Return how many rows to begin with, so that scores of all steps are not many."""
    leaves = keras.tree.flatten(x)
    entries = sum(math.prod(leaf.shape[1:]) for leaf in leaves)
    steps = max([1, *(leaf.shape[1] for leaf in leaves if len(leaf.shape) > 1)])
    heads = [getattr(layer, "num_heads", 1) for layer, *_ in walk_layers(model)]
    scores = steps**2 * max([1, *(n for n in heads if isinstance(n, int))])
    n = min(ROWS, len(leaves[0]), MOST_ENTRIES // max(1, entries))
    return min(n, max(1, MOST_SCORES // scores))


def _run(model: Any, x: Any) -> tuple[AttentionFacts, ...] | None:
    """Return the facts; None if there are too many scores."""
    known: list[SoftmaxCall] = []
    too_many: list[bool] = []

    def run() -> list[Any]:
        graph = current_graph()

        def measure(scores: Any, weights: Any, axis: int) -> Any:
            if in_inner_trace(weights, graph):
                raise ValueError("no numbers are known")
            sums = _measured(scores, weights, axis)
            return sums if graph is not None else _numbers(sums)

        try:
            with (
                without_gradients(),
                keras.StatelessScope(),
                softmax_calls(measure, MOST_SCORES) as calls,
            ):
                outputs = keras.tree.flatten(model(x, training=False))
        except TooManyScoresError:
            too_many.append(True)
            return []
        shapes = {tuple(output.shape) for output in outputs}
        inner = [call for call in calls if call.shape not in shapes]
        known[:] = [SoftmaxCall(*call[:4]) for call in inner]  # without tensors
        return [call.measured for call in inner]

    found = run_apart(model, run)
    if too_many:
        return None
    labels = {id(layer): label for layer, label, _, _ in walk_layers(model)}
    alike: dict[Any, list[tuple[float, ...]]] = {}
    firsts: dict[Any, SoftmaxCall] = {}
    for call, sums in zip(known, found, strict=True):
        key = id(call.layer), call.shape, call.axis
        firsts.setdefault(key, call)
        alike.setdefault(key, []).append(_numbers(sums))
    facts = []
    for key, call in firsts.items():
        entries, spread, decided = map(float, np.mean(alike[key], axis=0))
        label, is_new = labels.get(id(call.layer), ""), _is_new(call.layer, model)
        facts.append(
            AttentionFacts(
                label, entries, spread, decided, is_new, is_attention=call.is_attention
            )
        )
    return tuple(one for one in facts if one.entries >= LEAST_ENTRIES)


def _numbers(sums: Any) -> tuple[float, ...]:
    return tuple(map(float, np.asarray(ops.convert_to_numpy(sums))))


def _may_attend(model: Any) -> bool:
    kinds = {kind_of(layer).kind for layer, *_ in walk_layers(model)}
    return bool(code_of_users(model)) or "attention" in kinds


def _measured(scores: Any, weights: Any, axis: int) -> Any:
    """Return entries, spread of the scores and the share of the decided, by tensors."""
    scores = ops.moveaxis(ops.cast(scores, "float32"), axis, -1)
    weights = ops.moveaxis(ops.cast(weights, "float32"), axis, -1)
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


def _is_new(owner: Any, model: Any) -> bool:
    """Return whether biases are as they are made; without any nothing speaks for it."""
    for holder in (owner, model):
        weights = getattr(holder, "weights", ())
        biases = [w for w in weights if w.name == "bias" and w.ndim == 1]
        if biases:
            values = [np.asarray(ops.convert_to_numpy(w)) for w in biases]
            return all(np.isin(one, (0, 1)).all() for one in values)
    return False
