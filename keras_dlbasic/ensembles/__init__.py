"""Several models, or several states of one, that answer as one model.

- `Ensemble`: a Keras model that averages its members
- `EnsemblePrediction`: mean and spread, what `Ensemble.predict_spread` gives
- `SnapshotEnsemble`: keeps a member at the end of each cycle of one training
- `WeightAverage`: averages the weights along the end of a training
- `fit_ensemble`: train members from different seeds, resumable
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_dlbasic.ensembles.ensemble import Ensemble, EnsemblePrediction

if TYPE_CHECKING:
    from keras_dlbasic.ensembles.fitting import fit_ensemble
    from keras_dlbasic.ensembles.snapshot_ensemble import SnapshotEnsemble
    from keras_dlbasic.ensembles.weight_average import WeightAverage

__all__ = [
    "Ensemble",
    "EnsemblePrediction",
    "SnapshotEnsemble",
    "WeightAverage",
    "fit_ensemble",
]

_WHERE = {
    # `Ensemble` alone must be known to Keras from the start
    "SnapshotEnsemble": "keras_dlbasic.ensembles.snapshot_ensemble",
    "WeightAverage": "keras_dlbasic.ensembles.weight_average",
    # it stands on the studies, which stand on this package
    "fit_ensemble": "keras_dlbasic.ensembles.fitting",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
