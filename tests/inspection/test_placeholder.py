"""Numbers that stand for missing values, and inputs of several arrays."""

import numpy as np
import pytest

from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.placeholder import placeholder
from keras_dlbasic.inspection.validation_facts import validation_facts


def with_gaps(rng, value, share=0.03):
    x = rng.random((300, 6))
    return np.where(rng.random(x.shape) < share, value, x)


@pytest.mark.parametrize("value", [-999.0, 9999.0, -50.0])
def test_a_number_far_from_all_others(rng, value):
    found, share = placeholder(with_gaps(rng, value))
    assert found == value
    assert share == pytest.approx(0.03, abs=0.02)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20.0),
        np.r_[np.arange(20.0), -999.0],  # one outlier
        np.repeat([0.0, 1.0, 30.0], 9),  # a code
        np.r_[100 + np.arange(9.0) / 9, np.zeros(9)],  # padding
        np.zeros(9),
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
