"""Losses without a slope for predictions that are wrong."""

import numpy as np
import pytest
from keras import ops
from made_runs import STUCK, edited_facts, found, made_run

from keras_dlbasic.inspection.flat_loss import flat_rows
from keras_dlbasic.inspection.held_at_zero import held_at_zero

RNG = np.random.default_rng(0)
Y = RNG.normal(9.0, 2.0, size=(64, 1))
NOTHING = RNG.normal(size=(64, 1))


def clipped(y, p):
    return ops.mean(ops.square(ops.clip(y - p, -1.0, 1.0)), axis=-1)


def rounded(y, p):
    return ops.mean(ops.square(y - ops.round(p)), axis=-1)


def straight_through(y, p):
    """Rounded values with the gradient of the values before."""
    return ops.mean(ops.square(y - p - ops.stop_gradient(ops.round(p) - p)), axis=-1)


def huber(y, p):
    size = ops.abs(y - p)
    return ops.mean(ops.where(size < 1, 0.5 * size**2, size - 0.5), axis=-1)


def within(y, p):
    """Errors below 1 do not count."""
    return ops.mean(ops.maximum(ops.abs(y - p) - 1.0, 0.0), axis=-1)


@pytest.mark.parametrize(
    ("loss", "outputs", "least", "most"),
    [
        (clipped, NOTHING, 0.8, 1.0),
        (rounded, NOTHING, 0.8, 1.0),
        (straight_through, NOTHING, 0.0, 0.0),
        (huber, NOTHING, 0.0, 0.0),
        (within, NOTHING, 0.0, 0.0),
        (clipped, Y + 0.5, 0.0, 0.0),
        (within, Y + 0.5, 0.0, 0.0),
    ],
)
def test_the_share_of_rows(loss, outputs, least, most):
    assert least <= flat_rows(loss, Y, outputs) <= most


@pytest.mark.parametrize(("share", "named"), [(0.6, True), (0.4, False)])
def test_it_is_named(share, named):
    record = made_run(**STUCK)
    with edited_facts(record) as facts:
        facts["probe"]["flat_rows"] = share
    finding = found(record, "zero_gradients")
    assert (finding is not None) == named


def nll(y, p):
    """Of a normal distribution; the second column is the logarithm of the variance."""
    return 0.5 * ops.mean(p[:, 1:] + ops.square(y - p[:, :1]) / ops.exp(p[:, 1:]), -1)


def test_a_logarithm_that_cannot_be_negative():
    mean = Y + 0.1 * NOTHING
    held = held_at_zero(nll, Y, np.hstack([mean, np.zeros_like(Y)]))
    assert held.column == 1
    assert held.share > 0.9
    assert held_at_zero(nll, Y, np.hstack([mean, np.full_like(Y, -4.0)])) is None
    wide = np.hstack([mean + 5.0, np.zeros_like(Y)])  # the variance is too small
    assert held_at_zero(nll, Y, wide) is None


@pytest.mark.parametrize(
    ("share", "below", "named"),
    [(0.8, 1.2, True), (0.4, 1.2, False), (0.8, 1.399, False)],
)
def test_an_output_at_zero_is_named(share, below, named):
    record = made_run(facts={"loss": {"class_name": "nll", "own": True}}, **STUCK)
    with edited_facts(record) as facts:
        known = {"column": 1, "share": share, "loss": 1.4, "below": below}
        facts["probe"]["held"] = known
    finding = found(record, "output_activation_mismatch")
    assert (finding is not None) == named
