"""What a model gives on a batch, and how alive its units are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras_dlbasic._keras.activations import channel_axis
from keras_dlbasic.analysis.activations.statistics import DORMANT, activation_statistics
from keras_dlbasic.analysis.activations.unit_moments import statistics_of
from keras_dlbasic.propagation.compiled_look import compiled_look
from keras_dlbasic.propagation.probe import Outputs, as_array, outputs_and_layers

Columns = dict[str, dict[str, float]]
"""By label of each layer, what `activation_statistics` says of it."""


@dataclass(frozen=True)
class Activations:
    """What a model gives on a batch.

    Attributes:
        outputs: The outputs by their path in what the model gives.
        layers: By label of each layer, in the order in which they ran, what
            `activation_statistics` says of it.
        eager: Why the model was run layer by layer; None if it was compiled.
    """

    outputs: Outputs
    layers: Columns
    eager: str | None = None


def layer_activations(model: Any, x: Any, *, dormant: float = DORMANT) -> Activations:
    """Run a model once and describe the activations of its layers.

    It runs as in `run_probe`, and stays as it is: compiled, where that can be done, as
    `CompiledLook` does, and else layer by layer.

    Args:
        model: The model.
        x: A batch.
        dormant: Score up to which a unit is dormant.
    """
    if getattr(model, "run_eagerly", False):
        return _eager(model, x, dormant, "the model was compiled with run_eagerly=True")
    look = compiled_look(model)
    if look.failed is not None:
        return _eager(model, x, dormant, look.failed)
    try:
        outputs, layers = look.run(model, x)
    except ArithmeticError as error:  # of these weights only
        return _eager(model, x, dormant, str(error))
    except Exception as error:
        # Either the code cannot be traced, or the batch is at fault. The latter raises
        # again. Only the former is remembered, so that later looks do not try again.
        reason = f"{type(error).__name__}: {error}"
        found = _eager(model, x, dormant, reason)
        look.failed = reason
        return found
    said = {name: statistics_of(m, dormant) for name, m in layers.items()}
    return Activations(outputs, said)


def _eager(model: Any, x: Any, dormant: float, reason: str) -> Activations:
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
    return Activations(outputs, statistics, reason)
