"""Which rows and changes a trained model is asked about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.diagnosis.response import does_well
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.inspection.padding_steps import padding_steps
from keras_dlbasic.inspection.response_facts import MIN_ROWS, NextStep, response_facts
from keras_dlbasic.records import InputFacts, RunFacts, TrainingRecord
from keras_dlbasic.records.probe_facts import ResponseFacts

MAX_ROWS, USUAL_MIN_ROWS = 31, 8
"""An odd number, that lengths of other axes seldom are."""

MAX_ENTRIES = 2**21
"""Fewer rows are used where their inputs would have more entries."""

USUAL_BATCH = 32

SHARE = 0.02
"""The work of a fit that this may add: a row costs a third of what training on it does,
and is run up to five times."""


def respond(model: Any, x: Any, record: TrainingRecord) -> ResponseFacts | None:
    """Ask a trained model how its predictions answer to changes.

    Args:
        model: The model.
        x: Inputs of some rows.
        record: The record, with the facts of the model, the data and the run.

    Returns:
        None where the model cannot be run on such rows.
    """
    facts = record.facts
    follows = [target.next_step_of or target.copy_of for target in facts.targets]
    is_good = not any(follows) and does_well(Run(record))
    # a model that does well by what it knows of each batch fails on single rows
    if is_good and not _may_mix_rows(facts):
        return ResponseFacts(not_needed=True)
    try:
        names, leaves = _named_leaves(x)
        known = {one.name: one for one in facts.inputs}
        inputs = [known.get(name, InputFacts()) for name in names]
        sequences = _sequences(model, inputs, leaves)
        lengths = _lengths(inputs, leaves, sequences)
        rows = _rows(model, leaves, lengths, _affordable(record, leaves))
        steps = int(lengths[rows].min()) if sequences else None
        ahead = _next_step(facts, names, steps)
        if ahead is not None and ahead.source not in sequences:
            ahead = None
        chosen = [leaf[rows] for leaf in leaves]
        chosen = keras.tree.pack_sequence_as(x, chosen)
        return response_facts(
            model, chosen, sequences=sequences, steps=steps, ahead=ahead
        )
    except Exception:  # code of the user's need not take such rows
        return None


def _may_mix_rows(facts: RunFacts) -> bool:
    """Return whether a layer may compute across rows: Keras' own do not."""
    model = facts.model
    return (model is not None and bool(model.may_act_between_layers)) or any(
        layer.batch_normalizes or layer.kind in ("custom", "foreign")
        for layer in facts.layers
    )


def _named_leaves(x: Any) -> tuple[list[str], list[np.ndarray]]:
    """Return the arrays in the order of `keras.tree.flatten`, with their names.

    That order need not be the one in which a dictionary lists them.
    """
    leaves = [np.asarray(leaf) for leaf in keras.tree.flatten(x)]
    if not isinstance(x, dict):
        return [str(place) for place in range(len(leaves))], leaves
    places = keras.tree.pack_sequence_as(x, list(range(len(leaves))))
    names = {place: str(name) for name, place in places.items()}
    return [names[place] for place in range(len(leaves))], leaves


def _sequences(
    model: Any, inputs: Sequence[InputFacts], leaves: Sequence[np.ndarray]
) -> list[int]:
    # layers with two or three axes of places read pictures, which have no steps
    if any((kind_of(layer).places or 0) > 1 for layer in all_layers(model)):
        return []
    return [
        place
        for place, (one, leaf) in enumerate(zip(inputs, leaves, strict=True))
        if leaf.ndim == (2 if one.is_ids else 3)
    ]


def _lengths(
    inputs: Sequence[InputFacts], leaves: Sequence[np.ndarray], places: Sequence[int]
) -> np.ndarray:
    """Return for each row how many steps of all its sequences are no padding."""
    n = len(leaves[0])
    lengths = np.full(n, np.iinfo(np.int64).max)
    for place in places:
        padded = padding_steps(leaves[place], is_ids=inputs[place].is_ids)
        whole = leaves[place].shape[1]
        lengths = np.minimum(lengths, whole if padded is None else whole - padded)
    return lengths


def _affordable(record: TrainingRecord, leaves: Sequence[np.ndarray]) -> int:
    trained = record.trained_steps * (record.facts.batch_size or USUAL_BATCH)
    entries = sum(math.prod(leaf.shape[1:]) for leaf in leaves)
    by_work = int(trained * SHARE * 3 / 5)
    most = max(USUAL_MIN_ROWS, min(MAX_ROWS, by_work))
    return min(most, MAX_ENTRIES // max(1, entries))


def _rows(
    model: Any, leaves: Sequence[np.ndarray], lengths: np.ndarray, most: int
) -> np.ndarray:
    """Return the rows with the longest sequences; all where the model is made for n."""
    n = len(leaves[0])
    shapes = [getattr(one, "shape", (None,)) for one in getattr(model, "inputs", ())]
    if any(shape and shape[0] is not None for shape in shapes):
        return np.arange(n)
    longest = np.argsort(-lengths, kind="stable")[: max(MIN_ROWS, most)]
    rows: np.ndarray = np.sort(longest)
    return rows


def _next_step(
    facts: RunFacts, names: Sequence[str], steps: int | None
) -> NextStep | None:
    """Return the first output whose target is the next or the same step of one."""
    weights = facts.data.weights if facts.data else ()
    if steps is None or any(one.leaves_out for one in weights):
        return None
    outputs = [output.known_as for output in facts.outputs]
    for place, target in enumerate(facts.targets):
        source_name = target.next_step_of or target.copy_of
        if source_name in names:
            is_named = target.name in outputs
            output = outputs.index(target.name) if is_named else place
            source = names.index(str(source_name))
            return NextStep(source, output, steps)
    return None
