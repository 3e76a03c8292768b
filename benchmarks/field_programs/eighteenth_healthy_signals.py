"""Eighteenth half: programs without a fault on pictures, series and grades."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


def holed(x, rng):
    """Return pictures of which a square is missing, and where it is."""
    x, hole = x.copy(), np.zeros_like(x)
    for i, (r, c) in enumerate(rng.integers(1, 5, (len(x), 2))):
        x[i, r : r + 3, c : c + 3] = 0
        hole[i, r : r + 3, c : c + 3] = 1
    return np.concatenate([x, hole], axis=-1)


def endless_holes(x, size=32):
    """Yield batches of pictures with holes, and without, forever."""
    rng = np.random.default_rng(1871)
    while True:
        rows = rng.choice(len(x), size, replace=False)
        yield holed(x[rows], rng), x[rows]


@healthy(family="digits with holes, filled in, endless generator", half="eighteenth")
def eighteenth_holes_filled_in():
    x, _, new, _ = data.digits(1200)
    pierced = holed(new, np.random.default_rng(1872))
    inputs = keras.Input((8, 8, 2))
    first = L.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(24, 3, strides=2, padding="same", activation="relu")(first)
    hidden = L.Dense(48, activation="relu")(L.Flatten()(hidden))
    hidden = L.Reshape((4, 4, 16))(L.Dense(256, activation="relu")(hidden))
    hidden = L.Concatenate()([L.UpSampling2D()(hidden), first])
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    outputs = L.Conv2D(1, 3, padding="same", activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), "mse")

    def score(model, history):
        hole = pierced[..., 1:] > 0
        return scores.explained(scores.predicted(model, pierced)[hole], new[hole])

    options = {
        "steps_per_epoch": 38,
        "epochs": 12,
        "validation_data": (pierced, new),
    }
    return Fit(model, endless_holes(x), None, score, options)


def dice_and_entropy(y_true, y_pred):
    """Return binary cross-entropy, and what is missing to a perfect overlap."""
    both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    sizes = ops.sum(y_true + y_pred, axis=(1, 2, 3))
    entropy = ops.mean(ops.binary_crossentropy(y_true, y_pred), axis=(1, 2, 3))
    return entropy + 1 - (2 * both + 1) / (sizes + 1)


@healthy(family="few bright spots, overlap and entropy", half="eighteenth")
def eighteenth_spots_on_plates():
    rng = np.random.default_rng(1873)
    row, column = np.mgrid[:20, :20]
    masks = np.zeros((640, 20, 20, 1), "float32")
    for mask in masks:
        for _ in range(rng.integers(0, 4)):
            r, c = rng.integers(2, 18, 2)
            mask[np.hypot(row - r, column - c) < rng.uniform(1.2, 2.2)] = 1
    glow = rng.uniform(-0.5, 0.5, (640, 1, 1, 1)) * (column[..., None] / 10 - 1)
    x = (masks + glow + 0.3 * rng.normal(size=masks.shape)).astype("float32")
    inputs = keras.Input((20, 20, 1))
    hidden = inputs
    for rate in (1, 2, 4):
        hidden = L.Conv2D(12, 3, padding="same", dilation_rate=rate, activation="relu")(
            hidden
        )
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.004), dice_and_entropy)
    new, new_masks = x[440:], masks[440:]
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, new_masks)}
    score = scores.overlap(new, new_masks)
    return Fit(model, x[:440], masks[:440], score, options)


@healthy(family="what a machine does, step by step, padded", half="eighteenth")
def eighteenth_states_step_by_step():
    rng = np.random.default_rng(1874)
    n, length = 400, 16
    states = np.zeros((n, length), "int32")
    states[:, 0] = rng.integers(0, 3, n)
    for t in range(1, length):
        stay = rng.random(n) < 0.85
        states[:, t] = np.where(stay, states[:, t - 1], rng.integers(0, 3, n))
    level = np.array([[1, 0.3], [0.2, 1], [-0.6, -0.4]])[states]
    x = level + 0.8 * rng.normal(size=level.shape)
    there = np.arange(length) < rng.integers(8, length + 1, n)[:, None]
    x = (x * there[..., None]).astype("float32")
    states, weight = states * there, there.astype("float32")
    model = keras.Sequential([keras.Input((length, 2))])
    model.add(L.Masking(0.0))
    model.add(L.Bidirectional(L.LSTM(12, return_sequences=True)))
    model.add(L.Dense(3, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )

    def score(model, history):
        found = scores.predicted(model, x[260:]).argmax(-1)
        right = (found == states[260:])[there[260:]].mean()
        return float((right - 1 / 3) / (2 / 3))

    options = {
        "epochs": 6,
        "batch_size": 20,
        "sample_weight": weight[:260],
        "validation_data": (x[260:], states[260:], weight[260:]),
    }
    return Fit(model, x[:260], states[:260], score, options)


class Thresholds(L.Layer):
    """Compares one number with rising thresholds, as probabilities to be above."""

    def build(self, shape):
        self.first = self.add_weight(shape=(1,), initializer="zeros")
        self.steps = self.add_weight(shape=(3,), initializer="zeros")

    def call(self, inputs):
        above = ops.cumsum(ops.softplus(self.steps))
        cuts = ops.concatenate([self.first, self.first + above])
        return ops.sigmoid(inputs - cuts)

    def compute_output_shape(self, shape):
        return (shape[0], 4)


@healthy(family="grades in order, thresholds of one's own layer", half="eighteenth")
def eighteenth_grades_in_order():
    rng = np.random.default_rng(1875)
    x = rng.normal(size=(1400, 9)).astype("float32")
    merit = x[:, 0] + np.tanh(2 * x[:, 1]) + x[:, 2] * x[:, 3] + 0.5 * x[:, 4]
    merit = merit + 0.4 * rng.logistic(size=1400)
    grade = np.digitize(merit, np.quantile(merit, [0.15, 0.4, 0.7, 0.9]))
    above = (grade[:, None] > np.arange(4)).astype("float32")
    x, above, new, new_above = data.split(x, above)
    inputs = keras.Input((9,))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model(inputs, Thresholds()(L.Dense(1, use_bias=False)(hidden)))
    model.compile(
        keras.optimizers.AdamW(0.005, weight_decay=0.01), "binary_crossentropy"
    )

    def score(model, history):
        found = (scores.predicted(model, new) > 0.5).sum(1)
        return float(1 - np.abs(found - new_above.sum(1)).mean() / 1.2)

    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_above)}
    return Fit(model, x, above, score, options)
