"""Slices, against the loss of models at the same weights."""

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

L = keras.layers


def data(n=20):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).astype("float32")
    return x, np.tanh(x[:, :1]) + 0.5


def mlp(seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((3,)), L.Dense(4, "tanh", bias_initializer="normal"), L.Dense(1)]
    )
    model.compile("sgd", "mse")
    return model


def loss_of(model, x, y):
    return float(np.mean((model.predict(x, verbose=0) - y) ** 2))


@pytest.mark.once
def test_planes_and_lines_through_models():
    x, y = data()
    model, a, b = mlp(0), mlp(1), mlp(2)
    objective = kd.landscape.Objective(model, x, y, micro_batch=10)
    before = reference.arrays(model.variables)
    plane = kd.landscape.loss_surface(
        objective, directions=(a, b), resolution=3, distance=0.0001
    )
    assert list(plane.points) == ["model", "a", "b"]
    assert plane.loss.shape == (3, 3)
    line = kd.landscape.loss_line(objective, b, resolution=7)
    assert line.t[[1, -2]] == pytest.approx([0, 1])
    for found, known in zip(line.loss[[1, -2]], (model, b), strict=True):
        assert found == pytest.approx(loss_of(known, x, y), rel=1e-4)
    # the corner next to `a` is `a`, up to the margin
    u, v = plane.points["a"]
    corner = plane.loss[np.abs(plane.v - v).argmin(), np.abs(plane.u - u).argmin()]
    assert corner == pytest.approx(loss_of(a, x, y), rel=1e-3)
    assert line.barrier == max(line.loss[1:-1].max() - max(line.loss[[1, -2]]), 0)
    after = reference.arrays(model.variables)
    assert all((m == n).all() for m, n in zip(before, after, strict=True))


def test_a_linear_model_has_the_bowl_that_it_must():
    x, y = data()
    model = keras.Sequential([keras.Input((3,)), L.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    surface = kd.landscape.loss_surface(
        model, x, y, directions="eigen", resolution=5, distance=0.5
    )
    values, vectors = np.linalg.eigh(2 * x.astype(float).T @ x / len(x))
    kernel = reference.arrays(model.weights)[0].astype(float)[:, 0]
    length = np.linalg.norm(kernel)
    gradient = 2 * x.T.astype(float) @ (x @ kernel - y[:, 0]) / len(x)
    center = surface.loss[2, 2]
    # along an eigenvector: slope and half its eigenvalue
    for place, along in ((-1, surface.loss[2]), (0, surface.loss[:, 2])):
        s = length * surface.u
        for sign in (1, -1):
            slope = sign * gradient @ vectors[:, place]
            expected = center + slope * s + values[place] / 2 * s**2
            if np.allclose(along, expected, rtol=1e-4):
                break
        else:
            raise AssertionError(place)
    assert f"{values[-1]:.3g}" in surface.names[0]


@pytest.mark.once
def test_filters_of_random_directions_are_as_long_as_those_of_the_model(rng):
    layers = [L.Conv2D(5, 3), L.BatchNormalization(), L.Flatten(), L.Dense(2)]
    model = keras.Sequential([keras.Input((4, 4, 2)), *layers])
    model.compile("sgd", "mse")
    objective = kd.landscape.Objective(model, np.ones((2, 4, 4, 2)), np.ones((2, 2)))
    from keras_dlbasic.landscape.loss_surface import filter_normalized

    at = objective.weights()
    direction = filter_normalized(objective, at, rng)
    for part, own in zip(objective.split(direction), objective.split(at), strict=True):
        if part.ndim == 1:
            assert not part.any()
        else:
            norms = [np.linalg.norm(w.reshape(-1, w.shape[-1]), axis=0) for w in (part, own)]  # fmt: skip
            np.testing.assert_allclose(*norms, rtol=1e-6)
    surface = kd.landscape.loss_surface(objective, resolution=3)
    assert surface.loss[1, 1] == pytest.approx(objective.loss())
    assert surface.points == {"model": (0.0, 0.0)}


@pytest.mark.once
def test_with_training_each_point_has_its_own_statistics(rng):
    """Batch statistics undo any scale of the kernel before them."""
    x, y = data()
    dense = L.Dense(4, use_bias=False)
    model = keras.Sequential([keras.Input((3,)), dense, L.BatchNormalization(), L.Dense(1)])  # fmt: skip
    model.compile("sgd", "mse")
    weights = reference.arrays(model.trainable_variables)
    larger = [2 * weights[0], *weights[1:]]
    options = {"resolution": 3, "margin": 0.0}
    moving = kd.landscape.loss_line(model, larger, x, y, **options)
    own = kd.landscape.loss_line(model, larger, x, y, training=True, **options)
    assert np.ptp(own.loss) < 1e-2 * np.ptp(moving.loss)


@pytest.mark.once
def test_arguments():
    x, y = data()
    model = mlp()
    for directions in ("steepest", (model,)):
        with pytest.raises(ValueError, match="two points"):
            kd.landscape.loss_surface(model, x, y, directions=directions)
    with pytest.raises(ValueError, match="one line"):
        kd.landscape.loss_surface(model, x, y, directions=(mlp(1), mlp(1)))
    with pytest.raises(ValueError, match="Expected shapes"):
        kd.landscape.loss_line(model, [np.ones(3)], x, y)
    with pytest.raises(ValueError, match="resolution"):
        kd.landscape.loss_surface(model, x, y, resolution=1)
