"""How the predictions of a model answer to changes of what it is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.run_each import run_each
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.intercepted import all_intercepted
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.inspection.reordered_steps import reordered_steps
from keras_dlbasic.records.probe_facts import ResponseFacts

STEADY = 1e-4
"""Predictions that change by less from run to run are the same but for rounding."""


MIN_ROWS = 4
MIN_STEPS = 4
MIN_UNITS = 4
"""Outputs with fewer entries may be one number that lies far from zero."""

Leaves = list[np.ndarray]


@dataclass(frozen=True)
class NextStep:
    """An output whose target is the next step of an input.

    Attributes:
        source: Place of the input, in the order of `keras.tree.flatten`.
        output: Place of the output, in the same order.
        steps: Number of steps at the beginning that are no padding in any row.
    """

    source: int
    output: int
    steps: int


def response_facts(
    model: Any,
    x: Any,
    *,
    sequences: Sequence[int] = (),
    steps: int | None = None,
    ahead: NextStep | None = None,
) -> ResponseFacts:
    """Run a model in inference on some rows, and again with changes.

    The model runs twice on the same rows, once with half of the rows of the batch
    changed, once with the steps of its sequences in another order, and once with the
    later half of one sequence changed. Its state and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of some rows.
        sequences: Places of the inputs whose second axis is time, in the order of
            `keras.tree.flatten`. Defaults to (): none.
        steps: Number of their steps, from the first, that are no padding in any row.
            Only these change places. Defaults to None: all.
        ahead: Which output is to predict the next step of which input. Defaults to
            None: none is.

    Returns:
        A `ResponseFacts`; NaN where something was not tried.

    Raises:
        Exception: What the model raises.

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
    leaves = [np.asarray(leaf) for leaf in keras.tree.flatten(x)]
    n = len(leaves[0])
    if n < MIN_ROWS:
        return ResponseFacts()
    given = {"first": leaves, "again": leaves, "rows": _other_rows(leaves)}
    reordered = reordered_steps(leaves, sequences, steps)
    if reordered is not None:
        given["order"] = reordered.leaves
    if ahead is not None and ahead.steps >= MIN_STEPS:
        given["ahead"] = _other_end(leaves, ahead)
    outputs, dropping, normalizing = _run(model, x, given)
    change = _Change(outputs, n)
    known = ResponseFacts(
        noise=change.of("again"),
        dropping=dropping,
        normalizing=normalizing,
        spread=math.nan if _all_alike(leaves) else change.spread(),
    )
    if not known.noise < STEADY:  # what is drawn at random hides all other changes
        return known
    if ahead is not None and "ahead" in given:
        known = replace(
            known,
            later_steps=change.at_step(ahead),
            own_step=change.at_step(ahead, own=True),
        )
    return replace(
        known,
        other_rows=change.of("rows", _kept_rows),
        order=change.of_order(reordered.order) if reordered else math.nan,
    )


def _all_alike(leaves: Leaves) -> bool:
    return all(bool((leaf == leaf[:1]).all()) for leaf in leaves)


def _kept(n: int) -> slice:
    """Return the rows that stay when others change: those in the middle.

    Of a recurrence over the rows only what comes before shows, of padding to the
    longest row perhaps only what comes after.
    """
    return slice(n // 4, n - n // 4)


def _other_rows(leaves: Leaves) -> Leaves:
    """Return the inputs with the rows at both ends replaced by one of the others."""
    changed = []
    for leaf in leaves:
        kept = _kept(len(leaf))
        other = np.repeat(leaf[kept][:1], len(leaf), axis=0)
        other[kept] = leaf[kept]
        changed.append(other)
    return changed


def _kept_rows(output: np.ndarray) -> np.ndarray | None:
    """Return the rows that stayed; None for what compares the rows of a batch."""
    is_square = output.ndim > 1 and output.shape[1] == len(output)
    return None if is_square else output[_kept(len(output))]


def _other_end(leaves: Leaves, ahead: NextStep) -> Leaves:
    """Give each row the later steps of the row before."""
    later = slice(ahead.steps // 2, ahead.steps)
    changed, source = list(leaves), leaves[ahead.source]
    changed[ahead.source] = source.copy()
    changed[ahead.source][:, later] = np.roll(source, 1, axis=0)[:, later]
    return changed


def _run(
    model: Any, x: Any, given: dict[str, Leaves]
) -> tuple[dict[str, Leaves], str | None, str | None]:
    """Return the outputs by what was given, and layers that run in training mode.

    That is a dropout layer that drops, and a batch normalization that is called with
    `training=True`.
    """
    dropout = dropout_layers(model)
    layers = {label: layer for layer, label, _, _ in walk_layers(model)}
    normalizations = {
        label: layer
        for label, layer in layers.items()
        if type(layer) is keras.layers.BatchNormalization
    }
    in_training: list[str] = []  # normalizations, in the order of their calls

    def note_training(label: str, call: Any, /, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("training") is True:
            in_training.append(label)
        return call(*args, **kwargs)

    def run(model: Any, leaves: Leaves) -> Any:
        dropped: dict[str, Any] = {}

        def note_drop(
            label: str, call: Any, /, inputs: Any, *args: Any, **kwargs: Any
        ) -> Any:
            outputs = call(inputs, *args, **kwargs)
            differs = ops.any(ops.not_equal(outputs, inputs))
            dropped[label] = ops.logical_or(dropped.get(label, False), differs)
            return outputs

        with (
            all_intercepted(dropout, note_drop),
            all_intercepted(normalizations, note_training),
        ):
            outputs = model(keras.tree.pack_sequence_as(x, leaves), training=False)
        return keras.tree.flatten(outputs), dropped

    found = run_apart(model, lambda: run_each(run, model, given))
    arrays = keras.tree.map_structure(ops.convert_to_numpy, found)
    outputs = {name: leaves for name, (leaves, _) in arrays.items()}
    told = [dropped for _, dropped in arrays.values()]
    drops = (label for label in dropout if any(one.get(label) for one in told))
    return outputs, next(drops, None), next(iter(in_training), None)


def dropout_layers(model: Any) -> dict[str, Any]:
    """Return the dropout layers of Keras by their labels."""
    return {
        label: layer
        for layer, label, _, _ in walk_layers(model)
        if kind_of(layer).kind == "dropout" and _is_keras_own(layer)
    }


def _is_keras_own(layer: Any) -> bool:
    """Return whether a layer is Keras' own: others may drop in inference on purpose."""
    return type(layer).__module__.split(".")[0] == "keras"


class _Change:
    """How far outputs are from those of the first run, in their own deviations.

    Args:
        outputs: Outputs by what was given.
        n: Number of rows. Outputs of another length are not about single rows.
    """

    def __init__(self, outputs: dict[str, Leaves], n: int) -> None:
        self._outputs = outputs
        self._places = [
            place
            for place, output in enumerate(outputs["first"])
            if output.ndim and len(output) == n
        ]

    def _pairs(self, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
        first, other = self._outputs["first"], self._outputs[name]
        return [(first[place], other[place]) for place in self._places]

    def of(self, name: str, part: Callable[..., Any] = lambda a: a) -> float:
        """Return the largest change of an output, or NaN if none can be compared."""
        return _largest([_distance(part(a), part(b)) for a, b in self._pairs(name)])

    def of_order(self, order: np.ndarray) -> float:
        """Return how far outputs change with the order of the steps.

        Outputs that have the steps themselves may follow it; that is no change.
        """
        found = []
        for first, other in self._pairs("order"):
            change = _distance(first, other)
            if first.ndim > 1 and first.shape[1] == len(order):
                change = min(change, _distance(first[:, order], other))
            found.append(change)
        return _largest(found)

    def at_step(self, ahead: NextStep, *, own: bool = False) -> float:
        """Return the change at the last step whose next one was changed.

        With `own`, that at the first step that was changed itself.
        """
        at = ahead.steps // 2 - (not own)
        first, other = (
            self._outputs[name][ahead.output] for name in ("first", "ahead")
        )
        if ahead.output not in self._places or first.ndim < 2 or first.shape[1] <= at:
            return math.nan
        return _distance(first[:, at], other[:, at])

    def spread(self) -> float:
        """Return the deviation over rows of outputs that are no single numbers."""
        outputs = [self._outputs["first"][place] for place in self._places]
        wide = [a for a in outputs if math.prod(a.shape[1:]) >= MIN_UNITS]
        return _largest([_spread(output) for output in wide])


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
