"""Masks of padding, and recurrent layers that go on over it to the end."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.connections import calls_of
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import kind_of


def padding_reader(model: Any) -> str | None:
    """Return the label of a recurrent layer that would read padding at the end.

    It gives its state after the last step alone, reads forward, and nothing in the
    model makes a mask. Of a layer that reads both ways, one state is of the first step.

    Args:
        model: A built model.

    Returns:
        The label of the first such layer. None if there is none, or a subclassed model
        may pass a mask by itself.
    """
    layers = [(layer, label) for layer, label, _, _ in walk_layers(model)]
    if any(_may_mask(layer) for layer, _ in layers):
        return None
    return next((label for layer, label in layers if _reads_to_the_end(layer)), None)


def makes_masks(model: Any) -> bool | None:
    """Return whether a layer makes a mask; None where code of the user's may do so."""
    layers = [layer for layer, _, _, _ in walk_layers(model)]
    if any(_masks(layer) for layer in layers):
        return True
    return (
        None if any(_may_mask(layer) or _is_own(layer) for layer in layers) else False
    )


def _is_own(layer: Any) -> bool:
    kind = kind_of(layer).kind
    return kind == "custom" and not isinstance(layer, keras.Model)


def _masks(layer: Any) -> bool:
    return kind_of(layer).kind == "masking" or bool(getattr(layer, "mask_zero", False))


def _may_mask(layer: Any) -> bool:
    if _masks(layer):
        return True
    is_graph = isinstance(layer, keras.Sequential) or hasattr(layer, "operations")
    return isinstance(layer, keras.Model) and not is_graph


def _reads_to_the_end(layer: Any) -> bool:
    if not isinstance(layer, keras.layers.RNN):
        return False
    # a second tensor is a mask, or a state that was given
    alone = all(len(call.input_tensors) < 2 for call in calls_of(layer))
    return alone and not (layer.return_sequences or layer.go_backwards)
