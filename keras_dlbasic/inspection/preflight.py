"""What can be known before the first step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras

from keras_dlbasic._keras.checks import check_built
from keras_dlbasic._keras.no_arrays import EXPECTED, no_arrays
from keras_dlbasic.diagnosis import Diagnosis, Rule
from keras_dlbasic.diagnosis.diagnose import diagnose_plan
from keras_dlbasic.inspection.as_arrays import as_arrays
from keras_dlbasic.inspection.collect import (
    arrays_of,
    data_facts,
    output_shapes,
    with_output_shapes,
)
from keras_dlbasic.inspection.given_names import given_names
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.inspection.signal_facts import signal_facts
from keras_dlbasic.inspection.start_facts import start_facts
from keras_dlbasic.records import TrainingRecord


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
    """Find what can be known of a run before its first step, in seconds.

    Looked at are the output activation, the loss and the targets against each other;
    inputs and targets; rows that validation shares with training, classes that it
    lacks; weights and signals at the start; batch normalisation with tiny batches; and
    the number of updates. The model is not changed.

    Args:
        model: A built model; compiled, if its loss is to be judged.
        x: Training inputs: an array, a tensor or a data frame with samples first, or a
            structure of these.
        y: Training targets, in the same forms. Defaults to None: what needs them is
            skipped.
        validation_data: `(x, y)` of the validation, or None.
        batch_size: As it will be given to `fit`. Defaults to None: 32.
        epochs: As it will be given to `fit`. Defaults to None: the number of updates is
            not judged.
        rules: The rules to judge by, as for `diagnose`. Defaults to None: all.

    Returns:
        A `Diagnosis` of causes: those that are certain to do harm are critical, those
        that may are warnings.

    Raises:
        ValueError: If the model is not built, `x` holds no arrays, or `x` and `y`
            differ in length.

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
    check_built(model)
    x, y = as_arrays(x), as_arrays(y)
    n_rows = _check(x, y)
    record = TrainingRecord(facts=run_facts(model, {}))
    size = batch_size or 32
    record.note(
        model=network_facts(model, x),
        data=data_facts(
            x, y, validation_data, output_shapes=output_shapes(model), model=model
        ),
        given=given_names(x, y, validation_data),
        batch_size=min(size, n_rows),
        epochs=epochs,
        steps_per_epoch=math.ceil(n_rows / size),
    )
    if not any(facts.non_finite for facts in record.facts.inputs):
        _probe(record, model, x, y)
    return diagnose_plan(record, rules=rules)


def _check(x: Any, y: Any) -> int:
    inputs = arrays_of(x)
    if not inputs or not len(inputs[0][1]):
        raise ValueError(f"`x` {EXPECTED} {no_arrays(x)}")
    lengths = {len(array) for _, array in [*inputs, *arrays_of(y)]}
    if len(lengths) > 1:
        raise ValueError(
            "`x` and `y` must have the same number of rows. Received: "
            f"{sorted(lengths)}"
        )
    return len(inputs[0][1])


def _probe(record: TrainingRecord, model: Any, x: Any, y: Any) -> None:
    loss = getattr(model, "loss", None)
    answers = y if loss is not None else None
    shapes = output_shapes(model)
    probe = Probe(x, answers, loss, shapes=shapes, outputs=record.facts.outputs)
    if not probe.look(model, record, 0, -1):  # `fit` will say so too
        return
    facts = record.facts
    # frozen statistics are those of other data, which may be of another scale
    if any(layer.batch_normalizes and not layer.trainable for layer in facts.layers):
        probe.infer(model, record)
    assert facts.data is not None
    record.note(data=with_output_shapes(facts.data, y, facts.outputs, probe.shapes))
    rows = keras.tree.map_structure(lambda a: a[:64], probe.x)
    record.note(signals=signal_facts(model, rows))
    if answers is not None:
        record.note(start=start_facts(model, x, answers))
