import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from keras_dlbasic.analysis.overfitting.curve_turn import find_turn, without_outliers
from keras_dlbasic.analysis.overfitting.unimodal import (
    fall,
    fit_unimodal,
    lowest_levels,
)

curves = st.lists(st.floats(-100, 100), min_size=1, max_size=25).map(np.array)


def scipy_fall(values):
    return isotonic_regression(values, increasing=False).x


@given(curves)
def test_falling_is_isotonic_regression(values):
    np.testing.assert_allclose(fall(values), scipy_fall(values), atol=1e-9)


@given(curves)
def test_lowest_levels_are_the_ends_of_isotonic_regressions(values):
    levels, widths = lowest_levels(values)
    for n in range(1, len(values) + 1):
        fitted = scipy_fall(values[:n])
        np.testing.assert_allclose(levels[n - 1], fitted[-1], atol=1e-9)
        assert widths[n - 1] <= n


@given(curves)
def test_no_other_turn_fits_better(values):
    fit = fit_unimodal(values)
    errors = []
    for turn in range(len(values) + 1):
        sides = [values[:turn], -values[turn:]]
        errors.append(sum(((s - scipy_fall(s)) ** 2).sum() for s in sides if len(s)))
    np.testing.assert_allclose(fit.turning_error, min(errors), atol=1e-6)
    np.testing.assert_allclose(
        fit.turning_error, ((values - fit.turning) ** 2).sum(), atol=1e-6
    )
    assert fit.turning_error <= fit.falling_error + 1e-6


def test_monotone_curves_have_no_outliers():
    curve = np.exp(-np.arange(20) / 4)
    np.testing.assert_array_equal(without_outliers(curve)[1:-1], curve[1:-1])


def test_the_statistic_is_the_height_in_standard_errors():
    # a flat noise-free level of 50 points, then 10 points higher by one
    rng = np.random.default_rng(0)
    noise = 0.05 * rng.standard_normal(60)
    turn = find_turn(10 + noise + (np.arange(60) >= 50))
    expected = 1 / (0.05 * np.sqrt(1 / 10 + 1 / 50))
    assert 0.6 * expected < turn.statistic < 1.5 * expected
    assert abs(turn.onset - 49) <= 10
