"""Whether a loss looks at its targets."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dlbasic.inspection.reads_targets import reads_targets

NONE = np.zeros((12, 1), "float32")


def margin(y_true, out):
    return ops.mean(ops.maximum(out[:, 0] - out[:, 1] + 0.5, 0.0))


def likelihood_and_zero(y_true, out):
    return ops.mean(out, axis=-1) + 0.0 * y_true[:, 0]


def own_error(y_true, out):
    return ops.mean(ops.square(y_true - out), axis=-1)


def only_for_zeros(y_true, out):
    if ops.convert_to_numpy(y_true).any():
        raise ValueError("zeros only")
    return ops.mean(out, axis=-1)


@pytest.mark.parametrize(
    ("loss", "reads"),
    [
        (margin, False),
        (likelihood_and_zero, False),
        (own_error, True),
        (keras.losses.MeanSquaredError(), True),
        (only_for_zeros, None),
        (lambda y_true, out: ops.mean(y_true * out, axis=-1), True),
    ],
)
def test_a_loss_is_given_other_targets(loss, reads):
    assert reads_targets(loss, NONE, (12, 4)) is reads
