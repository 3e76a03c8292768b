"""Loss, gradient and Hessian products, against float64 NumPy and against Keras."""

import copy
import random
from types import SimpleNamespace

import keras
import models
import numpy as np
import pytest
import reference
from plain_nets import PlainNet

import keras_dlbasic as kd

Objective = kd.landscape.Objective
BACKEND = keras.backend.backend()
L = keras.layers


def compiled(name):
    keras.utils.set_random_seed(3)
    model, x, y, loss = models.ALL[name]()
    model.compile("sgd", loss)
    return model, x, y


SMOOTH = [
    "embedding",
    "several_outputs",
    pytest.param("attention", marks=pytest.mark.once),
    pytest.param("lstm", marks=pytest.mark.once),
]


@pytest.mark.skipif(BACKEND == "jax", reason="compiles long; one code for all of them")
@pytest.mark.parametrize("name", SMOOTH)
def test_products_are_the_slope_of_the_gradient(name, rng):
    """Compare with central differences, for models without kinks."""
    model, x, y = compiled(name)
    objective = Objective(model, x, y, micro_batch=12)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert objective.loss() == pytest.approx(logs["loss"], rel=1e-5)
    at, step = objective.weights(), 2e-2
    direction = rng.normal(size=objective.size)
    direction /= np.linalg.norm(direction)
    product = objective.product(direction)
    ahead, behind = (
        objective.gradient(at + sign * step * direction)[1] for sign in (1, -1)
    )
    error = np.linalg.norm((ahead - behind) / (2 * step) - product)
    assert error < 2e-3 * np.linalg.norm(product)
    assert objective.is_exact


def plain_pair(rng, n=24):
    """A model and the same net in NumPy."""
    x = rng.normal(size=(n, 3)).astype("float32")
    y = rng.normal(size=(n, 2)).astype("float32")
    l2 = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            L.Dense(4, "tanh", kernel_regularizer=l2),
            L.Dense(2, kernel_regularizer=l2),
        ]
    )
    model.compile("sgd", "mse")
    return model, x, y, PlainNet(x, y, [4, 2], l2=0.01)


def test_all_of_it_against_numpy_whatever_the_micro_batch(rng):
    model, x, y, net = plain_pair(rng)
    for micro_batch in (24, 8):
        objective = Objective(model, x, y, micro_batch=micro_batch)
        at = objective.weights()
        loss, gradient = objective.gradient()
        assert loss == pytest.approx(net.loss(at), rel=1e-6)
        np.testing.assert_allclose(gradient, net.gradient(at), atol=1e-6)
        hessian = net.hessian(at)
        found = np.array([objective.product(e) for e in np.eye(objective.size)])
        np.testing.assert_allclose(found, hessian, atol=3e-6 * np.abs(hessian).max())
        moved = at + 0.1 * rng.normal(size=len(at))
        assert objective.gradient(moved)[0] == pytest.approx(net.loss(moved), rel=1e-6)
        np.testing.assert_allclose(
            objective.product(at, moved), net.hessian(moved) @ at, atol=1e-5
        )


@pytest.mark.once
def test_weights_of_samples(rng):
    model, x, y, net = plain_pair(rng)
    weights = rng.uniform(0, 2, len(x))
    objective = Objective(model, x, y, sample_weight=weights, micro_batch=6)
    at, plain = objective.weights(), Objective(model, x, y).loss()
    errors = [
        PlainNet(x[i : i + 1], y[i : i + 1], [4, 2]).loss(at) for i in range(len(x))
    ]
    expected = np.mean(weights * errors) + net.loss(at) - np.mean(errors)
    assert objective.loss() == pytest.approx(expected, rel=1e-5)
    assert objective.loss() != pytest.approx(plain, rel=1e-3)


def test_two_shapes_are_compiled_at_most(rng):
    if BACKEND == "torch":
        pytest.skip("nothing is compiled")
    model, x, y, _ = plain_pair(rng)
    objective = Objective(model, x, y, micro_batch=5)
    for _ in range(3):
        objective.loss(objective.weights())
        objective.product(objective.gradient()[1])
    products = objective._products
    if BACKEND == "jax":
        counts = [f._cache_size() for f in (products.loss, products._forward)]
    else:
        counts = [len(f._known) for f in (products.loss, products.product)]
    assert counts == [2, 2]


def eventful():
    """Dropout, batch normalization, metrics and an optimizer with a state."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(8),
            L.BatchNormalization(),
            L.Activation("tanh"),
            L.Dropout(0.3),
            L.Dense(4),
        ]
    )
    x, y = models._data((6,))
    model.compile(
        keras.optimizers.Adam(0.01),
        models.CROSSENTROPY(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, epochs=1, verbose=0)
    return model, x, y


def test_nothing_changes():
    model, x, y = eventful()

    def state():
        variables = [*model.variables, *model.optimizer.variables]
        return {
            "variables": [a.tobytes() for a in reference.arrays(variables)],
            "metrics": [a.tobytes() for a in reference.arrays(model.metrics_variables)],
            "python": random.getstate(),
            "numpy": [str(part) for part in np.random.get_state()],
            "attributes": sorted(vars(model)),
        }

    before, values = state(), {}
    for training in (False, True):
        objective = Objective(model, x, y, training=training, micro_batch=12)
        values[training] = {objective.loss() for _ in range(3)}
        assert len(values[training]) == 1  # dropout's mask is one
    objective.product(objective.gradient()[1])
    assert state() == before
    assert values[False] != values[True]


@pytest.mark.once
def test_batch_statistics_are_those_of_the_micro_batch(rng):
    x, y = rng.normal(size=(12, 3)).astype("float32"), np.zeros((12, 1), "float32")
    model = keras.Sequential([keras.Input((3,)), L.BatchNormalization(), L.Dense(1)])
    model.compile("sgd", "mse")
    kernel = reference.arrays(model.layers[-1].weights)[0].astype(float)
    whole = Objective(model, x, y, training=True)
    parts = Objective(model, x, y, training=True, micro_batch=4)

    def expected(rows):
        normal = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-3)
        return np.mean((normal @ kernel) ** 2)

    assert whole.loss() == pytest.approx(expected(x), rel=1e-5)
    mean = np.mean([expected(x[i : i + 4]) for i in (0, 4, 8)])
    assert parts.loss() == pytest.approx(mean, rel=1e-5)


def small(*layers, loss="mse"):
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile("sgd", loss)
    return model


X, Y = np.ones((6, 2), "float32"), np.ones((6, 1), "float32")


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (lambda: small(L.Dense(1, activity_regularizer="l2")), "activity"),
        (
            lambda: small(
                L.Dense(1), loss=keras.losses.MeanSquaredError(reduction="sum")
            ),
            "reduction='sum'",
        ),
        (lambda: keras.Sequential([L.Dense(1)]), "not built"),
        (lambda: keras.Sequential([keras.Input((2,)), L.Dense(1)]), "no loss"),
        (lambda: small(L.Dense(1, trainable=False)), "no trainable"),
    ],
)
def test_refusals(model, match):
    with pytest.raises(ValueError, match=match):
        Objective(model(), X, Y, micro_batch=4)


@pytest.mark.once
def test_in_one_micro_batch_any_loss_will_do():
    model = small(L.Dense(1, activity_regularizer="l2"))
    expected = model.evaluate(X, Y, verbose=0)
    assert Objective(model, X, Y).loss() == pytest.approx(expected, rel=1e-5)


@pytest.mark.once
def test_odd_data_are_named():
    model = small(L.Dense(1))
    with pytest.raises(ValueError, match="6 in `x` and 5 in `y`"):
        Objective(model, X, Y[:5])
    with pytest.raises(ValueError, match="micro_batch=0"):
        Objective(model, X, Y, micro_batch=0)
    with pytest.raises(ValueError, match="only once"):
        Objective(model, iter([X]), Y)


@pytest.mark.once
def test_memory_that_runs_out_is_not_called_a_wrong_target():
    def hungry(y_true, y_pred):
        raise MemoryError("not enough memory: you tried to allocate 99 GB")

    model = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    model.compile("sgd", hungry)
    with pytest.raises(MemoryError, match="99 GB"):
        Objective(model, X, Y)


def _lacking():
    """An operation with a first derivative but no second one."""
    if BACKEND == "torch":
        import torch

        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**2

            @staticmethod
            @torch.autograd.function.once_differentiable
            def backward(ctx, slope):
                return 2 * ctx.saved_tensors[0] * slope

        return Square.apply
    if BACKEND == "jax":
        import jax
        import jax.numpy as jnp

        @jax.custom_vjp
        def square(x):
            return x**2

        def backward(x, slope):
            shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
            return (jax.pure_callback(lambda x: 2 * np.asarray(x), shape, x) * slope,)

        square.defvjp(lambda x: (jnp.square(x), x), backward)
        return square
    import tensorflow as tf

    def square(x):  # through an operation on images that has no second derivative
        scaled = tf.reshape(x, (1, -1, 1, 1))
        size = tf.shape(scaled)[1:3]
        smooth = tf.compat.v1.image.resize_bicubic(scaled, size, align_corners=True)
        return tf.reshape(smooth, tf.shape(x)) * x

    return square


def test_without_second_derivatives_differences_are_taken(rng):
    layer = L.Lambda(_lacking(), output_shape=lambda shape: shape)
    model = small(L.Dense(1, use_bias=False), layer)
    x = rng.normal(size=(6, 2)).astype("float32")
    objective = Objective(model, x, Y)
    at, direction = objective.weights(), np.array([0.6, 0.8])
    with pytest.warns(UserWarning, match=f"no second derivative on {BACKEND}: "):
        found = objective.product(direction)
    assert not objective.is_exact
    outputs = (x @ at).astype(float)
    # of mean (o^2 - 1)^2: the mean of (12 o^2 - 4) x x^T
    expected = np.mean((12 * outputs**2 - 4) * (x @ direction) * x.T, axis=1)
    np.testing.assert_allclose(found, expected, rtol=3e-3, atol=3e-3)


@pytest.mark.skipif(BACKEND != "torch", reason="compiled code draws once")
def test_draws_that_are_not_fixed_are_refused():
    noise = L.Lambda(lambda x: x + np.random.rand(), output_shape=lambda s: s)
    model = small(noise, L.Dense(1))
    with pytest.raises(ValueError, match="SeedGenerator"):
        Objective(model, X, Y, training=True)


def test_an_objective_follows_its_model(rng):
    model, x, y, net = plain_pair(rng)
    objective = Objective(model, x, y)
    model.fit(x, y, epochs=2, verbose=0)
    at = np.concatenate([a.ravel() for a in reference.arrays(model.trainable_weights)])
    assert objective.loss() == pytest.approx(net.loss(at.astype(float)), rel=1e-6)
    assert copy.copy(objective).size == len(at)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow only")
def test_in_the_scope_of_a_strategy(monkeypatch):
    """There Keras divides each loss by the number of replicas."""
    import tensorflow as tf

    layers = [keras.Input((2,)), keras.layers.Dense(1, kernel_regularizer="l2")]
    model = keras.Sequential(layers)
    model.compile(loss="mse")
    x = np.ones((4, 2), "float32")
    expected = kd.landscape.Objective(model, x, x[:, :1]).gradient()
    strategy = SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: strategy)
    found = kd.landscape.Objective(model, x, x[:, :1]).gradient()
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6)
