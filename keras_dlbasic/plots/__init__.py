"""Pictures of records and results. Each returns matplotlib axes."""

from keras_dlbasic.plots.clipping import plot_clipping
from keras_dlbasic.plots.gradient_flow import plot_gradient_flow
from keras_dlbasic.plots.gradient_norm import plot_gradient_norm
from keras_dlbasic.plots.history import plot_history
from keras_dlbasic.plots.style import style
from keras_dlbasic.plots.update_ratio import plot_update_ratio

__all__ = [
    "plot_clipping",
    "plot_gradient_flow",
    "plot_gradient_norm",
    "plot_history",
    "plot_update_ratio",
    "style",
]
