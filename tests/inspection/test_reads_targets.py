"""Whether a loss looks at its targets."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
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


@pytest.mark.parametrize("reads", [False, True])
def test_no_constant_is_the_best_where_no_targets_are_read(reads):
    def gap(y_true, out):
        return ops.mean(ops.softplus(-out if not reads else -y_true * out), axis=-1)

    ones = np.ones((64, 1), "float32")
    ones[::2] = -1.0 if reads else 1.0
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", gap)
    doctor = kd.callbacks.TrainingDoctor(x, ones, verbose=0)
    model.fit(x, ones, verbose=0, callbacks=[doctor])
    assert (doctor.record.facts.probe.baseline_loss is not None) == reads
