"""Learn why a Keras 3 model is not learning or not generalising, and what fixes it.

What is where:

- `callbacks`: watch a `model.fit`, and say what is wrong
- `propagation_report`: do signals and gradients survive the depth of a model?
- `capacity_report`: parameters, depth, parameters per sample, share by layer
- `initializers`, `regularizers`, `layers`: parts for any model
- `augmentation`: more data from the data there are
- `ensembles`: several models that answer as one
- `remedies`: give a new model in which something is mended
- `landscape`: curvature of the loss, verdicts on critical points, slices
- `studies`: answer by experiment, such as which batch size to take
- `plots`: draw what was measured
- `records`: what was measured, saved and loaded without Keras
- `analysis`: judge it, on NumPy arrays
- `signals`, `gradients`: measure; what the callbacks stand on

Example:
>>> import keras_dlbasic as kd
>>> monitor = kd.callbacks.GradientNormMonitor()
>>> monitor.every
'auto'
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from keras_dlbasic._backends.required import require_backend
from keras_dlbasic._version import __version__

_MODULES = (
    "analysis",
    "augmentation",
    "callbacks",
    "diagnosis",
    "ensembles",
    "facts",
    "gradients",
    "initializers",
    "landscape",
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
    "capacity_report": "facts",
    "diagnose": "diagnosis",
    "preflight": "facts",
    "propagation_report": "signals",
    "treat": "treatment",
}
_SERIALIZABLE = (
    "augmentation",
    "ensembles.ensemble",
    "initializers",
    "landscape.teaching_surface",
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
    return sorted({*__all__, *(name for name in globals() if name[:2] == "__")})
