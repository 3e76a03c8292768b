"""Copies keep what was measured and leave the model behind."""

import copy
import pickle

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")


class Unregistered(keras.Model):
    """Keras cannot copy it: nothing finds its class by name."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3, kernel_regularizer="l2")

    def call(self, x):
        return self.dense(x)


@pytest.mark.once
@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_copies_after_a_fit(again):
    callbacks = [
        kd.callbacks.GradientNormMonitor(),
        kd.callbacks.TrainingDoctor(verbose=0),
        kd.callbacks.ActivationMonitor(),
        kd.callbacks.PenaltyMonitor(),
        kd.callbacks.NormalizationMonitor(),
        kd.callbacks.OverfittingDetector(X, X, verbose=0),
        kd.callbacks.CurvatureProbe(X, X, every=1, max_products=2),
        kd.callbacks.EarlyStoppingReport("loss", patience=9),
    ]
    for _ in range(2):
        model = Unregistered()
        model.compile(optimizer="sgd", loss="mse")
        model.fit(X, X, batch_size=8, verbose=0, callbacks=callbacks)
        callbacks = [again(callback) for callback in callbacks]  # warnings are errors
    for callback in callbacks:
        assert callback.model is None
    for callback in callbacks[:-1]:
        assert callback.record.epochs["loss"].shape == (1,)
    assert callbacks[-1].report.last_epoch == 0


@pytest.mark.once
@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_the_error_of_a_callback_without_a_fit(again):
    with pytest.raises(ValueError, match="TrainingDoctor is not fitted yet") as caught:
        _ = kd.callbacks.TrainingDoctor().diagnosis
    error = again(caught.value)
    assert type(error) is type(caught.value)
    assert str(error) == str(caught.value)
