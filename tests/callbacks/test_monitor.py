"""What all callbacks that watch have in common."""

import inspect
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras import tested
from keras_dlbasic.callbacks.fit_watch import FitWatch
from keras_dlbasic.callbacks.monitor import Monitor

X = np.ones((12, 2), "float32")
HOOKS = [name for name in vars(Monitor) if name.startswith("on_")]


class Biases(Monitor):
    """Writes the first bias after each epoch and at the end."""

    _table_name = "biases"
    _measures = ("bias",)

    def __init__(self, record=None):
        super().__init__(record)
        self.called = []

    def _fit_begins(self):
        self.called.append("fit begins")

    def _step_begins(self, batch):
        self.called.append(batch)

    def _epoch_ends(self, epoch, logs):
        assert self.record.epochs["loss"][-1] == logs["loss"]
        bias = float(self.model.layers[-1].get_weights()[1][0])
        self._write(self._count.so_far, {"dense": {"bias": bias}})
        self._messages.add(f"epoch {epoch}")

    def _fit_ends(self):
        self.called.append("fit ends")


class Gradients(Biases):
    """The same with gradients."""

    def _join(self):
        return FitWatch.join(self, 1, self._given_record)


def fit(monitor, epochs=2):
    layers = [keras.Input((2,)), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(X, X[:, :1], batch_size=4, epochs=epochs, verbose=0, callbacks=[monitor])


@pytest.mark.once
@pytest.mark.parametrize("kind", [Biases, Gradients])
def test_a_monitor_is_its_measurement(kind, capsys):
    monitor = kind()
    fit(monitor)
    assert monitor.called == ["fit begins", 0, 1, 2, 0, 1, 2, "fit ends"]
    table = monitor.record.tables["biases"]
    assert table.steps.tolist() == [3, 6]
    assert table.epochs.tolist() == [0, 1]
    assert len(monitor.record.steps) == (6 if kind is Gradients else 0)
    assert capsys.readouterr().out == "epoch 0\nepoch 1\n"


@pytest.mark.once
def test_a_continued_record():
    record = kd.records.TrainingRecord()
    fit(Biases(record))
    fit(Biases(record), epochs=1)
    assert record.tables["biases"].steps.tolist() == [3, 6, 9]
    assert record.epochs["epoch"].tolist() == [0, 1, 2]


@pytest.mark.once
@pytest.mark.parametrize(
    "method", ["_join", "_fit_begins", "_step_begins", "_epoch_ends", "_fit_ends"]
)
def test_errors_of_a_measurement_stay_out_of_the_fit(method):
    def fails(self, *args):
        raise RuntimeError("measured in vain")

    kind = type("Failing", (Gradients,), {method: fails})
    monitor = kind()
    with pytest.warns(UserWarning, match="measured in vain") as said:
        fit(monitor)
    assert sum("measured in vain" in str(w.message) for w in said) == 1
    if method not in ("_join", "_fit_begins"):
        assert len(monitor.record.steps) == 6


def monitors():
    """Return the public callbacks that watch."""
    public = (getattr(kd.callbacks, name) for name in kd.callbacks.__all__)
    return [c for c in public if issubclass(c, Monitor)]


def test_each_is_one_level_below_the_base():
    assert len(monitors()) == 7
    for kind in monitors():
        assert kind.__bases__ == (Monitor,)


@pytest.mark.parametrize("kind", monitors())
def test_hooks_are_those_of_the_base(kind):
    assert len(HOOKS) == 6
    assert not [hook for hook in HOOKS if hook in vars(kind)]


@pytest.mark.parametrize("kind", monitors())
def test_each_refuses_what_is_no_record(kind):
    names = inspect.signature(kind).parameters
    given = {name: X for name in ("x", "y") if name in names}
    with pytest.raises(ValueError, match="must be a `TrainingRecord` or None"):
        kind(**given, record="a record")


def test_others_go_on_where_the_first_callback_fails_as_the_fit_begins():
    class Broken(kd.callbacks.GradientNormMonitor):
        def _fit_begins(self):
            raise OSError("broken")

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor()
    callbacks = [Broken(), monitor]
    with pytest.warns(UserWarning, match="broken"):
        model.fit(X, X[:, :1], epochs=1, verbose=0, callbacks=callbacks)
    assert len(monitor.record.steps)


class Denser(kd.callbacks.GradientNormMonitor):
    def __init__(self, label, **kwargs):
        super().__init__(**kwargs)
        self.label = label


@pytest.mark.once
def test_a_subclass_hands_its_arguments_on():
    monitor = Denser("mine", every=2, verbose=1)
    assert (monitor.label, monitor.every, monitor.verbose) == ("mine", 2, 1)
    with pytest.raises(TypeError, match="'evry'. Did you mean 'every'"):
        Denser("mine", evry=2)


@pytest.mark.once
def test_an_untested_keras_is_said_once(monkeypatch):
    monkeypatch.setattr(tested, "_said", [])
    monkeypatch.setattr(keras, "__version__", "3.17.2")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    with pytest.warns(UserWarning, match="Keras 3.17.2 is newer than") as said:
        model.fit(X, X[:, :1], verbose=0, callbacks=[Biases()])
    assert len([w for w in said if "newer" in str(w.message)]) == 1
    model.fit(X, X[:, :1], verbose=0, callbacks=[Biases()])  # warnings are errors here


@pytest.mark.once
@pytest.mark.parametrize("version", ["3.14.0", "3.16.0.dev2026102704", "3.x", "own"])
def test_other_versions_are_not_said_to_be_untested(monkeypatch, version):
    monkeypatch.setattr(tested, "_said", [])
    monkeypatch.setattr(keras, "__version__", version)
    assert tested.untested_keras() is None


@pytest.mark.once
def test_the_range_of_keras_stands_in_one_place():
    root = Path(__file__).parents[2]
    oldest, newest = (".".join(map(str, v)) for v in (tested.OLDEST, tested.NEWEST))
    assert f"keras>={oldest}\n" in (root / "setup.cfg").read_text()
    assert f"keras=={oldest}." in (root / "requirements" / "floor.txt").read_text()
    nightly = (root / "requirements" / "nightly.txt").read_text()
    assert f"keras-nightly=={newest}." in nightly
    page = (root / "docs" / "guide" / "versions.md").read_text("utf-8")
    assert f"above {newest}" in page


class Fifth(Monitor):
    """Gradients of one step in five; counts how often it is asked."""

    def __init__(self):
        super().__init__(None)
        self.asked, self.ended = [], []

    def _join(self):
        watch = FitWatch.join(self, 5)
        begins = watch.step_begins

        def asked(callback, step):
            self.asked.append(step)
            begins(callback, step)

        watch.step_begins = asked
        return watch

    def on_batch_end(self, batch, logs=None):
        self.ended.append(batch)


class Stop(keras.callbacks.Callback):
    """Stops the fit within its second epoch."""

    def on_train_begin(self, logs=None):
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.model.stop_training = self.steps == 19


@pytest.mark.parametrize("steps", [1, 3])
def test_steps_with_nothing_to_do_are_passed_over_and_counted(steps):
    """Also in an epoch that is cut short; and Keras' other hook is still called."""
    monitor = Fifth()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    several = {"steps_per_execution": steps} if steps > 1 else {}
    if several and keras.backend.backend() == "torch":
        pytest.skip("Keras refuses it on PyTorch before 3.16")
    model.compile("sgd", "mse", **several)
    x = np.ones((12, 2), "float32")
    callbacks = [monitor, Stop()]
    model.fit(x, x[:, :1], batch_size=1, epochs=3, verbose=0, callbacks=callbacks)
    record = monitor.record
    if steps == 1:
        assert record.trained_steps == 19
        assert record.steps.tolist() == [0, 5, 10, 15]
        # on TensorFlow and JAX code of the user's is looked at in the first step
        assert len([step for step in monitor.asked if step % 5]) <= 2
        assert monitor.ended == [*range(12), *range(7)]
    else:
        assert record.trained_steps == 36
        assert monitor.asked == [0, 3, 6, 9] * 3


@pytest.mark.parametrize("calls", [True, False])
def test_a_subclass_may_have_a_hook_of_its_own(calls):
    class Own(kd.callbacks.GradientNormMonitor):
        def on_train_batch_end(self, batch, logs=None):
            if calls:
                super().on_train_batch_end(batch, logs)

    monitor = Own()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    options = {"batch_size": 1, "epochs": 3, "verbose": 0}
    model.fit(X, X[:, :1], callbacks=[monitor], **options)
    assert monitor.record.trained_steps == 36
    assert 20 < len(monitor.record.steps) < 36
