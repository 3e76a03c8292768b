"""How well targets that are pictures are known by the mean of each position."""

import keras
import numpy as np
import pytest

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection.output_probe import OutputProbe

RNG = np.random.default_rng(0)
USUAL = RNG.normal(size=(1, 6, 6, 1))


def by_position(y, loss="mse", task=TaskKind.VALUES):
    probe = OutputProbe(y, loss, LossKind.of(loss), task)
    return probe.facts([np.zeros((len(y), 2))], y.shape).by_position


def test_each_row_is_left_out():
    y = USUAL + 0.5 * RNG.normal(size=(200, 6, 6, 1))
    places = y.reshape(200, -1)
    others = (places.sum(0) - places) / 199
    expected = 1 - ((places - others) ** 2).mean() / places.var()
    assert by_position(y) == pytest.approx(expected, abs=1e-6)
    assert by_position(RNG.normal(size=(40, 6, 6, 1))) < 0.02  # noise


def test_logits_and_probabilities_are_the_same():
    masks = (USUAL + 0.3 * RNG.normal(size=(200, 6, 6, 1)) > 0.5).astype("float32")
    logits = keras.losses.BinaryCrossentropy(from_logits=True)
    known = by_position(masks, "binary_crossentropy", TaskKind.LABELS)
    assert known > 0.3
    assert by_position(masks, logits, TaskKind.LABELS) == pytest.approx(known)


def test_where_it_is_not_known():
    y = USUAL + 0.5 * RNG.normal(size=(200, 6, 6, 1))
    assert by_position(y[:31]) is None
    assert by_position(y[:, :, 0, 0]) is None
    y[0, 0, 0, 0] = np.nan
    assert by_position(y) is None
