"""Weight penalties.

- `L1`: `l1 * sum(abs(w))`
- `L1L2`: `l1 * sum(abs(w)) + 1/2 * l2 * sum(w**2)`
- `L2`: `1/2 * l2 * sum(w**2)`; Keras' has no 1/2
- `GroupLasso`: `factor * sqrt(n) * sum over units of ||w_unit||`
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.regularizers.group_lasso import GroupLasso
from keras_dlbasic.regularizers.l1 import L1
from keras_dlbasic.regularizers.l1_l2 import L1L2
from keras_dlbasic.regularizers.l2 import L2

__all__ = ["L1", "L1L2", "L2", "GroupLasso"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
