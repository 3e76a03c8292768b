"""Sample weights of the steps of sequences, and where padding is."""

from dataclasses import replace

import numpy as np
import pytest
from made_batches import DRAWN, with_batches
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.inspection.weight_facts import weight_facts

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(3, 10, 64)
IS_STEP = np.arange(12) < LENGTHS[:, None]
WORDS = np.where(IS_STEP, RNG.integers(1, 30, IS_STEP.shape), 0)
VECTORS = IS_STEP[..., None] * RNG.normal(size=(64, 12, 3))
LABELS = WORDS % 3


def facts(weights, inputs=WORDS):
    (found,) = weight_facts([LABELS], [weights], [inputs])
    return found


@pytest.mark.parametrize("inputs", [WORDS, VECTORS])
def test_the_share_of_weight_on_padding(inputs):
    padding = 1 - IS_STEP.mean()
    assert facts(1.0 - IS_STEP, inputs).on_padding == 1.0
    assert facts(1.0 * IS_STEP, inputs).on_padding == 0.0
    np.testing.assert_allclose(facts(np.ones((64, 12)), inputs).on_padding, padding)
    np.testing.assert_allclose(facts(1.0 * IS_STEP, inputs).padding, padding)


@pytest.mark.parametrize(
    ("weights", "inputs"),
    [
        (np.ones(64), WORDS),  # one a row
        (np.zeros((64, 12)), WORDS),  # no weight at all: said elsewhere
        (1.0 - IS_STEP, WORDS + 0.5),  # numbers, of which zero is none
        (1.0 - IS_STEP, WORDS + 1),  # no padding
        (1.0 - IS_STEP, [WORDS, WORDS]),  # of which of them?
    ],
)
def test_padding_that_is_not_known(weights, inputs):
    assert np.isnan(facts(weights, inputs).on_padding)


def test_steps_that_are_masked_to_be_filled_in():
    """Masked modelling: inputs are 0 where the loss counts, on purpose."""
    words = RNG.integers(1, 30, (64, 12))
    at_random = RNG.random(words.shape) < 0.15
    at_the_end = np.broadcast_to(np.arange(12) >= 8, words.shape)  # a forecast
    for is_masked in (at_random, at_the_end):
        shown = np.where(is_masked, 0, words)
        weights = 1.0 * is_masked
        (found,) = weight_facts([words], [weights], [shown])
        assert np.isnan(found.on_padding)
        record = with_batches(made_run(), DRAWN)
        record.note(data=replace(record.facts.data, weights=(found,)))
        assert "zero_weights" in kd.diagnose(record).checked_fine


def test_targets_of_padding_that_are_not_known():
    (found,) = weight_facts([None], [1.0 - IS_STEP], [WORDS])
    assert np.isnan(found.on_padding)


@pytest.mark.parametrize(
    ("padding", "on_padding", "named"),
    [(0.4, 1.0, True), (0.4, 0.4, False), (0.4, 0.0, False), (0.95, 1.0, False)],
)
def test_a_mask_that_is_turned_around(padding, on_padding, named):
    record = with_batches(made_run(), DRAWN)
    (weights,) = weight_facts([LABELS], [1.0 * IS_STEP], [WORDS])
    weights = replace(weights, padding=padding, on_padding=on_padding)
    record.note(data=replace(record.facts.data, weights=(weights,)))
    found = [f for f in kd.diagnose(record) if f.name == "zero_weights"]
    assert bool(found) == named
    if named:
        assert found[0].severity == "critical"
        assert "inverted" in found[0].message
