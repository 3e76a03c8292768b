"""Looks at a model on a few rows, while it is trained."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.processes import is_in_parts
from keras_dlbasic._keras.loss_tracker import counted_rows
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.callbacks.look_plan import plan_looks
from keras_dlbasic.callbacks.passing_batches import PassingBatches
from keras_dlbasic.callbacks.validation_batches import ValidationBatches
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.inspection import probe_questions
from keras_dlbasic.inspection.batch_facts import batch_facts
from keras_dlbasic.inspection.collect import (
    arrays_of,
    compared_validation,
    data_facts,
    output_shapes,
    with_output_shapes,
)
from keras_dlbasic.inspection.different_batches import different_batches
from keras_dlbasic.inspection.held_out import held_out
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.other_inputs import other_inputs
from keras_dlbasic.inspection.other_targets import other_targets
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.validation_facts import Draws
from keras_dlbasic.inspection.weight_facts import weight_facts
from keras_dlbasic.records import DataFacts, ProbeFacts, TrainingRecord

_log = logging.getLogger("keras_dlbasic")

LOG10_CHANCE = -3.0
"""Batches whose classes are more probable than this if rows are shuffled are mixed."""

IN_PARTS = "each of the processes has a part of the weights only"

SCALED = (
    "Does the generator or data set scale them? Give the arrays as `fit` gets them, or "
    "the generator itself."
)
SHUFFLED = (
    "Was one of them shuffled or encoded, and the other not? Give both the same arrays."
)


class ProbeLooks:
    """Notes what model and data are like, and what the model makes of a probe batch.

    Args:
        x: Training inputs: arrays. None: those of the batches that pass serve.
        y: Training targets: arrays.
        validation_data: `(x, y)` of the validation, or None.
        rows: Number of rows of the probe, at most.
        model: The model, which is not looked at if each of several processes has a part
            of its weights only. Defaults to None.

    Attributes:
        probe: The rows, None as long as there are none.
        is_examined: Whether model and data have been examined.
        batches: Rows of batches that pass, kept until they were made use of.
        validation: Rows of the batches on which the fit validates first, likewise; None
            if they are not read.
        may_validate: Whether the fit may validate; if not, rows of batches are let go
            after the first epoch.
        plan: After which epochs the model is looked at, and on how many rows.
    """

    def __init__(
        self, x: Any, y: Any, validation_data: Any, rows: int, *, model: Any = None
    ) -> None:
        self._is_in_parts = model is not None and is_in_parts(model)
        self.validation: ValidationBatches | None = None
        self.probe: Probe | None = None
        self.batches = PassingBatches()
        self.may_validate = True
        self._given = x, y, validation_data
        self._rows = rows
        self.plan = plan_looks(1, self._n_given(), rows)
        self._has_read = self._is_split = False
        self._offset = 0
        self._has_own_table = False
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
        if self._is_in_parts:
            record.note(probe=ProbeFacts(failed=IN_PARTS))
            return
        self._has_own_table = "probe" not in record.tables
        self._offset = max(self._offset, record.trained_steps + steps)
        x, y, validation_data = self._given
        with guard.on_host():
            facts = replace(network_facts(model, x), seen_after=steps or None)
            record.note(model=facts)
        if x is None:
            return
        with guard.on_host(ValueError, TypeError):  # of what the user gave
            shapes = output_shapes(model)
            data = data_facts(x, y, validation_data, output_shapes=shapes, model=model)
            record.note(data=replace(data, source="given"))
        with guard.on_host():
            self._make_probe(model, record, x, y)
            self.look(model, record, epoch)
            if self.probe is not None:
                probe_questions.note_added(self.probe, model, record)
        with guard.on_host():
            if self.probe is not None:
                probe_questions.attend(self.probe, model, record)

    def read(
        self,
        model: Any,
        record: TrainingRecord,
        guard: Guard,
        *,
        steps: int | None,
        logs: Mapping[str, Any],
    ) -> None:
        """Note what the batches tell that passed, after an epoch.

        Args:
            model: The model.
            record: Where to write what is known now.
            guard: Of the fit.
            steps: Number of steps in an epoch, None if not known.
            logs: The logs of the epoch.
        """
        if self._is_in_parts:
            return
        rows = counted_rows(model)
        is_validated = any(name.startswith("val_") for name in logs)
        if not self._has_read:
            self._has_read = True
            self._compare_given(record, guard)
            if self._given[0] is None:
                self._use_batches(model, record, steps, None if is_validated else rows)
            self._note_batches(record)
        if is_validated and not self._is_split:
            self._is_split = True
            self._split(model, record, steps, rows)
            with guard.on_host():
                self._compare_validation(model, record, rows)
        # with `validation_freq` the first validation is yet to come
        if self._is_split or not self.may_validate:
            self.drop()

    def drop(self) -> None:
        """Let go of the rows of batches that passed."""
        self.batches.drop()
        if self.validation is not None:
            self.validation.drop()

    def plan_for(self, epochs: int, rows: int | None, *, is_long: bool = False) -> None:
        """Plan the looks of a fit.

        Args:
            epochs: Number of epochs of the fit.
            rows: Number of rows that are trained in an epoch; None if it is not known
                yet: as many as were given.
            is_long: Whether the fit has many steps, so that looks may cost less; see
                `sampling.is_long_fit`. Defaults to `False`.
        """
        most = self._rows if self.probe is None else self.plan.rows
        is_before = self._given[0] is not None
        rows = rows or self._n_given()
        self.plan = plan_looks(epochs, rows, most, before=is_before, is_long=is_long)
        if self.probe is not None:
            self.probe.look_at(self.plan.rows)

    def _compare_given(self, record: TrainingRecord, guard: Guard) -> None:
        """Let go of the rows given if the fit trains on other targets or inputs.

        All that is said of predictions would be about the wrong answers.
        """
        x, y, validation_data = self._given
        if x is None or not self.batches.parts:
            return
        seen_x, seen_y = self.batches.joined()
        name, advice = "x", SCALED
        differ, without = other_inputs(x, seen_x), {"x", "y"}
        if differ is not None:
            if validation_data and other_inputs(validation_data[0], seen_x):
                validation_data = None
                without.add("validation_data")
                advice += " `validation_data` differs too, and is not used."
        elif y is not None:
            name, advice = "y", SHUFFLED
            differ = other_targets(x, y, seen_x, seen_y)
        if differ is None:
            return
        self._given = None, None, validation_data
        self.probe = None
        if self._has_own_table:
            record.tables.pop("probe", None)  # a look before the first step
        given = record.facts.given or ()
        record.note(given=tuple(name for name in given if name not in without))
        message = (
            f"The `{name}` that `TrainingDoctor` was given is not what `fit` trains "
            f"on: {differ}. {advice} The run is judged by rows of the training batches."
        )
        try:
            guard.say(message)
        except UserWarning:  # where warnings are errors; the fit goes on all the same
            _log.warning(message)

    def _n_given(self) -> int:
        arrays = [] if self._given[0] is None else arrays_of(self._given[0])
        return len(arrays[0][1]) if arrays else 0

    def look(self, model: Any, record: TrainingRecord, epoch: int) -> None:
        """Run the model on the probe.

        Args:
            model: The model.
            record: Where to write what is seen.
            epoch: Number of the epoch in the record, -1 before the first.
        """
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

    def last_look(self, model: Any, record: TrainingRecord, guard: Guard) -> None:
        """Note what is asked of a trained model once, at the end of a fit.

        How it does as `evaluate` runs it, what it adds to its loss, whether it knows
        rare classes and small columns, how its predictions answer to changes, whether
        a loss that is not known gets lower by them, and for which rows a loss is not
        defined.

        Args:
            model: The model.
            record: Where to write what is seen.
            guard: Of the fit; if one question fails, the others are asked all the same.
        """
        if (probe := self.probe) is None:
            return
        for ask in probe_questions.AT_THE_END:
            with guard.on_host():
                ask(probe, model, record)

    def _use_batches(
        self,
        model: Any,
        record: TrainingRecord,
        steps: int | None,
        n_rows: int | None,
    ) -> None:
        """Make the probe of batches that passed, once and for all."""
        if not self.batches.parts or not model.built:
            return
        x, y = self.batches.joined()
        data = data_facts(x, y, output_shapes=output_shapes(model), model=model)
        size = record.facts.batch_size
        most = size * steps if size and steps else None
        if most and size and (n_rows is None or not most - size < n_rows <= most):
            n_rows = most  # what was counted were no rows
        data = replace(data, source="first batches", n_rows=n_rows if most else None)
        record.note(data=data)
        if record.facts.model is None:
            record.note(model=network_facts(model, x))
        side = self._side(record)
        record.note(data=replace(data, one_sided=side))
        self._make_probe(model, record, x, y if side is None else None)

    def _side(self, record: TrainingRecord) -> str | None:
        """Say so if all rows that were read are of one class."""
        targets = record.facts.targets
        is_one = len(targets) == 1 and targets[0].is_constant
        if not is_one or Run(record).task not in (TaskKind.CLASSES, TaskKind.LABELS):
            return None
        return (
            f"all {targets[0].n_rows} rows that were read during `fit` have the same "
            "target, so they may not represent the data; give `TrainingDoctor` `x=` "
            "and `y=`"
        )

    def _note_batches(self, record: TrainingRecord) -> None:
        if not self.batches.targets:
            return
        targets, weights = self.batches.targets, self.batches.weights
        parts = self.batches.parts
        record.note(
            data=replace(
                record.facts.data or DataFacts(),
                batches=replace(
                    batch_facts(targets),
                    compared=len(parts),
                    different=different_batches(parts),
                ),
                weights=weight_facts(targets, weights, [x for x, _ in parts]),
            )
        )

    def _split(
        self,
        model: Any,
        record: TrainingRecord,
        steps: int | None,
        n_validated: int | None,
    ) -> None:
        """Part the rows given, where `fit` held out the last of them."""
        x, y, validation_data = self._given
        if x is None or not self.batches.parts or record.facts.data is None:
            return
        (_, own), *_ = arrays_of(x)
        (_, seen), *_ = arrays_of(self.batches.joined()[0])
        size = record.facts.batch_size
        known = {"steps": steps, "batch_size": size, "n_validated": n_validated}
        found = held_out(own, seen, **known)
        if found is None:
            return
        n = len(own)
        first, last = slice(found.n_trained), slice(found.first, None)
        if validation_data is None:
            validation_data = _part(x, last, n), _part(y, last, n)
        x, y = _part(x, first, n), _part(y, first, n)
        shapes = output_shapes(model)
        data = data_facts(x, y, validation_data, output_shapes=shapes, model=model)
        known_before = record.facts.data
        record.note(
            data=replace(
                data,
                source="given",
                held_out=n - found.first,
                batches=known_before.batches,
                weights=known_before.weights,
            )
        )
        self._make_probe(model, record, x, y)

    def _compare_validation(
        self, model: Any, record: TrainingRecord, n_validated: int | None
    ) -> None:
        """Compare the rows on which the fit validates, where none were given."""
        data, batches = record.facts.data, self.validation
        if data is None or data.validation is not None:
            return
        if batches is None or self._given[2] is not None:
            return
        validation_data = batches.joined()
        if validation_data is None:
            return
        x, y = self._given[:2]
        drawn = None
        if x is None:
            if not self.batches.parts:
                return
            x, y = self.batches.joined()
            drawn = _draws([y for _, y in self.batches.parts])
        draws = Draws(drawn, None if batches.is_all else _draws(batches.targets))
        found = compared_validation(x, y, validation_data, model=model, draws=draws)
        if found is not None:
            if not batches.is_all:
                found = replace(found, n_rows=n_validated or found.n_rows)
            record.note(data=replace(data, validation=found))

    def _make_probe(self, model: Any, record: TrainingRecord, x: Any, y: Any) -> None:
        if any(facts.non_finite for facts in record.facts.inputs):
            return  # the model has nothing to say on such rows
        shapes, outputs = output_shapes(model), record.facts.outputs
        loss = getattr(model, "loss", None)
        self.probe = Probe(x, y, loss, self._rows, shapes, outputs)
        self.probe.look_at(self.plan.rows)
        self._answers = y
        table = record.tables.get("probe")
        if table is not None and len(table):  # a continued record
            self._offset = int(table.steps[-1]) + 1


def _draws(targets: list[Any]) -> int:
    """Return of how many rows drawn at random the rows of batches are like."""
    facts = batch_facts(targets)
    chance = facts.class_chance
    is_mixed = np.isfinite(chance) and chance > LOG10_CHANCE
    return facts.n_rows or 0 if is_mixed else len(targets)


def _part(data: Any, rows: slice, n: int) -> Any:
    """Return some of the rows of a structure of arrays of `n` rows."""
    return keras.tree.map_structure(
        lambda leaf: leaf[rows] if np.ndim(leaf) and len(leaf) == n else leaf, data
    )
