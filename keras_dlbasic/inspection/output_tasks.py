"""What each output of a model is for."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection.network_facts import output_facts
from keras_dlbasic.inspection.run_facts import loss_config
from keras_dlbasic.records import OutputFacts


class OutputTask(NamedTuple):
    """How one output is scored.

    Attributes:
        task: What its predictions are.
        from_logits: Whether an output above 0, not above 0.5, means yes.
    """

    task: TaskKind
    from_logits: bool


def output_tasks(model: Any, n_outputs: int) -> list[OutputTask]:
    """Return how to score each output, by the compiled losses and the outputs.

    Args:
        model: A compiled model, or what has `loss` and perhaps `outputs` like one.
        n_outputs: How many outputs it has.

    Returns:
        One for each output, in the order of `keras.tree.flatten`.
    """
    losses = keras.tree.flatten(getattr(model, "loss", None))
    if len(losses) != n_outputs:
        losses = losses[:1] * n_outputs
    outputs: tuple[OutputFacts, ...] = ()
    if isinstance(model, keras.Model):
        outputs = output_facts(model)
    if len(outputs) != n_outputs:
        outputs = (OutputFacts(),) * n_outputs
    return [_task(loss, out) for loss, out in zip(losses, outputs, strict=True)]


def _task(loss: Any, output: OutputFacts) -> OutputTask:
    kind = LossKind.of(loss_config(loss))
    task = TaskKind.of(kind.family, output.activation, output.units)
    return OutputTask(task, kind.decides_at_zero)
