import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlbasic.analysis.gradients.update_noise import UpdateNoise


def noise_of(moves):
    noise = UpdateNoise()
    noise.add(np.zeros(moves.shape[1]))
    for point in np.cumsum(moves, axis=0):
        noise.add(point)
    return noise.value


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(0, 10**6))
def test_is_what_the_definition_says(n, seed):
    moves = np.random.default_rng(seed).normal(0.3, 1, (n, 5))
    gram = moves @ moves.T
    products = (gram.sum() - np.trace(gram)) / (n * (n - 1))
    expected = 1 - products / (np.trace(gram) / n)
    assert noise_of(moves) == pytest.approx(expected)


def test_corner_cases():
    assert noise_of(np.array([[1.0], [-1.0]])) == 2.0
    assert noise_of(np.eye(4)) == 1.0
    assert np.isnan(noise_of(np.zeros((3, 2))))
    assert np.isnan(UpdateNoise().value)
