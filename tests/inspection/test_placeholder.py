"""Numbers that stand for missing values, and inputs of several arrays."""

import numpy as np
import pytest

from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.placeholder import placeholder
from keras_dlbasic.inspection.validation_facts import validation_facts

RNG = np.random.default_rng(0)
PIXELS = np.where(RNG.random((60, 8)) < [0.02] * 3 + [0.9] * 5, 255.0, 0.0)
PIXELS[:3] = [[1.0], [3.0], [2.0]]
PIXELS[3:9, 3:] = RNG.integers(0, 255, (6, 5))
"""Pictures whose border is nearly always black."""


def with_gaps(rng, value, share=0.03):
    x = rng.random((300, 6))
    return np.where(rng.random(x.shape) < share, value, x)


@pytest.mark.parametrize("value", [-999.0, 9999.0, -50.0])
def test_a_number_far_from_all_others(rng, value):
    found, share = placeholder(with_gaps(rng, value))
    assert found == value
    assert share == pytest.approx(0.03, abs=0.02)


def test_it_is_far_from_the_others_of_its_column():
    """Beside prices up to 5000 it is not far; it is beside its own column."""
    shares = np.where(RNG.random(300) < 0.05, -999.0, RNG.random(300))
    found, share = placeholder(np.c_[shares, 5000 * RNG.random(300)])
    assert found == -999.0
    assert share == np.mean(shares == -999) / 2


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20.0),
        np.r_[np.arange(20.0), -999.0],  # one outlier
        np.repeat([0.0, 1.0, 30.0], 9),  # a code
        np.r_[100 + np.arange(9.0) / 9, np.zeros(9)],  # padding
        np.zeros(9),
        np.c_[np.full(60, 2020.0), RNG.random(60)],  # a year
        np.c_[np.repeat([1990.0, 1991, 1992], 20), RNG.random(60)],
        np.c_[np.r_[np.zeros(50), 1, 2, 1, 2, 2, 1, 1, 20, 20, 20], RNG.random(60)],
        PIXELS,
        PIXELS / 255,
    ],
)
def test_what_stands_for_nothing(values):
    assert placeholder(values)[0] is None


def test_gaps_in_training_are_no_fault_of_validation(rng):
    x, clean = with_gaps(rng, -999.0), rng.random((200, 6))
    assert input_facts(x).placeholder == -999.0
    assert validation_facts(x, None, clean, None).scale == pytest.approx(1, abs=0.1)
    assert validation_facts(100 * clean, None, clean, None).scale < 0.02


def test_rows_that_share_one_of_several_inputs_are_no_copies(rng):
    groups, values = rng.integers(0, 5, (300, 1)), rng.normal(size=(300, 4))
    y = rng.integers(0, 2, 300)

    def overlap(own, other):
        parts = [{"group": groups[r], "value": values[r]} for r in (own, other)]
        held_out = (parts[1], y[other])
        return data_facts(parts[0], y[own], held_out).validation.overlap

    assert overlap(slice(0, 200), slice(200, 300)) == 0
    assert overlap(slice(0, 200), slice(100, 300)) == pytest.approx(0.5)
