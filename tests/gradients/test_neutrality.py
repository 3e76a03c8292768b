"""Watching changes nothing, not by a bit."""

import copy
import io
import json
import random
import re
import zipfile

import h5py
import keras
import models
import numpy as np
import pytest
import reference

import keras_dlbasic as kd

Monitor = kd.callbacks.GradientNormMonitor
SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam


def fingerprint(model, history, path):
    """Return everything a fit leaves behind, comparable with `==`."""
    model.save(path)
    logs = {k: v for k, v in history.items() if k != "global_gradient_norm"}
    return {
        "weights": _bytes(model.variables),
        "optimizer": _bytes(model.optimizer.variables),
        "optimizer names": [v.path for v in model.optimizer.variables],
        "history": logs,
        **_contents(path),
        "random": random.getstate(),
        "numpy": [str(part) for part in np.random.get_state()],
        "keras": keras.random.normal((3,)).__array__().tolist()
        if keras.backend.backend() != "torch"
        else keras.random.normal((3,)).tolist(),
        "attributes": sorted(vars(model)),
    }


def _contents(path):
    """Return what is in a saved file, every array and every setting."""
    with zipfile.ZipFile(path) as saved:
        parts = {f"file: {name}": saved.read(name) for name in saved.namelist()}
    metadata = json.loads(parts["file: metadata.json"])
    assert metadata.pop("date_saved")
    parts["file: metadata.json"] = metadata
    ids = {}  # addresses; what counts is which objects are the same
    parts["file: config.json"] = re.sub(
        rb'"shared_object_id": (\d+)',
        lambda found: str(ids.setdefault(found[1], len(ids))).encode(),
        parts["file: config.json"],
    )
    arrays = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[name] = (item.dtype.str, item.shape, item[()].tobytes())

    with h5py.File(io.BytesIO(parts["file: model.weights.h5"])) as file:
        file.visititems(keep)
    assert any(name.startswith("optimizer/") for name in arrays)
    parts["file: model.weights.h5"] = arrays
    return parts


def _bytes(variables):
    return [array.tobytes() for array in reference.arrays(variables)]


def run(make, path, watched, *, optimizer, compile_args=None, **fit):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model, x, y, loss = make()
    model.compile(optimizer=optimizer(), loss=loss, **(compile_args or {}))
    callbacks = [Monitor(every=watched)] if watched else []
    fit = {"batch_size": 8, "epochs": 3, "verbose": 0, **fit}
    history = model.fit(x, y, callbacks=callbacks, **fit)
    return fingerprint(model, history.history, path)


def assert_neutral(make, tmp_path, *, every, **kwargs):
    # one name, since it is written into the file
    path = tmp_path / "model.keras"
    plain = run(make, path, None, **kwargs)
    for watched in every:
        seen = run(make, path, watched, **kwargs)
        different = [key for key in plain if seen[key] != plain[key]]
        assert different == [], f"every={watched!r}"


def with_dropout():
    model, x, y, loss = models.mlp()
    layers = [model.layers[0], keras.layers.Dropout(0.3), *model.layers[1:]]
    return keras.Sequential([keras.Input((6,)), *layers]), x, y, loss


def two_layers():
    """Optimizers take each variable by itself: few will do."""
    _, x, y, loss = models.mlp()
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(4, use_bias=False)]
    return keras.Sequential([keras.Input((6,)), *layers]), x, y, loss


def convolution():
    _, x, y, loss = models.cnn()
    layers = [
        keras.layers.Conv2D(4, 3, use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(4),
    ]
    return keras.Sequential([keras.Input((8, 8, 2)), *layers]), x, y, loss


OPTIMIZERS = {
    "sgd": lambda: SGD(0.1, momentum=0.9, global_clipnorm=0.1),
    "adamw": lambda: keras.optimizers.AdamW(0.01, clipvalue=0.01, use_ema=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, loss_scale_factor=64.0),
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(Adam(0.01)),
    "accumulation": lambda: SGD(0.1, gradient_accumulation_steps=2),
    "adam": lambda: Adam(0.01, clipnorm=0.1),
    "momentum": lambda: SGD(0.1, momentum=0.9, clipnorm=0.1),
}
METRICS = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
VALIDATION = {
    "validation_split": 0.25,
    "class_weight": {0: 1.0, 1: 2.0, 2: 0.5, 3: 1.0},
}
TRAINED_WITH = {
    # every=1: measured steps only; every=2: both step functions in turn
    "attention": (1, "momentum", {}),
    "cnn": (2, "adam", {}),
    "embedding": (1, "adamw", {}),
    "gru": (1, "rmsprop", {}),
    "mlp": (2, "sgd", VALIDATION),
    "subclassed": (1, "loss_scale", {"compile_args": METRICS}),
}
"""Each in another way: tracing all of them in all ways takes minutes."""


BACKEND = keras.backend.backend()
ON_EACH_BACKEND = {"embedding", "gru", "mlp"}
"""Products of matrices, gradients by row, and a loop of the backend.

For convolutions there are `test_products_that_tensorflow_reorders` and
`test_convolutions_that_xla_fuses`; the rest is made of these.
"""


@pytest.mark.optimized
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.once] * (name not in ON_EACH_BACKEND))
        for name in TRAINED_WITH
    ],
)
def test_models(name, tmp_path):
    every, optimizer, options = TRAINED_WITH[name]
    make = with_dropout if name == "mlp" else models.ALL[name]
    optimizer = OPTIMIZERS[optimizer]
    assert_neutral(make, tmp_path, every=(every,), optimizer=optimizer, **options)


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(set(models.ALL) - set(TRAINED_WITH)))
def test_models_that_are_like_others(name, tmp_path):
    optimizer = OPTIMIZERS["momentum"]
    assert_neutral(models.ALL[name], tmp_path, every=(2,), optimizer=optimizer)


@pytest.mark.parametrize(
    ("name", "every"),
    [
        pytest.param("sgd", (1, 2), marks=pytest.mark.once),
        pytest.param("adamw", (2,), marks=pytest.mark.once),
        pytest.param("rmsprop", (2,), marks=pytest.mark.once),
        pytest.param("loss_scale", (2,), marks=pytest.mark.once),
        ("accumulation", (3,)),  # micro-steps of both kinds
        pytest.param("accumulation", (1,), marks=pytest.mark.once),
    ],
)
def test_optimizers(name, every, tmp_path):
    optimizer = OPTIMIZERS[name]
    assert_neutral(two_layers, tmp_path, optimizer=optimizer, every=every)


TENSORFLOW = [
    pytest.mark.skipif(BACKEND == "torch", reason="refused: test_limits"),
    pytest.mark.skipif(BACKEND == "jax", reason="the default"),
]


@pytest.mark.parametrize(
    ("make", "compile_args", "epochs"),
    [
        # without compilation JAX takes long, and Keras takes the same way as with it
        pytest.param(
            two_layers,
            {"run_eagerly": True},
            1,
            marks=[pytest.mark.once] * (BACKEND == "jax"),
        ),
        pytest.param(
            two_layers,
            {"jit_compile": False},
            3,
            marks=pytest.mark.skipif(BACKEND != "jax", reason="the default elsewhere"),
        ),
        pytest.param(two_layers, {"jit_compile": True}, 3, marks=TENSORFLOW),
        # XLA takes long to compile it twice
        pytest.param(
            convolution,
            {"jit_compile": True},
            3,
            marks=[*TENSORFLOW, pytest.mark.everywhere],
        ),
    ],
    ids=["eager", "no-jit", "jit", "jit-convolution"],
)
def test_ways_to_compile(make, compile_args, epochs, tmp_path):
    assert_neutral(
        make,
        tmp_path,
        every=(2,),
        optimizer=lambda: keras.optimizers.Adam(0.01),
        compile_args=compile_args,
        epochs=epochs,
    )


@pytest.mark.optimized
@pytest.mark.skipif(BACKEND != "jax", reason="compiled by XLA")
def test_convolutions_that_xla_fuses():
    """Reading gradients carelessly changes how XLA compiles this one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(128, 8, 8, 3)).astype("float32")
    y = rng.integers(0, 10, 128)
    results = []
    for callbacks in ([], [Monitor(every=1)]):
        keras.utils.set_random_seed(0)
        layers = [
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.MaxPool2D(),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
        model = keras.Sequential([keras.Input((8, 8, 3)), *layers])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=Adam(0.01, clipnorm=0.1), loss=loss)
        fit = {"batch_size": 32, "epochs": 2, "verbose": 0, "callbacks": callbacks}
        model.fit(x, y, **fit)
        results.append(_bytes(model.variables))
    assert results[0] == results[1]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's graph optimizer")
def test_products_that_tensorflow_reorders(tmp_path):
    """The gradient of `gamma` is a product, which is multiplied by the learning rate."""
    assert_neutral(
        models.cnn,
        tmp_path,
        every=(1,),
        optimizer=lambda: SGD(0.1, momentum=0.9),
        shuffle=False,
    )


def test_mixed_precision(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert_neutral(
            two_layers,
            tmp_path,
            every=(1,),
            optimizer=lambda: keras.optimizers.Adam(0.01),
        )
    finally:
        keras.config.set_dtype_policy("float32")


class Snapshots(keras.callbacks.Callback):
    """Looks at the model between steps, as `ModelCheckpoint(save_freq=1)` does."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((dict(logs), _bytes(self.model.variables)))


def test_batch_logs_and_weights_between_steps():
    seen = []
    for watch in (False, True):
        model, x, y, loss = models.make("single")
        model.compile(optimizer="adam", loss=loss)
        snapshots = Snapshots()
        callbacks = [Monitor(every=2), snapshots] if watch else [snapshots]
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
        seen.append(snapshots.seen)
    assert seen[0] == seen[1]


@pytest.mark.once  # what is saved is compared above
def test_a_saved_model_goes_on_as_ever(tmp_path):
    path = tmp_path / "model.keras"
    results = []
    for watched in (None, 2):
        run(two_layers, path, watched, optimizer=lambda: Adam(0.01))
        loaded = keras.models.load_model(path)
        _, x, y, _ = two_layers()
        loaded.fit(x, y, batch_size=8, verbose=0)
        results.append(_bytes([*loaded.variables, *loaded.optimizer.variables]))
    assert results[0] == results[1]


def test_refit_and_recompile():
    results = []
    for watch in (False, True):
        model, x, y, loss = models.make("single")
        monitor = Monitor()
        callbacks = [monitor] if watch else []
        for learning_rate in (0.1, 0.01):
            model.compile(optimizer=keras.optimizers.SGD(learning_rate), loss=loss)
            for _ in range(2):
                model.fit(x, y, batch_size=8, verbose=0, callbacks=callbacks)
            model.fit(x, y, batch_size=8, verbose=0)
        results.append(_bytes(model.variables))
    assert results[0] == results[1]


def test_the_callback_can_be_copied_before_fit():
    model, x, y, loss = models.make("single")
    model.compile(optimizer="sgd", loss=loss)
    monitor = copy.deepcopy(Monitor(every=1, verbose=1))
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor])
    assert len(monitor.record.steps) == 3
    copied = copy.deepcopy(monitor.record)
    np.testing.assert_array_equal(copied.gradient_norm, monitor.record.gradient_norm)
