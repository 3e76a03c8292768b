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
    assert interval.mean == pytest.approx(0.55)
    assert 0 < interval.low < 0.01
    assert 0.99 < interval.high < 1
    inside = mean_interval([0.5, 0.51, 0.49], bounds=(0, 1))
    assert inside == mean_interval([0.5, 0.51, 0.49])


shares = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(shares, st.sampled_from([(0, 1), (0, np.inf), (-np.inf, 1)]))
def test_no_interval_leaves_its_bounds_or_its_mean(values, bounds):
    found = mean_interval(values, bounds=bounds)
    assert bounds[0] <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= bounds[1]


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6, unique=True))
def test_both_bounds_are_treated_alike(values):
    one = mean_interval(values, bounds=(0, 1))
    other = mean_interval(1 - np.array(values), bounds=(0, 1))
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))


def test_ends_beyond_a_bound_are_those_of_the_logit_and_of_the_logarithm():
    values = np.array([0.02, 0.2, 0.05])
    error = values.std(ddof=1) / np.sqrt(3) * stats.t.ppf(0.975, 2)
    mean = values.mean()
    logit = np.log(mean / (1 - mean)) - error / (mean * (1 - mean))
    expected = np.exp(logit) / (1 + np.exp(logit))
    assert mean_interval(values, bounds=(0, 1)).low == pytest.approx(expected)
    expected = mean * np.exp(-error / mean)
    assert mean_interval(values, bounds=(0, np.inf)).low == pytest.approx(expected)


def test_the_share_that_intervals_near_a_bound_cover(rng):
    """Means of 4 seeds of a skewed share, near 0: about 95 % are covered."""
    seeds = rng.beta(2, 30, (400, 4))
    found = [mean_interval(row, bounds=(0, 1)) for row in seeds]
    covered = np.mean([f.low <= 2 / 32 <= f.high for f in found])
    assert 0.9 < covered < 0.995


def test_seeds_that_coincide_are_no_certainty():
    low = stats.beta(0.5, 2.5)
    share = mean_interval([0.0, 0.0], bounds=(0, 1))
    assert (share.low, share.high) == pytest.approx((0, low.ppf(0.975)))
    error = mean_interval([0.3, 0.3])
    assert (error.low, error.high) == (-np.inf, np.inf)
    ranking = rank("t", {"a": [1.0, 1.0], "b": [2.0, 2.0]})
    assert not ranking.distinguishable("a", "b")
