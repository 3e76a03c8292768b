"""Ensembles of several models, or of several states of one model.

- `Ensemble`: a Keras model that averages its members
- `EnsemblePrediction`: mean and spread, the result of `Ensemble.predict_spread`
- `SnapshotEnsemble`: saves the weights at the end of each learning-rate cycle
- `WeightAverage`: averages the weights over the last epochs
- `fit_ensemble`: train several models from different seeds
- `recompute_statistics`: recompute the moving statistics of batch normalization
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.ensembles.ensemble import Ensemble, EnsemblePrediction

if TYPE_CHECKING:
    from keras_dlbasic.ensembles.batch_statistics import recompute_statistics
    from keras_dlbasic.ensembles.fitting import fit_ensemble
    from keras_dlbasic.ensembles.snapshot_ensemble import SnapshotEnsemble
    from keras_dlbasic.ensembles.weight_average import WeightAverage

__all__ = [
    "Ensemble",
    "EnsemblePrediction",
    "SnapshotEnsemble",
    "WeightAverage",
    "fit_ensemble",
    "recompute_statistics",
]

if not TYPE_CHECKING:
    # only `Ensemble` must be known to Keras from the start
    _LATER = {
        "SnapshotEnsemble": "snapshot_ensemble",
        "WeightAverage": "weight_average",
        "fit_ensemble": "fitting",
        "recompute_statistics": "batch_statistics",
    }
    __getattr__, __dir__ = front(__name__, _LATER)
