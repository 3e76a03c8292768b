"""The tap's numbers against autodiff, NumPy and Keras' own clipping."""

import keras
import models
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

RTOL = 1e-5
ON_EACH_BACKEND = ("cnn", "embedding", "mlp")
"""Products of matrices, convolutions, gradients by row."""

OPTIMIZERS = keras.optimizers


def watched_step(name, optimizer, *, n=24, compile_args=None, **fit):
    """Train one step; return (record, gradients, weights before, weights after)."""
    model, x, y, loss = models.make(name)
    batch = keras.tree.map_structure(lambda a: a[:n], (x, y))
    if not model.built:
        model(batch[0])
    model.compile(optimizer=optimizer, loss=loss, **(compile_args or {}))
    weights = {k: v for k, v in fit.items() if k == "sample_weight"}
    expected = reference.gradients(model, *batch, **weights)
    models_state = list(model.non_trainable_variables)
    before = reference.arrays(model.trainable_variables)
    # batch normalization moved its statistics in the reference pass
    fresh, *_ = models.make(name)
    if fresh.built:
        for variable, source in zip(
            models_state, fresh.non_trainable_variables, strict=True
        ):
            variable.assign(source)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(
        *batch, batch_size=n, verbose=0, shuffle=False, callbacks=[monitor], **fit
    )
    after = reference.arrays(model.trainable_variables)
    record = monitor.record
    paths = [variable.path for variable in model.trainable_variables]
    assert [variable.path for variable in record.variables] == paths
    return record, expected, before, after


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.once] * (name not in ON_EACH_BACKEND))
        for name in sorted(models.ALL)
    ],
)
def test_measures_equal_those_of_autodiff(name):
    record, gradients, before, after = watched_step(name, OPTIMIZERS.SGD(0.1))
    norms = np.array([reference.norm(g) for g in gradients])
    scale = norms.max()
    np.testing.assert_allclose(
        record.gradient_norm[0], norms, rtol=RTOL, atol=1e-7 * scale
    )
    np.testing.assert_allclose(
        record.max_abs_gradient[0],
        [np.abs(g).max() for g in gradients],
        rtol=RTOL,
        atol=1e-7 * scale,
    )
    np.testing.assert_allclose(
        record.weight_norm[0], [reference.norm(w) for w in before], rtol=RTOL
    )
    np.testing.assert_allclose(
        record.update_norm[0],
        [reference.norm(b - a) for a, b in zip(before, after, strict=True)],
        rtol=RTOL,
    )
    np.testing.assert_allclose(
        record.global_gradient_norm[0], np.sqrt(np.sum(norms**2)), rtol=RTOL
    )
    assert (record.non_finite == 0).all()
    assert (record.clip_factor == 1).all()


CLIPPING = {"clipnorm": 0.05, "global_clipnorm": 0.05, "clipvalue": 0.004}
ROWS_APART = pytest.mark.once("tensorflow")
"""There Keras clips gradients by row; elsewhere a table is a weight as any other."""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(pytest.param("mlp", kind, marks=pytest.mark.once) for kind in CLIPPING),
        pytest.param("embedding", "clipnorm", marks=ROWS_APART),
        pytest.param("embedding", "global_clipnorm", marks=ROWS_APART),
        ("embedding", "clipvalue"),
    ],
)
def test_clip_factor_is_that_of_keras(name, kind):
    clipping = {kind: CLIPPING[kind]}
    optimizer = OPTIMIZERS.SGD(1.0, **clipping)
    record, gradients, before, after = watched_step(name, optimizer)
    norms = np.array([reference.norm(g) for g in gradients])
    # plain SGD with learning rate 1 moves the weights by the clipped gradient
    moved = [reference.norm(a - b) for a, b in zip(before, after, strict=True)]
    assert (record.clip_factor[0] < 1).any()
    # (a difference of float32 weights has lost digits)
    np.testing.assert_allclose(record.clip_factor[0], moved / norms, rtol=2e-4)
    pieces = [(g, None) for g in gradients]
    if name == "embedding" and keras.backend.backend() == "tensorflow":
        # Keras clips rows that occur several times before it sums them up
        model, x, y, loss = models.make(name)
        model.compile(optimizer="sgd", loss=loss)
        pieces = reference.tensorflow_slices(model, x, y)
        assert pieces[0][1] is not None
    expected = clip_factors(pieces, gradients, **clipping)
    np.testing.assert_allclose(record.clip_factor[0], expected, rtol=RTOL)
    np.testing.assert_allclose(record.gradient_norm[0], norms, rtol=RTOL)


def clip_factors(
    pieces, gradients, *, clipnorm=None, global_clipnorm=None, clipvalue=None
):
    """Return norm after clipping / norm before by the definitions, in float64."""
    pieces = [(np.asarray(values, np.float64), rows) for values, rows in pieces]
    norms = np.array([np.linalg.norm(values) for values, _ in pieces])
    if clipnorm is not None:
        return np.minimum(1, clipnorm / norms)
    if global_clipnorm is not None:
        return np.full(len(norms), min(1, global_clipnorm / np.linalg.norm(norms)))
    factors = []
    for (values, rows), gradient in zip(pieces, gradients, strict=True):
        clipped = np.clip(values, -clipvalue, clipvalue)
        if rows is not None:
            summed = np.zeros(gradient.shape)
            np.add.at(summed, rows, clipped)
            clipped = summed
        factors.append(np.linalg.norm(clipped) / np.linalg.norm(gradient))
    return np.array(factors)


@pytest.mark.parametrize(
    "make_optimizer",
    [
        pytest.param(
            lambda: OPTIMIZERS.Adam(0.01, loss_scale_factor=512.0, clipnorm=0.05),
            marks=pytest.mark.once,
        ),
        lambda: OPTIMIZERS.LossScaleOptimizer(
            OPTIMIZERS.Adam(0.01, clipnorm=0.05), initial_scale=1024.0
        ),
        pytest.param(
            lambda: OPTIMIZERS.SGD(0.1, momentum=0.9, weight_decay=0.1, use_ema=True),
            marks=pytest.mark.once,
        ),
    ],
    ids=["loss_scale_factor", "LossScaleOptimizer", "weight_decay-ema"],
)
def test_scaling_and_decay_do_not_enter_the_gradient(make_optimizer):
    record, gradients, before, after = watched_step("mlp", make_optimizer())
    norms = [reference.norm(g) for g in gradients]
    np.testing.assert_allclose(record.gradient_norm[0], norms, rtol=RTOL)
    clipnorm = 0.05 if (record.clip_factor < 1).any() else np.inf
    np.testing.assert_allclose(
        record.clip_factor[0], np.minimum(1, clipnorm / np.array(norms)), rtol=RTOL
    )
    assert not record.skipped[0]


def test_update_holds_decay_and_constraints():
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(0.1))
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(optimizer=OPTIMIZERS.SGD(0.01, weight_decay=0.5), loss="mse")
    before = reference.arrays(model.trainable_variables)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0, callbacks=[monitor])
    after = reference.arrays(model.trainable_variables)
    expected = [reference.norm(b - a) for a, b in zip(before, after, strict=True)]
    np.testing.assert_allclose(monitor.record.update_norm[0], expected, rtol=RTOL)


def record_of_fit(model, optimizer, loss, x, y, **fit):
    """Return the record of a fit each step of which is watched."""
    model.compile(optimizer=optimizer, loss=loss)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, y, verbose=0, callbacks=[monitor], **fit)
    return monitor.record


@pytest.mark.parametrize(
    "factor",
    [1e-22, 1e19, *(pytest.param(f, marks=pytest.mark.once) for f in (1e-12, 1e12))],
)
def test_norms_neither_underflow_nor_overflow(factor):
    """A float32 sum of squares holds norms from 1e-19 to 1e19 only."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    x, y = np.full((1, 4), 3.0, "float32"), np.zeros((1, 2))
    record = record_of_fit(
        model,
        OPTIMIZERS.SGD(0.0),
        lambda y, p: keras.ops.sum(p, axis=-1) * factor,
        x,
        y,
    )
    expected = factor * np.array([np.sqrt(8 * 9.0), np.sqrt(2.0)])
    np.testing.assert_allclose(record.gradient_norm[0], expected, rtol=RTOL)
    assert (record.non_finite == 0).all()


@pytest.mark.parametrize(
    ("weight", "factor"),
    [
        (1e-25, 1e-22),
        (1e20, 1e17),
        pytest.param(1e-25, 1.0, marks=pytest.mark.once),
    ],
)
def test_weights_and_updates_of_any_size(weight, factor):
    """Vanishing gradients move what starts at zero by next to nothing."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    kernel = (weight * np.arange(1, 9).reshape(4, 2)).astype("float32")
    model.set_weights([kernel, np.zeros(2)])
    x, y = np.full((1, 4), 3.0, "float32"), np.zeros((1, 2))
    record = record_of_fit(
        model,
        OPTIMIZERS.SGD(0.5),
        lambda y, p: keras.ops.mean(p, axis=-1) * factor,
        x,
        y,
    )
    after = reference.arrays(model.trainable_variables)
    moved = [reference.norm(after[0] - kernel), reference.norm(after[1])]
    np.testing.assert_allclose(record.update_norm[0], moved, rtol=RTOL)
    norms = [reference.norm(kernel), 0.0]
    np.testing.assert_allclose(record.weight_norm[0], norms, rtol=RTOL)


class Gate(keras.layers.Layer):
    """A weight of ones and zeros."""

    def build(self, input_shape):
        shape = (input_shape[-1],)
        self.gate = self.add_weight(shape=shape, name="gate", initializer="ones")
        self.gate.assign([1.0, 0.0, 0.0])

    def call(self, x):
        return x * self.gate


def test_updates_of_zeros_among_ones():
    """The ones stay where they are, the zeros move; later by momentum alone."""
    model = keras.Sequential([keras.Input((3,)), Gate()])
    x = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], "float32")
    record = record_of_fit(
        model,
        OPTIMIZERS.SGD(0.5, momentum=0.9),
        lambda y, p: keras.ops.sum(p, axis=-1) * 1e-22,
        x,
        x,
        batch_size=1,
        shuffle=False,
    )
    step = 0.5e-22 * np.sqrt(2)
    expected = [[step], [0.9 * step]]
    np.testing.assert_allclose(record.update_norm, expected, rtol=RTOL)
    np.testing.assert_allclose(record.weight_norm, [[1.0], [1.0]], rtol=RTOL)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="has no float64 as set")
def test_updates_of_models_in_double_precision():
    layer = keras.layers.Dense(2, dtype="float64")
    model = keras.Sequential([keras.Input((4,), dtype="float64"), layer])
    before = reference.arrays(model.trainable_variables)
    x, y = np.ones((8, 4)), np.ones((8, 2))
    record = record_of_fit(model, OPTIMIZERS.SGD(1e-9), "mse", x, y)
    after = reference.arrays(model.trainable_variables)
    moved = [reference.norm(b - a) for a, b in zip(before, after, strict=True)]
    np.testing.assert_allclose(record.update_norm[0], moved, rtol=RTOL)


@pytest.mark.once
def test_the_scale_is_that_of_the_step_where_it_changes_at_each():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    x = np.ones((8, 4), "float32")

    def norms(optimizer):
        record = record_of_fit(model, optimizer, "mse", x, x[:, :2], epochs=3)
        return record.gradient_norm

    scaled = OPTIMIZERS.LossScaleOptimizer(
        OPTIMIZERS.SGD(0.0), initial_scale=1024.0, dynamic_growth_steps=1
    )
    np.testing.assert_allclose(norms(scaled), norms(OPTIMIZERS.SGD(0.0)), rtol=RTOL)


def test_sample_weights_count():
    weights = np.linspace(0, 2, 24).astype("float32")
    record, gradients, *_ = watched_step(
        "mlp", OPTIMIZERS.SGD(0.1), sample_weight=weights
    )
    norms = [reference.norm(g) for g in gradients]
    np.testing.assert_allclose(record.gradient_norm[0], norms, rtol=RTOL)


def test_non_finite_entries_are_counted():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer="sgd", loss="mse")
    x = np.ones((4, 3), "float32")
    x[0, 1] = (
        np.nan
    )  # reaches the gradient of the kernel's row 1, and by the output all
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, np.ones((4, 2)), verbose=0, callbacks=[monitor])
    assert monitor.record.non_finite[0].tolist() == [6, 2]
    assert np.isnan(monitor.record.global_gradient_norm[0])


def test_dead_units_are_told_by_their_bias():
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(8, "relu")
    model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dense(1)])
    kernel, bias = hidden.get_weights()
    bias[:3] = -100.0  # three units that never answer
    bias[3:] = 100.0
    hidden.set_weights([kernel, bias])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, callbacks=[monitor])
    fractions = monitor.record.zero_unit_fraction[0]
    assert fractions[1] == pytest.approx(3 / 8)
    assert np.isnan(fractions[[0, 2]]).all()


@pytest.mark.once
def test_a_regularised_bias_tells_nothing_of_dead_units():
    layer = keras.layers.Dense(4, "relu", bias_regularizer="l2")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(np.ones((4, 3)), np.ones((4, 4)), verbose=0, callbacks=[monitor])
    assert np.isnan(monitor.record.zero_unit_fraction).all()


def test_steps_that_loss_scaling_skips_are_marked():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    scaled = OPTIMIZERS.LossScaleOptimizer(OPTIMIZERS.SGD(1e-9), initial_scale=1e38)
    model.compile(optimizer=scaled, loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1, stop_on_non_finite=True)
    # gradients of about 1e4 times the scale leave float32
    x, y = np.full((24, 4), 100.0), np.full((24, 1), 1000.0)
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor])
    record = monitor.record
    assert record.skipped.all()
    assert (record.update_norm == 0).all()
    assert len(record.steps) == 3
    assert monitor.non_finite is None


def test_loss_learning_rate_and_batch_size_of_the_step():
    model, x, y, loss = models.make("mlp")
    schedule = OPTIMIZERS.schedules.PiecewiseConstantDecay([1, 2], [0.5, 0.25, 0.125])
    model.compile(optimizer=OPTIMIZERS.SGD(schedule), loss=loss)
    first = float(model.evaluate(x[:10], y[:10], verbose=0))
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, y, batch_size=10, shuffle=False, verbose=0, callbacks=[monitor])
    record = monitor.record
    # the loss is that of the batch alone, not the epoch's running mean
    assert record.batch_loss[0] == pytest.approx(first, rel=1e-5)
    assert record.learning_rate.tolist() == [0.5, 0.5, 0.25]
    assert record.batch_size.tolist() == [10, 10, 4]
    assert record.facts.batch_size == 10


@pytest.mark.once
def test_a_callable_learning_rate_is_not_called_once_more():
    calls = []

    def rate():
        calls.append(1)
        return 0.1

    model, x, y, loss = models.make("mlp")
    counts = []
    for callbacks in ([], [kd.callbacks.GradientNormMonitor(every=1)]):
        calls.clear()
        model.compile(optimizer=OPTIMIZERS.SGD(rate), loss=loss, run_eagerly=True)
        model.fit(x, y, batch_size=8, verbose=0, callbacks=callbacks)
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_gradient_accumulation_rows_are_micro_steps():
    model, x, y, loss = models.make("mlp")
    optimizer = OPTIMIZERS.SGD(1.0, clipnorm=0.05, gradient_accumulation_steps=2)
    model.compile(optimizer=optimizer, loss=loss)
    halves = [reference.gradients(model, x[i : i + 12], y[i : i + 12]) for i in (0, 12)]
    before = reference.arrays(model.trainable_variables)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, y, batch_size=12, shuffle=False, verbose=0, callbacks=[monitor])
    after = reference.arrays(model.trainable_variables)
    record = monitor.record
    for row, half in enumerate(halves):
        np.testing.assert_allclose(
            record.gradient_norm[row], [reference.norm(g) for g in half], rtol=RTOL
        )
    assert np.isnan(record.update_norm[0]).all()
    assert np.isnan(record.clip_factor[0]).all()
    moved = [reference.norm(a - b) for a, b in zip(before, after, strict=True)]
    np.testing.assert_allclose(record.update_norm[1], moved, rtol=RTOL)
    mean = [reference.norm((a + b) / 2) for a, b in zip(*halves, strict=True)]
    np.testing.assert_allclose(
        record.clip_factor[1], np.minimum(1, 0.05 / np.array(mean)), rtol=RTOL
    )


@pytest.mark.parametrize(
    "policy",
    ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.once)],
)
def test_mixed_precision(policy):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(8, "relu", dtype=policy),
        keras.layers.Dense(1, dtype=policy),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimizer="sgd", loss="mse")
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    y = x[:, :1]
    expected = [reference.norm(g) for g in reference.gradients(model, x, y)]
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[monitor])
    np.testing.assert_allclose(monitor.record.gradient_norm[0], expected, rtol=0.02)
