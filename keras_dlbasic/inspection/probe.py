"""A few rows on which a model is looked at, now and then, while it is trained."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.output_labels import output_labels
from keras_dlbasic._keras.penalized import penalized_weights
from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.diagnosis.outputs_apart import is_single, of_output
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.inspection.output_probe import OutputProbe
from keras_dlbasic.inspection.reconstruction import narrowest
from keras_dlbasic.propagation.compiled_look import rows_at_once
from keras_dlbasic.propagation.layer_activations import layer_activations
from keras_dlbasic.propagation.probe import Outputs
from keras_dlbasic.records import (
    ModelFacts,
    OutputFacts,
    ProbeFacts,
    TrainingRecord,
)
from keras_dlbasic.records.printable import printable
from keras_dlbasic.records.table_row import append_row

MEASURES = (
    "rows",
    "loss",
    "loss_error",
    "skill",
    "beyond_places",
    "spread",
    "commonest",
    "undecided",
    "missed",
    "missed_class",
    "missed_rows",
    "missed_ratio",
    "rare_right",
    "rare_class",
    "rare_ratio",
    "rare_rank",
    "penalty",
    "non_finite",
)
"""What is said of the predictions."""

ROWS = 256

MOST_INPUTS, MOST_OUTPUTS = 2**22, 2**24
"""Fewer rows are used where inputs or outputs would have more entries."""

Shapes = Mapping[str, Sequence[int | None]] | Sequence[Sequence[int | None]] | None


class Probe:
    """Rows of the training data, and what a model makes of them.

    The model runs outside the compiled step with dropout off, and with batch
    normalization on the probe's own statistics, as in training; nothing of it changes.

    How many outputs there are, and of what shape, is what the first run gives.

    Args:
        x: Inputs, as for `model.predict`.
        y: Targets, as for `model.fit`, or None.
        loss: What the model was compiled with.
        rows: Up to this many rows are used, evenly chosen.
        shapes: Shapes of the model's outputs, samples first, as far as they are known:
            fewer rows are used where outputs are large.
        outputs: What is known of the outputs besides.

    Attributes:
        n_rows: Number of rows.
        inputs: Their inputs, one array for each input of the model.
        outputs: What is judged at each output; empty before the first run.
        shapes: Shapes of the outputs for the rows; empty before the first run.
        looked: Places of the rows on which the model is run.
        seen: The inputs of these rows, as the model takes them.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        loss: Any,
        rows: int = ROWS,
        shapes: Shapes = None,
        outputs: Sequence[OutputFacts] = (),
    ) -> None:
        arrays = [np.asarray(leaf) for leaf in keras.tree.flatten(x)]
        rows = min(rows, max(16, _affordable(arrays, shapes, outputs)))
        chosen = evenly(len(arrays[0]), rows)
        self.inputs = [_floats(array[chosen]) for array in arrays]
        self.x = keras.tree.pack_sequence_as(x, self.inputs)
        self.n_rows = self._most_at_once = len(chosen)
        self.look_at(self.n_rows)
        self.y = keras.tree.map_structure(
            lambda leaf: None if leaf is None else np.asarray(leaf)[chosen], y
        )
        self.loss = loss
        self.outputs: list[OutputProbe] = []
        self.shapes: list[tuple[int, ...]] = []
        self._names: list[str] = []
        self._weights: list[float] = []

    def look_at(self, rows: int) -> None:
        """Have the model run on some of the rows, evenly chosen.

        Simple predictors know all of them: what they reach, the model is compared with.
        """
        self.looked = evenly(self.n_rows, min(rows, self._most_at_once))
        self.seen = keras.tree.map_structure(lambda leaf: leaf[self.looked], self.x)

    def all_at_once(self) -> tuple[np.ndarray, Any]:
        """Return the places and the inputs of as many rows as the model may run on."""
        rows = evenly(self.n_rows, self._most_at_once)
        return rows, keras.tree.map_structure(lambda leaf: leaf[rows], self.x)

    def look(self, model: Any, record: TrainingRecord, step: int, epoch: int) -> bool:
        """Run the model and write what it gives to `record`.

        `record.tables` gets a row of `"probe"`, about the predictions, and one of
        `"activations"`, about the layers. Of several outputs each has a column in
        `"probe"`, behind one about their sum. The first time the facts of the probe are
        noted, with what simple predictors reach.

        Args:
            model: The model.
            record: The record, with the facts of the model, the data and the loss.
            step: Number of steps trained so far.
            epoch: Number of the epoch, -1 before the first.

        Returns:
            Whether it ran; if not, the record's facts of the probe say why.
        """
        if not self.outputs:
            self._most_at_once = rows_at_once(model, self.inputs)
            self.look_at(len(self.looked))
        try:
            with warnings.catch_warnings(action="ignore"):  # as Keras does in `fit`
                seen = layer_activations(model, self.seen)
        except Exception as error:  # wrong inputs; a model that runs in `fit` only
            known = record.facts.probe or ProbeFacts(rows=self.n_rows)
            record.note(probe=replace(known, failed=_in_a_line(error)))
            return False
        if not self.outputs:
            self._meet(model, record, seen.outputs)
        known = record.facts.probe or ProbeFacts()
        rows = len(self.looked)
        if (known.looked, known.eager) != (rows, seen.eager):
            record.note(probe=replace(known, looked=rows, eager=seen.eager))
        said = self.judge(seen.outputs)
        said["model"]["rows"] = float(rows)
        said["model"]["penalty"] = float(
            sum(weight.penalty() for weight in penalized_weights(model))
        )
        tables = record.tables
        append_row(tables, "probe", MEASURES, step, epoch, said)
        append_row(tables, "activations", ACTIVATIONS, step, epoch, seen.layers)
        return True

    def _meet(self, model: Any, record: TrainingRecord, outputs: Outputs) -> None:
        """Note what outputs there are, and what simple predictors reach at each."""
        seen = [tuple(map(int, tensor.shape)) for tensor in outputs.values()]
        # A look may run on some of the rows only. Targets and simple predictors use all
        # rows of the probe, so the shapes are given for all of them.
        self.shapes = [
            (self.n_rows, *shape[1:]) if shape[:1] == (len(self.looked),) else shape
            for shape in seen
        ]
        labels = output_labels(model, outputs)
        known = _completed(record.facts.outputs, self.shapes, labels)
        record.note(model=replace(record.facts.model or ModelFacts(), outputs=known))
        run = Run(record)
        runs = run.outputs_apart or (run,)
        self._names = [str(one.output_name) for one in runs]
        self._weights = [one.loss_weight for one in runs]
        self.outputs = [
            OutputProbe(
                _targets_of(self.y, index, known),
                of_output(self.loss, index, known),
                one.loss_kind,
                one.task,
                known[index].activation,
            )
            for index, one in enumerate(runs)
        ]
        pairs = zip(self.outputs, self.shapes, strict=True)
        units = narrowest(record.facts.layers)
        given = record.facts.inputs
        mask = given[0].mask_value if len(given) == 1 else None
        is_ids = any(facts.is_ids for facts in given)
        facts = [
            output.facts(self.inputs, shape, units, mask=mask, is_ids=is_ids)
            for output, shape in pairs
        ]
        whole = facts[0] if len(facts) == 1 else self._summed(facts)
        before = record.facts.probe  # of rows of which some were held out, as it showed
        if before is not None:
            whole = replace(
                whole,
                added_at_start=before.added_at_start,
                attention_at_start=before.attention_at_start,
            )
        record.note(probe=whole)

    def _summed(self, facts: list[ProbeFacts]) -> ProbeFacts:
        """Return the facts of several outputs as one."""
        losses = [part.baseline_loss for part in facts]
        weighted = [
            replace(part, loss_weight=weight)
            for part, weight in zip(facts, self._weights, strict=True)
        ]
        total = self._sum([math.nan if loss is None else loss for loss in losses])
        return ProbeFacts(
            rows=self.n_rows,
            baseline_loss=total if math.isfinite(total) else None,
            outputs=tuple(weighted),
        )

    def _sum(self, losses: list[float]) -> float:
        """Return the weighted sum of losses, over the outputs that have one."""
        trained = [output.loss is not None for output in self.outputs]
        parts = zip(losses, self._weights, trained, strict=True)
        summed = [weight * loss for loss, weight, has_loss in parts if has_loss]
        return sum(summed) if summed else math.nan

    def judge(self, outputs: Mapping[Any, Any]) -> dict[str, dict[str, float]]:
        """Return what is said of the predictions, by column of the table."""
        pairs = zip(self.outputs, outputs.values(), strict=True)
        said = [output.judge(tensor, self.looked) for output, tensor in pairs]
        if len(said) == 1:
            return {"model": said[0]}
        # Keras trains the weighted sum of the losses of all outputs. The skill has no
        # such sum: it stays with each output.
        whole = {
            "loss": self._sum([part.get("loss", math.nan) for part in said]),
            "non_finite": max(part["non_finite"] for part in said),
        }
        columns = {"model": whole}
        for name, part in zip(self._names, said, strict=True):
            columns[name if name not in columns else f"{name}#{len(columns)}"] = part
        return columns


def _in_a_line(error: Exception) -> str:
    """Return what went wrong, without the frame and colors that Keras puts around."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).partition(
        "\n\nArguments received"
    )[0]
    text = re.sub(r"^Exception encountered when calling [^\n]*\n+", "", text)
    return printable(f"{type(error).__name__}: {' '.join(text.split())}"[:300])


def _completed(
    known: Sequence[OutputFacts],
    shapes: list[tuple[int, ...]],
    labels: list[str | None],
) -> tuple[OutputFacts, ...]:
    """Return the facts of outputs with what a run of the model tells of them."""
    if len(known) != len(shapes):
        known = [OutputFacts() for _ in shapes]
    several = len(shapes) > 1
    return tuple(
        replace(
            facts,
            units=facts.units or (shape[-1] if len(shape) > 1 else None),
            rank=facts.rank or len(shape),
            shape=shape,
            label=label if several else None,
        )
        for facts, shape, label in zip(known, shapes, labels, strict=True)
    )


def _targets_of(y: Any, index: int, outputs: Sequence[OutputFacts]) -> Any:
    """Return the targets of an output; None if they are not known."""
    leaves = [leaf for leaf in keras.tree.flatten(y) if leaf is not None]
    if len(outputs) == 1:
        return leaves[0] if len(leaves) == 1 else None
    found = None if is_single(y) else of_output(y, index, outputs)
    return found if isinstance(found, np.ndarray) else None


def _affordable(
    arrays: list[np.ndarray], shapes: Shapes, outputs: Sequence[OutputFacts]
) -> int:
    """Return how many rows neither inputs nor outputs of which are too large."""
    if isinstance(shapes, Mapping):
        shapes = list(shapes.values())
    if shapes is None:
        shapes = [
            (None,) * ((output.rank or 2) - 1) + (output.units or 1,)
            for output in outputs
        ]
    inputs = sum(math.prod(array.shape[1:]) for array in arrays)
    given = sum(_entries(shape, arrays) for shape in shapes)
    return min(MOST_INPUTS // max(1, inputs), MOST_OUTPUTS // max(1, given))


def _entries(shape: Sequence[int | None], arrays: list[np.ndarray]) -> int:
    """Return about how many entries a row of an output has.

    An axis that is left open is as long as that of the inputs: words stay words.
    """
    lengths = [
        max([array.shape[axis] for array in arrays if array.ndim > axis], default=1)
        if length is None
        else length
        for axis, length in enumerate(shape)
    ]
    return math.prod(lengths[1:])


def _floats(array: np.ndarray) -> np.ndarray:
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array
