"""Frozen layers whose weights are all zero."""

from __future__ import annotations

from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records import LayerFacts


def frozen_zeros(run: Run) -> list[LayerFacts]:
    """Return the layers that give the same for all inputs, and will go on to.

    Args:
        run: The run.

    Raises:
        Skipped: If nothing is known of the model.
    """
    return [
        layer
        for layer in run.layers
        if layer.has_kernel and layer.kernel_rms == 0 and not layer.trainable
    ]
