"""The best constant of an output that is limited."""

import numpy as np
import pytest
from keras import ops

from keras_dlbasic.inspection.baseline import best_constant

MASKS = (np.random.default_rng(0).random((40, 6)) < 0.2).astype("float32")


def overlap(y, p):
    both = ops.sum(y * p, axis=-1)
    return 1 - 2 * both / (ops.sum(y, axis=-1) + ops.sum(p, axis=-1) + 1e-6)


@pytest.mark.parametrize(("activation", "least"), [("sigmoid", 0.0), (None, -9.0)])
def test_what_a_sigmoid_cannot_give_is_not_tried(activation, least):
    losses = best_constant(overlap, MASKS, MASKS.shape, activation)
    assert losses.mean() >= least
