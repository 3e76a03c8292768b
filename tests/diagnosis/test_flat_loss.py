"""Losses without a slope for predictions that are wrong."""

import numpy as np
import pytest
from keras import ops
from made_runs import STUCK, edited_facts, found, made_run

from keras_dlbasic.inspection.flat_loss import flat_rows

RNG = np.random.default_rng(0)
Y = RNG.normal(9.0, 2.0, size=(64, 1))
NOTHING = RNG.normal(size=(64, 1))


def clipped(y, p):
    return ops.mean(ops.square(ops.clip(y - p, -1.0, 1.0)), axis=-1)


def rounded(y, p):
    return ops.mean(ops.square(y - ops.round(p)), axis=-1)


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
