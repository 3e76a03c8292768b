"""What losses of the user's ask for beyond the range of an activation."""

import numpy as np
import pytest
from keras import ops

from keras_dlbasic.inspection.outside_facts import outside_facts

RNG = np.random.default_rng(0)
VALUES = (2.5 * RNG.normal(size=(64, 1))).astype("float32")
LABELS = (RNG.random((64, 1)) < 0.4).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[RNG.integers(0, 3, 64)]


def squared(y, p):
    return ops.mean(ops.square(y - p), axis=-1)


def chosen(y, p):
    """The value of an action: the first column says which, the second how good."""
    mask = ops.one_hot(ops.cast(y[:, 0], "int32"), 2)
    return ops.square(ops.sum(mask * p, axis=-1) - y[:, 1])


def entropy(y, p):
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p), axis=-1)


def clipped(y, p):
    return entropy(y, ops.clip(p, 1e-7, 1 - 1e-7))


def surprise(y, p):
    return -ops.sum(y * ops.log(p + 1e-7), axis=-1)


def hinge(y, p):
    return ops.mean(ops.maximum(1 - (2 * y - 1) * p, 0.0), axis=-1)


def dice(y, p):
    return 1 - (2 * ops.sum(y * p, -1) + 1) / (ops.sum(y, -1) + ops.sum(p, -1) + 1)


def gain(y, p):
    return -ops.mean(y * p, axis=-1)


ACTIONS = np.column_stack([RNG.integers(0, 2, 64), 2.5 * RNG.normal(size=64)])


@pytest.mark.parametrize(
    ("loss", "y", "activation"),
    [
        (squared, VALUES, "sigmoid"),
        (squared, VALUES, "tanh"),
        (chosen, ACTIONS.astype("float32"), "softmax"),
    ],
)
def test_squared_errors_of_values(loss, y, activation):
    found = outside_facts(loss, y, y.shape, activation)
    assert found.share > 0.4
    assert found.loss < 0.3 * found.within
    assert not 0 <= found.answer <= 1


@pytest.mark.parametrize(
    ("loss", "y", "activation"),
    [
        *((loss, LABELS, "sigmoid") for loss in (entropy, clipped, squared, gain)),
        *((loss, LABELS, "tanh") for loss in (hinge, squared, gain)),
        *((loss, ONE_HOT, "softmax") for loss in (surprise, squared, gain, dice)),
        (dice, LABELS, "sigmoid"),
        (squared, VALUES, "linear"),
        (squared, VALUES, None),
        (squared, VALUES[:3], "sigmoid"),
        (lambda y, p: ops.mean(squared(y, p)), VALUES, "sigmoid"),
        (lambda y, p: 1 / 0, VALUES, "sigmoid"),
    ],
)
def test_nothing_is_asked_for(loss, y, activation):
    found = outside_facts(loss, y, y.shape, activation)
    assert found is None or found.within - found.loss < 0.05 * found.within
