"""What a loss that a model computes by itself gives where the output is right."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.baseline import AT_ONCE
from keras_dlbasic.inspection.plain_state import plain_state_kept
from keras_dlbasic.inspection.run_facts import own_steps
from keras_dlbasic.inspection.truth_facts import truth_facts
from keras_dlbasic.records.probe_facts import TruthFacts


def truth_of_own_loss(
    model: Any, x: Any, y: Any, shape: tuple[int, ...], activation: str | None
) -> TruthFacts | None:
    """Evaluate `compute_loss` of a user's model for outputs that are right and wrong.

    The state of the model and the generators stay as they are.

    Args:
        model: A model with `compute_loss` of its own and no compiled loss.
        x: Inputs of some rows.
        y: Their targets, an array.
        shape: Shape of the outputs for these rows.
        activation: Activation of the output.

    Returns:
        As `truth_facts`; None for models that train by a step of their own or by a
        compiled loss, and where the loss cannot be computed.
    """
    is_own = own_steps(model) == ["compute_loss"]
    if not is_own or getattr(model, "loss", None) is not None or _adds_losses(model):
        return None
    parameters = inspect.signature(model.compute_loss).parameters
    rows = evenly(shape[0], AT_ONCE)  # a loss that compares rows may be given no more
    x = keras.tree.map_structure(lambda a: None if a is None else a[rows], x)
    targets, shape = np.asarray(y)[rows], (len(rows), *shape[1:])
    given = {"training": False} if "training" in parameters else {}

    def loss(y_true: Any, y_pred: Any) -> Any:
        def run() -> Any:
            with without_gradients(), keras.StatelessScope():
                # `fit` gives targets as they are, without an axis that is missing
                own = ops.reshape(y_true, targets.shape)
                return model.compute_loss(
                    x=x, y=own, y_pred=y_pred, sample_weight=None, **given
                )

        return run_apart(model, run)

    try:
        with plain_state_kept([model]):
            return truth_facts(loss, targets, shape, activation)
    except Exception:  # a loss of the user's, which may need more than outputs
        return None


def _adds_losses(model: Any) -> bool:
    """Return whether a loss has terms of layers, which no output changes."""
    return bool(getattr(model, "losses", None))
