"""What a rule can need of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped


@dataclass(frozen=True)
class Need:
    """What a rule can need of a record.

    Attributes:
        text: What it is, in a few words.
        question: The question of a `Run` that has an answer then, as code.
        ask: Given a `Run`, it raises `Skipped` if the record lacks it.
    """

    text: str
    question: str
    ask: Callable[[Run], object]


def _batch_loss(run: Run) -> None:
    if not np.isfinite(run.record.batch_loss).any():
        raise Skipped("no finite loss of a batch was recorded")


def _learning_rate(run: Run) -> None:
    if not np.isfinite(run.record.learning_rate).any():
        raise Skipped("no learning rates were recorded")


def _skill(run: Run) -> None:
    if run.outcome.skill is None or run.outcome.reference is None:
        raise Skipped(run.reasons.skill)


NEEDS: Mapping[str, Need] = {
    "activations": Need(
        "statistics of the layers' outputs on the probe",
        'run.table("activations")',
        lambda run: run.table("activations"),
    ),
    "batch_loss": Need(
        "losses of sampled batches", "run.record.batch_loss", _batch_loss
    ),
    "batch_size": Need(
        "number of rows in a batch", "run.batch_size", lambda run: run.batch_size
    ),
    "curvature": Need(
        "curvature of the loss (`CurvatureProbe`)",
        'run.table("curvature")',
        lambda run: run.table("curvature"),
    ),
    "data": Need("facts of the data", "run.data", lambda run: run.data),
    "gradients": Need(
        "norms of gradients at sampled steps",
        "run.record.gradient_norm",
        lambda run: run.steps,
    ),
    "inputs": Need("facts of the inputs", "run.inputs", lambda run: run.inputs),
    "learning_rate": Need(
        "learning rates of sampled steps", "run.record.learning_rate", _learning_rate
    ),
    "loss": Need(
        "training losses of the epochs", "run.descent", lambda run: run.descent
    ),
    "network": Need(
        "facts of the model and its layers",
        "run.model",
        lambda run: run.model,
    ),
    "output": Need("facts of the output", "run.output", lambda run: run.output),
    "probe": Need(
        "what the model predicts for up to 256 rows",
        'run.table("probe")',
        lambda run: run.table("probe"),
    ),
    "skill": Need("skill of the model and of simple predictors", "run.outcome", _skill),
    "target": Need("facts of the target", "run.target", lambda run: run.target),
    "targets": Need(
        "facts of the targets, one an output", "run.targets", lambda run: run.targets
    ),
    "updates": Need(
        "how far the weights moved", "run.movement", lambda run: run.movement
    ),
    "val_loss": Need(
        "validation losses of the epochs",
        "run.overfitting",
        lambda run: run.overfitting,
    ),
    "validation": Need(
        "facts of the validation data", "run.validation", lambda run: run.validation
    ),
}
"""What `@rule(needs=...)` takes, by name."""
