"""Outputs that do not mean the targets are healthy, whatever their loss rewards."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd

RNG = np.random.default_rng(4)
X = RNG.normal(size=(192, 6)).astype("float32")
Z = (X @ RNG.normal(size=(6, 1))).astype("float32")
TIMES = (12 * RNG.exponential(np.exp(-Z)) ** 0.3).astype("float32")
RATES = np.exp(Z / 2)
NOISE = np.abs(RNG.normal(size=Z.shape) * np.exp(Z / 3)).astype("float32")


def cox(y, risk):
    """The partial likelihood: the output is a risk, low for late events."""
    later = ops.reshape(y, (1, -1)) >= ops.reshape(y, (-1, 1))
    at_risk = ops.where(later, ops.reshape(risk, (1, -1)), -1e9)
    return -ops.mean(ops.reshape(risk, (-1,)) - ops.logsumexp(at_risk, axis=1))


def rank_of_costs(y, cost):
    apart = ops.transpose(cost) - cost
    return ops.mean(ops.cast(y > ops.transpose(y), "float32") * ops.softplus(-apart))


def remaining(y, left):
    return ops.mean((100 - y - left) ** 2)


def reciprocal(y, output):
    return ops.mean((1 / y - output) ** 2)


def precision(y, output):
    return ops.mean(0.5 * y**2 * output - 0.5 * ops.log(output + 1e-6))


def squared_with_wrong_sign(y, output):
    return -ops.mean((y - output) ** 2)


class Own(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        return self.judge(y, y_pred)


def findings(loss, y, *, by_model, activation=None, epochs=6):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(16, "relu")(inputs)
    outputs = keras.layers.Dense(1, activation)(hidden)
    model = (Own if by_model else keras.Model)(inputs, outputs)
    model.judge = loss
    model.compile(keras.optimizers.Adam(0.01), None if by_model else loss)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=epochs, verbose=0, callbacks=[doctor])
    return [f for f in doctor.diagnosis if f.name == "disagreeing_loss"]


@pytest.mark.once
@pytest.mark.parametrize("by_model", [True, False])
@pytest.mark.parametrize(
    ("loss", "y", "activation"),
    [
        (cox, TIMES, None),
        (cox, np.ceil(TIMES), None),
        (rank_of_costs, Z, None),
        (remaining, 50 + 10 * Z, None),
        (reciprocal, RATES, None),
        (precision, NOISE, "softplus"),
    ],
)
def test_an_output_that_means_something_else(loss, y, activation, by_model):
    found = findings(loss, y, by_model=by_model, activation=activation)
    assert all(one.severity == "info" for one in found)


@pytest.mark.once
@pytest.mark.parametrize("by_model", [True, False])
def test_a_loss_that_falls_without_end_is_certain(by_model):
    (found,) = findings(squared_with_wrong_sign, Z, by_model=by_model)
    assert found.severity == "critical"
    assert "gets worse as the loss falls" in found.message


@pytest.mark.once
@pytest.mark.parametrize("by_model", [True, False])
def test_probabilities_with_the_wrong_sign(by_model):
    def loss(y, p):
        return -ops.mean(ops.binary_crossentropy(y, ops.clip(p, 1e-6, 1 - 1e-6)))

    y = (Z > 0).astype("float32")
    (found,) = findings(loss, y, by_model=by_model, activation="sigmoid")
    assert found.severity == "critical"
