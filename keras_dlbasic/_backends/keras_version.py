"""The version of Keras, as numbers."""

from __future__ import annotations

import keras


def keras_version() -> tuple[int, int] | None:
    """Return major and minor number; None if a version is no number."""
    parts = keras.__version__.split(".")[:2]
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])
