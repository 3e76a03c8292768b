"""Whether a fit has left weights that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def has_finite_weights(model: Any) -> bool:
    """Return whether all weights are finite.

    A step's loss is taken before its update: the last update may have ruined the
    weights without any loss to show it.
    """
    weights = (w for w in model.get_weights() if w.dtype.kind == "f")
    return all(np.isfinite(w).all() for w in weights)
