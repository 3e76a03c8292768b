"""After an interrupt the model is as if it had never been watched."""

import keras
import models
import pytest
import reference

import keras_dlbasic as kd

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


@pytest.mark.parametrize("hook", HOOKS)
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


class Broken(keras.utils.PyDataset):
    """Data that break off in the second epoch."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.reads = x, y, 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.reads += 1
        if self.reads > 5:
            raise OSError("the disk is gone")
        return self.x[index * 8 : index * 8 + 8], self.y[index * 8 : index * 8 + 8]


def test_exceptions_in_the_data(tmp_path):
    results = []
    for watch in (False, True):
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="adam", loss=loss)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        with pytest.raises(Exception, match="disk is gone"):
            model.fit(
                Broken(x, y),
                epochs=9,
                verbose=0,
                shuffle=False,
                callbacks=[monitor] if watch else [],
            )
        results.append(what_follows(model, x, y, tmp_path)[1:])
    # prefetching may differ by a batch from run to run, what follows works the same
    assert [sorted(r) for r in results[0][:2]] == [sorted(r) for r in results[1][:2]]


def test_nothing_is_on_the_model_between_steps():
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="adam", loss=loss)
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            model = self.model
            seen.append(
                (
                    sorted(vars(model)),
                    sorted(vars(model.optimizer)),
                    "fit_watch" in repr(model.train_function),
                    "tap" in repr(model.train_function),
                )
            )

    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[Look()])
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor, Look()])
    assert seen[:3] == seen[3:]
