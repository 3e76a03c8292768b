"""Data sets, whose batches have targets and weights."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._data.names import Names


def check_alone(data: Any, y: Any, sample_weight: Any, names: Names) -> None:
    """Refuse targets and sample weights that are given beside a data set.

    Args:
        data: What makes batches.
        y: What was given as targets, or None.
        sample_weight: What was given as weights, or None.
        names: What errors call these.

    Raises:
        ValueError: If there are such.
    """
    kind = type(data).__name__
    if y is not None:
        raise ValueError(
            f"`{names.y}` was given beside a data set of type {kind}, whose batches "
            f"have the targets. Leave `{names.y}` out."
        )
    if sample_weight is not None:
        raise ValueError(
            f"`{names.sample_weight}` was given beside a data set of type {kind}. Put "
            "the weights into its batches, `(x, y, sample_weight)`."
        )
