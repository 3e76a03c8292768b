"""Activations by unit: as samples, positions and units."""

from __future__ import annotations

from math import prod

Shape = tuple[int, ...]


def by_unit(shape: Shape, axis: int) -> tuple[Shape, int]:
    """Return a shape of three axes for activations, without moving an entry.

    Args:
        shape: Shape of the activations, samples first.
        axis: The axis that counts the units: 1 or the last.

    Returns:
        The shape: samples, positions and units, or samples, units and positions; and
        the axis of the units in it, 2 or 1.
    """
    if len(shape) < 2:
        return (prod(shape), 1, 1), 2
    # Units come last: all axes between the samples and them are positions. Otherwise
    # they come second, as in `channels_first`, and the positions after them.
    if axis % len(shape) == len(shape) - 1:
        return (shape[0], prod(shape[1:-1]), shape[-1]), 2
    return (shape[0], shape[1], prod(shape[2:])), 1


def pilot_samples(positions: int, least: int = 64) -> int:
    """Return of how many samples a mean near that of all is taken.

    Sums of squared differences from a value near the mean lose no digits, and the
    activations are read once.
    """
    # Floor division of a negated number rounds up.
    return max(1, -(-least // max(1, positions)))
