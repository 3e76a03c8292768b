import copy

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.compiled_metrics import logged_names
from keras_dlbasic.callbacks.training_sample import TrainingSample

Detector = kd.callbacks.OverfittingDetector


def make_model(*, dropout=0.0, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(32, activation="tanh"),
            keras.layers.Dropout(dropout),
            keras.layers.GaussianNoise(0.01),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    return model


@pytest.fixture
def data(rng):
    x, y = rng.standard_normal((48, 6)), rng.standard_normal((48, 1))
    return x.astype("float32"), y.astype("float32")


def fit(model, data, callbacks, **options):
    x, y = data
    return model.fit(
        x[:24],
        y[:24],
        **{
            "validation_data": (x[24:], y[24:]),
            "batch_size": 8,
            "epochs": 4,
            "verbose": 0,
            "callbacks": callbacks,
            **options,
        },
    )


@pytest.mark.once
def test_noise_learned_by_heart_is_overfitting(data, capsys):
    detector = Detector(data[0][:24], data[1][:24], metric="mae", mode="min")
    history = fit(make_model(), data, [detector], epochs=40)
    verdict = detector.verdict
    assert verdict.detected
    assert verdict.severity == "critical"
    lowest = int(np.argmin(history.history["val_loss"]))
    assert abs(verdict.onset - lowest) <= 6
    assert verdict.metric is not None
    said = capsys.readouterr().out
    assert "Overfitting since epoch" in said
    assert "measured in inference mode on 24 rows" in said


@pytest.mark.once
def test_stop(data):
    detector = Detector(stop=True, verbose=0)
    history = fit(make_model(), data, [detector], epochs=40)
    assert detector.verdict.detected
    assert len(history.history["loss"]) < 40
    assert detector.loss_source == "logged"


@pytest.mark.once
def test_the_training_loss_is_that_of_inference_mode(data):
    model = make_model(dropout=0.5)
    detector = Detector(data[0][:24], data[1][:24], verbose=0)
    fit(model, data, [detector], epochs=2)
    expected = model.evaluate(data[0][:24], data[1][:24], verbose=0, return_dict=True)
    measured = detector.record.epochs["evaluated_loss"]
    assert measured[-1] == pytest.approx(float(expected["loss"]), rel=1e-5)
    assert measured[-1] < detector.record.epochs["loss"][-1]
    np.testing.assert_allclose(
        detector.verdict.gap, detector.record.epochs["val_loss"] - measured
    )


@pytest.mark.once
def test_all_batches_of_the_sample_count():
    """Keras 3.15 starts its metrics anew for each batch that it is given by itself."""
    x = np.linspace(-1, 3, 1024, dtype="float32")[:, None] * np.ones((1, 6), "float32")
    y = x[:, :1] ** 2
    model = make_model()
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", metrics=["mae"])
    sample = TrainingSample(x, y, 1024)
    measured = sample.evaluate(model)
    expected = model.evaluate(x, y, batch_size=256, verbose=0, return_dict=True)
    assert measured == pytest.approx(expected, rel=1e-5)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_nothing_that_is_trained_or_logged_changes(data):
    outcomes = []
    for callbacks in ([], [Detector(data[0][:24], data[1][:24], verbose=0)]):
        model = make_model(dropout=0.3)
        history = fit(model, data, callbacks, epochs=3)
        outcomes.append((history.history, model.get_weights(), np.random.rand()))
    (logs, weights, number), (other_logs, other_weights, other_number) = outcomes
    assert logs == other_logs
    assert number == other_number
    for one, other in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.once
def test_validation_split_frequency_and_initial_epoch(data):
    detector = Detector(data[0], data[1], verbose=0)
    make_model().fit(
        *data,
        validation_split=0.5,
        validation_freq=2,
        initial_epoch=3,
        epochs=9,
        batch_size=24,
        verbose=0,
        callbacks=[detector],
    )
    epochs = detector.record.epochs
    np.testing.assert_array_equal(epochs["epoch"], range(3, 9))
    validated = np.isfinite(epochs["val_loss"])
    assert validated.sum() == 3
    np.testing.assert_array_equal(np.isfinite(epochs["evaluated_loss"]), validated)
    assert detector.verdict.last_epoch == 7  # the last one with validation


@pytest.mark.once
def test_several_outputs(data):
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(4)(inputs)
    outputs = {name: keras.layers.Dense(1, name=name)(hidden) for name in "ab"}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"a": "mse", "b": "mae"})
    x, y = data
    targets = {"a": y, "b": 2 * y}
    detector = Detector(x, targets, rows=10, verbose=0)
    model.fit(
        x, targets, validation_split=0.5, epochs=2, verbose=0, callbacks=[detector]
    )
    assert np.isfinite(detector.record.epochs["evaluated_loss"]).all()
    assert detector._sample.n_rows == 10


@pytest.mark.once
def test_without_validation_it_says_so(data, capsys):
    detector = Detector()
    make_model().fit(*data, epochs=2, verbose=0, callbacks=[detector])
    assert detector.verdict.pattern == "no_validation"
    assert "no validation loss" in capsys.readouterr().out


@pytest.mark.once
def test_a_record_can_be_continued_and_a_new_fit_begins_anew(data):
    record = kd.records.TrainingRecord()
    detector = Detector(record=record, verbose=0)
    model = make_model()
    fit(model, data, [detector], epochs=2)
    fit(model, data, [detector], initial_epoch=2, epochs=3)
    assert len(record.epochs["epoch"]) == 3
    plain = Detector(verbose=0)
    fit(model, data, [plain], epochs=2)
    fit(model, data, [plain], epochs=1)
    assert len(plain.record.epochs["epoch"]) == 1


@pytest.mark.once
def test_scripted_logs_tell_and_withdraw(data, capsys):
    detector = copy.deepcopy(Detector())
    model = make_model()
    detector._model = model
    detector.set_params({"epochs": 60})
    detector.on_train_begin()
    t = np.arange(60)
    val = 1 + np.exp(-t / 3) + 0.3 * np.exp(-0.5 * ((t - 25) / 5) ** 2)
    val -= 0.4 / (1 + np.exp(-(t - 38.0)))
    for epoch in range(60):
        detector.on_epoch_begin(epoch)
        logs = {"loss": np.exp(-epoch / 20), "val_loss": val[epoch]}
        before = dict(logs)
        detector.on_epoch_end(epoch, logs)
        assert logs == before
    detector.on_train_end()
    said = capsys.readouterr().out
    assert said.index("Overfitting since") < said.index("Withdrawn at the end")
    assert detector.verdict.pattern == "recovered"


def scripted(detector, val, stopping=None, first=0):
    """Give a run's logs to callbacks, as `fit` would; return the epochs trained."""
    model = make_model()
    callbacks = [detector, *([stopping] if stopping else [])]
    for callback in callbacks:
        callback.set_model(model)
        callback.set_params({"epochs": first + len(val)})
        callback.on_train_begin()
    model.stop_training = False
    for epoch, value in enumerate(val, start=first):
        for callback in callbacks:
            callback.on_epoch_begin(epoch)
        for callback in callbacks:
            logs = {"loss": float(np.exp(-epoch / 20)), "val_loss": float(value)}
            callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    for callback in callbacks:
        callback.on_train_end()
    return epoch + 1 - first


T = np.arange(60)
HUMP = 1 + np.exp(-T / 3) + 0.3 * np.exp(-0.5 * ((T - 25) / 5) ** 2)
HUMP = HUMP - 0.4 / (1 + np.exp(-(T - 38.0)))
RISE = 1 + np.exp(-T / 3) + 0.02 * np.maximum(0, T - 12)


@pytest.mark.once
def test_a_hump_does_not_stop_training(capsys):
    detector = Detector(stop=True)
    assert scripted(detector, HUMP) == 60
    assert detector.stopped_epoch is None
    said = capsys.readouterr().out
    assert "may still be the peak of a double descent" in said
    assert "Training goes on until this is below 5%" in said
    assert "Withdrawn at the end" in said


@pytest.mark.once
def test_stops_and_reports_agree_on_epochs(capsys):
    detector = Detector(stop=True)
    stopping = kd.callbacks.EarlyStoppingReport(patience=100)
    epochs = scripted(detector, RISE, stopping, first=5)
    assert 12 < epochs < 60
    assert detector.stopped_epoch == epochs + 4
    report = stopping.report
    assert report.last_epoch == detector.stopped_epoch == detector.verdict.last_epoch
    assert report.best_epoch == detector.verdict.best_epoch
    assert abs(detector.verdict.onset - report.best_epoch) <= 2
    assert report.criterion == "other"
    number = detector.stopped_epoch + 1
    assert f"Stopped after epoch {number}" in capsys.readouterr().out
    assert f"something else did at epoch {number}" in str(report)


@pytest.mark.once
def test_the_level_of_alarms(capsys):
    small = 1 + np.exp(-T / 3) + 0.001 * np.maximum(0, T - 12)
    detector = Detector(min_severity="warning")
    scripted(detector, small)
    assert not detector.verdict.detected
    assert capsys.readouterr().out == ""


@pytest.mark.once
def test_a_misspelled_metric_is_an_error(data):
    detector = Detector(metric="mea", mode="min", verbose=0)
    with pytest.raises(ValueError, match="Did you mean 'mae'"):
        fit(make_model(), data, [detector], epochs=1)


class Counter(keras.layers.Layer):
    """Keeps a metric of its own."""

    def __init__(self):
        super().__init__()
        self.seen = keras.metrics.Mean(name="seen")

    def call(self, x):
        return x


class Penalized(keras.Sequential):
    """May make metrics and log them."""

    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs)


def CamelCase(y_true, y_pred):
    return keras.ops.mean(y_true - y_pred)


def gap(y_true, y_pred):
    return keras.ops.mean(y_true - y_pred)


def with_metrics(*metrics, kind=keras.Sequential, layer=None, n_outputs=1):
    inputs = keras.Input((2,))
    layers = [keras.layers.Dense(1), *([layer] if layer is not None else [])]
    model = kind([inputs, *layers])
    if n_outputs > 1:
        outputs = [keras.layers.Dense(1)(inputs) for _ in range(n_outputs)]
        model = keras.Model(inputs, outputs)
    model.compile(loss="mse", metrics=list(metrics))
    return model


@pytest.mark.once
def test_names_that_are_sure_before_the_first_epoch():
    r2 = keras.metrics.R2Score(name="r2")
    assert logged_names(with_metrics("mae", gap, r2)) == ["loss", "mae", "gap", "r2"]
    assert logged_names(with_metrics()) == ["loss"]


@pytest.mark.once
@pytest.mark.parametrize(
    "model",
    [
        lambda: with_metrics(CamelCase),
        lambda: with_metrics(keras.metrics.MeanAbsoluteError),
        lambda: with_metrics("mae", "mae"),
        lambda: with_metrics("mae", n_outputs=2),
        lambda: with_metrics("mae", kind=Penalized),
        lambda: with_metrics("mae", layer=Counter()),
    ],
)
def test_names_that_are_not(model):
    assert logged_names(model()) is None


def judged(detector, **logs):
    """Give an epoch's logs to a detector of a model that logs `mae` itself."""
    detector.set_model(make_model())
    detector.set_params({"epochs": 1})
    detector.on_train_begin()
    detector.on_epoch_begin(0)
    detector.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0, "val_mae": 1.0, **logs})
    return detector.verdict


@pytest.mark.once
@pytest.mark.parametrize("name", ["mse", "rmae", "mae_2", "MAE"])
def test_a_name_that_a_callback_logs_is_judged(name):
    detector = Detector(metric=name, mode="min", verbose=0)
    logs = {name: 1.0, f"val_{name}": 2.0}
    assert judged(detector, **logs).metric is not None


@pytest.mark.once
def test_a_name_that_nothing_logs_is_said_after_the_first_epoch():
    detector = Detector(metric="rmae", mode="min", verbose=0)
    with pytest.warns(UserWarning, match="'rmae'.*not logged.*Did you mean 'mae'"):
        judged(detector)


@pytest.mark.once
def test_restarts_are_known_from_the_optimizer(data):
    schedule = keras.optimizers.schedules.CosineDecayRestarts(0.02, 6, t_mul=1.0)
    model = make_model()
    model.compile(keras.optimizers.SGD(schedule), "mse")
    detector = Detector(verbose=0)
    fit(model, data, [detector], epochs=5)
    rates = detector._learning_rates(np.arange(5))
    steps = 3 * np.arange(1, 6)  # three an epoch; read after the last one
    expected = 0.01 * (1 + np.cos(np.pi * (steps % 6) / 6))
    np.testing.assert_allclose(rates, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"y": [1]}, "`x`"),
        ({"rows": 0}, "rows"),
        ({"mode": "auto"}, "mode"),
        ({"verbose": 2}, "verbose"),
        ({"min_severity": "high"}, "min_severity"),
        ({"record": 1}, "record"),
        ({"x": iter([1])}, "iterator"),
        ({"x": np.ones(3), "y": np.ones(2)}, "rows"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Detector(**arguments)


class Again(keras.utils.PyDataset):
    """Can be read again, and asked for the next batch, as Keras' image iterators."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return np.ones((2, 6)), np.ones((2, 1))

    def __next__(self):
        return self[0]


@pytest.mark.once
def test_image_iterators_of_keras_are_taken():
    assert Detector(Again()).loss_source == "evaluated"


@pytest.mark.once
def test_a_continued_record_goes_on(data):
    record = kd.records.TrainingRecord()
    monitor = kd.callbacks.GradientNormMonitor(record=record, append=True)
    detector = Detector(*data, verbose=0, record=record)
    model = make_model()
    losses = []
    for _ in range(2):
        history = fit(model, data, [monitor, detector], epochs=3)
        losses += history.history["loss"]
    epochs = record.epochs
    assert epochs["epoch"].tolist() == list(range(6))
    np.testing.assert_allclose(epochs["loss"], losses)
    assert np.isfinite(epochs["evaluated_loss"]).all()


def data_set(x, y):
    if keras.backend.backend() == "torch":
        import torch

        pairs = torch.utils.data.TensorDataset(torch.as_tensor(x), torch.as_tensor(y))
        return torch.utils.data.DataLoader(pairs, batch_size=8, shuffle=True)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)

    class Shuffled(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            rows = np.random.permutation(len(x))[:8]
            return x[rows], y[rows]

    return Shuffled()


def test_reading_a_data_set_leaves_the_run_as_it_is(data):
    read = data_set(data[0][:24], data[1][:24])
    weights = []
    for callbacks in ([], [Detector(read, verbose=0)]):
        model = make_model(dropout=0.3)
        fit(model, data, callbacks)
        weights.append(model.get_weights())
    assert callbacks[0].loss_source == "evaluated"
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
