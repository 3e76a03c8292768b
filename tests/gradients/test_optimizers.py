"""Every optimizer of Keras is watched: neutral, with right norms and rates."""

import keras
import numpy as np
import pytest
import reference
from keras import optimizers as O

import keras_dlbasic as kd

WRAPPERS = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}
NAMES = sorted(
    name
    for name, kind in vars(O).items()
    if isinstance(kind, type) and name not in WRAPPERS
)
X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X[:, :2] ** 2


def trained(make, callbacks=(), loss="mse"):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile(make(), loss)
    before = reference.arrays(model.trainable_variables)
    model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model, before


def left(model):
    return [
        a.tobytes()
        for a in reference.arrays([*model.variables, *model.optimizer.variables])
    ]


def check(make):
    """Watch a fit; compare it with one that is not, and its norms with autodiff's."""
    plain, before = trained(make)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    watched, _ = trained(make, [monitor])
    assert left(plain) == left(watched)
    twin = keras.models.clone_model(plain)
    twin.compile("sgd", "mse")
    twin.set_weights(before)
    norms = [reference.norm(g) for g in reference.gradients(twin, X[:8], Y[:8])]
    np.testing.assert_allclose(monitor.record.gradient_norm[0], norms, rtol=1e-5)
    # two steps: the second update is what is left of the way after the first
    assert np.isfinite(monitor.record.update_norm).all()
    assert (monitor.record.update_norm[1] > 0).all()
    return monitor.record


@pytest.mark.everywhere
@pytest.mark.parametrize("is_scaled", [False, True], ids=["", "scaled"])
@pytest.mark.parametrize("name", NAMES)
def test_each_optimizer(name, is_scaled):
    def make():
        inner = getattr(O, name)(learning_rate=0.01, clipnorm=0.5)
        return O.LossScaleOptimizer(inner, initial_scale=8.0) if is_scaled else inner

    record = check(make)
    np.testing.assert_allclose(record.learning_rate, 0.01, rtol=1e-6)
    assert "learning_rates" not in record.tables


def layer_wise():
    """A rate for each layer, halved from the last to the first."""

    def chosen(variable):
        return last if "dense_out" in variable.path else first

    first, last = O.SGD(0.05, clipnorm=0.1), O.Adam(0.1)
    return O.MultiOptimizer(chosen)


@pytest.mark.skipif(not hasattr(O, "MultiOptimizer"), reason="since Keras 3.15")
@pytest.mark.once
def test_rates_of_several_optimizers():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(9, "tanh", name="dense_in"),
            keras.layers.Dense(2, name="dense_out"),
        ]
    )
    model.compile(layer_wise(), "mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[monitor])
    table = monitor.record.tables["learning_rates"]
    assert table.labels == tuple(v.path for v in model.trainable_variables)
    expected = [[0.05, 0.05, 0.1, 0.1]] * 2
    np.testing.assert_allclose(table["learning_rate"], expected, rtol=1e-6)
    np.testing.assert_allclose(monitor.record.learning_rate, 0.05, rtol=1e-6)
    clipped = monitor.record.clip_factor[0]
    assert (clipped[:2] < 1).any()
    assert (clipped[2:] == 1).all()


@pytest.mark.once
def test_the_record_says_which_weights_are_evaluated():
    for make, words in (
        (lambda: O.ScheduleFreeAdamW(0.01), "not the average"),
        (lambda: O.LossScaleOptimizer(O.Adam(use_ema=True)), "moving averages"),
        (lambda: O.Adam(), None),
    ):
        monitor = kd.callbacks.GradientNormMonitor()
        trained(make, [monitor])
        said = monitor.record.facts.evaluated_weights
        assert (said is None) if words is None else words in said
