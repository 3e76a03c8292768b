"""Targets that do not suit the loss: what is advised changes what is wrong."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6)).astype("float32")
CLASS = (X @ RNG.normal(size=(6, 3))).argmax(axis=1)
SIGN = (X[:, 0] > 0).astype("int64")


def model(units, activation, loss):
    keras.utils.set_random_seed(0)
    layers = [L.Dense(8, "relu"), L.Dense(units, activation)]
    new = keras.Sequential([keras.Input((6,)), *layers])
    new.compile(optimizer="adam", loss=loss)
    return new


SPARSE = "sparse_categorical_crossentropy"
CATEGORICAL = "categorical_crossentropy"
BINARY = "binary_crossentropy"


def mismatch(given, x, y):
    found = kd.preflight(given, x, y)
    named = [f for f in found if f.name == "loss_target_mismatch"]
    return named[0] if named else None


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "first"),
    [
        (3, "softmax", SPARSE, CLASS + 1, "y = y - 1"),
        (3, "softmax", SPARSE, CLASS - 1, "y = y + 1"),
        (3, "softmax", SPARSE, 10 * CLASS, "np.unique(y, return_inverse=True)"),
        (2, "softmax", SPARSE, CLASS, "units=3"),
        (3, "softmax", SPARSE, np.eye(3)[CLASS], "loss='categorical_crossentropy'"),
        (3, "softmax", CATEGORICAL, CLASS, f"loss='{SPARSE}'"),
        (1, "softmax", CATEGORICAL, SIGN, "'sigmoid', loss='binary_crossentropy'"),
        (1, "sigmoid", BINARY, SIGN + 1, "y = (y == 2).astype('float32')"),
        (1, "sigmoid", BINARY, 2 * SIGN - 1, "y = (y == 1).astype('float32')"),
        (1, "sigmoid", BINARY, CLASS, f"loss='{SPARSE}', units=3"),
        (1, "sigmoid", BINARY, 50 + X[:, 0], "loss='mse'"),
    ],
)
def test_the_first_advice_ends_it(units, activation, loss, y, first):
    given = model(units, activation, loss)
    finding = mismatch(given, X, y)
    remedy = finding.remedies[0]
    assert first in (remedy.call or remedy.title)
    scope = {"kd": kd, "np": np, "model": given, "x": X, "y": y}
    exec(remedy.call or remedy.code, scope)
    assert mismatch(scope["model"], X, scope["y"]) is None
    loss = scope["model"].fit(X, scope["y"], verbose=0).history["loss"]
    assert np.isfinite(loss).all()


def test_the_classes_that_no_output_stands_for_are_named():
    message = mismatch(model(3, "softmax", SPARSE), X, CLASS + 1).message
    assert message == (
        "Some targets are class number 3, but the 3 output units are for the classes 0 "
        "to 2."
    )
