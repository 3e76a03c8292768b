"""The metrics that a model was compiled with."""

from __future__ import annotations

from typing import Any


def compiled_metrics(model: Any) -> Any:
    """Return `metrics` as given to `model.compile`; None if none were or can be told.

    Those that Keras has resolved ("accuracy" becomes one of several) are not built
    before the first step.
    """
    compiled = getattr(model, "_compile_metrics", None)
    return getattr(compiled, "_user_metrics", None)
