"""Models of two weights behave as the landscapes that they are."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

VALUES = {
    "saddle": lambda u, v: u**2 - v**2,
    "ravine": lambda u, v: (u**2 + 15 * v**2) / 2,
    "two_minima": lambda u, v: (u**2 - 1) ** 2 / 4 + 0.2 * u + v**2,
    "plateau": lambda u, v: 1 - np.exp(-(u**2 + v**2) / 2),
}


def place(model):
    return model.get_weights()[0]


@pytest.mark.once
def test_full_batch_stands_still_on_the_ridge_and_noise_leaves_it():
    model, x, y = kd.landscape.teaching_surface("saddle")
    model.fit(x, y, batch_size=256, epochs=40, verbose=0)
    assert place(model)[1] == 0.0  # to the last bit
    assert abs(place(model)[0]) < 1e-3
    point = kd.landscape.classify_point(model, x, y)
    assert point.verdict == "saddle"
    assert point.evidence.smallest == pytest.approx(-2, rel=1e-4)
    assert point.evidence.largest == pytest.approx(2, rel=1e-4)
    keras.utils.set_random_seed(0)
    model.fit(x, y, batch_size=16, epochs=3, verbose=0)
    assert abs(place(model)[1]) > 0.3


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(VALUES))
def test_heights(name):
    model, x, y = kd.landscape.teaching_surface(name, samples=64)
    surface = kd.landscape.loss_surface(
        model, x, y, directions="weights", resolution=4, distance=0.5
    )
    u, v = np.meshgrid(surface.u, surface.v)
    shifted = VALUES[name](u[..., None] - x[:, 0], v[..., None] - x[:, 1])
    np.testing.assert_allclose(surface.loss, shifted.mean(axis=-1), atol=2e-6)
    assert surface.points["model"] == pytest.approx(place(model))
    assert np.allclose(x.sum(axis=0), 0)


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "at", "verdict"),
    [
        ("saddle", (0, 0), "saddle"),
        ("ravine", (0, 0), "minimum"),
        ("ravine", (-1.5, 0.0), "not_stationary"),
        ("two_minima", (1.5, 0.75), "not_stationary"),
        ("plateau", (8, 8), "plateau"),
        ("plateau", (0, 0), "minimum"),
        ("plateau", (1, 1), "not_stationary"),
    ],
)
def test_verdicts(name, at, verdict):
    model, x, y = kd.landscape.teaching_surface(name)
    model.layers[0].place.assign(np.array(at, "float32"))
    assert kd.landscape.classify_point(model, x, y).verdict == verdict


@pytest.mark.once
def test_it_is_saved_and_checked(tmp_path):
    model, x, _ = kd.landscape.teaching_surface("two_minima")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), again.predict(x, verbose=0)
    )
    with pytest.raises(ValueError, match="ravine"):
        kd.landscape.teaching_surface("hill")
    with pytest.raises(ValueError, match="samples=3"):
        kd.landscape.teaching_surface("saddle", samples=3)
