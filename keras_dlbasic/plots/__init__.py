"""Pictures of records and results. Each returns matplotlib axes."""

from keras_dlbasic.plots.batch_size_study import plot_batch_size_study
from keras_dlbasic.plots.clipping import plot_clipping
from keras_dlbasic.plots.descent_path import plot_descent_path
from keras_dlbasic.plots.gradient_flow import plot_gradient_flow
from keras_dlbasic.plots.gradient_norm import plot_gradient_norm
from keras_dlbasic.plots.noise_scale import plot_noise_scale
from keras_dlbasic.plots.style import style
from keras_dlbasic.plots.update_ratio import plot_update_ratio

__all__ = [
    "plot_batch_size_study",
    "plot_clipping",
    "plot_descent_path",
    "plot_gradient_flow",
    "plot_gradient_norm",
    "plot_noise_scale",
    "plot_update_ratio",
    "style",
]
