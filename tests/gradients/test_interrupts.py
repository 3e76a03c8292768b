"""After an interrupt the model is as if it had never been watched."""

import gc

import keras
import models
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

BACKEND = keras.backend.backend()
HOOKS = [
    ("on_train_begin", KeyboardInterrupt),
    ("on_epoch_begin", KeyboardInterrupt),
    ("on_train_batch_begin", KeyboardInterrupt),
    ("on_train_batch_end", KeyboardInterrupt),
    ("on_train_batch_end", RuntimeError),
    ("on_test_begin", RuntimeError),
    ("on_test_batch_end", KeyboardInterrupt),
    ("on_epoch_end", KeyboardInterrupt),
    ("on_epoch_end", RuntimeError),
    ("on_train_end", RuntimeError),
]


class Raise(keras.callbacks.Callback):
    def __init__(self, hook, error):
        super().__init__()
        self.calls = 0

        def interrupt(*args, **kwargs):
            self.calls += 1
            if self.calls == 2 or hook in ("on_train_begin", "on_train_end"):
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
    ("hook", "error"),
    [
        pytest.param(
            *pair,
            marks=[pytest.mark.once]
            * (pair != ("on_train_batch_end", KeyboardInterrupt)),
        )
        for pair in HOOKS
    ],
)
def test_exceptions_in_hooks(hook, error, tmp_path):
    results = []
    for watch in (False, True):
        model, x, y, loss = models.make("single")
        model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss=loss)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        callbacks = [Raise(hook, error("stop"))]
        if watch:
            callbacks = [monitor, *callbacks]
        fit = {"validation_data": (x, y)} if "test" in hook else {}
        with pytest.raises(error):
            model.fit(
                x, y, batch_size=8, epochs=3, verbose=0, callbacks=callbacks, **fit
            )
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
        model, x, y, loss = models.make("single")
        model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss=loss)
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
        model, x, y, loss = models.make("single")
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
    model, x, y, loss = models.make("single")
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
    model, x, y, loss = models.make("single")
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


def test_a_step_left_armed_measures_nothing_in_train_on_batch():
    model, x, y, loss = models.make("single")
    model.compile(optimizer="sgd", loss=loss)
    model.train_on_batch(x[:8], y[:8])
    attributes = sorted(vars(model))
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    interrupt = Raise("on_train_batch_begin", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor, interrupt])
    assert "make_train_function" in vars(model)  # one step is armed
    model.train_on_batch(x[:8], y[:8])
    monitor.on_train_end()
    assert monitor.record.steps.tolist() == [0]
    new = {*vars(model)} - {*attributes}
    assert new <= {"history", "stop_training", "_eval_epoch_iterator"}
    assert not hasattr(vars(model)["train_function"], "keras_dlbasic_plain")


class Break(keras.layers.Layer):
    """Fails as a device without memory does, in the middle of a step."""

    calls = 0

    def call(self, inputs):
        Break.calls += 1
        if Break.calls == 8:
            raise MemoryError("out of memory")
        return inputs


@pytest.mark.skipif(BACKEND == "jax", reason="an error in a step costs it its weights")
def test_errors_in_the_step(tmp_path):
    results = []
    for watch in (False, True):
        model, x, y, loss = models.make("single")
        layers = [keras.layers.Dense(6), Break(), *model.layers]
        model = keras.Sequential([keras.Input((6,)), *layers])
        model.compile(optimizer="adam", loss=loss, run_eagerly=True)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        Break.calls = 0
        with pytest.raises(MemoryError):
            model.fit(
                x,
                y,
                batch_size=8,
                epochs=9,
                verbose=0,
                callbacks=[monitor] if watch else [],
            )
        results.append((Break.calls, model.evaluate(x, y, verbose=0)))
        results[-1] += (model.fit(x, y, batch_size=8, verbose=0).history,)
        results[-1] += ([a.tobytes() for a in reference.arrays(model.variables)],)
    assert results[0] == results[1]


@pytest.mark.skipif(
    BACKEND != "torch", reason="a copy of the weights is kept on PyTorch"
)
@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_epoch_end"])
def test_no_copy_of_the_weights_outlives_a_fit(hook):
    model, x, y, loss = models.make("single")
    model.compile(optimizer="sgd", loss=loss)
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            plain = vars(self._model)["train_function"]
            tap = plain.keras_dlbasic_tapped.release.__self__
            seen.append((tap, len(tap._copies)))

    for _ in range(2):  # the step function of the first fit serves the second
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        callbacks = [monitor, Look(), Raise(hook, KeyboardInterrupt)]
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        gc.collect()
        tap, n_copies = seen[-1]
        assert n_copies == 1
        assert tap._copies == {}
        assert tap._updates == 0


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch only")
def test_copies_may_go_in_the_middle_of_a_step(monkeypatch):
    """They go with the logs of the last step, which garbage may have held."""
    import torch

    copy, gone = torch._foreach_copy_, []

    def copy_and_let_go(*args):
        copy(*args)
        tap = model.train_function.keras_dlbasic_tapped.release.__self__
        gone.append(tap.release())

    model, x, y, loss = models.make("single")
    norms = []
    for copy_now in (copy, copy_and_let_go):
        model, x, y, loss = models.make("single")
        model.compile(optimizer="sgd", loss=loss)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        monkeypatch.setattr(torch, "_foreach_copy_", copy_now)
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor])
        norms.append(monitor.record.update_norm)
    assert len(gone) == 3
    np.testing.assert_array_equal(*norms)
