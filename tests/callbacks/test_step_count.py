"""Steps are counted by their ends: data of unknown length begin one more."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis.activations.normalization_drift import normalization_drift
from keras_dlbasic.callbacks.step_count import StepCount

X = np.random.default_rng(0).normal(size=(24, 6)).astype("float32")
Y = X[:, :1] ** 2


RAN_OUT = pytest.mark.filterwarnings("ignore:Your input ran out of data")


def build_model(optimizer="sgd"):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(4, "relu", kernel_regularizer="l2"),
        keras.layers.BatchNormalization(momentum=0.5),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.compile(optimizer=optimizer, loss="mse")
    return model


def batches(size=8):
    for begin in range(0, 24, size):
        yield X[begin : begin + size], Y[begin : begin + size]


@RAN_OUT
def test_data_of_unknown_length():
    steps = []
    for data in ((X, Y), (batches(),)):
        penalties = kd.callbacks.PenaltyMonitor()
        drift = kd.callbacks.NormalizationMonitor()
        fit = {"callbacks": [penalties, drift], "shuffle": False, "verbose": 0}
        build_model().fit(*data, **({"batch_size": 8} if len(data) > 1 else {}), **fit)
        tables = penalties.record.tables["penalties"], drift.record.tables
        steps.append((tables[0].steps.tolist(), tables[1]["normalization"].steps[-1]))
    # the drift is that of the last step but one, unknown of the first
    assert steps == [([3], 2), ([3], 1)]


@pytest.mark.once
@RAN_OUT
def test_the_only_step_of_unknown_length_is_the_only_one():
    """The drift belongs to one step; the best weights to those before it."""
    model = build_model()
    before = model.get_weights()
    kernel, bias, *_, moving_mean, moving_variance = before[:6]
    hidden = np.maximum(X @ np.float64(kernel) + bias, 0)
    monitor = kd.callbacks.NormalizationMonitor()
    stopping = kd.callbacks.EarlyStoppingReport(
        "loss", patience=1, mode="max", restore_best_weights=True
    )
    model.fit(batches(24), shuffle=False, verbose=0, callbacks=[monitor, stopping])
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    table = monitor.record.tables["normalization"]
    assert table.steps.tolist() == [1]
    assert stopping.report.restored_from == "begin"
    expected = normalization_drift(
        (moving_mean, moving_variance),
        (
            0.5 * moving_mean + 0.5 * hidden.mean(axis=0),
            0.5 * moving_variance + 0.5 * hidden.var(axis=0),
        ),
        0.5,
    )
    for measure, value in expected.items():
        np.testing.assert_allclose(table[measure][0, 0], value, rtol=1e-4)


@pytest.mark.once
@RAN_OUT
def test_noise_scale_of_unknown_length():
    def curve(*data, **fit):
        optimizer = keras.optimizers.SGD(0.0, gradient_accumulation_steps=4)
        scale = kd.studies.GradientNoiseScale(every=1, small_batch=2)
        model = build_model(optimizer)
        model.fit(*data, shuffle=False, verbose=0, callbacks=[scale], **fit)
        return scale.curve

    known = curve(X[:20], Y[:20], batch_size=2)  # ten micro-steps

    def pairs():
        for begin in range(0, 20, 2):
            yield X[begin : begin + 2], Y[begin : begin + 2]

    unknown = curve(pairs())
    assert unknown.steps.tolist() == known.steps.tolist() == [0, 1]
    np.testing.assert_array_equal(unknown.noise, known.noise)


@pytest.mark.once
def test_the_same_callback_twice():
    monitor = kd.callbacks.NormalizationMonitor()
    probe = kd.callbacks.CurvatureProbe(X, Y, every=1, rows=8, max_products=2)
    alone = kd.callbacks.NormalizationMonitor()
    arguments = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    build_model().fit(X, Y, callbacks=[monitor, probe, monitor, probe], **arguments)
    build_model().fit(X, Y, callbacks=[alone], **arguments)
    found, expected = (m.record.tables["normalization"] for m in (monitor, alone))
    assert found.steps.tolist() == expected.steps.tolist() == [2, 5]
    for measure in expected.measures:
        np.testing.assert_array_equal(found[measure], expected[measure])
    assert probe.record.tables["curvature"].steps.tolist() == [3, 6]


@pytest.mark.once
def test_ends_in_any_order():
    count = StepCount()
    for _ in range(2):
        count.epoch_begins({"steps": 5})
        for batch in (1, 5, 3):  # executions of two steps; the last is a short one
            count.step_ends(batch)
    assert (count.first, count.n, count.so_far) == (5, 5, 10)
    count.epoch_begins(None)
    assert count.so_far == 10


@pytest.mark.once
def test_only_hooks_of_our_own_run_in_other_threads():
    class Mine(kd.callbacks.PenaltyMonitor):
        def on_batch_end(self, batch, logs=None):
            self.seen = batch

    assert kd.callbacks.PenaltyMonitor().async_safe
    mine = Mine()
    assert not mine.async_safe
    build_model().fit(X, Y, batch_size=8, verbose=0, callbacks=[mine])
    assert mine.seen == 2
