"""Penalties on weights, by exactly the formulas that the docs name."""

from keras_dlbasic.regularizers.group_lasso import GroupLasso
from keras_dlbasic.regularizers.l1 import L1
from keras_dlbasic.regularizers.l1_l2 import L1L2
from keras_dlbasic.regularizers.l2 import L2

__all__ = ["L1", "L1L2", "L2", "GroupLasso"]
