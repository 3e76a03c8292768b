"""The loss as a function of the weights: its slopes, its curvature, its shape.

- `Objective`: the loss over a data set, its gradient and its Hessian's products
- `classify_point`: say what a model stands on: minimum, saddle, plateau or slope
- `hessian_extremes`: find the smallest and the largest eigenvalue of the Hessian
- `hessian_trace`: estimate the sum of all curvatures
"""

from keras_dlbasic.landscape.classify_point import classify_point
from keras_dlbasic.landscape.hessian_extremes import hessian_extremes
from keras_dlbasic.landscape.hessian_trace import hessian_trace
from keras_dlbasic.landscape.objective import Objective

__all__ = ["Objective", "classify_point", "hessian_extremes", "hessian_trace"]
