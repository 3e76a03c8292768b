"""Outputs that share one probability, and targets that do not."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L = keras.layers
RNG = np.random.default_rng(1)
X = RNG.normal(size=(300, 6)).astype("float32")
CLASS = (X @ RNG.normal(size=(6, 5))).argmax(axis=1)
SHARES = RNG.dirichlet(np.ones(5), size=300).astype("float32")
COLUMNS = RNG.uniform(size=(300, 5)).astype("float32")


def judged(activation, loss, y, fit=False):
    keras.utils.set_random_seed(0)
    layers = [L.Dense(16, "relu"), L.Dense(5, activation)]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.compile(optimizer="adam", loss=loss)
    if not fit:
        return kd.preflight(model, X, y)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=8, verbose=0, callbacks=[doctor])
    return doctor.diagnosis


@pytest.mark.parametrize(
    ("activation", "loss", "y", "is_found"),
    [
        ("softmax", "mse", COLUMNS, True),
        ("softmax", "binary_crossentropy", COLUMNS, True),
        ("softmax", "mse", 3 * SHARES, True),
        ("sigmoid", "mse", COLUMNS, False),
        ("softmax", "mse", SHARES, False),
        ("softmax", "kl_divergence", SHARES, False),
        ("softmax", "mse", np.round(SHARES, 2), False),
        ("softmax", "categorical_crossentropy", np.eye(5)[CLASS], False),
    ],
)
def test_softmax_is_for_rows_that_add_up_to_one(activation, loss, y, is_found):
    found = judged(activation, loss, y).names
    assert ("output_activation_mismatch" in found) is is_found


def test_exclusive_classes_under_binary_crossentropy():
    one_hot = np.eye(5)[CLASS].astype("float32")
    wrong = judged("softmax", "binary_crossentropy", one_hot, fit=True)
    (finding,) = (f for f in wrong if f.name == "loss_target_mismatch")
    assert finding.severity != "info"  # it does harm: little is learned so far
    assert finding.remedies[0].kwargs == {"loss": "categorical_crossentropy"}
    for activation, loss in (
        ("softmax", "categorical_crossentropy"),
        ("sigmoid", "binary_crossentropy"),  # one against the rest
    ):
        assert "loss_target_mismatch" not in judged(activation, loss, one_hot).names
