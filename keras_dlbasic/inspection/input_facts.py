"""What inputs look like, in numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS = 2048
"""Statistics are taken of so many rows."""


def input_facts(x: np.ndarray, name: str = "x", rows: int = ROWS) -> dict[str, Any]:
    """Describe an input array in terms JSON knows.

    Args:
        x: Samples first.
        name: What to call it.
        rows: Statistics are taken of up to so many rows, evenly chosen; values that
            are not finite are counted in these too.

    Returns:
        `"rms"`: root of the mean square of all entries; `"offset"`: median over
        features of `|mean| / std`; `"scale_ratio"`: largest feature rms divided by the
        median one; `"constant_features"` and `"n_features"`; `"is_constant"`: whether
        all rows are alike; `"mean"`, `"std"`, `"min"`, `"max"`; `"non_finite"`: number
        of entries that are NaN or infinite; `"is_integer"`: whether these are codes.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.input_facts import input_facts
    >>> input_facts(np.array([[3.0], [5.0]]))["offset"]
    4.0
    """
    x = np.asarray(x)
    facts: dict[str, Any] = {
        "name": name,
        "shape": [int(n) for n in x.shape],
        "dtype": str(x.dtype),
        "is_integer": x.dtype.kind in "iub",
        "n_rows": len(x),
    }
    if x.dtype.kind not in "iubf" or x.size == 0:
        return facts
    sample = np.asarray(x[evenly(len(x), rows)], np.float64)
    sample = sample.reshape(len(sample), -1)
    finite = np.isfinite(sample)
    facts["non_finite"] = int(sample.size - finite.sum())
    facts["non_finite_rows"] = int((~finite).any(axis=1).sum())
    if not finite.any():
        return facts
    values = np.where(finite, sample, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        facts.update(
            _moments(
                values[finite.all(axis=1)]
                if finite.all(axis=1).any()
                else np.nan_to_num(values, posinf=0, neginf=0)
            )
        )
    return facts


def _moments(values: np.ndarray) -> dict[str, Any]:
    mean, std = values.mean(axis=0), values.std(axis=0)
    size = np.sqrt(np.mean(values**2, axis=0))
    varies = std > 1e-7 * np.maximum(size, 1e-30)
    used = size[size > 0]
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
        "rms": float(np.sqrt(np.mean(values**2))),
        "offset": float(np.median(np.abs(mean[varies]) / std[varies]))
        if varies.any()
        else math.inf,
        "scale_ratio": float(used.max() / np.median(used)) if len(used) else 1.0,
        "n_features": int(values.shape[1]),
        "constant_features": int((~varies).sum()),
        "is_constant": bool(not varies.any() and len(values) > 1),
    }
