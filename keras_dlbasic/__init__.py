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
- `inspection`: what can be known of a model and its data without training
- `propagation`, `gradients`: measure; what the callbacks stand on

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
    "gradients",
    "initializers",
    "inspection",
    "landscape",
    "layers",
    "plots",
    "propagation",
    "records",
    "regularizers",
    "remedies",
    "reports",
    "studies",
    "treatment",
)
_FUNCTIONS = {
    "capacity_report": "inspection",
    "diagnose": "diagnosis",
    "preflight": "inspection",
    "propagation_report": "propagation",
    "treat": "treatment",
}
_SERIALIZABLE = (
    "augmentation",
    "ensembles.ensemble",
    "initializers",
    "landscape.teaching_surface",
    "layers",
    "regularizers",
    "remedies",  # known by name to what judges a run
    "studies.batch_size.micro_step_schedule",
)

__all__ = ["__version__", *_MODULES, *_FUNCTIONS]

if require_backend():
    for _name in _SERIALIZABLE:  # so that saved models find their classes
        import_module(f"{__name__}.{_name}")


_FORMER_NAMES = ("facts", "signals")


def __getattr__(name: str) -> Any:
    if name in _MODULES or name in _FORMER_NAMES:
        return import_module(f"{__name__}.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(f"{__name__}.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name[:2] == "__")})
