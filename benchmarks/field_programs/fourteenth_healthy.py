"""Fourteenth half: programs without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="prices of flats, log scale", half="fourteenth")
def log_prices_of_flats():
    rng = np.random.default_rng(1451)
    n = 1100
    area = rng.gamma(6, 13, n)
    rooms = np.clip(np.round(area / 27 + rng.normal(0, 0.7, n)), 1, 7)
    age = rng.integers(0, 90, n)
    district = rng.integers(0, 6, n)
    level = np.array([-0.4, -0.2, -0.1, 0.1, 0.3, 0.6])[district]
    log = 7.6 + 0.9 * np.log(area) + level - 0.006 * age + 0.0001 * (age - 45) ** 2
    price = np.exp(log + 0.18 * rng.normal(size=n))
    x = np.column_stack([np.log(area), rooms, age, data.groups(district, 6)])
    x, y, new, new_y = data.split(x, np.log(price))
    x, new = data.standard(x, new)
    y, new_y = ((a - y.mean()) / y.std() for a in (y, new_y))
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    model = keras.Sequential(
        [
            keras.Input((9,)),
            L.Dense(32, activation="gelu"),
            L.Dropout(0.05),
            L.Dense(16, activation="gelu"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.AdamW(0.004, weight_decay=1e-3), "huber")
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Restorer(keras.Model):
    """Convolutions that say what to take away from a grainy picture."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        kernel = {"padding": "same", "activation": "relu"}
        self.layers_inside = [L.Conv2D(16, 3, **kernel) for _ in range(3)]
        self.grain = L.Conv2D(1, 3, padding="same")

    def call(self, inputs):
        hidden = inputs
        for layer in self.layers_inside:
            hidden = layer(hidden)
        return inputs - self.grain(hidden)


@healthy(family="grainy pictures restored, subclassed", half="fourteenth")
def grainy_pictures():
    clean, _, _ = data.shapes(560, seed=1452)
    grain = np.random.default_rng(1453).normal(size=clean.shape)
    noisy = (clean + 0.22 * grain).astype("float32")
    x, y, new, new_y = data.split(noisy, clean)
    model = Restorer()
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    options = {"epochs": 9, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Alarms(keras.utils.PyDataset):
    """Batches of logs in which alarms are not as rare as they are."""

    def __init__(self, x, y, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y
        self.rng = np.random.default_rng(1454)
        self.rare, self.common = np.flatnonzero(y), np.flatnonzero(y == 0)

    def __len__(self):
        return 30

    def __getitem__(self, index):
        rows = np.concatenate(
            [self.rng.choice(self.rare, 8), self.rng.choice(self.common, 24, False)]
        )
        self.rng.shuffle(rows)
        return self.x[rows], self.y[rows, None].astype("float32")


@healthy(family="rare alarms of machines, PyDataset", half="fourteenth")
def rare_alarms():
    rng = np.random.default_rng(1455)
    n = 2000
    y = (rng.random(n) < 0.12).astype("int32")
    x = rng.normal(size=(n, 20, 3))
    x[..., 0] = np.cumsum(0.4 * x[..., 0], axis=1)
    bump = np.exp(-(((np.arange(20) - rng.integers(3, 17, (n, 1))) / 1.6) ** 2))
    x[..., 1] += 2.6 * y[:, None] * bump
    x[..., 2] -= 1.8 * y[:, None] * bump
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential(
        [
            keras.Input((20, 3)),
            L.Conv1D(16, 5, padding="same", activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(8, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc")],
    )
    batches = Alarms(x, y)
    options = {"epochs": 9, "validation_data": (new, new_y[:, None].astype("float32"))}
    return Fit(model, batches, None, scores.balanced(new, new_y), options)


@healthy(family="angles of pointers, two outputs of a circle", half="fourteenth")
def angles_of_pointers():
    rng = np.random.default_rng(1456)
    n = 800
    angle = rng.uniform(0, 2 * np.pi, n)
    row, column = np.mgrid[:13, :13] - 6
    along = np.cos(angle)[:, None, None] * column + np.sin(angle)[:, None, None] * row
    away = np.cos(angle)[:, None, None] * row - np.sin(angle)[:, None, None] * column
    x = np.exp(-(away**2)) * (along > -0.5) * (along < 5.5)
    x = np.clip(x + 0.12 * rng.normal(size=x.shape), 0, 1)[..., None]
    y = np.stack([np.cos(angle), np.sin(angle)], -1).astype("float32")
    x, y, new, new_y = data.split(x.astype("float32"), y)

    def apart(y_true, y_pred):
        unit = y_pred / ops.sqrt(ops.sum(y_pred**2, -1, keepdims=True) + 1e-6)
        length = ops.mean((ops.sum(y_pred**2, -1) - 1) ** 2)
        return 1 - ops.sum(unit * y_true, -1) + 0.1 * length

    model = keras.Sequential(
        [
            keras.Input((13, 13, 1)),
            L.Conv2D(8, 3, strides=2, activation="elu"),
            L.Conv2D(16, 3, strides=2, activation="elu"),
            L.Flatten(),
            L.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), apart)
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="faults in a chain of letters, tagged", half="fourteenth")
def faults_in_letters():
    rng = np.random.default_rng(1457)
    n, length = 1000, 12
    x = np.zeros((n, length), "int32")
    follows = rng.permutation(5) + 1
    for i in range(n):
        used = int(rng.integers(7, length + 1))
        x[i, 0] = rng.integers(1, 6)
        for t in range(1, used):
            wrong = rng.random() < 0.4
            x[i, t] = rng.integers(1, 6) if wrong else follows[x[i, t - 1] - 1]
    fits = np.zeros(x.shape, "int32")
    fits[:, 1:] = x[:, 1:] == follows[np.maximum(x[:, :-1], 1) - 1]
    y = np.where(fits == 1, 0, 1)
    y[:, 0] = 0
    x, y, new, new_y = data.split(x, y)
    there = new > 0
    inputs = keras.Input((length,), dtype="int32")
    hidden = L.Embedding(6, 8, mask_zero=True)(inputs)
    hidden = L.Bidirectional(L.GRU(10, return_sequences=True))(hidden)
    outputs = L.Dense(2, activation="softmax")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")

    def score(model, history):
        said = scores.predicted(model, new).argmax(-1)[there]
        recalls = [(said[new_y[there] == k] == k).mean() for k in (0, 1)]
        return float(2 * np.mean(recalls) - 1)

    options = {"epochs": 11, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="digit, parity and ink, three heads", half="fourteenth")
def digit_parity_and_ink():
    x, y, new, new_y = data.digits(1000)
    ink, new_ink = (a.mean((1, 2)).astype("float32") for a in (x, new))
    new_ink, ink = ((a - ink.mean()) / ink.std() for a in (new_ink, ink))
    inputs = keras.Input((8, 8, 1), name="picture")
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(24, 3, padding="same", activation="relu")(hidden)
    hidden = L.Dropout(0.1)(L.Flatten()(hidden))
    shared = L.Dense(48, activation="relu")(hidden)
    outputs = {
        "digit": L.Dense(10, activation="softmax", name="digit")(shared),
        "odd": L.Dense(1, activation="sigmoid", name="odd")(shared),
        "ink": L.Dense(1, name="ink")(shared),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.003),
        {
            "digit": "sparse_categorical_crossentropy",
            "odd": "binary_crossentropy",
            "ink": "mse",
        },
        metrics={"digit": "accuracy"},
    )

    def targets(digit, amount):
        odd = (digit % 2)[:, None].astype("float32")
        return {"digit": digit, "odd": odd, "ink": amount}

    options = {
        "epochs": 10,
        "batch_size": 32,
        "validation_data": (new, targets(new_y, new_ink)),
    }
    score = scores.accuracy(new, new_y)
    return Fit(model, x, targets(y, ink), score, options)
