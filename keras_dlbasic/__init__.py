"""Learn why a Keras 3 model is not learning or not generalising, and what fixes it.

Example:
>>> import keras_dlbasic as kd
>>> monitor = kd.callbacks.GradientNormMonitor()
>>> monitor.every
'auto'
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from keras_dlbasic._backend import require_backend
from keras_dlbasic._version import __version__

_MODULES = (
    "analysis",
    "callbacks",
    "diagnosis",
    "facts",
    "gradients",
    "initializers",
    "layers",
    "plots",
    "records",
    "regularizers",
    "remedies",
    "reports",
    "signals",
    "studies",
    "treatment",
)
_FUNCTIONS = {
    "diagnose": "diagnosis",
    "preflight": "facts",
    "propagation_report": "signals",
    "treat": "treatment",
}
_SERIALIZABLE = (
    "initializers",
    "layers",
    "regularizers",
    "studies.micro_step_schedule",
)

__all__ = ["__version__", *_MODULES, *_FUNCTIONS]

if require_backend():
    for _name in _SERIALIZABLE:  # so that saved models find their classes
        import_module(f"{__name__}.{_name}")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(f"{__name__}.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_FUNCTIONS})
