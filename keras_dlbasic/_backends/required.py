"""Whether Keras has a backend to run on."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

COMMAND = "keras-dlbasic"


def require_backend() -> bool:
    """Import Keras if it is installed.

    Without Keras, records can still be read, judged and drawn.

    Returns:
        Whether it is.

    Raises:
        ImportError: If Keras is installed but its backend is not.
    """
    if find_spec("keras") is None or _is_command():
        return False
    try:
        import keras  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Keras is installed, but the backend it is set to is not "
            f"({error}). Install one of them and choose it by the environment "
            "variable KERAS_BACKEND:\n"
            "    pip install 'keras_dlbasic[tensorflow]'\n"
            "    pip install 'keras_dlbasic[jax]'\n"
            "    pip install 'keras_dlbasic[torch]'\n"
            "To read, judge and draw saved records only, KERAS_BACKEND=numpy will do."
        ) from error
    return True


def _is_command() -> bool:
    """Return whether this is our command, which judges files and needs no Keras."""
    name = os.path.basename((getattr(sys, "argv", None) or [""])[0])
    return name.removesuffix(".exe") == COMMAND
