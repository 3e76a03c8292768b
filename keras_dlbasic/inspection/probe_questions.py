"""What is asked of a model on the rows of a probe, besides the looks at it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.intercepted import all_intercepted
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.outcome import GOOD_SKILL
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.inspection.added_loss import activity_penalty, added_loss
from keras_dlbasic.inspection.attention_run import attention_run
from keras_dlbasic.inspection.baseline import as_columns
from keras_dlbasic.inspection.column_facts import column_facts
from keras_dlbasic.inspection.constraint_facts import constraint_facts
from keras_dlbasic.inspection.flat_loss import flat_rows
from keras_dlbasic.inspection.held_at_zero import held_at_zero
from keras_dlbasic.inspection.inference_run import (
    output_of,
    predictions_of,
    run_inference,
)
from keras_dlbasic.inspection.narrow_facts import narrow_facts
from keras_dlbasic.inspection.offset_facts import (
    has_no_bias,
    holds_constant,
    offset_facts,
)
from keras_dlbasic.inspection.own_loss import truth_of_own_loss
from keras_dlbasic.inspection.paired_loss import paired_loss
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.rare_rows import MAX_ROWS, rare_rows
from keras_dlbasic.inspection.reconstruction import ALIKE, likeness
from keras_dlbasic.inspection.respond import respond as answers_of
from keras_dlbasic.inspection.response_facts import dropout_layers
from keras_dlbasic.inspection.twin_inputs import twin_facts
from keras_dlbasic.inspection.undefined_loss import undefined_loss
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.probe_facts import InferenceFacts

SLOPE_ROWS = 64
"""Number of rows for which it is asked whether a custom loss has a slope."""

GOOD = 0.7
"""Share of the skill of simple predictors that a model reaches at least."""

Question = Callable[[Probe, Any, TrainingRecord], None]


def note_added(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note what the model adds to its loss: once before training, once after it.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the probe.
    """
    known = record.facts.probe
    if not probe.outputs or known is None:
        return
    activity = activity_penalty(model, probe.seen)
    if _is_before_training(record):
        known = replace(known, added_at_start=added_loss(model, probe.seen))
        known = replace(known, activity_at_start=activity)
    else:
        found = added_loss(model, probe.seen)
        known = replace(known, added_at_end=found, activity_at_end=activity)
        if found:
            known = replace(known, added_in_halves=_added_in_halves(probe, model))
    record.note(probe=known)


def _is_before_training(record: TrainingRecord) -> bool:
    """Return whether the only look so far was before the first step."""
    table = record.tables["probe"]
    return len(table) == 1 and table.epochs[0] < 0


def _added_in_halves(probe: Probe, model: Any) -> float | None:
    """Return what the model adds for every other row, and for the rest."""
    if len(probe.looked) % 2:
        return None
    halves = [
        keras.tree.map_structure(lambda leaf, of=of: leaf[of::2], probe.seen)
        for of in (0, 1)
    ]
    return sum(added_loss(model, half) or 0.0 for half in halves)


def attend(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note how attention deals out its weights: before training, and after it.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the probe.
    """
    known = record.facts.probe
    if not probe.outputs or known is None:
        return
    if _is_before_training(record):
        found = attention_run(model, probe.seen)
        record.note(probe=replace(known, attention_at_start=found))
    elif known.attention_at_start:
        found = attention_run(model, probe.seen)
        record.note(probe=replace(known, attention_at_end=found))


def infer(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Run the model as `evaluate` does, and note what differs from `look`.

    Only batch normalization differs: it uses its moving statistics. A model without
    it is not run, nor one that was not looked at.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the probe.
    """
    if not probe.outputs or record.facts.probe is None:
        return
    found = run_inference(model, probe.seen)
    if found is None:
        return
    outputs, drifts = found
    whole = probe.judge(dict(enumerate(outputs)))["model"]
    facts = InferenceFacts(
        loss=whole.get("loss", math.nan),
        skill=whole.get("skill", math.nan),
        drifts=drifts,
    )
    record.note(probe=replace(record.facts.probe, inference=facts))


def try_rare(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Run the model on rows of rare classes that looks have hardly seen.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the probe.
    """
    known = record.facts.probe
    if len(probe.outputs) != 1 or known is None or probe.outputs[0].y is None:
        return
    (output,) = probe.outputs
    own = rare_rows(output.y, probe.looked)
    if not len(own):
        return
    rest = np.setdiff1d(np.arange(len(output.y)), own)
    rows = np.sort(np.append(own, rest[evenly(len(rest), MAX_ROWS)]))
    x = keras.tree.map_structure(lambda leaf: leaf[rows], probe.x)
    given = output_of(model, x)
    rare = None if given is None else output.rarest(given, rows, own)
    if rare is not None:
        record.note(probe=replace(known, rare=rare))


def try_columns(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note how the model does on each of several columns of values.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the data and the probe.
    """
    known = record.facts.probe
    if len(probe.outputs) != 1 or len(probe.inputs) != 1 or known is None:
        return
    (output,), (x,) = probe.outputs, probe.inputs
    is_ids = any(facts.is_ids for facts in record.facts.inputs)
    has_values = output.task is TaskKind.VALUES and np.ndim(output.y) == 2
    if is_ids or not has_values or output.y.shape[1] < 2:
        return
    given = output_of(model, probe.seen)
    if given is None or len(x) != len(output.y):
        return
    columns = column_facts(x, np.asarray(output.y), given, probe.looked)
    if columns is not None:
        record.note(probe=replace(known, columns=columns))


def look_through(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note what is lost in a layer of few units, if the model does not do well.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the data and the probe.
    """
    known = record.facts.probe
    if len(probe.outputs) != 1 or len(probe.inputs) != 1 or known is None:
        return
    (output,), (shape,) = probe.outputs, probe.shapes
    skill = Run(record).outcome.skill
    is_ids = any(facts.is_ids for facts in record.facts.inputs)
    if output.y is None or not shape or skill is None or skill >= GOOD_SKILL or is_ids:
        return
    columns = as_columns(output.y, shape)
    if columns is None or len(columns) != probe.n_rows or known.no_skill:
        return
    if likeness(probe.inputs[0], columns) > ALIKE:
        return  # few units are the purpose of an autoencoder
    rows, x = probe.all_at_once()
    found = narrow_facts(model, x, columns[rows], known.scored_as or "unknown")
    record.note(probe=replace(known, narrow=found))


def add_constant(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note what a constant at the output would save.

    It is asked of models without any bias, and where values are worse than a constant.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the data and the probe.
    """
    known = record.facts.probe
    if len(probe.outputs) != 1 or known is None:
        return
    has_bias = not has_no_bias(model) or any(map(holds_constant, probe.inputs))
    skill = Run(record).outcome.skill
    is_values = probe.outputs[0].task is TaskKind.VALUES
    if has_bias and not (is_values and skill is not None and skill < 0):
        return
    given = output_of(model, probe.seen)
    if given is not None:
        args = probe.outputs[0], given, probe.looked
        found = offset_facts(*args, has_bias=has_bias)
        record.note(probe=replace(known, offset=found))


def drop_constraints(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note how much lower the loss of a poor model would get without constraints.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the run and the probe.
    """
    known, y = record.facts.probe, probe.y
    if not probe.outputs or known is None or not isinstance(y, np.ndarray):
        return
    outcome = Run(record).outcome
    skill, reference = outcome.skill, outcome.reference
    is_behind = skill is not None and reference is not None and skill < GOOD * reference
    if outcome.learned is not False and not is_behind:
        return
    rows = record.facts.batch_size
    found = constraint_facts(model, probe.seen, y[probe.looked], rows)
    record.note(probe=replace(known, constraint=found))


def respond(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Run the model on changed rows, and note how the predictions answer.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the data and the probe.
    """
    known = record.facts.probe
    if not probe.outputs or known is None:
        return
    response = answers_of(model, probe.seen, record)
    if response is not None and response.dropping is not None:
        response = replace(response, **_cost_of_dropout(probe, model))
    record.note(probe=replace(known, response=response))


def _cost_of_dropout(probe: Probe, model: Any) -> dict[str, Any]:
    """Return what the model reaches as it is, and with dropout off."""
    layers = dropout_layers(model)
    with_it = _scored(probe, predictions_of(model, probe.seen))
    try:
        with all_intercepted(layers, _given_back):
            without = _scored(probe, predictions_of(model, probe.seen))
    except Exception:  # a layer of the user's that is called in another way
        return {}
    return {
        "loss": with_it.get("loss", math.nan),
        "loss_without": without.get("loss", math.nan),
        "skill": with_it.get("skill", math.nan),
        "skill_without": without.get("skill", math.nan),
    }


def _scored(probe: Probe, predictions: Any) -> dict[str, float]:
    outputs = keras.tree.flatten(predictions)
    if len(outputs) != len(probe.outputs):
        return {}
    return probe.judge(dict(enumerate(outputs)))["model"]


def find_undefined(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Look for rows whose loss is not defined, if the run was not finite.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the steps of the fit or the facts of the start.
    """
    known, start = record.facts.probe, record.facts.start
    is_finite = bool(np.isfinite(record.epochs.get("loss", [0.0])).all())
    is_finite &= not record.non_finite.any() if len(record.steps) else True
    is_finite &= start is None or start.loss_is_finite
    if known is None or is_finite:
        return
    for output, shape in zip(probe.outputs, probe.shapes, strict=True):
        if output.y is None or output.loss is None:
            continue
        found = undefined_loss(output.loss, output.y, shape)
        if found is not None:
            record.note(probe=replace(known, undefined=found))
            return


def look_for_slopes(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note which predictions have no gradient, or are kept at 0, for a custom loss.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the run and the probe.
    """
    known = record.facts.probe
    if known is None or len(probe.outputs) != 1:
        return
    output = probe.outputs[0]
    if output.kind.family != "unknown" or output.loss is None or output.y is None:
        return
    given = output_of(model, probe.seen)
    if given is None or not np.isfinite(given).all():
        return
    rows = probe.looked[:SLOPE_ROWS]
    args = output.loss, np.asarray(output.y)[rows], given[:SLOPE_ROWS]
    try:
        share, held = flat_rows(*args), held_at_zero(*args)
    except Exception:  # a loss of the user's, which need not take other outputs
        return
    record.note(probe=replace(known, flat_rows=share, held=held))


def pair(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note whether a loss that is not known gets lower by the predictions.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the run and the probe.
    """
    known = record.facts.probe
    if not probe.outputs or known is None or Run(record).outcome.is_known:
        return
    y = keras.tree.map_structure(
        lambda leaf: None if leaf is None else leaf[probe.looked], probe.y
    )
    paired = paired_loss(model, probe.seen, y)
    known = replace(known, paired=paired)
    if known.truth is None and len(probe.outputs) == 1 and isinstance(y, np.ndarray):
        shape = (len(y), *probe.shapes[0][1:])
        activation = probe.outputs[0].activation
        truth = truth_of_own_loss(model, probe.seen, y, shape, activation)
        known = replace(known, truth=truth)
    record.note(probe=known)


def try_twins(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note what a model of pairs gives for inputs that are the same.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the probe.
    """
    known = record.facts.probe
    if len(probe.outputs) != 1 or len(probe.inputs) != 2 or known is None:
        return
    (output,) = probe.outputs
    if output.y is None or output.loss is None:
        return
    try:
        found = twin_facts(model, probe.x, output.y, output.loss)
    except Exception:  # a loss of the user's, which may need more than outputs
        return
    if found is not None:
        record.note(probe=replace(known, twins=found))


def explain(probe: Probe, model: Any, record: TrainingRecord) -> None:
    """Note how well predictions do where all of them met the target of each row.

    Args:
        probe: The rows.
        model: The model.
        record: The record, with the facts of the run and the probe.
    """
    known = record.facts.probe
    leaves = [leaf for leaf in keras.tree.flatten(probe.y) if leaf is not None]
    if record.facts.short_side is None or known is None or len(leaves) != 1:
        return
    given = output_of(model, probe.seen)
    target = np.asarray(leaves[0][probe.looked], np.float64).ravel()
    if given is not None and given.size == target.size and target.std() > 0:
        given = given.ravel()
        explained = 1 - float(np.square(given - target).mean() / target.var())
        kept = float(given.std() / target.std())
        record.note(probe=replace(known, explained=explained, spread_kept=kept))


def _given_back(label: str, call: Any, /, inputs: Any, *args: Any, **kw: Any) -> Any:
    """Return the inputs of a layer as its outputs."""
    return inputs


AT_THE_END: tuple[Question, ...] = (
    infer,
    note_added,
    attend,
    try_rare,
    try_columns,
    look_through,
    add_constant,
    drop_constraints,
    respond,
    look_for_slopes,
    pair,
    try_twins,
    explain,
    find_undefined,
)
"""What is asked once at the end of a fit."""
