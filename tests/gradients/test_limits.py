import keras
import models
import numpy as np
import pytest
import reference

import keras_dlbasic as kd
from keras_dlbasic.gradients import limits
from keras_dlbasic.gradients.limits import reason_not_to_watch

BACKEND = keras.backend.backend()


def compiled(name="mlp", **args):
    model, x, y, loss = models.make(name)
    model.compile(optimizer="sgd", loss=loss, **args)
    return model, x, y


def test_ordinary_models_can_be_watched():
    model, *_ = compiled()
    assert reason_not_to_watch(model) is None


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch only")
def test_torch_compile_is_refused_in_words():
    model, *_ = compiled(jit_compile=True)
    assert "torch.compile" in reason_not_to_watch(model)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow only")
def test_layers_frozen_between_watched_fits():
    """Keras' own step is traced in no watched fit; the watched one goes on for it."""
    weights = []
    for every in (None, 1, 2):
        model, x, y = compiled()
        for trainable, period in ((True, 1), (False, every)):
            model.layers[0].trainable = trainable
            monitor = kd.callbacks.GradientNormMonitor(every=period or 1)
            callbacks = [] if every is None else [monitor]
            model.fit(x, y, batch_size=8, shuffle=False, verbose=0, callbacks=callbacks)
        weights.append([a.tobytes() for a in reference.arrays(model.variables)])
    assert weights[0] == weights[1] == weights[2]
    assert monitor.record.steps.tolist() == [0, 2]
    paths = [variable.path for variable in monitor.record.variables]
    assert model.layers[0].kernel.path in paths  # trained on, as without


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow only")
def test_layers_frozen_without_compile_are_trained_on_by_keras():
    """And so the watched step, which would honour the freeze, is not used."""
    weights = []
    for watch in (False, True):
        model, x, y = compiled()
        model.fit(x, y, verbose=0)
        model.layers[0].trainable = False
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        if watch:
            with pytest.warns(UserWarning, match="not watched: layers were frozen"):
                history = model.fit(x, y, verbose=0, callbacks=[monitor])
            assert np.isnan(history.history["global_gradient_norm"]).all()
        else:
            model.fit(x, y, verbose=0)
        weights.append([a.tobytes() for a in reference.arrays(model.variables)])
    assert weights[0] == weights[1]


def test_freezing_with_compile_between_fits():
    model, x, y = compiled()
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    model.fit(x, y, verbose=0, callbacks=[monitor])
    assert len(monitor.record.variables) == 5
    model.layers[0].trainable = False
    model.compile(optimizer="sgd", loss=model.loss)
    model.fit(x, y, verbose=0, callbacks=[monitor])
    assert len(monitor.record.variables) == 3


def test_a_step_that_uses_no_optimizer_is_refused_in_words():
    class Still(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, *args):
            logs = {"loss": keras.ops.zeros(())}
            return (logs, args[0]) if BACKEND == "jax" else logs

    model = Still()
    x = np.ones((4, 3), "float32")
    model(x)
    model.compile(optimizer="sgd", loss="mse")
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    with pytest.warns(UserWarning, match="updated no variable") as said:
        model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[monitor])
    assert sum("updated no variable" in str(w.message) for w in said) == 1
    model.fit(x, x[:, :1], verbose=0)  # and the model is as it was


def several(**options):
    first, last = keras.optimizers.SGD(**options), keras.optimizers.Adam()
    choice = keras.optimizers.OptimizerMap(first, {".*bias": last})
    model, *_ = compiled()
    model.compile(optimizer=keras.optimizers.MultiOptimizer(choice), loss="mse")
    return model


@pytest.mark.once
@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="new in Keras 3.15"
)
def test_several_optimizers_that_are_not_measured(monkeypatch):
    assert reason_not_to_watch(several()) is None
    reason = reason_not_to_watch(several(gradient_accumulation_steps=2))
    assert "SGD, accumulates gradients (`gradient_accumulation_steps=2`)" in reason
    monkeypatch.setattr(limits, "replicas_of", lambda model: 2)
    assert "several optimizers (`MultiOptimizer`)" in reason_not_to_watch(several())
