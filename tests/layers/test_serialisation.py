"""Every public class in a model: saved, loaded elsewhere, cloned, in half precision."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

X = np.random.default_rng(0).normal(size=(8, 6)).astype("float32")


def build_model(dtype=None):
    kd_layers, penalties, laws = kd.layers, kd.regularizers, kd.initializers
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(
                5,
                kernel_initializer=laws.XavierNormal(seed=0),
                kernel_regularizer=penalties.L2(0.1),
                bias_regularizer=penalties.L1(0.1),
                dtype=dtype,
            ),
            kd_layers.BatchNormalization(dtype=dtype),
            kd_layers.Dropout(0.5, seed=3, monte_carlo=False, dtype=dtype),
            kd_layers.GradientClipping(norm=1.0, dtype=dtype),
            keras.layers.Dense(
                4,
                kernel_initializer=laws.HeUniform(seed=1, mode="fan_out"),
                kernel_regularizer=penalties.L1L2(0.1, 0.2),
                dtype=dtype,
            ),
            kd_layers.LayerNormalization(dtype=dtype),
            kd_layers.GradientClipping(value=1.0, dtype=dtype),
            keras.layers.Dense(
                1,
                kernel_initializer=laws.XavierUniform(),
                bias_initializer=laws.HeNormal(),
                kernel_regularizer=penalties.GroupLasso(0.1, axis=0),
                dtype=dtype,
            ),
        ]
    )
    model.compile(optimizer="sgd", loss="mse")
    return model


SCRIPT = """
import sys, numpy as np, keras
import keras_dlbasic
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
x = np.load(sys.argv[2])
np.save(sys.argv[3], model.predict(x, verbose=0))
assert keras.saving.get_registered_object("keras_dlbasic>Ensemble") is not None
"""


def saved(path):
    model = build_model()
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    model.save(path)
    return model.predict(X, verbose=0)


def test_saved_and_loaded(tmp_path):
    expected = saved(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, rtol=1e-6)


@pytest.mark.once
def test_saved_and_loaded_in_a_fresh_process(tmp_path, child_path):
    """What is registered on import is the same on all backends."""
    expected = saved(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", X)
    subprocess.run(
        [
            sys.executable,
            "-c",
            SCRIPT,
            *(str(tmp_path / name) for name in ("m.keras", "x.npy", "y.npy")),
        ],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(child_path)},
        capture_output=True,
        timeout=600,
    )
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-6)


def test_config_round_trip_and_clone():
    model = build_model()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert clone.get_config() == model.get_config()
    np.testing.assert_array_equal(
        clone.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    for layer in model.layers:
        config = layer.get_config()
        assert type(layer).from_config(config).get_config() == config


def test_weights_fit_keras_own_layers():
    ours = kd.layers.BatchNormalization()
    own = keras.layers.BatchNormalization()
    ours.build((None, 4))
    own.build((None, 4))
    values = [np.arange(1.0, 5.0) * (i + 1) for i in range(4)]
    ours.set_weights(values)
    own.set_weights(ours.get_weights())
    x = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(n(x)) for n in (ours, own))
    )
    assert [w.path.split("/")[-1] for w in ours.weights] == [
        w.path.split("/")[-1] for w in own.weights
    ]


def test_mixed_precision():
    model = build_model("mixed_float16")
    losses = model.fit(X, X[:, :1], epochs=1, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    y = model.predict(X, verbose=0)
    assert y.dtype == "float16"
    assert np.isfinite(y).all()
    assert all(np.isfinite(w).all() for w in model.get_weights())


# Keras 3.16 says so of each recurrent layer whose input has a mask
@pytest.mark.filterwarnings("ignore:.* was passed an input with a mask:UserWarning")
@pytest.mark.once
def test_dynamic_shapes():
    inputs = keras.Input((None, 3))
    hidden = keras.layers.Masking()(inputs)
    for layer in (
        kd.layers.BatchNormalization(),
        kd.layers.LayerNormalization(),
        kd.layers.Dropout(0.2),
        kd.layers.GradientClipping(norm=1.0),
    ):
        hidden = layer(hidden)
        assert hidden.shape == (None, None, 3)
    model = keras.Model(inputs, keras.layers.GRU(2)(hidden))
    model.compile(optimizer="sgd", loss="mse")
    for length in (2, 5):
        x = np.random.default_rng(0).normal(size=(4, length, 3))
        model.train_on_batch(x, np.zeros((4, 2)))
        assert model.predict(x, verbose=0).shape == (4, 2)


@pytest.mark.parametrize("cls", ["BatchNormalization", "LayerNormalization"])
def test_one_level_below_keras(cls):
    assert getattr(kd.layers, cls).__mro__[1] is getattr(keras.layers, cls)
