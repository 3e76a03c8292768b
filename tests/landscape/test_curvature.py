"""Both ends of the spectrum and the trace, against dense Hessians in float64."""

import keras
import numpy as np
import pytest
from plain_nets import PlainNet

import keras_dlbasic as kd

L = keras.layers
LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def pair(kind, seed=0, n=32):
    """A model and the same net in NumPy."""
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    x = rng.normal(size=(n, 3)).astype("float32")
    if kind == "classes":
        y, loss, net_loss, units = rng.integers(0, 3, n), LOGITS, "crossentropy", 3
    else:
        y = (np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:]).astype("float32")
        loss, net_loss, units = "mse", "mse", 1
    activation = "sigmoid" if kind == "sigmoid" else "tanh"
    hidden = [5, 4] if kind == "deep" else [6]
    model = keras.Sequential(
        [
            keras.Input((3,)),
            *(L.Dense(k, activation, bias_initializer="normal") for k in hidden),
            L.Dense(units),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), loss)
    net = PlainNet(x, y, [*hidden, units], activation=activation, loss=net_loss)
    return model, x, y, net


KINDS = ["classes", "deep", "sigmoid"]


# the others are on one backend: products are tested on all, and the ends are NumPy's
@pytest.mark.parametrize(
    "kind", [KINDS[0], *(pytest.param(k, marks=pytest.mark.once) for k in KINDS[1:])]
)
def test_ends_against_the_dense_hessian(kind):
    model, x, y, net = pair(kind)
    objective = kd.landscape.Objective(model, x, y)
    for stage in range(2):
        if stage:
            model.fit(x, y, epochs=20, verbose=0)
        values, vectors = np.linalg.eigh(net.hessian(objective.weights()))
        scale = np.abs(values).max()
        for seed in range(3):
            found = kd.landscape.hessian_extremes(objective, seed=seed)
            errors = abs(found.smallest - values[0]), abs(found.largest - values[-1])
            assert max(errors) <= 1e-4 * scale  # the promise is 1e-3
            assert errors[0] <= found.smallest_residual
            assert errors[1] <= found.largest_residual
            assert found.converged
            assert found.products <= 40
        overlap = abs(found.smallest_direction @ vectors[:, 0])
        assert overlap == pytest.approx(1, abs=1e-3)
        short = kd.landscape.hessian_extremes(objective, max_products=10)
        assert abs(short.smallest - values[0]) <= short.smallest_residual
        assert not short.converged
        assert "not converged" in str(short)


def test_closed_form_of_least_squares(rng):
    x = rng.normal(size=(40, 6)).astype("float32") * np.array([3, 2, 1, 1, 1, 0.1], "f")
    model = keras.Sequential([keras.Input((6,)), L.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    hessian = 2 * x.astype(float).T @ x / len(x)
    values = np.linalg.eigvalsh(hessian)
    objective = kd.landscape.Objective(model, x, x[:, :1], micro_batch=20)
    found = kd.landscape.hessian_extremes(objective)
    assert found.largest == pytest.approx(values[-1], rel=1e-6)
    assert found.smallest == pytest.approx(values[0], abs=1e-6 * values[-1])
    trace = kd.landscape.hessian_trace(objective, probes=200, seed=1)
    # variance of Hutchinson's estimate with signs
    off_diagonal = hessian - np.diag(np.diag(hessian))
    expected = np.sqrt(2 * np.sum(off_diagonal**2) / 200)
    assert trace.error == pytest.approx(expected, rel=0.3)
    assert abs(trace.value - values.sum()) < 4 * trace.error
    assert "200 probes" in str(trace)


def test_arguments():
    model, x, y, _ = pair("sigmoid")
    with pytest.raises(ValueError, match="max_products=1"):
        kd.landscape.hessian_extremes(model, x, y, max_products=1)
    with pytest.raises(ValueError, match="probes=1"):
        kd.landscape.hessian_trace(model, x, y, probes=1)
    with pytest.raises(ValueError, match="has its data"):
        kd.landscape.hessian_trace(kd.landscape.Objective(model, x, y), x)
