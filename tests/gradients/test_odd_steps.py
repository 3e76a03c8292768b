"""Training steps that do more than one update, or not the same each time."""

from contextlib import contextmanager

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

BACKEND = keras.backend.backend()
STEPWISE = pytest.mark.skipif(BACKEND == "jax", reason="a stateful train_step")
X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")


class Twins(keras.Model):
    """Two parts of equal shape with an optimizer each, the second one at rest."""

    def __init__(self):
        super().__init__()
        self.one, self.two = keras.layers.Dense(1), keras.layers.Dense(1)
        self.first = keras.optimizers.SGD(0.1)
        self.second = keras.optimizers.SGD(0.0)

    def call(self, x):
        return self.one(x) + self.two(x)

    def train_step(self, data):
        x, y = data[0], data[1]
        for part, optimizer in ((self.one, self.first), (self.two, self.second)):
            variables = part.trainable_variables
            optimizer.apply(self.gradients_of(x, y, variables), variables)
        self.first.apply([], [])
        return {"loss": keras.ops.mean(self(x))}

    def gradients_of(self, x, y, variables):
        if BACKEND == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = keras.ops.mean((self(x) - y) ** 2)
            return tape.gradient(loss, [v.value for v in variables])
        import torch

        loss = keras.ops.mean((self(x) - y) ** 2)
        return torch.autograd.grad(loss, [v.value for v in variables])


@STEPWISE
def test_two_updates_in_a_step():
    keras.utils.set_random_seed(0)
    model = Twins()
    model(X)
    model.compile(optimizer="sgd", loss="mse", run_eagerly=BACKEND == "tensorflow")
    before = reference.arrays(model.trainable_variables)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(X, X[:, :1], batch_size=16, verbose=0, callbacks=[monitor])
    after = reference.arrays(model.trainable_variables)
    moved = [reference.norm(a - b) for a, b in zip(before, after, strict=True)]
    record = monitor.record
    np.testing.assert_allclose(record.update_norm[0], moved, rtol=1e-5)
    np.testing.assert_allclose(
        record.weight_norm[0], [reference.norm(b) for b in before], rtol=1e-5
    )
    assert (record.update_norm[0, 2:] == 0).all()


@pytest.mark.once
def test_an_inner_optimizer_that_the_user_keeps_is_not_watched_twice():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.kept = keras.optimizers.SGD(0.1)
    scaled = keras.optimizers.LossScaleOptimizer(model.kept, initial_scale=8.0)
    model.compile(optimizer=scaled, loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(X, X[:, :1], verbose=0, callbacks=[monitor])
    assert len(monitor.record.variables) == 2


class BindsItsStep(keras.Sequential):
    """A model whose train function keeps the step it was made of, as in Keras 3.16."""

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            step = self.train_step
            self.train_function = lambda batches: [step(b) for b in batches][-1]
        return self.train_function


class LooksItsStepUp(keras.Sequential):
    """A model whose train function looks the step up, as in Keras 3.14 and 3.15."""

    def make_train_function(self, force=False):
        if self.train_function is None or force:
            self.train_function = lambda batches: self.train_step(batches[0])
        return self.train_function


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch only")
@pytest.mark.parametrize("kind", [BindsItsStep, LooksItsStepUp])
def test_train_functions_of_other_versions_of_keras(kind):
    keras.utils.set_random_seed(0)
    model = kind([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=2)
    history = model.fit(
        X, X[:, :1], batch_size=2, epochs=2, verbose=0, callbacks=[monitor]
    )
    steps = range(0, 2 * -(-len(X) // 2), 2)
    assert monitor.record.steps.tolist() == list(steps)
    assert list(history.history) == ["loss", "global_gradient_norm"]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow only")
def test_a_train_step_that_is_a_function_of_its_own():
    import tensorflow as tf

    class Own(keras.Sequential):
        @tf.function
        def train_step(self, data):
            return super().train_step(data)

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    with pytest.warns(UserWarning, match="not watched"):
        model.fit(X, X[:, :1], verbose=0, callbacks=[monitor])


@pytest.mark.skipif(BACKEND != "jax", reason="JAX only")
@pytest.mark.parametrize("inner", ["all of it", "the loss"])
def test_functions_compiled_within_a_step_keep_their_tracers(inner):
    import jax

    class Own(keras.Sequential):
        def train_step(self, state, data):
            if inner == "all of it":
                return jax.jit(super().train_step)(state, data)
            mapping = list(zip(self.metrics_variables, state[3], strict=True))
            with keras.StatelessScope(mapping):
                jax.jit(lambda x: self.metrics[0].update_state(x) or x)(1.0)
            return super().train_step(state, data)

    losses = []
    for watch in (False, True):
        keras.utils.set_random_seed(0)
        model = Own([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        fit = {"verbose": 0, "callbacks": [monitor] if watch else []}
        if watch and inner == "all of it":
            with pytest.warns(UserWarning, match="not watched"):
                history = model.fit(X, X[:, :1], **fit)
        else:
            history = model.fit(X, X[:, :1], **fit)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


@contextmanager
def stopping_at_nan():
    """Have the backend's debugger raise where a step makes a NaN."""
    if BACKEND == "jax":
        import jax

        with jax.debug_nans(True):
            yield
    else:
        import tensorflow as tf

        tf.debugging.enable_check_numerics()
        try:
            yield
        finally:
            tf.debugging.disable_check_numerics()


@pytest.mark.skipif(BACKEND == "torch", reason="its debugger looks at backward passes")
@pytest.mark.parametrize(
    "run_eagerly", [False, pytest.param(True, marks=pytest.mark.once("tensorflow"))]
)
def test_a_debugger_of_nan_finds_none_that_a_plain_fit_has_not(run_eagerly):
    with stopping_at_nan():
        # no bias: dead units are not known; the first of two micro-steps: no update is
        layers = [keras.layers.Dense(2, use_bias=False), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((3,)), *layers])
        optimizer = keras.optimizers.SGD(gradient_accumulation_steps=2)
        model.compile(optimizer=optimizer, loss="mse", run_eagerly=run_eagerly)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        model.fit(X, X[:, :1], batch_size=4, verbose=0, callbacks=[monitor])
    record = monitor.record
    assert np.isnan(record.clip_factor[0]).all()
    assert np.isnan(record.zero_unit_fraction[:, 0]).all()
    assert np.isfinite(record.gradient_norm).all()


def test_what_is_not_known_is_nan_where_numbers_are_of_half_precision():
    keras.config.set_floatx("float16")
    try:
        layers = [keras.layers.Dense(2, use_bias=False), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((3,)), *layers])
        optimizer = keras.optimizers.SGD(gradient_accumulation_steps=2)
        model.compile(optimizer=optimizer, loss="mse")
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        x = X.astype("float16")
        model.fit(x, x[:, :1], batch_size=8, verbose=0, callbacks=[monitor])
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")  # was made of `floatx` meanwhile
    record = monitor.record
    assert np.isnan(record.clip_factor[0]).all()
    assert np.isnan(record.update_norm[0]).all()
    assert np.isfinite(record.gradient_norm).all()


class NoUnits(keras.layers.Layer):
    """Its one weight has no entries."""

    def build(self, input_shape):
        self.bias = self.add_weight(shape=(0,), name="bias")

    def call(self, x):
        return x + keras.ops.sum(self.bias)


def test_nothing_is_measured_of_a_model_without_entries_to_train():
    model = keras.Sequential([NoUnits()])
    model.compile("sgd", "mse")
    monitor = kd.callbacks.GradientNormMonitor(stop_on_non_finite=True)
    model.fit(X, X, batch_size=8, verbose=0, callbacks=[monitor])
    record = monitor.record
    assert monitor.non_finite is None
    assert record.batch_loss.tolist() == [0.0, 0.0]
    assert np.isnan(record.gradient_norm).all()
    assert not record.non_finite.any()
    assert not record.weight_norm.any()
    assert not record.update_norm.any()


@pytest.mark.skipif(BACKEND == "tensorflow", reason="each program is traced anew")
def test_rows_of_programs_that_a_step_was_traced_to_earlier():
    """JAX runs the program of full batches on after one of a part batch was traced."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)

    def fit(n):
        data = X[:n], X[:n, :2]
        model.fit(*data, batch_size=8, epochs=2, verbose=0, callbacks=[monitor])

    fit(8)
    model.optimizer.clipnorm = 1e-3  # without `compile`
    fit(12)
    norms, factors = monitor.record.gradient_norm, monitor.record.clip_factor
    is_clipped = [BACKEND == "torch", True] * 2  # batches of 8 and of 4 rows
    expected = np.where(np.array(is_clipped)[:, None], 1e-3 / norms, 1.0)
    np.testing.assert_allclose(factors, expected, rtol=1e-5)


class InPlace(Twins):
    """Ends its steps by zeros in the gradients and by clipping the weights."""

    def train_step(self, data):
        import torch

        variables = self.one.trainable_variables
        gradients = self.gradients_of(data[0], data[1], variables)
        self.norms = [float(torch.linalg.vector_norm(g)) for g in gradients]
        with torch.no_grad():
            self.first.apply(gradients, variables)
            for gradient, variable in zip(gradients, variables, strict=True):
                gradient.zero_()
                variable.value.clamp_(-1e-3, 1e-3)
        return {"loss": keras.ops.mean(self(data[0])).detach()}


@pytest.mark.skipif(BACKEND != "torch", reason="tensors change in place")
def test_what_changes_after_the_update_does_not_count():
    model = InPlace()
    model(X)
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(X, X[:, :1], batch_size=16, verbose=0, callbacks=[monitor])
    record = monitor.record
    np.testing.assert_allclose(record.gradient_norm[0], model.norms, rtol=1e-5)
    np.testing.assert_allclose(record.update_norm[0] / 0.1, model.norms, rtol=1e-4)


class Freeze(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.layers[0].trainable = epoch < 1


@pytest.mark.skipif(BACKEND != "torch", reason="Keras refuses it, or goes on training")
def test_freezing_within_a_fit_leaves_steps_out():
    layers = [keras.layers.Dense(3), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    with pytest.warns(UserWarning, match="the step is not recorded"):
        model.fit(X, X[:, :1], epochs=2, verbose=0, callbacks=[Freeze(), monitor])
    assert monitor.record.steps.tolist() == [0]


class Anneal(keras.callbacks.Callback):
    """Changes what a step bakes in when it is traced."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.layers[0].rate = 0.05 * (epoch + 1)


def test_both_step_functions_are_traced_from_the_same_state():
    losses = []
    for watch in (False, True):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.GaussianDropout(0.1, seed=1), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((3,)), *layers])
        model.compile(optimizer="sgd", loss="mse")
        callbacks = [Anneal()]
        if watch:
            callbacks.append(kd.callbacks.GradientNormMonitor())
        fit = {"batch_size": 8, "epochs": 12, "verbose": 0, "callbacks": callbacks}
        losses.append(model.fit(X, X[:, :1], **fit).history["loss"])
    assert losses[0] == losses[1]


@pytest.mark.once
def test_a_continued_record_counts_epochs_on():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1, append=True)
    for _ in range(2):
        model.fit(X, X[:, :1], epochs=2, verbose=0, callbacks=[monitor])
    record = monitor.record
    assert record.epochs["epoch"].tolist() == [0, 1, 2, 3]
    assert record.step_epochs.tolist() == [0, 1, 2, 3]
    assert len(record.epochs["global_gradient_norm"]) == 4


@STEPWISE
def test_a_record_of_a_step_that_trains_a_part_can_be_continued():
    class Part(Twins):
        def train_step(self, data):
            variables = self.one.trainable_variables
            gradients = self.gradients_of(data[0], data[1], variables)
            self.first.apply(gradients, variables)
            return {}

    model = Part()
    model(X)
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    monitor = kd.callbacks.GradientNormMonitor(every=1, append=True)
    for _ in range(2):
        model.fit(X, X[:, :1], batch_size=16, verbose=0, callbacks=[monitor])
    assert len(monitor.record.variables) == 2
    assert monitor.record.steps.tolist() == [0, 1]
