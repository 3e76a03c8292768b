"""Find out why a Keras 3 model does not learn or generalize, and what fixes it.

Contents:

- `explain`: diagnose a run in one call; `preflight`: find problems before training
- `lr_find`: find a learning rate in one call
- `treat`: try remedies one at a time, and keep what helps
- `callbacks`: record a `model.fit` and diagnose it
- `propagation_report`: how signals and gradients change with the depth of a model
- `capacity_report`: parameters, depth, parameters per sample, share of each layer
- `initializers`, `regularizers`, `layers`: parts for any model
- `augmentation`: augmentation of images and texts
- `ensembles`: several models as one
- `remedies`: functions that return a fixed model
- `landscape`: curvature of the loss, minima and saddle points, loss surfaces
- `studies`: experiments, for example about the batch size
- `plots`: plots of records and results
- `records`: measurements, which can be saved and loaded without Keras
- `analysis`: analysis of records and arrays
- `inspection`: checks of a model and its data before training
- `propagation`, `gradients`: the measurements that the callbacks use

Example:
>>> import keras_dlbasic as kd
>>> monitor = kd.callbacks.GradientNormMonitor()
>>> monitor.every
'auto'
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from keras_dlbasic._backends.required import require_backend
from keras_dlbasic._display import fill_on_demand
from keras_dlbasic._front import front
from keras_dlbasic._version import __version__

if TYPE_CHECKING:
    from keras_dlbasic import (
        analysis,
        augmentation,
        callbacks,
        diagnosis,
        ensembles,
        gradients,
        initializers,
        inspection,
        landscape,
        layers,
        plots,
        propagation,
        records,
        regularizers,
        remedies,
        reports,
        studies,
        treatment,
    )
    from keras_dlbasic.diagnosis.diagnose import diagnose
    from keras_dlbasic.inspection.capacity_report import capacity_report
    from keras_dlbasic.inspection.preflight import preflight
    from keras_dlbasic.propagation.report import propagation_report
    from keras_dlbasic.reports.explain import explain
    from keras_dlbasic.studies.learning_rate_finder import lr_find
    from keras_dlbasic.treatment.treat import treat

__all__ = [
    "__version__",
    "analysis",
    "augmentation",
    "callbacks",
    "capacity_report",
    "diagnose",
    "diagnosis",
    "ensembles",
    "explain",
    "gradients",
    "initializers",
    "inspection",
    "landscape",
    "layers",
    "lr_find",
    "plots",
    "preflight",
    "propagation",
    "propagation_report",
    "records",
    "regularizers",
    "remedies",
    "reports",
    "studies",
    "treat",
    "treatment",
]

_FUNCTIONS = {
    "capacity_report": "inspection",
    "diagnose": "diagnosis",
    "explain": "reports",
    "lr_find": "studies",
    "preflight": "inspection",
    "propagation_report": "propagation",
    "treat": "treatment",
}
_MODULES = tuple(n for n in __all__ if n not in {"__version__", *_FUNCTIONS})
_FORMER_NAMES = ("facts", "signals")
_SERIALIZABLE = (
    "_keras.micro_step_schedule",
    "augmentation",
    "ensembles.ensemble",
    "initializers",
    "landscape.teaching_surface",
    "layers",
    "regularizers",
    "remedies",  # known by name to what judges a run
)

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__, _FUNCTIONS, (*_MODULES, *_FORMER_NAMES))

for _room in ("plots", "reports.notebook"):  # they need what only pictures need
    fill_on_demand(partial(import_module, f"{__name__}.{_room}"))

if require_backend():
    for _name in _SERIALIZABLE:  # so that saved models find their classes
        import_module(f"{__name__}.{_name}")
