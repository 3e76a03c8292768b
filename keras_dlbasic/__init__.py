"""Learn why a Keras 3 model is not learning or not generalising, and what fixes it.

Example:
>>> import keras_dlbasic as kd
>>> monitor = kd.callbacks.GradientNormMonitor()
>>> monitor.every
'auto'
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from keras_dlbasic._backend import require_backend
from keras_dlbasic._version import __version__

_MODULES = ("analysis", "callbacks", "gradients", "plots", "records", "studies")

__all__ = ["__version__", *_MODULES]

require_backend()
if "keras" in sys.modules:  # what is saved in models is known from here on
    import_module("keras_dlbasic.studies.micro_step_schedule")


def __getattr__(name: str) -> ModuleType:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
