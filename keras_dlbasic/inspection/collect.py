"""All that can be known of a model and its data before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.mask_value import mask_value
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.beyond_vocabulary import (
    beyond_vocabulary,
    vocabulary_sizes,
)
from keras_dlbasic.inspection.copy_of import copy_of
from keras_dlbasic.inspection.id_inputs import id_inputs
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.joined_columns import joined_columns
from keras_dlbasic.inspection.last_value import last_value_skill
from keras_dlbasic.inspection.masked_inside import masked_inside
from keras_dlbasic.inspection.next_step_of import next_step_of
from keras_dlbasic.inspection.out_of_step import out_of_step
from keras_dlbasic.inspection.output_tasks import output_tasks
from keras_dlbasic.inspection.padded_targets import padded_targets
from keras_dlbasic.inspection.row_number_column import row_number_column
from keras_dlbasic.inspection.same_step_of import same_step_of
from keras_dlbasic.inspection.scrambled_axes import scrambled_axes
from keras_dlbasic.inspection.target_column import target_column
from keras_dlbasic.inspection.target_facts import target_facts
from keras_dlbasic.inspection.trailing_padding import trailing_padding
from keras_dlbasic.inspection.validation_facts import Draws, validation_facts
from keras_dlbasic.inspection.window_facts import window_facts
from keras_dlbasic.inspection.wrapped_pixels import wrapped_pixels
from keras_dlbasic.records import (
    DataFacts,
    OutputFacts,
    TargetFacts,
    ValidationFacts,
)
from keras_dlbasic.records.data_facts import WindowFacts

Shape = tuple[int | None, ...]


def data_facts(
    x: Any,
    y: Any,
    validation_data: Any = None,
    *,
    output_shapes: Mapping[str, Shape] | Sequence[Shape] | None = None,
    model: Any = None,
) -> DataFacts:
    """Describe data.

    Args:
        x: Inputs: an array, or a structure of arrays.
        y: Targets, in the same forms, or None.
        validation_data: `(x, y)` or `(x, y, sample_weight)`, or None; what is no tuple
            of arrays is left out.
        output_shapes: Shapes of the model's outputs, samples first, in the order of the
            targets or by their names. Defaults to None: not known; the last axis of
            targets with axes is then taken for columns.
        model: The model, which tells which inputs are ids. Defaults to None: none are.

    Returns:
        A `DataFacts`, without a `source`.
    """
    inputs = arrays_of(x)
    targets = arrays_of(y)
    ids = [False] * len(inputs) if model is None else id_inputs(model, inputs)
    rows = [None] * len(inputs) if model is None else vocabulary_sizes(model, inputs)
    masked = {
        is_ids: None if model is None else mask_value(model, ids=is_ids)
        for is_ids in (False, True)
    }
    return DataFacts(
        inputs=tuple(
            replace(
                input_facts(array, name),
                is_ids=is_ids,
                **({} if is_ids else _telling_columns(array, targets)),
                former_shape=None if is_ids else scrambled_axes(array),
                **({} if is_ids else _wrapped(array)),
                padding=trailing_padding(array, is_ids=is_ids),
                mask_value=masked[is_ids],
                masked_inside=masked_inside(array, masked[is_ids], is_ids=is_ids),
                **beyond_vocabulary(array, size),
            )
            for (name, array), is_ids, size in zip(inputs, ids, rows, strict=True)
        ),
        targets=tuple(
            replace(facts, **_beside_inputs(array, inputs, ids, model))
            for facts, (_, array) in zip(
                _facts_of_targets(targets, output_shapes), targets, strict=True
            )
        ),
        n_rows=len(inputs[0][1]) if inputs else None,
        validation=_validation(
            inputs,
            targets,
            validation_data,
            model=model,
            is_ids=any(ids),
        ),
    )


def _wrapped(array: np.ndarray) -> dict[str, Any]:
    share, may_be_angle = wrapped_pixels(array)
    return {"wrapped": share, "wrapped_angle": may_be_angle}


BESIDE = (
    "next_step_of",
    "same_step_of",
    "copy_of",
    "padded",
    "window",
    "last_value",
    "out_of_step",
)
"""What `_beside_inputs` tells of targets."""


def _beside_inputs(
    y: np.ndarray, inputs: Named, ids: Sequence[bool], model: Any
) -> dict[str, Any]:
    """Return what targets are only beside the inputs."""
    if not y.ndim:
        return {}
    marked = [(x, is_ids) for (_, x), is_ids in zip(inputs, ids, strict=True)]
    series = [last_value_skill(x, y) for x, is_ids in marked if not is_ids]
    return {
        "next_step_of": next_step_of(y, inputs),
        "same_step_of": same_step_of(y, inputs),
        "copy_of": copy_of(y, inputs) if all(ids) else None,
        "padded": padded_targets(y, marked),
        "window": None if any(ids) else _window(y, inputs, model),
        "last_value": max((s for s in series if s == s), default=np.nan),
        "out_of_step": None
        if any(ids) or len(inputs) != 1
        else out_of_step(inputs[0][1], y),
    }


def _window(y: np.ndarray, inputs: Named, model: Any) -> WindowFacts | None:
    """Return what longer windows tell; a layer with a state knows the rows before."""
    layers = [] if model is None else all_layers(model)
    if len(inputs) != 1 or any(getattr(one, "stateful", False) for one in layers):
        return None
    return window_facts(inputs[0][1], y)


def _telling_columns(x: np.ndarray, targets: Named) -> dict[str, Any]:
    """Return the places of columns that give the target away."""
    if len(targets) != 1:
        return {}
    y = targets[0][1]
    return {"target_column": target_column(x, y), "row_number": row_number_column(x, y)}


def with_output_shapes(
    data: DataFacts, y: Any, outputs: Sequence[OutputFacts], shapes: Sequence[Shape]
) -> DataFacts:
    """Describe targets again, once it is known what the model gives.

    Only a run of it tells the shapes of a subclassed model, and which of several
    outputs is called what.

    Args:
        data: What is known of the data.
        y: The targets that it is about.
        outputs: The outputs of the model.
        shapes: Their shapes, samples first, in the same order.
    """
    names = [name for name, _ in arrays_of(y)]
    if names == [str(i) for i in range(len(outputs))]:
        by_name = dict(zip(names, shapes, strict=True))
    else:
        by_name = {
            name: shape
            for output, shape in zip(outputs, shapes, strict=True)
            for name in (output.name, output.label)
            if name is not None
        }
    before = {facts.name: facts for facts in data.targets}
    targets = []
    for name, array in arrays_of(y):
        known = before.get(name)
        if known is not None and array.ndim < 2 and known.shape == array.shape:
            targets.append(known)  # one number a row, whatever the shape of the output
            continue
        (facts,) = _facts_of_targets([(name, array)], by_name)
        if known is not None:
            facts = replace(facts, **{part: getattr(known, part) for part in BESIDE})
        targets.append(facts)
    return replace(data, targets=tuple(targets))


Named = list[tuple[str, np.ndarray]]


def _facts_of_targets(
    targets: Named, output_shapes: Mapping[str, Shape] | Sequence[Shape] | None
) -> tuple[TargetFacts, ...]:
    if isinstance(output_shapes, Mapping):
        output_shapes = [output_shapes.get(name, ()) for name, _ in targets]
    shapes = list(output_shapes or [])
    if len(shapes) != len(targets):
        shapes = [()] * len(targets)
    return tuple(
        target_facts(array, name, has_columns=_has_columns(array, shape))
        for (name, array), shape in zip(targets, shapes, strict=True)
    )


def compared_validation(
    x: Any,
    y: Any,
    validation_data: Any,
    *,
    model: Any,
    draws: Draws | None = None,
) -> ValidationFacts | None:
    """Compare validation data with training data.

    Args:
        x: Training inputs: an array, or a structure of arrays.
        y: Training targets, in the same forms, or None.
        validation_data: `(x, y)`.
        model: The model.
        draws: Of how many rows drawn at random both are. Defaults to None: they are
            all rows.

    Returns:
        A `ValidationFacts`; None where they cannot be compared.
    """
    inputs = arrays_of(x)
    is_ids = any(id_inputs(model, inputs))
    parts = inputs, arrays_of(y), validation_data
    return _validation(*parts, model=model, is_ids=is_ids, draws=draws)


def _validation(
    inputs: Named,
    targets: Named,
    validation_data: Any,
    *,
    model: Any,
    is_ids: bool,
    draws: Draws | None = None,
) -> ValidationFacts | None:
    """Compare rows, of several inputs all together."""
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) < 2:
        return None
    val_inputs, val_targets = (arrays_of(part) for part in validation_data[:2])
    if not inputs or not val_inputs:
        return None
    task = TaskKind.UNKNOWN
    if len(targets) == 1 and getattr(model, "loss", None) is not None:
        task = output_tasks(model, 1)[0].task
    x, val_x = inputs[0][1], val_inputs[0][1]
    own_parts: list[np.ndarray] = []
    other_parts: list[np.ndarray] = []
    if len(inputs) > 1:
        # rows that share one of their inputs are no copies
        names = [name for name, _ in inputs]
        if names != [name for name, _ in val_inputs]:
            return None
        own_parts = [array for _, array in inputs]
        other_parts = [array for _, array in val_inputs]
        own, other = joined_columns(own_parts), joined_columns(other_parts)
        if own is None or other is None:
            return ValidationFacts(n_rows=len(val_x))
        x, val_x = own, other
    return validation_facts(
        x,
        targets[0][1] if targets else None,
        val_x,
        val_targets[0][1] if val_targets else None,
        task=task,
        is_ids=is_ids,
        parts=list(zip(own_parts, other_parts, strict=True)),
        draws=draws,
    )


def _has_columns(target: np.ndarray, shape: Shape) -> bool:
    """Return False where outputs have an axis more: one number at each position."""
    return len(shape) != target.ndim + 1


def output_shapes(model: Any) -> Mapping[str, Shape] | Sequence[Shape] | None:
    """Return the shapes of a model's outputs; None where they are not known."""
    shapes = getattr(model, "output_shape", None)
    if isinstance(shapes, tuple) and all(n is None or type(n) is int for n in shapes):
        return [shapes]
    return shapes if isinstance(shapes, (Mapping, list, tuple)) else None


def arrays_of(data: Any) -> list[tuple[str, np.ndarray]]:
    """Return the arrays of a structure with names, those on disk read; no None.

    Names of what is in dictionaries are joined by slashes.
    """
    if isinstance(data, dict):
        leaves = list(_leaves(data, ""))
    else:
        leaves = [(str(i), leaf) for i, leaf in enumerate(keras.tree.flatten(data))]
    return [(name, np.asarray(leaf)) for name, leaf in leaves if leaf is not None]


def _leaves(data: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        parts = [(str(key), part) for key, part in data.items()]
    elif isinstance(data, (list, tuple)):
        parts = [(str(place), part) for place, part in enumerate(data)]
    else:
        yield name, data
        return
    for own, part in parts:
        yield from _leaves(part, f"{name}/{own}" if name else own)
