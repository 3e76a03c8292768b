"""After an interrupt the model is as if it had never been watched."""

import keras
import models
import pytest
import reference

import keras_dlbasic as kd

BACKEND = keras.backend.backend()
HOOKS = [
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_epoch_end",
]


class Raise(keras.callbacks.Callback):
    def __init__(self, hook, error):
        super().__init__()
        self.calls = 0

        def interrupt(*args, **kwargs):
            self.calls += 1
            if self.calls == 2 or hook == "on_train_begin":
                raise error

        setattr(self, hook, interrupt)


def what_follows(model, x, y, tmp_path):
    """Return what evaluate, save, fit, recompile and fit again give."""
    results = [model.evaluate(x, y, verbose=0)]
    model.save(tmp_path / "model.keras")
    results.append(model.fit(x, y, batch_size=8, epochs=2, verbose=0).history)
    model.compile(optimizer="sgd", loss=model.loss)
    results.append(model.fit(x, y, batch_size=8, verbose=0).history)
    results.append([a.tobytes() for a in reference.arrays(model.variables)])
    return results


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param(hook, marks=[pytest.mark.once] * ("batch" not in hook))
        for hook in HOOKS
    ],
)
def test_exceptions_in_hooks(hook, tmp_path):
    results = []
    for watch in (False, True):
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="adam", loss=loss)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        callbacks = [Raise(hook, KeyboardInterrupt)]
        if watch:
            callbacks = [monitor, *callbacks]
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        results.append(what_follows(model, x, y, tmp_path))
        if watch:  # and the callback can be used again
            model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor])
            assert len(monitor.record.steps) == 3
    assert results[0] == results[1]


def broken(x, y):
    """Data that break off in the second epoch, after five batches."""
    for i in (0, 1, 2, 0, 1):
        yield x[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8]
    raise OSError("the disk is gone")


def test_exceptions_in_the_data(tmp_path):
    results = []
    for watch in (False, True):
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="adam", loss=loss)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        with pytest.raises(Exception, match="disk is gone"):
            model.fit(
                broken(x, y),
                steps_per_epoch=3,
                epochs=9,
                verbose=0,
                shuffle=False,
                callbacks=[monitor] if watch else [],
            )
        if watch:
            assert monitor.record.steps.tolist()[:3] == [0, 1, 2]
        results.append(what_follows(model, x, y, tmp_path))
    assert results[0] == results[1]


class Look(keras.callbacks.Callback):
    """Notes all that hangs on the model and its optimizer, in every hook."""

    def __init__(self):
        super().__init__()
        self.seen, self.functions = [], set()

    def look(self, *args, **kwargs):
        model = self._model
        step = vars(model)["train_function"]
        self.functions.add(step)
        assert not hasattr(step, "keras_dlbasic_plain")
        self.seen.append(
            [
                {name: type(value) for name, value in vars(owner).items()}
                for owner in (model, model.optimizer, model.metrics[0])
            ]
        )

    on_train_batch_end = on_epoch_begin = on_epoch_end = look
    on_train_begin = on_train_end = look


# without compilation JAX takes long, and Keras takes the same way as with it
@pytest.mark.parametrize("run_eagerly", [False, True][: 1 + (BACKEND != "jax")])
def test_nothing_is_on_the_model_between_steps(run_eagerly):
    looks = []
    for watch in (False, True):
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="adam", loss=loss, run_eagerly=run_eagerly)
        looks.append(Look())
        callbacks = [looks[-1]]
        if watch:
            monitor = kd.callbacks.GradientNormMonitor(every=1)
            callbacks = [monitor, looks[-1]]
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
    plain, watched = looks
    assert len(monitor.record.steps) == 6
    assert plain.seen == watched.seen
    assert len(watched.seen) == 12
    assert len(watched.functions) == 1  # Keras' own, and the same all the time


def test_the_tap_is_on_the_model_while_a_step_is_armed():
    """What the tests above look for between steps can be found in a step."""
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    found = []

    class Armed(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            step = vars(self._model)["train_function"]
            found.append(hasattr(step, "keras_dlbasic_plain"))

    monitor = kd.callbacks.GradientNormMonitor(every=2)
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor, Armed()])
    assert found == [True, False, True]


def test_a_step_left_armed_measures_nothing_in_the_next_fit():
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    interrupt = Raise("on_train_batch_begin", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor, interrupt])
    armed = vars(model)["train_function"]

    def measured(*args):
        raise AssertionError("a step of another fit was measured")

    armed.keras_dlbasic_plain.keras_dlbasic_tapped.function = measured
    model.fit(x, y, batch_size=8, verbose=0)
    assert vars(model)["train_function"] is armed.keras_dlbasic_plain
