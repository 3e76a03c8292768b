"""A model run beside its training, on PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import torch

from keras_dlbasic._backends.by_unit import by_unit, pilot_samples

PIECE = 2**15
"""On a CPU, tensors are summed up in pieces of about this size, for the cache."""


class Program:
    """A function of a model and inputs, which leaves the model as it is.

    Args:
        function: Takes the model and inputs, runs the model and returns tensors.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, model: Any, x: Any) -> Any:
        """Return what the function gives for a model as it is now."""
        with torch.no_grad(), keras.StatelessScope():
            return self._function(model, x)


def no_gradients() -> Any:
    """Return a context in which nothing is kept for a backward pass."""
    return torch.no_grad()


def unit_sums(
    outputs: Any, preactivations: Any, levels: tuple[Any, Any], axis: int
) -> Any:
    """Return the sums of which `UnitMoments.of_sums` is made, `[4 or 5, n_units]`."""
    if _has_units_second(outputs, axis):
        axis = 1
        outputs = outputs.movedim(-1, 1)
        preactivations = preactivations.movedim(-1, 1)
    shape, unit_axis = by_unit(tuple(outputs.shape), axis)
    x = outputs.reshape(shape)
    z = None if levels == (None, None) else preactivations.reshape(shape)
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    # A pilot mean from a few samples is subtracted before squaring. Squares of raw
    # activations with a large mean would lose the digits of the variance.
    positions = 3 - unit_axis
    first = x[: pilot_samples(shape[positions])].to(wide)
    pilot = first.mean((0, positions), keepdim=True)
    # One pass over pieces that stay in the cache. Whole, each operation would write its
    # result to memory, and the next read it again: three times as slow on a CPU.
    on_host = x.device.type == "cpu"
    rows = max(1, PIECE // max(1, shape[1] * shape[2])) if on_host else shape[0]
    sums = [
        _sums(part, at, pilot, levels, (0, positions))
        for part, at in _pieces(x, z, rows)
    ]
    return torch.cat([pilot.reshape(1, -1), torch.stack(sums).sum(0)])


def _pieces(x: Any, z: Any, rows: int) -> Iterator[tuple[Any, Any]]:
    parts = x.split(rows)
    return zip(parts, [None] * len(parts) if z is None else z.split(rows), strict=True)


def _sums(
    x: Any, z: Any, pilot: Any, levels: tuple[Any, Any], axes: tuple[int, int]
) -> Any:
    x = x.to(pilot.dtype)
    difference = x - pilot
    found = [difference.sum(axes), x.abs().sum(axes), difference.square_().sum(axes)]
    if z is not None:
        low, high = levels
        outside = torch.zeros_like(z, dtype=torch.bool)
        if low is not None:
            outside |= z < low
        if high is not None:
            outside |= z > high
        found.append(outside.sum(axes).to(pilot.dtype))
    return torch.stack(found)


def _has_units_second(outputs: Any, axis: int) -> bool:
    """Return whether units are the last axis, but the second one in memory.

    So does Keras lay out what PyTorch's convolutions give.
    """
    is_last = outputs.ndim > 2 and axis % outputs.ndim == outputs.ndim - 1
    if not is_last or outputs.is_contiguous():
        return False
    return bool(outputs.movedim(-1, 1).is_contiguous())


def joined(parts: list[Any]) -> Any:
    """Return a vector of all entries of some tensors, of several devices or one."""
    home = parts[0].device
    return torch.cat([part.reshape(-1).to(home) for part in parts])
