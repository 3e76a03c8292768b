"""What can be known before the first step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import keras

from keras_dlbasic._arguments import check_whole
from keras_dlbasic._backends.run_once import run_once
from keras_dlbasic._data.built import built_from
from keras_dlbasic._data.read import Data, read, read_validation
from keras_dlbasic._keras.checks import check_model
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis import Diagnosis, Rule
from keras_dlbasic.diagnosis.diagnose import diagnose_plan
from keras_dlbasic.diagnosis.registry import checked_rules
from keras_dlbasic.inspection.collect import (
    data_facts,
    output_shapes,
    with_output_shapes,
)
from keras_dlbasic.inspection.fit_data import form_of
from keras_dlbasic.inspection.given_names import given_names
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.probe_questions import find_undefined, infer
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.inspection.signal_facts import signal_facts
from keras_dlbasic.inspection.start_facts import start_facts
from keras_dlbasic.records import DataFacts, TrainingRecord

ROWS = 2048
"""Number of rows that are drawn from a data set."""


@names_nearest
def preflight(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    rules: Iterable[Rule] | None = None,
) -> Diagnosis:
    """Find problems of a training run before its first step, in seconds.

    It checks the match of output activation, loss and targets; the inputs and targets;
    validation rows that are also training rows, and missing classes; initial weights
    and signals; batch normalization with tiny batches; and the number of updates. The
    model is not changed, but it is built if it has no weights yet.

    Args:
        model: A model. Compile it to have its loss checked. A model without weights is
            built from `x`.
        x: Training inputs with samples first: an array, a tensor, a data frame, a list
            or a structure of these; or a data set of batches with targets that can be
            read repeatedly. Up to 2,048 rows of a data set are used. They are drawn
            from the whole of a `PyDataset` or a `DataLoader`, otherwise from the first
            2,048 batches or the first GiB.
        y: Training targets, likewise; None with a data set. Defaults to None: checks
            that need targets are skipped.
        validation_data: `(x, y)` or a data set for validation, or None.
        batch_size: The `batch_size` of the planned `fit`. Defaults to None: 32.
        epochs: The `epochs` of the planned `fit`. Defaults to None: the number of
            updates is not judged.
        rules: The rules to apply, as for `diagnose`. Defaults to None: all.

    Returns:
        A `Diagnosis` of causes: critical if they are certain to do harm, warnings if
        they may.

    Raises:
        TypeError: If `rules` contains something other than rules.
        ValueError: If `model` is not a model, a number is out of range, or `x` and `y`
            have another type, contain text, differ in length or do not fit the model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "softmax")])
    >>> model.compile(optimizer="sgd", loss="binary_crossentropy")
    >>> x = np.random.default_rng(0).normal(size=(64, 4))
    >>> found = kd.preflight(model, x, x[:, 0] > 0)
    >>> found[0].name, found[0].severity
    ('output_activation_mismatch', 'critical')
    """
    check_model(model)
    check_whole("batch_size", batch_size, or_none=True)
    check_whole("epochs", epochs, or_none=True)
    chosen = None if rules is None else checked_rules(rules)
    data = read(x, y, model=model, most=ROWS)
    model = built_from(model, data.x)
    validation = read_validation(validation_data, model=model, most=ROWS)
    record = TrainingRecord(facts=run_facts(model, {}))
    record.note(
        model=network_facts(model, data.x),
        data=_facts(data, validation, model),
        given=given_names(data.x, data.y, validation),
        data_form=form_of(x),
        epochs=epochs,
        **_steps(data, batch_size),
    )
    if not any(facts.non_finite for facts in record.facts.inputs):
        _probe(record, model, data.x, data.y)
    return diagnose_plan(record, rules=chosen)


def _facts(data: Data, validation: Any, model: Any) -> DataFacts:
    shapes = output_shapes(model)
    facts = data_facts(data.x, data.y, validation, output_shapes=shapes, model=model)
    if not data.is_sample:
        return facts
    targets = facts.targets
    is_constant = len(targets) == 1 and targets[0].is_constant
    side = None
    if is_constant and not data.is_from_all:
        side = (
            f"all {data.n_rows} rows that were drawn from the first {data.n_passed} "
            "batches have the same target, and may be one side of the data only; "
            "shuffle the data set, or give arrays"
        )
    return replace(facts, source="first batches", n_rows=None, one_sided=side)


def _steps(data: Data, batch_size: int | None) -> dict[str, int | None]:
    """Return the batch size and the number of steps that an epoch of `fit` has."""
    if data.batch_size is not None:
        return {"batch_size": data.batch_size, "steps_per_epoch": data.n_batches}
    size = batch_size or 32
    return {
        "batch_size": min(size, data.n_rows),
        "steps_per_epoch": math.ceil(data.n_rows / size),
    }


def _probe(record: TrainingRecord, model: Any, x: Any, y: Any) -> None:
    loss = getattr(model, "loss", None)
    answers = y if loss is not None else None
    shapes = output_shapes(model)
    probe = Probe(x, answers, loss, shapes=shapes, outputs=record.facts.outputs)
    with run_once():
        has_run = probe.look(model, record, 0, -1)
    if not has_run:  # `fit` will say so too
        return
    facts = record.facts
    # frozen statistics are those of other data, which may be of another scale
    if any(layer.batch_normalizes and not layer.trainable for layer in facts.layers):
        infer(probe, model, record)
    assert facts.data is not None
    record.note(data=with_output_shapes(facts.data, y, facts.outputs, probe.shapes))
    rows = keras.tree.map_structure(lambda a: a[:64], probe.x)
    record.note(signals=signal_facts(model, rows))
    if answers is not None:
        record.note(start=start_facts(model, x, answers))
        find_undefined(probe, model, record)
