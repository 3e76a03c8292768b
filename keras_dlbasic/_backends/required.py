"""Whether Keras has a backend to run on."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

COMMAND = "keras-dlbasic"
BACKENDS = ("tensorflow", "jax", "torch")


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
    except (ImportError, ValueError) as error:
        raise ImportError(_advice(error)) from error
    return True


def _advice(error: Exception) -> str:
    """Return what to set where a backend is installed, else what to install."""
    start = f"Keras cannot run on the backend that it is set to ({error})."
    chosen = os.environ.get("KERAS_BACKEND")
    if chosen is not None:
        start += f" KERAS_BACKEND is {chosen!r}."
    installed = [name for name in BACKENDS if name != chosen and _is_installed(name)]
    if installed:
        name = installed[0]
        return (
            f"{start} Installed: {', '.join(installed)}. Choose it before Python "
            f"starts,\n    export KERAS_BACKEND={name}\n"
            "or before the first import of keras or keras_dlbasic,\n"
            f'    import os; os.environ["KERAS_BACKEND"] = "{name}"'
        )
    return (
        f"{start} Install a backend, and choose it by the environment variable "
        "KERAS_BACKEND:\n"
        "    pip install tensorflow\n"
        "    pip install jax\n"
        "    pip install torch\n"
        "To only read, judge and draw saved records, set KERAS_BACKEND=numpy."
    )


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # it is being imported, or was kept from it
        return False


def _is_command() -> bool:
    """Return whether this is our command, which judges files and needs no Keras."""
    name = os.path.basename((getattr(sys, "argv", None) or [""])[0])
    return name.removesuffix(".exe") == COMMAND
