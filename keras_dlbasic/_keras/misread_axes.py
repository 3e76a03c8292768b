"""Layers that take another axis for the units than the one along which they lie."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.activations import channel_axis
from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import HIDDEN, core_of, kind_of

PRODUCERS = (*HIDDEN, "embedding")
"""Kinds that put units along an axis."""

KEEPS_AXES = ("activation", "dropout", "identity", "noise", "normalization", "pooling")
"""Kinds behind which the units lie where they lay before."""


def misread_axes(model: Any) -> dict[int, Any]:
    """Return, by `id` of the layer, the layer before it whose units it does not see.

    Pooling that averages over the channels instead of the positions, or batch
    normalization along the rows of a picture: both run, and `data_format=` or `axis=`
    of one of the two layers is not meant.
    """
    consumers = consumers_of(model)
    found: dict[int, Any] = {}
    for layer in all_layers(model):
        if kind_of(layer).kind in PRODUCERS and _rank(layer) is not None:
            _follow(layer, layer, consumers, found)
    return found


def _follow(
    source: Any, at: Any, consumers: dict[int, list[Any]], found: dict[int, Any]
) -> None:
    """Go on from a layer as long as the units lie where `source` has put them."""
    for after in consumers.get(id(at), []):
        if kind_of(after).kind not in KEEPS_AXES or id(after) in found:
            continue
        axis = _axis_read(after)
        if axis is not None and axis % _rank(source) != _axis_given(source):
            found[id(after)] = source
        elif not _drops_positions(after):
            _follow(source, after, consumers, found)


def _drops_positions(layer: Any) -> bool:
    """Return whether a layer leaves rows of units, whose axis is then the last."""
    return getattr(core_of(layer), "keepdims", None) is False


def _axis_read(layer: Any) -> int | None:
    """Return the axis that a layer takes for the units; None if it has none."""
    core = core_of(layer)
    if kind_of(core).state == "averages":
        return int(core.axis)
    return channel_axis(core) if hasattr(core, "data_format") else None


def _axis_given(layer: Any) -> int:
    return channel_axis(layer) % _rank(layer)


def _rank(layer: Any) -> Any:
    """Return the number of axes of what a layer gives; None if it is not known."""
    core, kind = core_of(layer), kind_of(layer).kind
    if core is not layer:
        return None
    if kind == "convolution":
        return core.rank + 2
    if kind in ("embedding", "recurrent"):
        is_sequence = kind == "embedding" or getattr(core, "return_sequences", False)
        return 3 if is_sequence and not hasattr(core, "rank") else None
    return None
