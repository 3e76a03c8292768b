"""What a model gives on a batch, and how alive its units are there."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.activations import channel_axis
from keras_dlbasic.analysis.activations.statistics import DORMANT, activation_statistics
from keras_dlbasic.propagation.probe import Outputs, as_array, outputs_and_layers


def layer_activations(
    model: Any, x: Any, *, dormant: float = DORMANT
) -> tuple[Outputs, dict[str, dict[str, float]]]:
    """Run a model once and describe the activations of its layers.

    It runs as in `run_probe`, and stays as it is.

    Args:
        model: The model.
        x: A batch.
        dormant: Score up to which a unit is dormant.

    Returns:
        The outputs by their path in what the model gives; and by label of each layer,
        in the order in which they ran, what `activation_statistics` says of it.
    """
    outputs, ran = outputs_and_layers(model, x)
    statistics = {
        probe.label: activation_statistics(
            as_array(probe.outputs),
            as_array(probe.preactivations),
            probe.activation,
            axis=channel_axis(probe.layer),
            dormant=dormant,
        )
        for probe in ran
    }
    return outputs, statistics
