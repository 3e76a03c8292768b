"""Classes along another axis, and targets or outputs of zero."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L = keras.layers
RNG = np.random.default_rng(5)
PLANES = RNG.normal(size=(48, 6, 6, 2)).astype("float32")
MASK = (PLANES[..., 0] > 0).astype(int)
FIRST = np.moveaxis(np.eye(2, dtype="float32")[MASK], -1, 1)  # classes at axis 1


def planes(softmax, loss):
    """A model whose classes are at axis 1."""
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(2, 1), L.Permute((3, 1, 2)), L.Softmax(axis=softmax)]
    model = keras.Sequential([keras.Input((6, 6, 2)), *layers])
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss)
    return model


def serious(model, x, y, **fit):
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, verbose=0, callbacks=[doctor], **fit)
    return doctor.diagnosis.at_least("warning")


def test_softmax_and_loss_along_the_same_axis_are_right():
    loss = keras.losses.CategoricalCrossentropy(axis=1)
    assert serious(planes(1, loss), PLANES, FIRST, epochs=30, batch_size=8) == ()


@pytest.mark.parametrize(
    ("softmax", "loss"),
    [
        (1, keras.losses.CategoricalCrossentropy()),
        (2, keras.losses.CategoricalCrossentropy(axis=1)),
    ],
)
def test_softmax_along_another_axis_than_the_loss(softmax, loss):
    (finding,) = (
        f
        for f in kd.preflight(planes(softmax, loss), PLANES, FIRST)
        if f.name == "output_activation_mismatch"
    )
    assert finding.severity == "critical"
    assert "along axis" in finding.message


X = RNG.normal(size=(200, 4)).astype("float32")
COUNTS = RNG.poisson(np.exp(0.5 + 0.5 * X[:, :1])).astype("float32")


def regression(activation, loss, rate=0.01):
    keras.utils.set_random_seed(0)
    layers = [L.Dense(8, "relu"), L.Dense(1, activation)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss)
    return model


@pytest.mark.parametrize(
    ("loss", "y", "is_found"),
    [
        ("mape", COUNTS, True),
        ("mape", COUNTS + 1, False),
        ("mae", COUNTS, False),
        ("msle", COUNTS - 1, True),
        ("poisson", COUNTS - 1, True),
        ("msle", COUNTS, False),
    ],
)
def test_losses_that_cannot_take_the_targets(loss, y, is_found):
    found = kd.preflight(regression("softplus", loss), X, y).names
    assert ("loss_target_mismatch" in found) is is_found


def test_a_rectified_output_that_died():
    died = regression("relu", "mse")
    kernel, bias = died.layers[-1].get_weights()
    died.layers[-1].set_weights([kernel, bias - 100])
    first = serious(died, X, COUNTS, epochs=6)[0]
    assert first.name in ("output_activation_mismatch", "zero_gradients")
    named = {f.name: f for f in serious(died, X, COUNTS, epochs=6)}
    assert "0 for every input" in named["output_activation_mismatch"].message
    alive = serious(regression("relu", "mse"), X, COUNTS, epochs=30)
    assert "output_activation_mismatch" not in [f.name for f in alive]
