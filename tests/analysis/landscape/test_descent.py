import numpy as np
import pytest

from keras_dlbasic.analysis import descend, fit_line
from keras_dlbasic.analysis.landscape.descent import SURFACES


@pytest.mark.parametrize("name", SURFACES)
def test_full_batch_follows_the_gradient_of_the_loss(name):
    """Compare with central differences of the drawn loss."""
    paths = descend(name, updates=3, learning_rate=0.05)
    path = paths.paths["full-batch"]
    step = 1e-5
    for before, after in zip(path, path[1:]):  # noqa: B905, RUF007
        slopes = [
            (paths.loss(before + step * e) - paths.loss(before - step * e)) / (2 * step)
            for e in np.eye(2)
        ]
        np.testing.assert_allclose(after - before, -0.05 * np.array(slopes), atol=1e-8)


def test_noise_leaves_the_saddle_where_the_exact_gradient_stays():
    paths = descend("saddle").paths
    assert abs(paths["full-batch"][-1, 1]) < 1e-6
    assert abs(paths["one sample per update"][-1, 1]) > 0.3


def test_a_line_is_found():
    x = np.linspace(-1, 1, 50)
    paths = fit_line(x, 2 * x + 1, learning_rate=0.5, updates=200)
    for path in paths.paths.values():
        np.testing.assert_allclose(path[-1], [2, 1], atol=1e-3)


def test_unknown_surface():
    with pytest.raises(ValueError, match="ravine"):
        descend("hill")
