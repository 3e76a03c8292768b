"""A loss that is lower for wrong answers than for the targets is named, no other."""

import keras
import numpy as np
import pytest
from keras import ops
from made_runs import edited_facts, found, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.loss_sense import loss_sense
from keras_dlbasic.inspection.truth_facts import truth_facts
from keras_dlbasic.records.probe_facts import TruthFacts

N = 64
RNG = np.random.default_rng(3)
VALUES = RNG.normal(3.0, 2.0, (N, 2)).astype("float32")
CLASSES = RNG.integers(0, 4, N)
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]
MASKS = (RNG.random((N, 6, 6, 1)) < 0.2).astype("float32")
GAINS = RNG.random((N, 5, 2)).astype("float32")
SHARES = RNG.dirichlet(np.ones(4), N).astype("float32")
SAME = (RNG.random((N, 1)) < 0.4).astype("float32")


def jaccard(t, p):
    both = ops.sum(t * p)
    return (both + 1) / (ops.sum(t) + ops.sum(p) - both + 1)


def contrastive(t, d):
    return ops.mean(t * d**2 + (1 - t) * ops.relu(1 - d) ** 2)


def pinball(t, p):
    return ops.mean(ops.maximum(0.9 * (t - p), -0.1 * (t - p)), axis=-1)


def likelihood(t, p):
    return ops.sum(t * ops.log(p + 1e-7), axis=-1)


def logit_bce(t, p):
    return ops.mean(ops.binary_crossentropy(t, p, from_logits=True), axis=-1)


def pairs(t, p):
    return ops.mean((ops.reshape(t, (1, -1)) - ops.reshape(p, (-1, 1))) ** 2)


def hinge(y_true, y_pred):
    """Expects -1 and 1: for a label of 0 it is the same for all predictions."""
    return ops.mean(ops.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


class Spread(keras.losses.Loss):
    """Subtracts outputs (n, 1) from targets as they come, which may be (n,)."""

    def call(self, y_true, y_pred):
        return ops.mean((y_true - y_pred) ** 2, axis=-1)


@pytest.mark.parametrize(
    ("loss", "y", "activation", "sense"),
    [
        (jaccard, MASKS, "sigmoid", "wrong"),
        (lambda t, p: 1 - jaccard(t, p), MASKS, "sigmoid", "right"),
        (lambda t, p: -pinball(t, p), VALUES, None, "wrong"),
        (pinball, VALUES, None, "right"),
        (likelihood, ONE_HOT, "softmax", "wrong"),
        (lambda t, p: -likelihood(t, p), ONE_HOT, "softmax", "right"),
        (lambda t, p: -logit_bce(t, p), SAME, None, "wrong"),
        (logit_bce, SAME, None, "right"),
        (hinge, SAME, "sigmoid", "indifferent"),
        (hinge, SAME, None, "indifferent"),
        (contrastive, SAME, None, "opposite"),
        (contrastive, 1 - SAME, None, "opposite"),
        (pairs, VALUES[:, :1], None, "blind"),
        (Spread(), VALUES[:, 0], None, "blind"),
        (Spread(), VALUES[:, :1], None, "right"),
        (lambda t, p: ops.mean(p, axis=-1), VALUES, None, "unclear"),
        (lambda t, p: ops.binary_crossentropy(p, t), GAINS, "sigmoid", "extreme"),
        (lambda t, p: ops.binary_crossentropy(t, p), GAINS, "sigmoid", "right"),
        (lambda t, p: ops.mean((t - p) ** 2, axis=-1), GAINS, "sigmoid", "right"),
        (lambda t, p: -likelihood(p, t), SHARES, "softmax", "extreme"),
        (lambda t, p: -likelihood(t, p), SHARES, "softmax", "right"),
        (likelihood, SHARES, "softmax", "wrong"),  # 0 and 1 are better, too
        (lambda t, p: ops.binary_crossentropy(p, t), MASKS, "sigmoid", "right"),
    ],
)
def test_what_a_loss_rewards(loss, y, activation, sense):
    shape = y.shape if y.ndim > 1 else (N, 1)
    assert loss_sense(truth_facts(loss, y, shape, activation)) == sense


@pytest.mark.parametrize(
    ("y", "shape", "activation"),
    [
        (CLASSES, (N, 32), None),  # embeddings
        (CLASSES % 2, (N, 2), None),  # two parameters of a distribution
        (2 * SAME - 1, (N, 1), None),  # a critic
        (VALUES, (N, 2), "sigmoid"),  # out of range
        (ONE_HOT + SAME, (N, 4), "softmax"),
        (np.ones((N, 1)), (N, 1), "sigmoid"),
        (VALUES[:8], (8, 2), None),
    ],
)
def test_nothing_is_said_where_no_output_is_right(y, shape, activation):
    assert truth_facts(jaccard, y, shape, activation) is None


def test_a_loss_that_cannot_be_computed():
    assert truth_facts(lambda t, p: t.nothing, VALUES, VALUES.shape, None) is None
    assert loss_sense(TruthFacts()) == "unclear"


def verdict(loss):
    x = RNG.normal(size=(160, 5)).astype("float32")
    y = np.eye(3, dtype="float32")[np.abs(x[:, :3]).argmax(axis=1)]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(0.01), loss)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=25, verbose=0, callbacks=[doctor])
    return doctor.diagnosis


def test_a_fit_that_falls_the_wrong_way():
    diagnosis = verdict(likelihood)
    assert diagnosis[0].name == "disagreeing_loss"
    assert diagnosis[0].severity == "critical"
    assert "gets worse as the loss falls" in diagnosis[0].message
    healthy = verdict(lambda t, p: -likelihood(t, p))
    assert "disagreeing_loss" in healthy.checked_fine


@pytest.mark.parametrize(
    ("explained", "kept", "is_named"),
    [
        (0.0, 0.1, True),
        (-3.0, 0.1, True),
        (-1.0, 1.0, False),  # samples of a distribution, which have its spread
        (0.8, 0.9, False),
        (None, 0.1, False),
    ],
)
def test_a_step_in_which_all_rows_meet(explained, kept, is_named):
    record = made_run()
    with edited_facts(record) as facts:
        facts["short_side"] = "targets"
        facts["probe"] |= {} if explained is None else {"explained": explained}
        facts["probe"]["spread_kept"] = kept
    finding = found(record, "disagreeing_loss")
    assert (finding is not None) is is_named
    if finding is not None:
        assert finding.severity == "critical"
        assert "explain 0% of the variance" in finding.message
