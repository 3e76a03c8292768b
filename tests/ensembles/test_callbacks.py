"""Snapshots and averaged weights, against what the papers' formulas give."""

import copy

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_dlbasic as kd
from keras_dlbasic._backends.processes import Processes
from keras_dlbasic.ensembles import snapshot_ensemble, weight_average
from keras_dlbasic.ensembles.batch_statistics import recompute_statistics
from keras_dlbasic.ensembles.snapshot_ensemble import _cycle_bounds

X = np.random.default_rng(0).normal(1, 2, size=(24, 3)).astype("float32")
Y = X[:, :1] - 0.5


def build_model(normalized=False, optimizer=None):
    keras.utils.set_random_seed(3)
    layers = [keras.Input((3,)), keras.layers.Dense(4, "tanh")]
    if normalized:
        layers += [keras.layers.Dropout(0.5, seed=1), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(optimizer=optimizer or keras.optimizers.SGD(0.1), loss="mse")
    return model


class Recorder(keras.callbacks.Callback):
    """Takes down rates and weights as a user sees them."""

    def __init__(self):
        super().__init__()
        self.rates, self.weights = [], []

    def on_train_batch_begin(self, batch, logs=None):
        rate = self.model.optimizer.learning_rate
        self.rates.append(float(keras.ops.convert_to_numpy(rate)))

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())


def fit(model, callbacks, **arguments):
    arguments = {"batch_size": 8, "epochs": 6, "verbose": 0, **arguments}
    return model.fit(X, Y, callbacks=callbacks, **arguments)


def test_the_rate_follows_the_cosine_and_snapshots_end_cycles():
    model = build_model()
    snapshots = copy.deepcopy(kd.ensembles.SnapshotEnsemble(cycles=2))
    recorder = Recorder()
    history = fit(model, [snapshots, recorder])
    t = np.arange(18) % 9 / 9  # three steps an epoch, three epochs a cycle
    np.testing.assert_allclose(
        recorder.rates, 0.05 * (np.cos(np.pi * t) + 1), rtol=1e-5
    )
    assert snapshots.snapshot_epochs == [2, 5]
    for kept, epoch in zip(snapshots.snapshots, (2, 5), strict=True):
        for one, other in zip(kept, recorder.weights[epoch], strict=True):
            np.testing.assert_array_equal(one, other)
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == (
        pytest.approx(0.1)
    )
    np.testing.assert_allclose(
        history.history["learning_rate"], np.array(recorder.rates)[2::3], rtol=1e-5
    )
    ensemble = snapshots.ensemble()
    each = [member.predict(X, verbose=0) for member in ensemble.members]
    np.testing.assert_allclose(
        ensemble.predict(X, verbose=0), np.mean(each, axis=0), rtol=1e-5
    )
    np.testing.assert_array_equal(each[1], model.predict(X, verbose=0))
    assert len(snapshots.ensemble(last=1).members) == 1
    assert np.isfinite(ensemble.evaluate(X, Y, verbose=0))


@pytest.mark.once
@given(st.integers(0, 20), st.integers(1, 60), st.integers(1, 9))
def test_cycles_cover_the_epochs_and_differ_by_one_at_most(first, more, cycles):
    bounds = _cycle_bounds(first, first + more, cycles)
    lengths = np.diff(bounds)
    assert (bounds[0], bounds[-1]) == (first, first + more)
    assert len(lengths) == min(cycles, more)
    assert lengths.min() >= 1
    assert lengths.max() - lengths.min() <= 1
    if more % cycles == 0:  # as in the paper
        assert lengths.tolist() == [more // cycles] * cycles


@pytest.mark.once
def test_the_rate_reaches_the_update():
    """With half a cosine in one update each, the first goes by the full rate."""
    model, plain = build_model(), build_model()
    fit(model, [kd.ensembles.SnapshotEnsemble(cycles=1)], epochs=2, batch_size=24)
    fit(plain, [], epochs=1, batch_size=24)
    plain.optimizer.learning_rate = 0.05
    fit(plain, [], epochs=1, batch_size=24)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise RuntimeError("in the middle")


def test_a_broken_off_fit_leaves_no_rate_behind():
    model = build_model()
    snapshots = kd.ensembles.SnapshotEnsemble(cycles=1)
    with pytest.raises(RuntimeError, match="in the middle"):
        fit(model, [snapshots, Stop()], initial_epoch=3)
    recorder = Recorder()
    fit(model, [snapshots, recorder], epochs=2)
    assert recorder.rates[0] == pytest.approx(0.1)


@pytest.mark.once
def test_a_data_set_that_does_not_know_its_length():
    snapshots = kd.ensembles.SnapshotEnsemble(cycles=1, learning_rate=0.2)
    snapshots.set_params({"epochs": 2, "steps": None})
    model = build_model()
    snapshots.set_model(model)
    snapshots.on_train_begin()
    rates = []
    for epoch in (0, 1):
        snapshots.on_epoch_begin(epoch)
        for batch in range(3):
            snapshots.on_train_batch_begin(batch)
            rates.append(
                float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
            )
            snapshots.on_train_batch_end(batch)
        snapshots.on_train_batch_begin(3)  # Keras begins one more, and finds no batch
        snapshots.on_epoch_end(epoch)
    expected = 0.1 * (np.cos(np.pi * np.array([0, 0, 0, 3, 4, 5]) / 6) + 1)
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


@pytest.mark.once
def test_snapshots_say_it_between_epochs(capsys):
    fit(build_model(), [kd.ensembles.SnapshotEnsemble(2, verbose=1)], verbose=1)
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if "Snapshot" in line]
    assert said == [
        "Snapshot 1 of 2 kept after epoch 3.",
        "Snapshot 2 of 2 kept after epoch 6.",
    ]


def test_weights_are_averaged():
    model, recorder = build_model(), Recorder()
    averaging = copy.deepcopy(
        kd.ensembles.WeightAverage(2, every=2, learning_rate=0.02)
    )
    fit(model, [recorder, averaging])
    assert averaging.count == 2
    assert recorder.rates[:6] == pytest.approx([0.1] * 6)
    assert recorder.rates[6:] == pytest.approx([0.02] * 12)
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == (
        pytest.approx(0.1)
    )
    for found, one, other in zip(
        model.get_weights(), recorder.weights[2], recorder.weights[4], strict=True
    ):
        mean = (one.astype(np.float64) + other) / 2
        np.testing.assert_allclose(found, mean, rtol=1e-6, atol=1e-7)


@pytest.mark.once
def test_a_share_of_the_epochs():
    averaging = kd.ensembles.WeightAverage(0.5)
    fit(build_model(), [averaging], initial_epoch=2)
    assert averaging.count == 2


def test_statistics_are_recomputed_without_dropout():
    model = build_model(normalized=True)
    averaging = kd.ensembles.WeightAverage(x=X, batch_size=16)
    fit(model, [averaging])
    w, b = model.layers[0].get_weights()
    hidden = np.tanh(X.astype(np.float64) @ w + b)
    _, _, mean, variance = model.layers[2].get_weights()
    np.testing.assert_allclose(mean, hidden.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variance, hidden.var(axis=0), rtol=1e-4)
    assert model.layers[2].momentum == 0.99
    before = [keras.ops.convert_to_numpy(v.value) for v in model.variables]
    state = np.random.get_state()[1].copy()
    recompute_statistics(model, X, batch_size=16)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    for variable, value in zip(model.variables, before, strict=True):  # seeds too
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable.value), value)


def normalized_twice():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Activation("tanh"),
            keras.layers.Dense(5),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )


def full_batch_statistics(model, x):
    """Training mode on all rows at once, in float64 NumPy."""
    w1, b1, g1, o1, _, _, w2, b2 = (w.astype(float) for w in model.get_weights()[:8])
    one = x.astype(float) @ w1 + b1
    normal = (one - one.mean(axis=0)) / np.sqrt(one.var(axis=0) + 1e-3) * g1 + o1
    two = np.tanh(normal) @ w2 + b2
    return one.mean(axis=0), one.var(axis=0), two.mean(axis=0), two.var(axis=0)


@pytest.mark.parametrize("batch_size", [7, 200])
def test_statistics_are_those_of_all_rows_in_any_order(batch_size, rng):
    """Rows in order, as a series in time: each batch has next to no variance."""
    x = np.sort(rng.normal(2, 3, (60, 3)), axis=0).astype("float32")
    model = normalized_twice()
    expected = full_batch_statistics(model, x)
    recompute_statistics(model, x, batch_size=batch_size)
    found = *model.layers[1].get_weights()[2:], *model.layers[4].get_weights()[2:]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
    assert model.layers[1].momentum == 0.9
    assert "call" not in vars(model.layers[1])
    before = model.get_weights()
    recompute_statistics(model, x[::-1], batch_size=batch_size)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.once
def test_statistics_are_of_rows_in_any_form(rng):
    rows = rng.normal(2, 3, (60, 3)).astype("float32")
    models = [normalized_twice() for _ in range(3)]
    recompute_statistics(models[0], rows)
    recompute_statistics(models[1], rows.tolist())
    recompute_statistics(models[2], keras.ops.convert_to_tensor(rows))
    for model in models[1:]:
        for one, other in zip(
            models[0].get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="`x`"):
        recompute_statistics(models[0], rows[:, :2])


@pytest.mark.once
def test_masked_steps_and_pictures_count_each_of_their_values(rng):
    x = rng.normal(1, 2, (9, 4, 3)).astype("float32")
    x[::2, 2:] = 0.0
    inputs = keras.Input((4, 3))
    masked = keras.layers.Masking()(inputs)
    model = keras.Model(inputs, keras.layers.BatchNormalization()(masked))
    recompute_statistics(model, x, batch_size=4)
    seen = x[(x != 0).any(axis=-1)].astype(float)
    _, _, mean, variance = model.layers[-1].get_weights()
    np.testing.assert_allclose(mean, seen.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, seen.var(axis=0), rtol=1e-5)
    first = keras.layers.BatchNormalization(axis=1)
    model = keras.Sequential([keras.Input((4, 3)), first])
    recompute_statistics(model, x, batch_size=4)
    variance = first.get_weights()[3]
    np.testing.assert_allclose(variance, x.astype(float).var(axis=(0, 2)), rtol=1e-5)


@pytest.mark.once
def test_frozen_statistics_stay():
    model = build_model(normalized=True)
    model.layers[2].trainable = False
    before = model.layers[2].get_weights()
    fit(model, [kd.ensembles.WeightAverage()])
    for one, other in zip(before, model.layers[2].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.once
def test_a_fit_that_ends_too_early(capsys):
    class End(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    model, plain = build_model(), build_model()
    fit(model, [kd.ensembles.WeightAverage(4, verbose=1), End()], shuffle=False)
    fit(plain, [End()], shuffle=False)
    assert "Nothing was averaged" in capsys.readouterr().out
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.once
@pytest.mark.parametrize("number", [0, 1])
def test_one_of_several_processes_speaks(number, monkeypatch, capsys):
    for module in (snapshot_ensemble, weight_average):
        monkeypatch.setattr(module, "processes_of", lambda _: Processes(number, 2))
    model = build_model()
    for make in (kd.ensembles.SnapshotEnsemble, kd.ensembles.WeightAverage):
        callback = make(1, verbose=1)
        callback.set_params({"epochs": 2, "steps": 1, "verbose": 0})
        callback.set_model(model)
        callback.on_train_begin()
        for epoch in range(2):
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, {})
        callback.on_train_end()
        assert bool(capsys.readouterr().out) == (number == 0)


@pytest.mark.once
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: kd.ensembles.SnapshotEnsemble(0), "cycles=0"),
        (lambda: kd.ensembles.SnapshotEnsemble(learning_rate=0), "learning_rate=0"),
        (lambda: kd.ensembles.SnapshotEnsemble(verbose=3), "verbose=3"),
        (lambda: kd.ensembles.SnapshotEnsemble().ensemble(), "0 snapshots"),
        (lambda: kd.ensembles.WeightAverage(-1), "start=-1"),
        (lambda: kd.ensembles.WeightAverage(1.5), "start=1.5"),
        (lambda: kd.ensembles.WeightAverage(every=0), "every=0"),
        (lambda: kd.ensembles.WeightAverage(learning_rate=-1.0), "learning_rate"),
        (
            lambda: fit(build_model(), [kd.ensembles.SnapshotEnsemble(9)]),
            "cycles=9, epochs=6",
        ),
        (
            lambda: fit(build_model(), [kd.ensembles.WeightAverage(9)]),
            "start=9 with epochs=6",
        ),
        (
            lambda: fit(build_model(True), [kd.ensembles.WeightAverage()]),
            "batch normalization",
        ),
        (
            lambda: fit(
                build_model(
                    optimizer=keras.optimizers.SGD(
                        keras.optimizers.schedules.CosineDecay(0.1, 10)
                    )
                ),
                [kd.ensembles.SnapshotEnsemble(2)],
            ),
            "schedule",
        ),
    ],
)
def test_bad_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()
