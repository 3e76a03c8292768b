"""Train models that are sharded over eight devices, watched and not; print what differs.

Run in a process of its own on JAX, as devices are counted once:
`XLA_FLAGS=--xla_force_host_platform_device_count=8`.
"""

import json
import sys

import keras
import numpy as np
from keras import layers as L
from keras import optimizers as O

import keras_dlbasic as kd

DISTRIBUTION = keras.distribution
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(96, 16)).astype("float32"), RNG.integers(0, 4, 96)
NORMS = ("gradient_norm", "update_norm", "weight_norm", "clip_factor")


def plain():
    hidden = [L.Dense(32, "relu", name="dense_a"), L.Dense(32, "tanh", name="dense_b")]
    return keras.Sequential([keras.Input((16,)), *hidden, L.Dense(4, name="head")])


def normalized():
    return keras.Sequential(
        [
            keras.Input((16,)),
            L.Reshape((16, 1)),
            L.Conv1D(8, 3, activation="relu", name="conv_a"),
            L.BatchNormalization(),
            L.Flatten(),
            L.Dense(16, "relu", name="dense_a"),
            L.LayerNormalization(),
            L.Dense(4, name="head"),
        ]
    )


# name: (model, optimizer, mesh of batch and model)
CASES = {
    "sgd": (plain, lambda: O.SGD(0.1), (2, 4)),
    "adamw-clipnorm": (normalized, lambda: O.AdamW(0.01, clipnorm=0.1), (2, 4)),
    "adam-global_clipnorm": (
        normalized,
        lambda: O.Adam(0.01, global_clipnorm=0.5),
        (4, 2),
    ),
    "adam-clipvalue": (plain, lambda: O.Adam(0.01, clipvalue=0.01), (1, 8)),
    "momentum": (normalized, lambda: O.SGD(0.1, momentum=0.9), (8, 1)),
}


def sharded(shape):
    """Return a distribution whose kernels are parted along the units."""
    mesh = DISTRIBUTION.DeviceMesh(
        shape, ["batch", "model"], DISTRIBUTION.list_devices()
    )
    layout = DISTRIBUTION.LayoutMap(mesh)
    layout[".*dense.*kernel"] = (None, "model")
    layout[".*dense.*bias"] = ("model",)
    layout[".*conv.*kernel"] = (None, None, "model")
    layout[".*head.*kernel"] = ("model", None)
    return DISTRIBUTION.ModelParallel(layout_map=layout, batch_dim_name="batch")


def fit(make, optimizer, callbacks):
    """Return all numbers that a fit leaves behind."""
    keras.utils.set_random_seed(3)
    model = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(), loss)
    history = model.fit(
        X, Y, batch_size=16, epochs=2, verbose=0, callbacks=callbacks
    ).history
    weights = [*model.weights, *model.optimizer.variables]
    found = [np.asarray(keras.ops.convert_to_numpy(weight)) for weight in weights]
    return [*found, np.asarray(history["loss"])]


def outcome(make, optimizer, shape):
    """Return whether watching is neutral, and how far norms are from one device's."""
    distribution = sharded(shape)
    DISTRIBUTION.set_distribution(distribution)
    expected = fit(make, optimizer, [])
    is_neutral, records = True, []
    for every in (1, "auto"):
        monitor = kd.callbacks.GradientNormMonitor(every=every)
        found = fit(make, optimizer, [monitor])
        is_neutral &= len(expected) == len(found)
        is_neutral &= all(map(np.array_equal, expected, found))
        records.append(monitor.record)
    DISTRIBUTION.set_distribution(None)
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    fit(make, optimizer, [monitor])
    apart = 0.0
    for name in NORMS:  # the first steps: later ones drift apart by rounding
        one, many = (getattr(r, name)[:3] for r in (monitor.record, records[0]))
        assert np.isfinite(one).all() or name == "clip_factor", name
        assert (np.isfinite(one) == np.isfinite(many)).all(), name
        apart = max(apart, float(np.nanmax(np.abs(one - many) / (np.abs(one) + 1e-6))))
    return {"is_neutral": is_neutral, "apart": apart}


if __name__ == "__main__":
    found = {name: outcome(*case) for name, case in CASES.items()}
    sys.stdout.write("\n" + json.dumps(found) + "\n")
