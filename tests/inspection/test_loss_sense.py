"""A loss of one's own that rewards what is wrong is found; any other is not."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.loss_sense import has_right_sense

ops = keras.ops
RNG = np.random.default_rng(2)
X = RNG.normal(size=(60, 4)).astype("float32")
CLASS = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)
ONE_HOT = np.eye(3, dtype="float32")[CLASS]
VALUES = X[:, :1] ** 2
MASKS = (RNG.random((24, 5, 5, 1)) > 0.7).astype("float32")


def entropy(y, p):
    return -ops.sum(y * ops.log(p), axis=-1)


def entropy_of_logits(y, p):
    return -ops.sum(y * ops.log_softmax(p, axis=-1), axis=-1)


def dice(y, p):
    return 2 * ops.sum(y * p) / (ops.sum(y) + ops.sum(p))


def pinball(y, p):
    return ops.mean(ops.maximum(0.9 * (y - p), 0.1 * (p - y)), axis=-1)


def correlation(y, p):
    y, p = y - ops.mean(y), p - ops.mean(p)
    return ops.sum(y * p) / ops.sqrt(ops.sum(y * y) * ops.sum(p * p))


def minus(loss):
    return lambda y, p: -loss(y, p)


CASES = [
    (entropy, ONE_HOT, "softmax"),
    (entropy_of_logits, ONE_HOT, None),
    (lambda y, p: 1 - dice(y, p), MASKS, "sigmoid"),
    (pinball, VALUES, None),
    (lambda y, p: 1 - correlation(y, p), VALUES, None),
    (lambda y, p: ops.square(ops.log(1 + y) - ops.log(1 + p)), VALUES, "softplus"),
]


@pytest.mark.parametrize(("loss", "y", "activation"), CASES)
def test_both_senses(loss, y, activation):
    assert has_right_sense(loss, y, y.shape, activation)
    assert has_right_sense(minus(loss), y, y.shape, activation) is False


def test_what_cannot_be_told():
    ignores = lambda y, p: ops.mean(ops.square(p), axis=-1)  # noqa: E731
    assert has_right_sense(ignores, np.ones((20, 1)), (20, 1), None) is None
    assert has_right_sense(pinball, VALUES[:4], (4, 1), None) is None
    infinite = lambda y, p: ops.log(y * 0.0)  # noqa: E731
    assert has_right_sense(infinite, VALUES, (60, 1), None) is None


def judged(loss, y, units, activation):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(units, activation)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimizer="adam", loss=loss)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=3, verbose=0, callbacks=[doctor])
    return doctor.diagnosis


def test_the_doctor_says_so():
    for loss, y, activation in (CASES[0], CASES[3]):
        wrong = judged(minus(loss), y, y.shape[1], activation)
        assert wrong[0].name == "loss_target_mismatch"
        assert "lower for wrong predictions" in wrong[0].message
        right = judged(loss, y, y.shape[1], activation)
        assert "loss_target_mismatch" not in right.names
