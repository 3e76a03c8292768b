"""Whether a model can be rebuilt is told without building anything."""

import keras
import pytest

from keras_dlbasic._keras.rebuildable import why_not_rebuilt

L = keras.layers


def sequential(*layers):
    return keras.Sequential([keras.Input((4,)), *layers])


class WithoutConfig(L.Layer):
    def __init__(self, units):
        super().__init__()


class WithConfig(L.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def metric_like(x):
    return keras.ops.relu(x)


class OwnOptimizer(keras.optimizers.SGD):
    def __init__(self, scale):
        super().__init__(scale / 2)


def metric(y_true, y_pred):
    return keras.ops.mean(y_pred)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (L.Dense(3), None),
        (keras.Sequential([L.Dense(3), L.BatchNormalization()]), None),
        (WithConfig(3), None),
        (L.Activation("relu"), None),
        (L.Lambda(lambda x: x / 2), "of class Lambda"),
        (L.Dense(3, activation=metric_like), "of class Dense"),
        (WithoutConfig(3), "'without_config' of class WithoutConfig"),
        (keras.Sequential([WithoutConfig(3)]), "of class WithoutConfig"),
    ],
)
def test_layers(layer, reason):
    found = why_not_rebuilt(sequential(layer, L.Dense(1)))
    assert (found is None) if reason is None else (reason in found)


def test_compile_arguments():
    model = sequential(L.Dense(1))
    model.compile(optimizer="adam", loss=lambda y, p: p, metrics=[metric])
    assert why_not_rebuilt(model) is None
    model.compile(optimizer=OwnOptimizer(1.0), loss="mse")
    assert "optimizer OwnOptimizer" in why_not_rebuilt(model)


def test_layers_that_are_made_next_get_the_same_names():
    model = sequential(WithConfig(3), L.Dropout(0.5), L.Dense(1))
    keras.utils.clear_session()
    names = L.Dense(1).name, L.Dropout(0.1).name
    keras.utils.clear_session()
    why_not_rebuilt(model)
    assert (L.Dense(1).name, L.Dropout(0.1).name) == names
