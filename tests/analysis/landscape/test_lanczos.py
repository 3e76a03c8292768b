import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic.analysis.landscape.lanczos import lanczos


def symmetric(rng, values):
    basis = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return (basis * values) @ basis.T


@given(st.integers(0, 10**6), st.integers(1, 60), st.floats(1e-3, 1e3))
def test_both_ends_and_their_bounds(seed, size, unit):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.normal(size=size)) * unit
    matrix = symmetric(rng, values)
    found = lanczos(lambda v: matrix @ v, rng.normal(size=size), max_products=60)
    scale = np.abs(values).max()
    assert found.values[0] == pytest.approx(values[0], abs=1e-8 * scale)
    assert found.values[-1] == pytest.approx(values[-1], abs=1e-8 * scale)
    assert found.products <= size
    for place in (0, -1):
        v = found.vector(place)
        residual = np.linalg.norm(matrix @ v - found.values[place] * v)
        assert np.linalg.norm(v) == pytest.approx(1)
        bound = found.residuals[place] + 1e-9 * scale
        assert residual == pytest.approx(bound, abs=2e-9 * scale)


def test_residuals_hold_for_products_with_rounding(rng):
    values = np.r_[-1.0, np.linspace(0, 1, 80), 30.0]
    matrix = symmetric(rng, values)
    noise = 1e-4 * rng.normal(size=matrix.shape)
    wrong = matrix + noise  # no symmetric matrix
    found = lanczos(lambda v: wrong @ v, rng.normal(size=len(values)))
    assert found.asymmetry > 1e-5
    for place, exact in ((0, -1.0), (-1, 30.0)):
        error = abs(found.values[place] - exact)
        assert error <= found.residuals[place] + found.asymmetry


def test_a_small_negative_value_is_not_missed(rng):
    """Power iteration would see the 100 only."""
    values = np.r_[-0.01, np.zeros(500), np.linspace(0.1, 1, 20), 100.0]
    matrix = symmetric(rng, values)
    found = lanczos(lambda v: matrix @ v, rng.normal(size=len(values)))
    assert found.values[0] == pytest.approx(-0.01, abs=1e-6)


def test_few_distinct_values_end_it():
    values = np.r_[np.full(50, 2.0), np.full(50, -1.0)]
    found = lanczos(lambda v: values * v, np.ones(100))
    assert found.products <= 3
    np.testing.assert_allclose(found.values[[0, -1]], [-1, 2], atol=1e-12)


@pytest.mark.parametrize("start", [np.zeros(3), np.array([1.0, np.nan, 0.0])])
def test_a_start_that_is_none(start):
    with pytest.raises(ValueError, match="start"):
        lanczos(lambda v: v, start)


def test_products_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        lanczos(lambda v: v * np.inf, np.ones(3))
