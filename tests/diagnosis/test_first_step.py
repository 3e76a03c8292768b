"""A first step that is not finite is not the learning rate's fault."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L, ops = keras.layers, keras.ops
RNG = np.random.default_rng(3)
X = RNG.normal(size=(64, 5)).astype("float32")
Y = np.abs(X[:, :1])
Y[::4] = 0.0


def log_ratio(y_true, y_pred):
    """No row has a logarithm (if some have, the others are named)."""
    return ops.mean(ops.square(ops.log(y_true * 0.0) - y_pred), axis=-1)


def distance(y_true, y_pred):
    """A root whose slope is infinite where it is zero, though its value is finite."""
    return ops.mean(
        ops.sqrt(ops.square(y_pred) * 0.0) + ops.square(y_true - y_pred), axis=-1
    )


class Ratio(L.Layer):
    def call(self, inputs):
        return inputs / ops.sum(inputs * 0.0, axis=-1, keepdims=True)


def net(loss, *layers, rate=1e-3):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((5,)), *layers, L.Dense(4, name="hidden"), L.Dense(1, name="out")]
    )
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


CASES = {
    "loss": lambda rate: net(log_ratio, rate=rate),
    "gradients": lambda rate: net(distance, rate=rate),
    "outputs": lambda rate: net("mse", Ratio(name="ratio"), rate=rate),
}


@pytest.mark.parametrize("rate", [1e-9, 0.1])
@pytest.mark.parametrize("place", CASES)
def test_the_place_is_named(place, rate):
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model = CASES[place](rate)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[doctor])
    first = doctor.diagnosis[0]
    assert (first.name, first.severity) == ("non_finite_start", "critical")
    assert first.evidence["place"] == place
    assert place != "outputs" or first.layer == "ratio"
    assert "learning_rate_too_high" not in doctor.diagnosis.names
    planned = kd.preflight(CASES[place](rate), X, Y)
    assert planned[0].name == "non_finite_start"
    assert planned[0].evidence == first.evidence


def test_a_rate_that_is_too_high_is_still_named():
    model = net("mse", rate=50.0)
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[doctor])
    assert "learning_rate_too_high" in doctor.diagnosis.names
    assert "non_finite_start" in doctor.diagnosis.checked_fine
    assert "non_finite_start" in kd.preflight(net("mse"), X, Y).checked_fine


def test_a_loss_that_is_lost_later_is_not_blamed_on_short_steps():
    class Late(keras.losses.Loss):
        """Takes the logarithm of what is zero in some batches only."""

        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_pred - ops.log(y_true)), axis=-1)

    targets = np.ones((320, 1), "float32")
    targets[200] = 0.0
    inputs = RNG.normal(size=(320, 5)).astype("float32")
    model = net(Late(), rate=1e-5)
    doctor = kd.callbacks.TrainingDoctor(inputs, targets, verbose=0, every=1)
    model.fit(
        inputs,
        targets,
        batch_size=16,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[doctor],
    )
    assert "non_finite_values" in doctor.diagnosis.names
    assert "learning_rate_too_high" not in doctor.diagnosis.names
