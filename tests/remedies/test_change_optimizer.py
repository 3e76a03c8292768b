"""Remedies of a model with several optimizers."""

import keras
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.optimizer import (
    current_learning_rate,
    optimizers_of,
    read_learning_rate,
)

SEVERAL = getattr(keras.optimizers, "MultiOptimizer", None)
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(SEVERAL is None, reason="new in Keras 3.15"),
]


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    adam, sgd = keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.1)

    def chosen(variable):
        return adam if variable.name == "kernel" else sgd

    several = SEVERAL(chosen)
    model.compile(optimizer=several, loss="mse")
    return model


@pytest.mark.parametrize(
    ("remedy", "kwargs"),
    [("change_learning_rate", {"factor": 0.1}), ("clip_gradients", {})],
)
def test_what_each_optimizer_has_is_not_changed_at_once(model, remedy, kwargs):
    with pytest.raises(ValueError, match=r"several optimizers \(`MultiOptimizer`\)"):
        getattr(kd.remedies, remedy)(model, **kwargs)


def test_one_optimizer_takes_the_place_of_several(model):
    new = kd.remedies.change_optimizer(model, "adam")
    assert isinstance(new.optimizer, keras.optimizers.Adam)


def test_several_rates_are_none_that_is_known(model):
    assert optimizers_of(model) == [model.optimizer]
    rate = current_learning_rate(model.optimizer)
    assert rate != rate  # NaN


def test_what_sets_one_rate_during_a_fit_says_why_it_cannot(model):
    with pytest.raises(ValueError, match="has several learning rates, one for each"):
        read_learning_rate(model.optimizer)
