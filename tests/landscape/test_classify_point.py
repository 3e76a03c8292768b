"""Verdicts at points whose nature is known from float64 NumPy, or by construction."""

import keras
import numpy as np
import pytest
from plain_nets import PlainNet
from scipy.optimize import minimize

import keras_dlbasic as kd

L = keras.layers
UNITS = 3


def data(n=60):
    """A net of three tanh units, with noise."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, 2)).astype("float32")
    y = np.tanh(x @ rng.normal(size=(2, 3)) * 1.5 + rng.normal(size=3)).sum(axis=1)
    y = y + 0.2 * rng.normal(size=n)
    return x, (y - y.mean()).astype("float32")[:, None]


def mlp(*units, activation="tanh", **options):
    layers = [L.Dense(n, activation, **options) for n in units]
    model = keras.Sequential([keras.Input((2,)), *layers, L.Dense(1, **options)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def lowest(units, seed):
    """Return weights at which a net of this many units has no gradient."""
    net = PlainNet(*data(), [units, 1])
    start = np.random.default_rng(seed).normal(size=4 * units + 1)
    found = minimize(net.loss, start, jac=net.gradient, options={"gtol": 1e-9})
    return found.x


def duplicated(weights, share):
    """Return the same function with one more unit, a copy of the last one."""
    u = UNITS - 1
    kernel, bias, out, rest = np.split(weights, [2 * u, 3 * u, 4 * u])
    kernel = kernel.reshape(2, u)
    return np.concatenate(
        [
            np.c_[kernel, kernel[:, -1]].ravel(),
            np.r_[bias, bias[-1]],
            np.r_[out[:-1], share * out[-1], (1 - share) * out[-1]],
            rest,
        ]
    )


def put(model, weights):
    parts = kd.landscape.Objective(model, *data()).split(weights)
    for variable, part in zip(model.trainable_variables, parts, strict=True):
        variable.assign(part.astype("float32"))


@pytest.mark.once
def test_points_of_a_net_of_three_units():
    """One net, so that it is compiled once."""
    x, y = data()
    model, net = mlp(UNITS), PlainNet(x, y, [UNITS, 1])
    keras.utils.set_random_seed(0)
    objective = kd.landscape.Objective(model, x, y)
    narrow = lowest(UNITS - 1, seed=0)
    saturated = np.zeros(objective.size)
    saturated[6:9], saturated[9:12], saturated[12] = 30.0, 0.5, -1.5
    points = {
        "zero": (np.zeros(objective.size), "saddle"),
        "half": (duplicated(narrow, 0.5), "saddle"),
        "outside": (duplicated(narrow, 1.6), "saddle"),
        "trained": (lowest(UNITS, seed=1), "minimum"),
        "saturated": (saturated, "plateau"),
        "random": (np.random.default_rng(1).normal(size=objective.size), "slope"),
    }
    seen = {}
    for name, (weights, kind) in points.items():
        put(model, weights)
        values = np.linalg.eigvalsh(net.hessian(objective.weights()))
        gradient = np.linalg.norm(net.gradient(objective.weights()))
        # that the points are what they are said to be
        assert (values[0] < -1e-3) == (kind in ("saddle", "slope")), (name, values)
        assert (gradient < 1e-4) == (kind != "slope"), (name, gradient)
        seen[name] = kd.landscape.classify_point(objective)
        e = seen[name].evidence
        assert abs(e.smallest - values[0]) <= e.smallest_residual
        assert abs(e.largest - values[-1]) <= e.largest_residual
        assert abs(e.gradient_norm - gradient) <= e.gradient_noise + 1e-5
        if kind == "saddle":
            assert 1 <= e.n_negative <= np.sum(values < -e.smallest_residual)
    found = {name: point.verdict for name, point in seen.items()}
    kinds = {name: kind for name, (_, kind) in points.items()}
    assert found == {**kinds, "random": "not_stationary"}
    zero = seen["zero"]
    assert zero.certain
    assert "negative directions seen: " in str(zero)
    assert zero.sharpness == pytest.approx(zero.evidence.largest * 0.1 / 2)
    # the loss was really computed along the direction
    assert 0 < zero.evidence.escape_fall < zero.evidence.loss
    # all weights are zero: as far as their usual size
    assert 0 < abs(zero.evidence.escape_step) <= 10 * zero.evidence.radius


@pytest.mark.once
@pytest.mark.parametrize(
    ("unit", "units"),
    [
        (1e-3, 200),
        (1e3, 4),
        pytest.param(1e-3, 4, marks=pytest.mark.everywhere),
        pytest.param(1.0, 4, marks=pytest.mark.everywhere),
        pytest.param(1.0, 200, marks=pytest.mark.everywhere),
        pytest.param(1e3, 200, marks=pytest.mark.everywhere),
    ],
)
def test_neither_units_of_the_loss_nor_width_matter(unit, units):
    def loss(y_true, y_pred):
        return unit * keras.losses.mean_squared_error(y_true, y_pred)

    for depth, initializer, expected in (
        (1, "zeros", "saddle"),
        (3, "zeros", "degenerate"),
        (1, "glorot_uniform", "not_stationary"),
    ):
        model = mlp(*[units] * depth, kernel_initializer=initializer)
        model.compile("sgd", loss)
        point = kd.landscape.classify_point(model, *data())
        assert point.verdict == expected, str(point)


@pytest.mark.once
@pytest.mark.parametrize(
    ("activation", "depth"),
    [
        ("tanh", 2),
        ("relu", 9),
        pytest.param("relu", 2, marks=pytest.mark.everywhere),
        pytest.param("tanh", 5, marks=pytest.mark.everywhere),
        pytest.param("relu", 5, marks=pytest.mark.everywhere),
        pytest.param("tanh", 9, marks=pytest.mark.everywhere),
    ],
)
def test_zero_initialized_deep_nets_are_degenerate(depth, activation):
    model = mlp(*[8] * depth, activation=activation, kernel_initializer="zeros")
    point = kd.landscape.classify_point(model, *data())
    assert point.verdict == "degenerate", str(point)
    assert point.evidence.inert_share > 0.9


@pytest.mark.once
@pytest.mark.parametrize("dead", [0, 1, 2])
def test_dead_layers_are_plateaus(dead):
    x, y = data()
    keras.utils.set_random_seed(1)
    model = mlp(8, 8, 8, activation="relu")
    model.layers[dead].bias.assign(np.full(8, -30.0))
    model.layers[-1].bias.assign_sub(model.predict(x, verbose=0).mean(axis=0))
    point = kd.landscape.classify_point(model, x, y)
    assert point.verdict == "plateau", str(point)
    assert point.evidence.gradient_norm < 1e-6


@pytest.mark.once
def test_a_loss_that_no_weight_changes_is_a_plateau():
    x, _ = data()
    model = keras.Sequential([keras.Input((2,)), L.Dense(2), L.Lambda(lambda t: 0 * t)])
    model.compile("sgd", "mse")
    point = kd.landscape.classify_point(model, x, np.ones((len(x), 2)))
    assert (point.verdict, point.evidence.largest) == ("plateau", 0.0)


@pytest.mark.once
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.everywhere) for n in (2, 3))]
)
def test_fitted_noise_is_a_minimum_with_flat_directions(seed):
    """More weights than data: most eigenvalues are zero, up to float noise."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(8, 2)).astype("float32"), rng.normal(size=(8, 1))
    keras.utils.set_random_seed(seed)
    model = mlp(40, activation=["tanh", "relu"][seed % 2])
    objective = kd.landscape.Objective(model, x, y)
    found = minimize(
        lambda w: objective.gradient(w)[::-1][::-1], objective.weights(), jac=True,
        method="L-BFGS-B", options={"maxiter": 3000, "ftol": 0, "gtol": 1e-7},
    )  # fmt: skip
    parts = objective.split(found.x)
    for variable, part in zip(model.trainable_variables, parts, strict=True):
        variable.assign(part.astype("float32"))
    point = kd.landscape.classify_point(objective)
    assert found.fun < 1e-6
    assert point.verdict == "minimum", str(point)
    assert point.evidence.n_negative == 0


@pytest.mark.once
def test_a_ravine_that_hides_behind_a_small_gradient_is_no_minimum():
    """The gradient is 1e-3 of the largest curvature, but leads a long way down."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2)).astype("float32") * np.array([30, 1], "float32")
    model = mlp()
    model.layers[0].kernel.assign([[0.0], [0.0]])
    y = x[:, 1:] * 1.0
    x[:, 0] -= x[:, 1] * (x[:, 0] @ x[:, 1]) / (x[:, 1] @ x[:, 1])
    point = kd.landscape.classify_point(model, x, y)
    assert point.verdict == "not_stationary"
    assert point.evidence.gradient_norm < 2e-3 * point.evidence.largest


@pytest.mark.once
def test_a_loss_that_is_not_finite_is_refused():
    x, y = data()
    model = mlp(2)
    model.layers[0].bias.assign([np.nan, 0.0])
    with pytest.raises(ValueError, match="localize_non_finite"):
        kd.landscape.classify_point(model, x, y)


@pytest.mark.once
def test_limits_are_those_of_plain_gradient_descent():
    x, y = data()
    SGD = keras.optimizers.SGD
    limits = []
    for optimizer in (SGD(0.1), SGD(0.1, momentum=0.5), keras.optimizers.Adam(0.1)):
        model = mlp()
        model.compile(optimizer, "mse")
        evidence = kd.landscape.classify_point(model, x, y).evidence
        assert evidence.learning_rate == pytest.approx(0.1)
        limits.append(evidence.stability_limit)
    np.testing.assert_allclose(limits, [20, 30, np.nan], rtol=1e-5)


@pytest.mark.once
def test_many_weights_that_no_row_uses():
    """One zero bias takes the first step beyond a tenth of the weights."""
    n = 100_000  # words
    x = np.zeros((8, n), "float32")
    x[:, 0] = 1.0
    model = keras.Sequential(
        [
            keras.Input((n,)),
            keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros"),
        ]
    )
    model.compile("adam", "mse")
    kernel = np.zeros((n, 1), "float32")
    kernel[0] = -14.0
    model.layers[0].set_weights([kernel, np.zeros(1, "float32")])
    point = kd.landscape.classify_point(model, x, np.ones((8, 1), "float32"))
    assert point.verdict in ("saddle", "plateau")
