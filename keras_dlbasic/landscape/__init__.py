"""The loss as a function of the weights: gradient, curvature, surfaces.

- `Objective`: the loss on a data set, its gradient and Hessian-vector products
- `classify_point`: classify a point as minimum, saddle, plateau or slope
- `hessian_extremes`: find the smallest and the largest eigenvalue of the Hessian
- `hessian_trace`: estimate the sum of all curvatures
- `loss_line`: compute the loss on the straight line between two models
- `loss_surface`: compute the loss on a plane through the weights of a model
- `teaching_surface`: return a model whose loss is a surface over its two weights
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.landscape.classify_point import classify_point
from keras_dlbasic.landscape.hessian_extremes import hessian_extremes
from keras_dlbasic.landscape.hessian_trace import hessian_trace
from keras_dlbasic.landscape.loss_surface import loss_line, loss_surface
from keras_dlbasic.landscape.objective import Objective
from keras_dlbasic.landscape.teaching_surface import teaching_surface

__all__ = [
    "Objective",
    "classify_point",
    "hessian_extremes",
    "hessian_trace",
    "loss_line",
    "loss_surface",
    "teaching_surface",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
