"""Healthy programs of the thirteenth half: pictures, spectra and coordinates."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


class Shrunk(keras.utils.PyDataset):
    """Batches of small pictures and the large ones they were made from."""

    def __init__(self, x, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.x = x
        self.rng = None if seed is None else np.random.default_rng(seed)
        self.order = np.arange(len(x))

    def __len__(self):
        return -(-len(self.x) // 24)

    def __getitem__(self, index):
        large = self.x[self.order[24 * index : 24 * index + 24]]
        if self.rng is not None and self.rng.random() < 0.5:
            large = large[:, :, ::-1]
        return shrunk(large), large

    def on_epoch_end(self):
        if self.rng is not None:
            self.rng.shuffle(self.order)


def shrunk(x):
    """Return pictures of half the height and width."""
    n, rows, columns, _ = x.shape
    return x.reshape(n, rows // 2, 2, columns // 2, 2, 1).mean(axis=(2, 4))


@healthy(family="pictures enlarged, PyDataset", half="thirteenth")
def twice_as_many_pixels():
    x, _, new, _ = data.digits(600)
    new = new[:200]
    inputs = keras.Input((4, 4, 1))
    rough = L.UpSampling2D(interpolation="bilinear")(inputs)
    h = L.Conv2D(24, 3, padding="same", activation="relu")(inputs)
    h = L.Conv2D(24, 3, padding="same", activation="relu")(h)
    h = L.Conv2DTranspose(16, 2, strides=2, activation="relu")(h)
    fine = L.Conv2D(1, 3, padding="same")(h)
    model = keras.Model(inputs, L.Add()([rough, fine]))
    model.compile(keras.optimizers.AdamW(0.003, weight_decay=1e-4), "mae")
    options = {"epochs": 12, "validation_data": Shrunk(new)}
    score = scores.variance(shrunk(new), new)
    return Fit(model, Shrunk(x, seed=1361), None, score, options)


@healthy(family="counts of spots", half="thirteenth")
def cells_counted():
    rng = np.random.default_rng(1362)
    n, size = 700, 20
    count = rng.integers(0, 9, n)
    row, column = np.mgrid[:size, :size]
    x = 0.12 * rng.normal(size=(n, size, size, 1))
    for picture, k in zip(x, count, strict=True):
        for r, c in rng.uniform(1, size - 1, (k, 2)):
            bright = rng.uniform(0.8, 1.2)
            picture[..., 0] += bright * np.exp(
                -((row - r) ** 2 + (column - c) ** 2) / 1.6
            )
    x, y = x.astype("float32"), count.astype("float32")[:, None]
    inputs = keras.Input((size, size, 1))
    h = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    h = L.Conv2D(12, 3, strides=2, padding="same", activation="relu")(h)
    density = L.Conv2D(1, 3, padding="same", activation="softplus")(h)
    total = L.Lambda(lambda d: ops.mean(d, axis=(1, 2)), output_shape=(1,))(density)
    total = L.Rescaling(10.0)(total)
    model = keras.Model(inputs, total)
    model.compile(keras.optimizers.Adam(0.004), keras.losses.Poisson())
    options = {"epochs": 14, "batch_size": 25, "validation_data": (x[500:], y[500:])}
    score = scores.variance(x[500:], y[500:])
    return Fit(model, x[:500], y[:500], score, options)


def minerals(seed, n=32):
    """Yield spectra without end, with the group and the kind of the mineral."""
    rng = np.random.default_rng(1363)
    places = rng.uniform(4, 44, (6, 3))
    places[1::2, 0] = places[::2, 0]
    rng = np.random.default_rng(seed)
    axis = np.arange(48)[:, None]
    while True:
        kind = rng.integers(0, 6, n)
        shifted = places[kind] + rng.normal(0, 0.7, (n, 3))
        peaks = np.exp(-((axis - shifted[:, None]) ** 2) / 4)
        x = (peaks * rng.uniform(0.4, 1.3, (n, 1, 3))).sum(-1)
        x = x + 0.2 * rng.normal(size=x.shape) + rng.uniform(-0.2, 0.2, (n, 1))
        y = {"group": kind // 2, "kind": kind}
        yield x[..., None].astype("float32"), y


@healthy(family="coarse and fine classes, endless generator", half="thirteenth")
def groups_and_kinds():
    inputs = keras.Input((48, 1))
    h = inputs
    for filters in (12, 24):
        h = L.Conv1D(filters, 5, padding="same", use_bias=False)(h)
        h = L.BatchNormalization(momentum=0.9)(h)
        h = L.MaxPooling1D(3)(L.Activation("relu")(h))
    h = L.Dropout(0.2)(L.Flatten()(h))
    group = L.Dense(3, activation="softmax", name="group")(h)
    kind = L.Dense(6, activation="softmax", name="kind")(L.Concatenate()([h, group]))
    model = keras.Model(inputs, {"kind": kind, "group": group})
    cross = "sparse_categorical_crossentropy"
    model.compile(
        keras.optimizers.Adam(0.003),
        {"kind": cross, "group": cross},
        loss_weights={"kind": 1.0, "group": 0.5},
        metrics={"kind": ["accuracy"], "group": ["accuracy"]},
    )

    def score(model, history):
        x, y = next(minerals(1365, 500))
        said = model.predict(x, verbose=0)["kind"].argmax(-1)
        return float(((said == y["kind"]).mean() - 1 / 6) / (1 - 1 / 6))

    options = {
        "epochs": 9,
        "steps_per_epoch": 30,
        "validation_data": minerals(1366),
        "validation_steps": 8,
    }
    return Fit(model, minerals(1364), None, score, options)


class Wave(L.Layer):
    """A dense layer whose units are sines."""

    def __init__(self, units, pace=1.0, **kwargs):
        super().__init__(**kwargs)
        self.pace = pace
        self.dense = L.Dense(units, kernel_initializer="he_uniform")

    def call(self, inputs):
        return ops.sin(self.pace * self.dense(inputs))


@healthy(family="brightness at coordinates", half="thirteenth")
def picture_from_coordinates():
    rng = np.random.default_rng(1367)
    x = rng.uniform(-1, 1, (1800, 2))
    ring = np.exp(-((np.hypot(x[:, 0] - 0.2, x[:, 1]) - 0.5) ** 2) / 0.02)
    y = ring + 0.5 * np.sin(5 * x[:, 0]) * np.cos(4 * x[:, 1])
    y = (y - y.mean()) / y.std() + 0.1 * rng.normal(size=1800)
    x, y, new, new_y = data.split(
        (x / 0.58).astype("float32"), y.astype("float32")[:, None]
    )
    model = keras.Sequential(
        [keras.Input((2,)), Wave(48, pace=2.0), Wave(48), L.Dense(1)]
    )
    rate = keras.optimizers.schedules.CosineDecay(0.004, 600)
    model.compile(keras.optimizers.Adam(rate), "mse")
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
