"""The monitors of activations, penalties and normalization."""

import copy

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L, R = keras.layers, kd.regularizers
X = np.random.default_rng(0).normal(2, 1, size=(40, 6)).astype("float32")
Y = X[:, :1] ** 2


def build_model():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(8, kernel_regularizer=R.L2(0.01)),
            kd.layers.BatchNormalization(momentum=0.9),
            L.Activation("tanh"),
            L.Dense(6, "relu", kernel_regularizer=R.GroupLasso(0.01)),
            L.Dropout(0.2, seed=1),
            L.Dense(1, kernel_regularizer=keras.regularizers.L1(0.01)),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    return model


def monitors(record=None):
    return [
        kd.callbacks.ActivationMonitor(X, every=2, record=record),
        kd.callbacks.PenaltyMonitor(record=record),
        kd.callbacks.NormalizationMonitor(record=record),
    ]


def fit(model, callbacks, **arguments):
    arguments = {"batch_size": 8, "epochs": 2, **arguments}
    return model.fit(X, Y, verbose=0, callbacks=callbacks, **arguments)


@pytest.fixture(scope="module")
def unwatched():
    """Logs, weights and the next random number of a fit without callbacks."""
    model = build_model()
    keras.utils.set_random_seed(5)
    history = fit(model, []).history
    return history, model.get_weights(), np.random.random()


def assert_unchanged(history, model, unwatched):
    expected, weights, _ = unwatched
    assert history == expected
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.once
def test_watching_changes_nothing(unwatched):
    model = build_model()
    keras.utils.set_random_seed(5)
    history = fit(model, copy.deepcopy(monitors())).history
    assert np.random.random() == unwatched[2]
    assert_unchanged(history, model, unwatched)


@pytest.mark.once
def test_one_record_for_all(tmp_path):
    record = kd.records.TrainingRecord()
    model = build_model()
    fit(model, [kd.callbacks.GradientNormMonitor(record=record), *monitors(record)])
    assert set(record.tables) == {"activations", "penalties", "normalization"}
    activations = record.tables["activations"]
    assert activations.steps.tolist() == [2, 4, 5, 6, 8, 10]
    assert activations.epochs.tolist() == [0, 0, 0, 1, 1, 1]
    layers = [model.layers[i].name for i in (0, 1, 2, 3, 5)]  # dropout has no units
    assert list(activations.labels) == layers
    record.save(tmp_path / "r.npz")
    loaded = kd.records.TrainingRecord.load(tmp_path / "r.npz")
    for name, table in record.tables.items():
        assert loaded.tables[name].labels == table.labels
        for measure in table.measures:
            np.testing.assert_array_equal(loaded.tables[name][measure], table[measure])


@pytest.mark.once
def test_dead_and_saturated_units_are_seen():
    model = build_model()
    dead = model.layers[3]
    kernel, bias = dead.get_weights()
    bias[:3] = -1e3
    dead.set_weights([kernel, bias])
    gamma, *rest = model.layers[1].get_weights()
    model.layers[1].set_weights([gamma * 1e4, *rest])
    monitor = kd.callbacks.ActivationMonitor(X, verbose=1)
    fit(model, [monitor], epochs=1)
    table = monitor.record.tables["activations"]
    assert table["dead_units"][-1, 3] >= 0.5
    assert table["saturated_units"][-1, 2] == 1.0
    assert np.isnan(table["saturated_units"][-1, 3])


def test_activation_values_are_those_of_the_model():
    model = keras.Sequential([keras.Input((6,)), L.Dense(4, "relu")])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.ActivationMonitor(X)
    model.fit(X, np.zeros((40, 4)), epochs=1, verbose=0, callbacks=[monitor])
    w, b = model.get_weights()
    a = np.maximum(X @ w + b, 0)
    table = monitor.record.tables["activations"]
    assert table["mean"][0, 0] == pytest.approx(a.mean(), rel=1e-4)
    assert table["variance"][0, 0] == pytest.approx(a.var(), rel=1e-4)
    assert table["dead_units"][0, 0] == (a == 0).all(axis=0).mean()


def seen(monitor, **arguments):
    fit(build_model(), [monitor], epochs=1, **arguments)
    return monitor.record.tables["activations"]


@pytest.mark.once
def test_without_a_probe_the_first_batch_is_kept():
    monitor = copy.deepcopy(kd.callbacks.ActivationMonitor())
    table = seen(monitor, shuffle=False, batch_size=16)
    np.testing.assert_array_equal(monitor.x, X[:16])
    expected = seen(
        kd.callbacks.ActivationMonitor(X[:16]), shuffle=False, batch_size=16
    )
    for measure in table.measures:
        np.testing.assert_allclose(table[measure], expected[measure], rtol=1e-5)
    assert table.steps.tolist() == expected.steps.tolist() == [3]


@pytest.mark.once
def test_keeping_the_first_batch_changes_nothing(unwatched):
    model = build_model()
    keras.utils.set_random_seed(5)
    record = kd.records.TrainingRecord()
    kept = kd.callbacks.ActivationMonitor(every=1, record=record)
    gradients = kd.callbacks.GradientNormMonitor(every=3)
    history = fit(model, [kept, gradients]).history
    history.pop("global_gradient_norm")
    assert_unchanged(history, model, unwatched)
    assert gradients.record is kept.record is record
    assert record.steps.tolist() == [0, 3, 6, 9]
    assert record.tables["activations"].steps.tolist() == list(range(1, 11))
    assert kept.x.shape == (8, 6)


@pytest.mark.once
def test_a_first_batch_of_several_inputs():
    inputs = {"a": keras.Input((6,), name="a"), "b": keras.Input((6,), name="b")}
    hidden = L.Dense(4, "relu")(L.Add()([inputs["a"], inputs["b"]]))
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.ActivationMonitor()
    x = {"a": X, "b": 2 * X}
    model.fit(x, Y, batch_size=20, shuffle=False, verbose=0, callbacks=[monitor])
    np.testing.assert_array_equal(monitor.x["b"], 2 * X[:20])
    assert len(monitor.record.tables["activations"].labels) == 3
    model.fit(x, Y, batch_size=40, verbose=0, callbacks=[monitor])  # a second fit
    assert monitor.x["a"].shape == (40, 6)


@pytest.mark.once
def test_a_first_batch_that_is_no_probe_is_said():
    wrong = X.copy()
    wrong[0] = np.nan
    model = build_model()
    monitor = kd.callbacks.ActivationMonitor()
    with pytest.warns(UserWarning, match="NaN or infinite.*ActivationMonitor"):
        model.fit(wrong, Y, shuffle=False, verbose=0, callbacks=[monitor])
    assert "activations" not in monitor.record.tables


@pytest.mark.once
def test_a_continued_record_counts_on():
    record = kd.records.TrainingRecord()
    model = build_model()
    for _ in range(2):
        fit(model, [*monitors(record), kd.callbacks.GradientNormMonitor(record=record)])
    assert record.epochs["epoch"].tolist() == [0, 1, 2, 3]
    for table in record.tables.values():
        assert table.epochs[-1] == 3
        assert table.steps[-1] in (19, 20)


@pytest.mark.once
def test_monitors_share_a_record_given_to_one():
    record = kd.records.TrainingRecord()
    monitor = kd.callbacks.NormalizationMonitor()
    fit(build_model(), [monitor, kd.callbacks.GradientNormMonitor(record=record)])
    assert monitor.record is record
    assert "normalization" in record.tables


def test_penalty_is_that_of_keras():
    model = build_model()
    monitor = kd.callbacks.PenaltyMonitor(verbose=1)
    history = fit(model, [monitor])
    record = monitor.record
    total = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    assert record.epochs["penalty"][-1] == pytest.approx(total, rel=1e-5)
    share = record.epochs["penalty_share"]
    assert share[-1] == pytest.approx(total / history.history["loss"][-1], rel=1e-5)
    assert list(record.facts.penalties.values()) == [
        "L2(l2=0.01)",
        "GroupLasso(factor=0.01, axis=-1)",
        "L1(l1=0.01)",
    ]
    w = model.layers[0].get_weights()[0].astype(np.float64)
    table = record.tables["penalties"]
    assert table["l2_mass"][-1, 0] == pytest.approx(np.linalg.norm(w), rel=1e-5)
    assert table["l1_mass"][-1, 0] == pytest.approx(np.abs(w).sum(), rel=1e-5)
    assert table["penalty"][-1, 0] == pytest.approx(0.005 * (w**2).sum(), rel=1e-5)
    assert "penalty" not in history.history


@pytest.mark.once
def test_near_zero_weights():
    model = build_model()
    for layer in model.layers:
        layer.trainable = layer is model.layers[0]
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    kernel, bias = model.layers[0].get_weights()
    kernel[:, :4] = 1e-9
    kernel[:, 4:] = 1.0
    model.layers[0].set_weights([kernel, bias])
    monitor = kd.callbacks.PenaltyMonitor()
    fit(model, [monitor], epochs=1)
    table = monitor.record.tables["penalties"]
    assert table["near_zero_weights"][0, 0] == 0.5
    assert table["near_zero_units"][0, 0] == 0.5


@pytest.mark.parametrize("cls", [kd.layers.BatchNormalization, L.BatchNormalization])
def test_drift_is_that_of_the_batch(cls):
    norm = cls(momentum=0.9)
    model = keras.Sequential([keras.Input((6,)), norm, L.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    monitor = kd.callbacks.NormalizationMonitor()
    model.fit(X, Y, batch_size=40, epochs=3, verbose=0, callbacks=[monitor])
    table = monitor.record.tables["normalization"]
    mean, variance = X.astype(float).mean(axis=0), X.astype(float).var(axis=0)
    for epoch in range(3):
        share = 0.9**epoch
        moving_mean = (1 - share) * mean
        moving_variance = share + (1 - share) * variance
        drift = np.sqrt(np.mean((mean - moving_mean) ** 2 / moving_variance))
        assert table["mean_drift"][epoch, 0] == pytest.approx(drift, rel=1e-3)
        ratio = np.exp(np.mean(np.log(variance / moving_variance)))
        assert table["variance_ratio"][epoch, 0] == pytest.approx(ratio, rel=1e-3)


@pytest.mark.once
def test_one_value_per_channel_is_warned_of():
    model = keras.Sequential(
        [keras.Input((6,)), kd.layers.BatchNormalization(), L.Dense(1)]
    )
    model.compile(optimizer="sgd", loss="mse")
    with pytest.warns(UserWarning, match="one value per channel.*LayerNormalization"):
        model.fit(
            X[:3],
            Y[:3],
            batch_size=1,
            verbose=0,
            callbacks=[kd.callbacks.NormalizationMonitor()],
        )


@pytest.mark.once
def test_images_of_batch_size_one_are_fine():
    model = keras.Sequential(
        [keras.Input((2, 3)), kd.layers.BatchNormalization(), L.Flatten(), L.Dense(1)]
    )
    model.compile(optimizer="sgd", loss="mse")
    x = X[:3].reshape(3, 2, 3)
    monitor = kd.callbacks.NormalizationMonitor()
    model.fit(x, Y[:3], batch_size=1, verbose=0, callbacks=[monitor])
    table = monitor.record.tables["normalization"]
    assert np.isfinite(table["mean_drift"]).all()
    assert (table["mean_drift"] > 0).all()


@pytest.mark.once
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: kd.callbacks.ActivationMonitor(X, every=0), "every=0"),
        (lambda: kd.callbacks.ActivationMonitor(X * np.nan), "NaN or infinite"),
        (lambda: kd.callbacks.ActivationMonitor(X[:0]), "at least one sample"),
        (lambda: kd.callbacks.ActivationMonitor([]), "array of samples"),
        (lambda: kd.callbacks.ActivationMonitor(X, dormant=-1), "dormant=-1"),
        (lambda: kd.callbacks.ActivationMonitor(X, verbose=2), "verbose=2"),
        (lambda: kd.callbacks.PenaltyMonitor(near_zero=1), "near_zero=1"),
        (lambda: kd.callbacks.PenaltyMonitor(verbose=2), "verbose=2"),
    ],
)
def test_bad_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.once
def test_no_penalty_to_watch():
    model = keras.Sequential([keras.Input((6,)), L.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    with pytest.raises(ValueError, match="has a regularizer"):
        fit(model, [kd.callbacks.PenaltyMonitor()])
