"""How the predictions of a model answer to changes of what it is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.intercepted import intercepted
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.records.facts import ResponseFacts

ROWS = 32

STEADY = 1e-4
"""Predictions that change by less from run to run are the same but for rounding."""


def response_facts(
    model: Any,
    x: Any,
    *,
    sequences: Sequence[int] = (),
    ahead: int | None = None,
) -> ResponseFacts:
    """Run a model in inference on a few rows, and again with changes.

    The model runs twice on the same rows, once with all other rows of the batch
    changed, once with the steps of its sequences in another order, and once with the
    later half of one sequence changed. Its state and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of some rows, of which 32 are used.
        sequences: Places of the inputs whose second axis is time, in the order of
            `keras.tree.flatten`. Defaults to (): none.
        ahead: Place of the input of which the target is the next step. Defaults to
            None: there is none.

    Returns:
        A `ResponseFacts`; NaN where something was not tried.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.inspection.response_facts import response_facts
    >>> inputs = keras.Input((4, 2))
    >>> pooled = keras.layers.GlobalAveragePooling1D()(inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(1)(pooled))
    >>> x = np.random.default_rng(0).normal(size=(8, 4, 2)).astype("float32")
    >>> response_facts(model, x, sequences=(0,)).order < 1e-4
    True
    """
    leaves = [np.asarray(leaf)[:ROWS] for leaf in keras.tree.flatten(x)]
    if len(leaves[0]) < 4:
        return ResponseFacts()
    given = {"first": leaves, "again": leaves, "rows": _other_rows(leaves)}
    steps = leaves[sequences[0]].shape[1] if sequences else 0
    alike = [i for i in sequences if leaves[i].shape[1] == steps]
    order = np.random.default_rng(0).permutation(steps)
    if steps > 2:
        given["order"] = _changed(leaves, alike, lambda a: a[:, order])
    half = 0
    if ahead is not None and leaves[ahead].shape[1] > 3:
        half = leaves[ahead].shape[1] // 2
        given["ahead"] = _changed(leaves, [ahead], lambda a: _other_end(a, half))
    outputs, dropping = _run(model, x, given)
    change = _Change(outputs)
    known = ResponseFacts(
        noise=change.of("again"),
        dropping=dropping,
        spread=_largest([_spread(output) for output in outputs["first"]]),
    )
    if not known.noise < STEADY:  # what is drawn at random hides all other changes
        return known
    return replace(
        known,
        other_rows=change.of("rows", lambda a: a[: len(a) // 2]),
        order=change.of_order(order) if "order" in given else math.nan,
        later_steps=change.of("ahead", lambda a: _begin(a, half)) if half else math.nan,
    )


Leaves = list[np.ndarray]


def _other_rows(leaves: Leaves) -> Leaves:
    """Return the inputs with the second half of the rows replaced by their first."""
    half = len(leaves[0]) // 2
    return [
        np.concatenate([a[:half], np.repeat(a[:1], len(a) - half, 0)]) for a in leaves
    ]


def _changed(
    leaves: Leaves, places: Sequence[int], change: Callable[..., Any]
) -> Leaves:
    return [change(a) if i in places else a for i, a in enumerate(leaves)]


def _other_end(array: np.ndarray, half: int) -> np.ndarray:
    """Give each row the later steps of the row before."""
    changed = array.copy()
    changed[:, half:] = np.roll(array[:, half:], 1, axis=0)
    return changed


def _begin(output: np.ndarray, half: int) -> np.ndarray | None:
    """Return the predictions at the steps before the change."""
    return output[:, :half] if output.ndim > 1 and output.shape[1] > half else None


def _run(
    model: Any, x: Any, given: dict[str, Leaves]
) -> tuple[dict[str, Leaves], str | None]:
    """Return the outputs by what was given, and a dropout layer that drops."""
    dropout = {
        label: layer
        for layer, label, _, _ in walk_layers(model)
        if kind_of(layer).kind == "dropout" and not _is_ours(layer)
    }
    dropped: dict[str, Any] = {}

    def noted(label: str) -> Any:
        def run(call: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            outputs = call(inputs, *args, **kwargs)
            differs = ops.any(ops.not_equal(outputs, inputs))
            dropped[label] = ops.logical_or(dropped.get(label, False), differs)
            return outputs

        return run

    def run() -> Any:
        dropped.clear()
        with keras.StatelessScope(), ExitStack() as stack:
            for label, layer in dropout.items():
                stack.enter_context(intercepted(layer, noted(label)))
            outputs = {
                name: keras.tree.flatten(
                    model(keras.tree.pack_sequence_as(x, leaves), training=False)
                )
                for name, leaves in given.items()
            }
        return outputs, dict(dropped)

    outputs, found = run_apart(model, run)
    arrays = keras.tree.map_structure(ops.convert_to_numpy, (outputs, found))
    labels = [label for label, is_dropping in arrays[1].items() if is_dropping]
    return arrays[0], labels[0] if labels else None


def _is_ours(layer: Any) -> bool:
    """Return whether a layer is one of this package, which drops in inference."""
    return type(layer).__module__.startswith("keras_dlbasic.")


class _Change:
    """How far outputs are from those of the first run, in their own deviations."""

    def __init__(self, outputs: dict[str, Leaves]) -> None:
        self._outputs = outputs

    def of(self, name: str, part: Callable[..., Any] = lambda a: a) -> float:
        """Return the largest change of an output, or NaN if none can be compared."""
        pairs = zip(self._outputs["first"], self._outputs[name], strict=True)
        return _largest([_distance(part(a), part(b)) for a, b in pairs])

    def of_order(self, order: np.ndarray) -> float:
        """Return how far outputs change with the order of the steps.

        Outputs that have the steps themselves may follow it; that is no change.
        """
        found = []
        pairs = zip(self._outputs["first"], self._outputs["order"], strict=True)
        for first, other in pairs:
            change = _distance(first, other)
            if first.ndim > 1 and first.shape[1] == len(order):
                change = min(change, _distance(first[:, order], other))
            found.append(change)
        return _largest(found)


def _spread(output: np.ndarray) -> float:
    output = output.astype(np.float64)
    size = np.sqrt(np.mean(output**2))
    spread = np.sqrt(np.mean(output.std(axis=0) ** 2))
    return float(spread / size) if np.isfinite(size) and size else math.nan


def _distance(first: np.ndarray | None, other: np.ndarray | None) -> float:
    if first is None or other is None or first.shape != other.shape:
        return math.nan
    first, other = first.astype(np.float64), other.astype(np.float64)
    spread = np.sqrt(np.mean(first.std(axis=0) ** 2))
    size = np.sqrt(np.mean(first**2))
    # all rows alike: nothing can be told of what changes them
    if not np.isfinite(size) or spread <= 1e-6 * size:
        return math.nan
    return float(np.sqrt(np.mean((first - other) ** 2)) / spread)


def _largest(found: list[float]) -> float:
    return max((value for value in found if not math.isnan(value)), default=math.nan)
