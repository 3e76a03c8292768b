"""What inputs look like, in numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.placeholder import placeholder
from keras_dlbasic.inspection.rows_off_scale import rows_off_scale
from keras_dlbasic.records import InputFacts

ROWS = 2048
"""Statistics are taken of this many rows."""

LEAST_ROWS, LEAST_SUMMED = 32, 256
MOST_ENTRIES = 2**23
"""Of fewer rows where they would have more entries, such as those of large images."""

MOST_SUMMED = 2**20
"""Numbers that are not finite are looked for in all of these; of fewer rows, with this
many entries, the others suffice."""


def input_facts(x: np.ndarray, name: str = "x", rows: int = ROWS) -> InputFacts:
    """Describe an input array.

    Args:
        x: Samples first.
        name: What to call it.
        rows: Statistics are taken of up to this many rows, evenly chosen; fewer where
            rows are large. Values that are not finite are counted in these too.

    Returns:
        An `InputFacts`; of inputs that are no numbers the shape and dtype only.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.input_facts import input_facts
    >>> input_facts(np.array([[3.0], [5.0]])).offset
    4.0
    """
    x = np.asarray(x)
    facts = InputFacts(
        name,
        tuple(map(int, x.shape)),
        str(x.dtype),
        is_integer=x.dtype.kind in "iub",
        n_rows=len(x),
    )
    if x.dtype.kind not in "iubf" or x.size == 0:
        return facts
    rows = min(rows, max(LEAST_ROWS, MOST_ENTRIES // max(1, x[0].size)))
    sample = x[evenly(len(x), rows)]
    sample = sample.reshape(len(sample), -1)
    finite = np.isfinite(sample)
    facts = replace(
        facts,
        non_finite=int(sample.size - finite.sum()),
        non_finite_rows=int((~finite).any(axis=1).sum()),
    )
    if not finite.any():
        return facts
    whole = finite.all(axis=1)
    if not whole.all():
        sample = sample[whole] if whole.any() else np.where(finite, sample, 0)
    rows = max(LEAST_SUMMED, MOST_SUMMED // sample.shape[1])
    values = np.asarray(sample[evenly(len(sample), rows)], np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return replace(facts, **_moments(values))


def _moments(values: np.ndarray) -> dict[str, Any]:
    # each pass over the values costs: what is asked of all follows from the columns
    mean, std = values.mean(axis=0), values.std(axis=0)
    squares = np.einsum("nc,nc->c", values, values) / len(values)
    size = np.sqrt(squares)
    center = mean.mean()
    varies = std > 1e-7 * np.maximum(size, 1e-30)
    used = size[size > 0]
    stand_in, share = placeholder(values)
    odd, odd_share = rows_off_scale(values)
    return {
        "mean": float(center),
        "std": float(np.sqrt(np.mean(std**2 + (mean - center) ** 2))),
        "min": float(values.min()),
        "max": float(values.max()),
        "rms": float(np.sqrt(squares.mean())),
        "typical": _quantile(np.abs(values).ravel(), 0.9),
        "placeholder": stand_in,
        "placeholder_share": share,
        "offset": float(np.median(np.abs(mean[varies]) / std[varies]))
        if varies.any()
        else math.inf,
        "scale_ratio": float(used.max() / np.median(used)) if len(used) else 1.0,
        "odd_rows": odd,
        "odd_rows_share": odd_share,
        "n_features": int(values.shape[1]),
        "constant_features": int((~varies).sum()),
        "is_constant": bool(not varies.any() and len(values) > 1),
    }


def _quantile(values: np.ndarray, share: float) -> float:
    """Return a quantile as NumPy does, in half the time; `values` changes places."""
    place = share * (len(values) - 1)
    below = int(place)
    values.partition(below)
    low = values[below]
    high = values[below + 1 :].min(initial=np.inf) if place > below else low
    return float(low + (high - low) * (place - below))
