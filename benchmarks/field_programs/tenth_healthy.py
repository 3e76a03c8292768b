"""Healthy programs of the tenth half: tables, grades, missing labels, histories."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="very few rows, regression", half="tenth")
def yields_of_ninety_orchards():
    rng = np.random.default_rng(1041)
    x = rng.normal(size=(290, 6)).astype("float32")
    yields = 0.9 * x[:, 0] - 0.6 * x[:, 1] + 0.4 * np.abs(x[:, 2]) - 0.3
    y = (yields + 0.5 * rng.normal(size=290)).astype("float32")[:, None]
    l2 = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(8, activation="softplus", kernel_regularizer=l2),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mae", metrics=["mse"])
    new = x[120:], y[120:]
    options = {
        "epochs": 60,
        "batch_size": 10,
        "validation_data": (x[90:120], y[90:120]),
    }
    return Fit(model, x[:90], y[:90], scores.variance(*new), options)


class Thresholds(keras.layers.Layer):
    """Turn a number into the chances that a grade is above 0, 1, 2 and 3."""

    def build(self, shape):
        start = keras.initializers.Constant([-1.5, 1.0, 1.0, 1.0])
        self.steps = self.add_weight(shape=(4,), initializer=start)

    def call(self, x):
        first, rest = self.steps[:1], ops.softplus(self.steps[1:])
        cuts = ops.cumsum(ops.concatenate([first, rest]))
        return ops.sigmoid(x - cuts)


def cumulative_loss(grade, above):
    """Return the cross-entropy of whether the grade is above each threshold."""
    grade = ops.reshape(ops.cast(grade, "float32"), (-1, 1))
    truth = ops.cast(grade > ops.arange(4, dtype="float32"), "float32")
    above = ops.clip(above, 1e-6, 1 - 1e-6)
    both = truth * ops.log(above) + (1 - truth) * ops.log(1 - above)
    return -ops.sum(both, axis=-1)


@healthy(family="ordered grades, loss of one's own", half="tenth")
def grades_of_wine_in_order():
    rng = np.random.default_rng(1042)
    x = rng.normal(size=(1500, 9)).astype("float32")
    quality = x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + 0.6 * np.tanh(2 * x[:, 3])
    quality = quality + 0.5 * rng.normal(size=1500)
    grade = np.digitize(quality, [-1.6, -0.5, 0.6, 1.7])
    inputs = keras.Input((9,))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = L.Dropout(0.1)(hidden)
    hidden = L.Dense(16, activation="relu")(hidden)
    outputs = Thresholds()(L.Dense(1, use_bias=False)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), cumulative_loss)

    def score(model, history):
        out = scores.predicted(model, x[1200:])
        return scores.explained(out.sum(axis=1), grade[1200:].astype("float64"))

    options = {
        "epochs": 18,
        "batch_size": 32,
        "validation_data": (x[1000:1200], grade[1000:1200]),
    }
    return Fit(model, x[:1000], grade[:1000], score, options)


@healthy(family="two tasks, some labels missing", half="tenth")
def toxicity_with_missing_labels():
    rng = np.random.default_rng(1043)
    x = (rng.random((1600, 48)) < 0.25).astype("float32")
    first = x[:, :8].sum(axis=1) - x[:, 8:16].sum(axis=1) + 0.6 * rng.normal(size=1600)
    second = x[:, 4:14].sum(axis=1) + 0.7 * rng.normal(size=1600)
    toxic = (first > 0).astype("float32")[:, None]
    solved = ((second - 2.5) / 1.5).astype("float32")[:, None]
    known = {
        "toxic": (rng.random(1600) < 0.7).astype("float32"),
        "solved": (rng.random(1600) < 0.8).astype("float32"),
    }
    inputs = keras.Input((48,))
    shared = L.Dense(24, activation="relu")(inputs)
    shared = L.Dropout(0.2)(shared)
    model = keras.Model(
        inputs,
        {
            "toxic": L.Dense(1, activation="sigmoid", name="toxic")(shared),
            "solved": L.Dense(1, name="solved")(shared),
        },
    )
    model.compile(
        keras.optimizers.Adam(0.004),
        loss={"toxic": "binary_crossentropy", "solved": "mse"},
    )
    y = {
        "toxic": toxic * known["toxic"][:, None],
        "solved": solved * known["solved"][:, None],
    }
    train = {name: rows[:1100] for name, rows in y.items()}
    weights = {name: rows[:1100] for name, rows in known.items()}
    held_out = (
        x[1100:1300],
        {name: rows[1100:1300] for name, rows in y.items()},
        {name: rows[1100:1300] for name, rows in known.items()},
    )

    def score(model, history):
        out = model.predict(x[1300:], verbose=0)
        right = ((np.asarray(out["toxic"]) > 0.5) == (toxic[1300:] > 0.5)).mean()
        found = scores.explained(np.asarray(out["solved"]), solved[1300:])
        return float(min(2 * right - 1, found))

    options = {
        "epochs": 15,
        "batch_size": 32,
        "sample_weight": weights,
        "validation_data": held_out,
    }
    return Fit(model, x[:1100], train, score, options)


@healthy(family="next item of a history", half="tenth")
def songs_heard_next():
    rng = np.random.default_rng(1044)
    genre = rng.integers(0, 6, 2400)
    pool = np.arange(1, 37).reshape(6, 6)
    odds = np.array([0.38, 0.24, 0.15, 0.1, 0.08, 0.05])
    picks = pool[genre[:, None], rng.choice(6, (2400, 9), p=odds)]
    stray = rng.random((2400, 9)) < 0.25
    songs = np.where(stray, rng.integers(1, 37, (2400, 9)), picks).astype("int32")
    history, following = songs[:, :8].copy(), songs[:, 8] - 1
    short = rng.integers(0, 4, 2400)
    history[np.arange(8) < short[:, None]] = 0
    inputs = keras.Input((8,), dtype="int32")
    hidden = L.Embedding(37, 16, mask_zero=True)(inputs)
    hidden = L.GlobalAveragePooling1D()(hidden)
    hidden = L.Dense(32, activation="relu")(hidden)
    hidden = L.Dropout(0.2)(hidden)
    model = keras.Model(inputs, L.Dense(36)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    best = keras.metrics.SparseTopKCategoricalAccuracy(k=5, name="top_5")
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=[best])
    held_out = history[1800:], following[1800:]
    options = {"epochs": 9, "batch_size": 64, "validation_data": held_out}
    return Fit(
        model, history[:1800], following[:1800], scores.accuracy(*held_out), options
    )
