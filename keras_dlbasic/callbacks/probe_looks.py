"""Looks at a model on a few rows, while it is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic.inspection.collect import (
    data_facts,
    output_shapes,
    with_output_shapes,
)
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.records import TrainingRecord


class ProbeLooks:
    """Notes what model and data are like, and what the model makes of a probe batch.

    Args:
        x: Training inputs: arrays. None: batches that are shown to `gather` serve.
        y: Training targets: arrays.
        validation_data: `(x, y)` of the validation, or None.
        rows: Number of rows of the probe.

    Attributes:
        probe: The rows, None as long as there are none.
        is_examined: Whether model and data have been examined.
    """

    def __init__(self, x: Any, y: Any, validation_data: Any, rows: int) -> None:
        self.probe: Probe | None = None
        self._given = x, y, validation_data
        self._rows = rows
        self._gathered: list[tuple[Any, Any]] = []
        self._offset = 0
        self.is_examined = False
        self._answers: Any = None

    def examine(
        self,
        model: Any,
        record: TrainingRecord,
        guard: Guard,
        epoch: int = -1,
        steps: int = 0,
    ) -> None:
        """Note what model and data are like, once; a model without weights has to wait.

        Args:
            model: The model.
            record: Where to write what is seen.
            guard: Of the fit.
            epoch: Number of the epoch, -1 before the first step.
            steps: Number of steps that the fit has trained so far.
        """
        if self.is_examined or not model.built:
            return
        self.is_examined = True
        self._offset = max(self._offset, record.trained_steps + steps)
        x, y, validation_data = self._given
        with guard.on_host():
            facts = replace(network_facts(model, x), seen_after=steps or None)
            record.note(model=facts)
        if x is None:
            return
        with guard.on_host(ValueError, TypeError):  # of what the user gave
            data = data_facts(x, y, validation_data, output_shapes=output_shapes(model))
            record.note(data=replace(data, source="given"))
        with guard.on_host():
            self._make_probe(model, record, x, y)
            self.look(model, record, epoch)

    def gather(self, x: Any, y: Any) -> bool:
        """Keep the rows of a batch; returns whether there are enough."""
        if not keras.tree.flatten(x):
            return False
        rows = keras.tree.map_structure(
            lambda leaf: None if leaf is None else keras.ops.convert_to_numpy(leaf),
            (x, y),
        )
        # Batches of sequences may differ in length. Rows can be joined only if they do
        # not, so the first batch decides and gathering ends with the first that
        # differs.
        shapes = [
            [np.shape(leaf)[1:] for leaf in keras.tree.flatten(known)]
            for known in (rows, *self._gathered[:1])
        ]
        if shapes[0] != shapes[-1]:
            return True  # of another length, which cannot be joined
        self._gathered.append(rows)
        n = sum(len(keras.tree.flatten(x)[0]) for x, _ in self._gathered)
        return n >= self._rows

    def look(
        self, model: Any, record: TrainingRecord, epoch: int, steps: int | None = None
    ) -> None:
        """Run the model on the probe.

        Args:
            model: The model.
            record: Where to write what is seen.
            epoch: Number of the epoch in the record, -1 before the first.
            steps: Number of steps in an epoch, None if not known.
        """
        if self._gathered:
            self._use_gathered(model, record, steps)
        if self.probe is None:
            return
        step = max(self._offset, record.trained_steps)
        if not self.probe.look(model, record, step, epoch):
            self.probe = None  # a model that runs in `fit` only; go on without
            return
        facts, answers = record.facts, self._answers
        if answers is not None and facts.data is not None:
            shapes = self.probe.shapes
            data = with_output_shapes(facts.data, answers, facts.outputs, shapes)
            record.note(data=data)
        self._answers = None

    def _use_gathered(
        self, model: Any, record: TrainingRecord, steps: int | None
    ) -> None:
        """Make a probe of the batches that were trained first."""
        gathered, self._gathered = self._gathered, []
        x, y = keras.tree.map_structure(_joined, *gathered)
        shapes = output_shapes(model)
        data = data_facts(x, y, output_shapes=shapes)
        size = record.facts.batch_size
        n_rows = size * steps if size and steps else None
        record.note(data=replace(data, source="first batches", n_rows=n_rows))
        self._make_probe(model, record, x, y)

    def _make_probe(self, model: Any, record: TrainingRecord, x: Any, y: Any) -> None:
        if any(facts.non_finite for facts in record.facts.inputs):
            return  # the model has nothing to say on such rows
        shapes, outputs = output_shapes(model), record.facts.outputs
        loss = getattr(model, "loss", None)
        self.probe = Probe(x, y, loss, self._rows, shapes, outputs)
        self._answers = y
        table = record.tables.get("probe")
        if table is not None and len(table):  # a continued record
            self._offset = int(table.steps[-1]) + 1


def _joined(*parts: Any) -> Any:
    return None if parts[0] is None else np.concatenate(parts)
