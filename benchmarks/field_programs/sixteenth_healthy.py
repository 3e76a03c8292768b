"""Sixteenth half: programs without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


class Bell(L.Layer):
    """The mean and the logarithm of the deviation of a bell curve."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.log = L.Dense(1), L.Dense(1, kernel_initializer="zeros")

    def build(self, shape):
        self.mean.build(shape)
        self.log.build(shape)

    def call(self, hidden):
        log = ops.clip(self.log(hidden), -4, 4)
        return ops.concatenate([self.mean(hidden), log], axis=-1)


def surprise(y_true, y_pred):
    mean, log = y_pred[:, :1], y_pred[:, 1:]
    return ops.mean(log + 0.5 * ops.square((y_true - mean) * ops.exp(-log)), axis=-1)


@healthy(family="yield with its uncertainty, own likelihood", half="sixteenth")
def yield_and_its_doubt():
    rng = np.random.default_rng(1651)
    x = rng.normal(size=(1400, 6)).astype("float32")
    mean = np.sin(1.5 * x[:, 0]) + 0.6 * x[:, 1] + 0.4 * x[:, 2] * x[:, 3]
    doubt = np.exp(0.5 * x[:, 4] - 1.2)
    y = (mean + doubt * rng.normal(size=1400))[:, None].astype("float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((6,))
    hidden = L.Dense(48, activation="silu")(inputs)
    hidden = L.Dense(48, activation="silu")(hidden)
    model = keras.Model(inputs, Bell()(hidden))
    model.compile(keras.optimizers.Adam(0.003, clipnorm=5.0), surprise)

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], new_y)

    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Signatures(keras.utils.PyDataset):
    """Pairs of digits, and whether both are the same: half of them are."""

    def __init__(self, x, y, batches, seed, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batches = x, y, batches
        self.rng = np.random.default_rng(seed)
        self.rows = [np.flatnonzero(y == k) for k in range(10)]

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        first = self.rng.integers(0, len(self.x), 32)
        other = self.rng.integers(0, len(self.x), 32)
        for i in range(16):
            other[i] = self.rng.choice(self.rows[self.y[first[i]]])
        same = (self.y[first] == self.y[other]).astype("float32")
        return (self.x[first], self.x[other]), same[:, None]


@healthy(family="pairs of digits, shared tower, PyDataset", half="sixteenth")
def digits_that_match():
    x, y, new, new_y = data.digits(1100)
    tower = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.Flatten(),
            L.Dense(24),
        ]
    )
    first, second = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    apart = ops.square(tower(first) - tower(second))
    outputs = L.Dense(1, activation="sigmoid")(apart)
    model = keras.Model([first, second], outputs)
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    tests = Signatures(new, new_y, 12, 1652)
    pairs = [tests[i] for i in range(12)]
    left, right = (np.concatenate([p[0][side] for p in pairs]) for side in (0, 1))
    same = np.concatenate([p[1] for p in pairs])
    score = scores.balanced([left, right], same[:, 0].astype(int))
    options = {"epochs": 10, "validation_data": ([left, right], same)}
    return Fit(model, Signatures(x, y, 40, 1653), None, score, options)


class Cumulative(L.Layer):
    """Chances that a grade is above each of four steps, which are in order."""

    def build(self, shape):
        self.first = self.add_weight(
            shape=(1,), initializer=keras.initializers.Constant(-1.5)
        )
        self.gaps = self.add_weight(shape=(3,), initializer="zeros")

    def call(self, inputs):
        steps = ops.concatenate([self.first, ops.softplus(self.gaps)])
        return ops.sigmoid(inputs - ops.cumsum(steps))

    def compute_output_shape(self, shape):
        return (*shape[:-1], 4)


@healthy(family="grades of wines in order, cumulative", half="sixteenth")
def wines_by_steps():
    rng = np.random.default_rng(1654)
    x = rng.normal(size=(1300, 9))
    taste = x[:, 0] + 0.8 * np.tanh(x[:, 1]) - 0.6 * x[:, 2] ** 2 + 0.5 * x[:, 3]
    taste = taste + 0.5 * rng.normal(size=1300)
    grade = np.digitize(taste, np.quantile(taste, [0.08, 0.3, 0.7, 0.92]))
    x, grade, new, new_grade = data.split(x.astype("float32"), grade)
    y, new_y = (
        (g[:, None] > np.arange(4)).astype("float32") for g in (grade, new_grade)
    )
    inputs = keras.Input((9,))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = L.Dense(16, activation="relu")(hidden)
    outputs = Cumulative()(L.Dense(1, use_bias=False)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")

    def score(model, history):
        found = scores.predicted(model, new).sum(-1)
        return scores.explained(found, new_grade.astype("float32"))

    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="frauds of one in fourteen, class weights", half="sixteenth")
def one_fraud_in_fourteen():
    rng = np.random.default_rng(1655)
    n = 2400
    amount, hour = rng.lognormal(3, 1, n), rng.uniform(0, 24, n)
    shop, away = rng.integers(0, 12, n), rng.gamma(1.5, 20, n)
    risk = np.random.default_rng(1656).normal(0, 0.9, 12)[shop]
    odds = 1.3 * (np.log(amount) - 3) + 1.2 * np.cos(hour / 24 * 6.283) + risk
    odds = odds + 0.03 * (away - 30) - 4.7
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype("int32")
    numbers = np.column_stack(
        [np.log(amount), np.cos(hour / 3.82), np.sin(hour / 3.82), np.log1p(away)]
    )
    both = np.column_stack([numbers, shop])
    x, y, new, new_y = data.split(both, y)
    scaled, new_scaled = data.standard(x[:, :4], new[:, :4])
    x, new = [scaled, x[:, 4].astype("int32")], [new_scaled, new[:, 4].astype("int32")]
    columns, place = keras.Input((4,)), keras.Input((), dtype="int32")
    hidden = L.Concatenate()([columns, L.Embedding(12, 3)(place)])
    hidden = L.Dropout(0.1)(L.Dense(24, activation="relu")(hidden))
    model = keras.Model([columns, place], L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
    )
    score = scores.balanced(new, new_y)
    weights = {k: len(y) / (2 * (y == k).sum()) for k in (0, 1)}
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    options = {
        "epochs": 15,
        "batch_size": 64,
        "class_weight": weights,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, score, options)
