"""Plots of records and results. Each function returns matplotlib axes.

- `plot_activations`: draw activation functions and their slopes
- `plot_augmentation`: draw originals beside augmented ones
- `plot_batch_size_study`: draw the result of a `BatchSizeStudy`
- `plot_capacity`: draw error against the number of parameters
- `plot_clipping`: draw how strongly gradients were clipped over the steps
- `plot_curvature`: draw the largest and smallest curvature over the epochs
- `plot_decision_regions`: draw the decision regions of a model with two features
- `plot_descent_path`: draw the paths of gradient descent with three batch sizes
- `plot_dropout`: draw which units dropout keeps, in training and at inference
- `plot_ensemble`: draw the error of an ensemble beside that of its members
- `plot_gradient_flow`: draw the gradient of each layer, relative to its weights
- `plot_gradient_norm`: draw the gradient norm of each layer over the steps
- `plot_history`: draw training and validation curves, one panel per metric
- `plot_initializers`: draw signals through layers with Xavier and He initialization
- `plot_learning_curve`: draw error against the size of the training set
- `plot_learning_rate_range`: draw the losses of a learning-rate range test
- `plot_loss_line`: draw the loss between two solutions
- `plot_loss_surface`: draw the loss on a plane in weight space
- `plot_noise_scale`: draw the gradient noise scale over the updates
- `plot_normalization`: draw values before and after batch or layer normalization
- `plot_normalization_drift`: draw how far batch means are from the moving means
- `plot_outlier_study`: draw the held-out error against planted wrong rows
- `plot_penalty`: draw the share of weight penalties in the loss
- `plot_remedy_study`: draw the errors with each remedy, and the costs
- `plot_signal_propagation`: draw variances of signals and gradients by layer
- `plot_suspects`: draw the training rows that are most likely wrong
- `plot_unit_health`: draw the share of dead, saturated or dormant units
- `plot_update_ratio`: draw the update-to-weight ratio of each layer over the steps
- `plot_weights`: draw histograms of absolute weights
- `style`: use one of the styles of this package
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.plots.activations import plot_activations
from keras_dlbasic.plots.augmentation import plot_augmentation
from keras_dlbasic.plots.batch_size_study import plot_batch_size_study
from keras_dlbasic.plots.capacity import plot_capacity
from keras_dlbasic.plots.clipping import plot_clipping
from keras_dlbasic.plots.curvature import plot_curvature
from keras_dlbasic.plots.decision_regions import plot_decision_regions
from keras_dlbasic.plots.descent_path import plot_descent_path
from keras_dlbasic.plots.dropout import plot_dropout
from keras_dlbasic.plots.ensemble import plot_ensemble
from keras_dlbasic.plots.gradient_flow import plot_gradient_flow
from keras_dlbasic.plots.gradient_norm import plot_gradient_norm
from keras_dlbasic.plots.history import plot_history
from keras_dlbasic.plots.initializers import plot_initializers
from keras_dlbasic.plots.learning_curve import plot_learning_curve
from keras_dlbasic.plots.learning_rate_range import plot_learning_rate_range
from keras_dlbasic.plots.loss_line import plot_loss_line
from keras_dlbasic.plots.loss_surface import plot_loss_surface
from keras_dlbasic.plots.noise_scale import plot_noise_scale
from keras_dlbasic.plots.normalization import plot_normalization
from keras_dlbasic.plots.normalization_drift import plot_normalization_drift
from keras_dlbasic.plots.outlier_study import plot_outlier_study
from keras_dlbasic.plots.penalty import plot_penalty
from keras_dlbasic.plots.remedy_study import plot_remedy_study
from keras_dlbasic.plots.signal_propagation import plot_signal_propagation
from keras_dlbasic.plots.style import style
from keras_dlbasic.plots.suspects import plot_suspects
from keras_dlbasic.plots.unit_health import plot_unit_health
from keras_dlbasic.plots.update_ratio import plot_update_ratio
from keras_dlbasic.plots.weights import plot_weights

__all__ = [
    "plot_activations",
    "plot_augmentation",
    "plot_batch_size_study",
    "plot_capacity",
    "plot_clipping",
    "plot_curvature",
    "plot_decision_regions",
    "plot_descent_path",
    "plot_dropout",
    "plot_ensemble",
    "plot_gradient_flow",
    "plot_gradient_norm",
    "plot_history",
    "plot_initializers",
    "plot_learning_curve",
    "plot_learning_rate_range",
    "plot_loss_line",
    "plot_loss_surface",
    "plot_noise_scale",
    "plot_normalization",
    "plot_normalization_drift",
    "plot_outlier_study",
    "plot_penalty",
    "plot_remedy_study",
    "plot_signal_propagation",
    "plot_suspects",
    "plot_unit_health",
    "plot_update_ratio",
    "plot_weights",
    "style",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
