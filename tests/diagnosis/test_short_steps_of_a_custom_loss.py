"""Short steps, where the loss does not show whether anything was learned."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd

RNG = np.random.default_rng(0)
X = RNG.normal(size=(192, 4)).astype("float32")
Y = np.exp(X[:, :1] + 0.1 * RNG.normal(size=(192, 1))).astype("float32")


def cox(times, risks):
    """Compares rows of a batch, so that no output is right by itself."""
    later = ops.cast(times >= ops.transpose(times), "float32")
    total = ops.sum(later * ops.exp(risks), axis=0)
    return ops.mean(ops.log(total) - risks[:, 0])


@pytest.mark.parametrize(
    ("rate", "bias", "normalizes", "named"),
    [
        (1e-7, 0.0, False, True),
        (1e-7, 0.3, False, False),  # it was trained before
        (1e-7, 0.0, True, False),  # a normalization takes biases away
        (1e-2, 0.0, False, False),
    ],
)
def test_biases_that_are_where_they_begin(rate, bias, normalizes, named):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8)])
    if normalizes:
        model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Activation("relu"))
    model.add(keras.layers.Dense(1))
    model.layers[0].bias.assign(np.full(8, bias, "float32"))
    model.compile(keras.optimizers.Adam(rate), cox)
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, epochs=5, batch_size=32, verbose=0, callbacks=[doctor])
    found = {finding.name for finding in doctor.diagnosis.at_least("warning")}
    assert ("learning_rate_too_low" in found) == named
