"""Losses without a lowest value, and of class numbers for one-hot vectors, are named."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.loss_sense import (
    falls_at_edges,
    has_no_lowest,
    loss_sense,
)
from keras_dlbasic.inspection.beyond_facts import beyond_facts
from keras_dlbasic.inspection.truth_facts import truth_facts
from keras_dlbasic.records.probe_facts import BeyondFacts, TruthFacts

N = 64
RNG = np.random.default_rng(5)
NUMBERS = RNG.integers(0, 3, (N, 4, 4, 1))
ONE_HOT = np.eye(3, dtype="float32")[NUMBERS[:, 0, 0, 0]]
VALUES = RNG.normal(size=(N, 2)).astype("float32")
PIXELS = RNG.normal(size=(N, 4, 4, 1)).astype("float32")
SHARES = RNG.random((N, 4, 4, 1)).astype("float32")
SIGNS = np.sign(PIXELS)
ADVANTAGES = ONE_HOT * RNG.normal(size=(N, 1)).astype("float32")


def bare_likelihood(t, p):
    return -ops.sum(t * p, axis=-1)


def likelihood(t, p):
    return -ops.sum(t * ops.log_softmax(p), axis=-1)


def cross_entropy(t, p):
    p = ops.clip(p, 1e-6, 1 - 1e-6)
    return -ops.mean(t * ops.log(p) + (1 - t) * ops.log(1 - p), axis=(1, 2, 3))


def policy(t, p):
    return -ops.mean(t * ops.log(p), axis=(1, 2, 3))


def contrastive(t, d):
    return ops.mean(t * d**2 + (1 - t) * ops.relu(1 - d) ** 2)


def ordinal(t, p):
    """Each column tells whether the class is above it."""
    above = ops.cast(ops.cast(t, "float32") > ops.arange(3.0), "float32")
    p = ops.clip(p, 1e-6, 1 - 1e-6)
    return -ops.sum(above * ops.log(p) + (1 - above) * ops.log(1 - p), axis=-1)


def dice(t, p):
    t = ops.cast(t, "float32")
    return 1 - (2 * ops.sum(t * p) + 1) / (ops.sum(t + p) + 1)


def dice_of_masks(t, p):
    return dice(ops.one_hot(ops.cast(t[..., 0], "int32"), 3), p)


def alike(t, p):
    """Embeddings of the same class are to be close, of others to be far."""
    t, p = ops.reshape(t, (-1, 1)), ops.reshape(p, (-1, 3))
    apart = ops.sum((p[:, None] - p[None]) ** 2, axis=-1)
    is_same = ops.cast(t == ops.transpose(t), "float32")
    return ops.mean(is_same * apart + (1 - is_same) * ops.relu(1 - apart))


@pytest.mark.parametrize(
    ("loss", "y", "activation", "found"),
    [
        (bare_likelihood, ONE_HOT, None, True),
        (bare_likelihood, VALUES, None, True),
        (lambda t, p: ops.mean(bare_likelihood(t, p)), ONE_HOT, "linear", True),
        (bare_likelihood, ONE_HOT, "log_softmax", False),
        (bare_likelihood, ONE_HOT, "softmax", False),
        (likelihood, ONE_HOT, None, False),
        (likelihood, ADVANTAGES, None, False),  # policy gradients
        (contrastive, ONE_HOT, None, False),
        (lambda t, p: (t - p) ** 2, VALUES, None, False),
        (lambda t, p: -ops.sum(t * ops.tanh(p), axis=-1), VALUES, None, False),
    ],
)
def test_a_loss_that_falls_without_end(loss, y, activation, found):
    assert has_no_lowest(truth_facts(loss, y, y.shape, activation)) == found


@pytest.mark.parametrize(
    ("loss", "y", "found"),
    [
        (cross_entropy, PIXELS, True),
        (cross_entropy, SIGNS, True),
        ("mse", PIXELS, False),
        ("mae", PIXELS, False),
        (policy, PIXELS, False),
        (lambda t, p: -policy(t, p), PIXELS, False),
        (dice, PIXELS, False),
        (cross_entropy, np.where(np.arange(N)[:, None, None, None], SHARES, 2), False),
    ],
)
def test_targets_beyond_a_sigmoid(loss, y, found):
    assert falls_at_edges(beyond_facts(loss, y, y.shape, "sigmoid")) == found


@pytest.mark.parametrize(
    ("loss", "y", "activation"),
    [
        (cross_entropy, SHARES, "sigmoid"),
        (cross_entropy, PIXELS, None),
        (cross_entropy, PIXELS[:8], "sigmoid"),
        (lambda t, p: t.nothing, PIXELS, "sigmoid"),
    ],
)
def test_nothing_is_beyond(loss, y, activation):
    assert beyond_facts(loss, y, y.shape, activation) is None
    assert not falls_at_edges(BeyondFacts())
    assert not has_no_lowest(TruthFacts())


@pytest.mark.parametrize(
    ("loss", "activation", "found"),
    [
        (dice, "sigmoid", True),
        (dice, "softmax", True),
        (lambda t, p: ops.mean((t - p) ** 2, axis=-1), "softmax", True),
        (dice_of_masks, "sigmoid", False),
        (dice_of_masks, "softmax", False),
        ("sparse_categorical_crossentropy", "softmax", False),
        (alike, "sigmoid", False),
        (lambda t, p: ops.mean(p, axis=-1), "sigmoid", False),
        (lambda t, p: -dice_of_masks(t, p), "softmax", False),  # the sign is wrong
        (dice, None, False),
    ],
)
def test_class_numbers_for_vectors(loss, activation, found):
    facts = truth_facts(loss, NUMBERS, (N, 4, 4, 3), activation)
    assert (facts is not None and loss_sense(facts) == "numbers") == found


@pytest.mark.parametrize(
    ("loss", "sense"),
    [
        (ordinal, "right"),
        (dice_of_masks, "right"),
        (lambda t, p: -dice_of_masks(t, p), "wrong"),
    ],
)
def test_numbers_that_an_output_of_sigmoids_is_above(loss, sense):
    facts = truth_facts(loss, NUMBERS, (N, 4, 4, 3), "sigmoid")
    assert loss_sense(facts) == sense


def verdict(x, y, layers, loss, *, epochs=25, rate=0.05):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=epochs, verbose=0, callbacks=[doctor])
    return doctor.diagnosis


def named(diagnosis):
    found = [one for one in diagnosis if one.name == "disagreeing_loss"]
    return found[0] if found else None


def test_a_fit_of_bare_outputs():
    x = RNG.normal(size=(192, 6)).astype("float32")
    y = np.eye(3, dtype="float32")[np.abs(x[:, :3]).argmax(axis=1)]

    def layers():
        return [keras.layers.Dense(32, "relu"), keras.layers.Dense(3)]

    finding = named(verdict(x, y, layers(), bare_likelihood))
    assert "has no lowest value" in finding.message
    assert "log_softmax" in str(finding.remedies)
    assert named(verdict(x, y, layers(), likelihood, epochs=5)) is None


def test_a_fit_of_standardized_pixels():
    x = RNG.normal(size=(128, 4, 4, 1)).astype("float32")

    def layers(activation):
        return [keras.layers.Conv2D(1, 1, activation=activation)]

    finding = named(verdict(x, x, layers("sigmoid"), cross_entropy, epochs=8))
    assert finding.severity == "warning"
    assert "outside of 0 and 1" in finding.message
    share = 1 / (1 + np.exp(-x))
    assert named(verdict(x, share, layers("sigmoid"), cross_entropy, epochs=8)) is None


def test_a_fit_of_class_numbers():
    x = np.eye(3, dtype="float32")[NUMBERS[..., 0]]
    y = NUMBERS.astype("int32")

    def layers():
        return [keras.layers.Conv2D(3, 1, activation="sigmoid")]

    finding = named(verdict(x, y, layers(), dice, epochs=8))
    assert finding.severity == "critical"
    assert "one_hot(y[..., 0], 3)" in str(finding.remedies)
    assert named(verdict(x, y, layers(), dice_of_masks, epochs=8)) is None
