import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from keras_dlbasic.analysis.experiments.comparison import mean_interval, rank


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=10, unique=True))
def test_interval_is_that_of_a_t_test(values):
    interval = mean_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx(tuple(expected), abs=1e-6)


def test_logarithms():
    interval = mean_interval([1.0, 100.0, np.nan, -1.0], log=True)
    assert interval.mean == pytest.approx(10)
    assert interval.low > 0
    assert interval.n == 2


def test_one_value_bounds_nothing():
    interval = mean_interval([3.0])
    assert (interval.low, interval.high) == (-np.inf, np.inf)
    assert np.isnan(mean_interval([np.nan]).mean)


def test_ranking():
    ranking = rank("t", {"a": [3, 3.01], "b": [1, 1.01], "c": [1, 1.02], "d": [np.nan]})
    assert ranking.order == ("b", "c", "a")
    assert ranking.distinguishable("b", "a")
    assert not ranking.distinguishable("b", "c")
    assert "not distinguishable: b and c" in str(ranking)


def test_a_share_stays_between_its_bounds():
    interval = mean_interval([0.9, 0.2], bounds=(0, 1))
    assert (interval.mean, interval.low, interval.high) == (pytest.approx(0.55), 0, 1)
    inside = mean_interval([0.5, 0.51, 0.49], bounds=(0, 1))
    assert inside == mean_interval([0.5, 0.51, 0.49])
