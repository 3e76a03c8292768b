"""Gradients of earlier steps that a user's step has not cleared."""

from __future__ import annotations

from typing import Any

import keras


def kept_gradients(model: Any) -> Any:
    """Return what watches the gradients of a model with a `train_step` of its own.

    Only PyTorch keeps gradients between steps: elsewhere, for the step of Keras and for
    compiled ones it is None.
    """
    if (
        keras.backend.backend() != "torch"
        or type(model).train_step is keras.Model.train_step
        or model.jit_compile
    ):
        return None
    from keras_dlbasic._backends.torch.kept_gradients import KeptGradients

    return KeptGradients()
