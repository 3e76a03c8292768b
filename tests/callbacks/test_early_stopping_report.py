import copy
from dataclasses import replace

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

Report = kd.callbacks.EarlyStoppingReport
NAN = float("nan")

# Keras' own `get_weights` with NumPy 2
old_array = pytest.mark.filterwarnings("ignore:__array__ implementation")


class Model:
    """Stands in for a model: its one weight is the number of updates so far."""

    metrics = ()

    def __init__(self):
        self.updates = 0
        self.stop_training = False

    def get_weights(self):
        return [np.array(self.updates)] if self.updates is not None else []

    def set_weights(self, weights):
        self.updates = int(weights[0])


def play(callback, values, *, monitor=None, epochs=None, steps=3, model=None, logs=()):
    """Feed scripted values; stop as `fit` does. Returns the model."""
    model = model or Model()
    model.stop_training = False
    callback.set_params({"epochs": epochs or len(values), "steps": steps})
    callback._model = model
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        for step in range(steps):
            callback.on_train_batch_begin(step)
            model.updates += 1
        row = {"loss": 1.0} if value is None else {callback.monitor: value, "loss": 1.0}
        row |= {name: curve[epoch] for name, curve in dict(logs).items()}
        if value is not None:
            row[callback.monitor] = value
        callback.on_epoch_end(epoch, row)
        if model.stop_training:
            break
    callback.on_train_end()
    return model


@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_delta": 0.15},
        {"mode": "max"},
        {"baseline": 0.35},
        {"baseline": 0.01},
        {"start_from_epoch": 2},
    ],
)
def test_without_nan_it_does_what_keras_does(options, patience, restore):
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = list(rng.random(12).round(2))
        arguments = {
            "patience": patience,
            "restore_best_weights": restore,
            **options,
        }
        keras_own = keras.callbacks.EarlyStopping("val_loss", **arguments)
        ours = Report("val_loss", **arguments)
        models = [play(callback, values) for callback in (keras_own, ours)]
        assert models[0].updates == models[1].updates
        for name in ("stopped_epoch", "best_epoch", "best", "wait"):
            assert getattr(keras_own, name) == getattr(ours, name)


def test_the_report_of_a_stop():
    stopping = Report(patience=2, restore_best_weights=True)
    model = play(stopping, [3.0, 1.0, 2.0, 1.5, 0.5], epochs=10)
    report = stopping.report
    assert report.stopped
    assert (report.criterion, report.value, report.threshold) == ("patience", 2, 2)
    assert (report.best_epoch, report.best) == (1, 1.0)
    assert (report.last_epoch, report.last) == (3, 1.5)
    assert (report.epochs_waited, report.epochs_saved) == (2, 6)
    assert report.restored_from == "end"
    assert model.updates == 6
    text = str(report)
    assert "Stopped after epoch 4" in text
    assert "Best: 1 at epoch 2" in text
    assert "end of epoch 2" in text
    assert "6 epochs were saved" in text


def test_the_report_of_a_run_to_the_end():
    stopping = Report(patience=5)
    play(stopping, [3.0, 1.0, 2.0])
    assert not stopping.report.stopped
    assert stopping.report.criterion == "epochs"
    assert "Not stopped: all epochs up to 3" in str(stopping.report)
    assert "not the best" in str(stopping.report)


def test_someone_else_stops():
    stopping = Report(patience=5)
    model = Model()

    callback_end = stopping.on_epoch_end

    def end(epoch, logs):
        callback_end(epoch, logs)
        model.stop_training = epoch == 1

    stopping.on_epoch_end = end
    play(stopping, [3.0, 2.0, 1.0], model=model)
    assert stopping.report.criterion == "other"
    assert "something else did at epoch 2" in str(stopping.report)


def test_nan_first_is_never_the_best():
    stopping = Report(patience=3, restore_best_weights=True)
    model = play(stopping, [NAN, 2.0, 1.0, 3.0])
    assert not stopping.report.stopped
    assert stopping.report.best_epoch == 2
    assert model.updates == 9
    assert stopping.report.non_finite_epochs == (0,)
    said = " ".join(str(stopping.report).split())
    assert "NaN or infinite in 1 epochs, first in epoch 1" in said


def test_nan_later_counts_as_waiting():
    stopping = Report(patience=2, restore_best_weights=True)
    model = play(stopping, [2.0, 1.0, NAN, float("inf"), 0.1])
    assert stopping.report.stopped
    assert stopping.report.last_epoch == 3
    assert stopping.report.best_epoch == 1
    assert model.updates == 6


def test_nan_only():
    stopping = Report(patience=2, restore_best_weights=True)
    model = play(stopping, [NAN] * 5)
    assert stopping.report.stopped
    assert stopping.report.best_epoch is None
    assert not stopping.report.restored
    assert model.updates == 6  # stopped after two, nothing put back
    assert "never had a finite value" in str(stopping.report)


def test_a_missing_monitor_warns_and_is_told():
    stopping = Report("val_accuracy", mode="max", patience=1)
    with pytest.warns(UserWarning, match="val_accuracy"):
        play(stopping, [None, None])
    assert stopping.report.missing_epochs == (0, 1)
    assert not stopping.report.stopped
    assert "was not logged in 2 epochs" in str(stopping.report)


def test_a_constant_metric():
    stopping = Report(patience=3)
    play(stopping, [1.0] * 9)
    assert stopping.report.best_epoch == 0
    assert stopping.report.last_epoch == 3


def test_a_baseline_that_is_never_reached():
    stopping = Report(patience=3, baseline=0.5)
    play(stopping, [3.0, 2.0, 1.0, 0.9, 0.95])
    assert stopping.report.baseline_reached is False
    assert "baseline of 0.5 was never reached" in str(stopping.report)
    play(stopping, [3.0, 0.4])
    assert stopping.report.baseline_reached is True


def test_start_from_epoch_not_reached():
    stopping = Report(start_from_epoch=9)
    play(stopping, [1.0, 2.0])
    assert "start_from_epoch=9" in str(stopping.report)


def test_modes():
    with pytest.warns(UserWarning, match="unknown"):
        Report(mode="sideways")
    stopping = Report("val_loss", mode="max", patience=1)
    play(stopping, [1.0, 0.5])
    said = " ".join(str(stopping.report).split())
    assert "`mode='max'` treats a higher 'val_loss' as better" in said


def test_a_second_fit_begins_anew():
    stopping = Report(patience=1, restore_best_weights=True)
    play(stopping, [1.0, 2.0, 3.0])
    first = stopping.report
    play(stopping, [5.0, 4.0], epochs=2)
    assert first.stopped
    assert not stopping.report.stopped
    assert stopping.report.best == 4.0
    assert stopping.report.non_finite_epochs == ()


def test_it_can_be_copied_before_fit():
    original = Report(patience=1, restore_best_weights=True)
    copied = copy.deepcopy(original)
    model = play(copied, [1.0, 2.0, 3.0])
    expected = Report(patience=1, restore_best_weights=True)
    assert model.updates == play(expected, [1.0, 2.0, 3.0]).updates == 3
    same = {"seconds_waited": 0.0}
    assert replace(copied.report, **same) == replace(expected.report, **same)
    assert original.report is None


# -- Prechelt's criteria ------------------------------------------------------------


def test_gl():
    stopping = Report(criterion="GL", alpha=10)
    play(stopping, [2.0, 1.0, 1.05, 1.09, 1.2, 0.5])
    report = stopping.report
    assert (report.criterion, report.last_epoch) == ("GL", 4)
    assert report.value == pytest.approx(20)
    assert "20 % above its lowest" in str(report)


def test_up():
    stopping = Report(criterion="UP", strip_length=2, successive_strips=2)
    play(stopping, [3, 2, 9, 1, 9, 1.5, 0, 1.6, 9, 9])
    assert (stopping.report.criterion, stopping.report.last_epoch) == ("UP", 7)
    gain = Report("acc", mode="max", criterion="UP", strip_length=1)
    play(gain, [0.5, 0.9, 0.8, 0.7, 0.6, 0.5])
    assert gain.report.last_epoch == 4


def test_pq_waits_while_training_makes_progress():
    val = [1.0, 1.0, 1.1, 1.1, 1.1, 1.1]
    fast = {"loss": [1.0, 0.5, 0.25, 0.12, 0.06, 0.03]}
    slow = {"loss": [1.0, 0.999, 0.998, 0.997, 0.996, 0.995]}
    last = []
    for logs in (fast, slow):
        stopping = Report(criterion="PQ", alpha=0.75, strip_length=2)
        play(stopping, val, logs=logs)
        last.append((stopping.report.stopped, stopping.report.last_epoch))
    assert last == [(False, 5), (True, 3)]
    # GL = 10 %, P = 1000 * (0.9975 / 0.997 - 1)
    assert stopping.report.value == pytest.approx(10 / (1000 * (0.9975 / 0.997 - 1)))


def test_patience_is_a_second_limit():
    stopping = Report(criterion="GL", alpha=1000, patience=2)
    play(stopping, [1.0, 2.0, 2.0, 2.0])
    assert (stopping.report.criterion, stopping.report.last_epoch) == ("patience", 2)
    endless = Report(criterion="GL", alpha=1000)
    play(endless, [1.0] + [2.0] * 20)
    assert not endless.report.stopped


@pytest.mark.parametrize("criterion", ["GL", "PQ"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"monitor": "val_accuracy"},
        {"monitor": "val_accuracy", "mode": "min"},
        {"monitor": "val_loss", "mode": "max"},
        {"monitor": "val_something"},
    ],
)
def test_gl_and_pq_refuse_what_is_no_loss(criterion, arguments):
    with pytest.raises(ValueError, match="positive loss"):
        Report(criterion=criterion, **arguments)


def test_gl_refuses_a_loss_that_is_not_positive():
    with pytest.raises(ValueError, match="positive loss"):
        play(Report(criterion="GL"), [1.0, -1.0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"criterion": "gl"}, "criterion"),
        ({"criterion": "GL", "alpha": 0}, "alpha"),
        ({"criterion": "UP", "strip_length": 0}, "strip_length"),
        ({"criterion": "PQ", "strip_length": 1}, "strip_length"),
        ({"criterion": "UP", "successive_strips": 1.5}, "successive_strips"),
        ({"criterion": "PQ", "monitor": "loss"}, "val_loss"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Report(**arguments)


# -- real fits ----------------------------------------------------------------------


def small_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.9), "mse")
    return model


@old_array
def test_full_batch_weights_and_loss_belong_together(rng):
    x, y = rng.standard_normal((32, 3)), rng.standard_normal((32, 1))
    model = small_model()
    stopping = Report("loss", patience=4, restore_best_weights=True)
    model.fit(x, y, batch_size=32, epochs=8, verbose=0, callbacks=[stopping])
    assert stopping.report.restored_from == "begin"
    loss = model.evaluate(x, y, batch_size=32, verbose=0)
    assert loss == pytest.approx(stopping.report.best, rel=1e-5)
    assert "start of epoch" in str(stopping.report)


@pytest.mark.once
@old_array
def test_validation_loss_belongs_to_the_end_of_the_epoch(rng):
    x, y = rng.standard_normal((32, 3)), rng.standard_normal((32, 1))
    model = small_model()
    stopping = Report("val_loss", patience=4, restore_best_weights=True, verbose=1)
    model.fit(
        x,
        y,
        validation_data=(x, y),
        batch_size=32,
        epochs=8,
        verbose=0,
        callbacks=[stopping],
    )
    assert stopping.report.restored_from == "end"
    loss = model.evaluate(x, y, batch_size=32, verbose=0)
    assert loss == pytest.approx(stopping.report.best, rel=1e-5)
