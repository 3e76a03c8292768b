"""Masks of padding, and recurrent layers that go on over it to the end."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras

from keras_dlbasic._keras.connections import (
    calls_of,
    inputs_of,
    mask_of,
    operation_of,
)
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.records.printable import printable


class LostMask(NamedTuple):
    """Where a mask is lost, and the recurrent layer that lacks it."""

    place: str
    reader: str


def padding_reader(model: Any) -> str | None:
    """Return the label of a recurrent layer that would read padding at the end.

    It gives its state after the last step alone, reads forward, and nothing in the
    model makes a mask, or the mask is lost on the way. Of a layer that reads both ways,
    one state is of the first step.

    Args:
        model: A built model.

    Returns:
        The label of the first such layer. None if there is none, or a subclassed model
        may pass a mask by itself.
    """
    layers = [(layer, label) for layer, label, _, _ in walk_layers(model)]
    if any(_may_mask(layer) for layer, _ in layers):
        lost = mask_lost(model)
        return None if lost is None else lost.reader
    return next((label for layer, label in layers if _reads_to_the_end(layer)), None)


def mask_lost(model: Any) -> LostMask | None:
    """Return where the graph of a model loses a mask, and the reader that lacks it.

    A layer of the user's that does not set `supports_masking` passes no mask on.

    Args:
        model: A built model.

    Returns:
        The names of the layer or operation that loses the mask and of the recurrent
        layer. None if there are none, or the model has no graph.
    """
    for layer, label, _, _ in walk_layers(model):
        if not _reads_to_the_end(layer):
            continue
        for call in calls_of(layer):
            if any(mask_of(tensor) is not None for tensor in call.input_tensors):
                continue
            for tensor in call.input_tensors:
                lost = _lost_before(tensor)
                if lost is not None:
                    return LostMask(printable(lost), label)
    return None


def _lost_before(tensor: Any) -> str | None:
    """Return the operation before a tensor that got a mask and gave none."""
    met, left = set(), [tensor]
    while left:
        now = left.pop()
        if id(now) in met or not hasattr(now, "_keras_history"):
            continue
        met.add(id(now))
        before = inputs_of(now)
        has_steps = len(getattr(now, "shape", ())) > 2
        if has_steps and any(mask_of(one) is not None for one in before):
            return str(operation_of(now).name)
        left += before
    return None


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
