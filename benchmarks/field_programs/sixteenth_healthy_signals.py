"""Sixteenth half: programs without a fault on pictures, series and graphs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


class Messages(L.Layer):
    """Each atom hears the mean of its neighbors, and knows itself."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.own, self.others = L.Dense(units), L.Dense(units, use_bias=False)
        self.units = units

    def build(self, shapes):
        self.own.build(shapes[0])
        self.others.build(shapes[0])

    def call(self, inputs):
        atoms, bonds = inputs
        return ops.relu(self.own(atoms) + ops.matmul(bonds, self.others(atoms)))

    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], self.units)


@healthy(family="property of molecules, message passing", half="sixteenth")
def property_of_molecules():
    rng = np.random.default_rng(1661)
    n, size = 900, 9
    kind = rng.integers(0, 4, (n, size))
    bonds = np.triu(rng.random((n, size, size)) < 0.25, 1)
    bonds = (bonds | bonds.transpose(0, 2, 1)).astype("float32")
    atoms = np.eye(4, dtype="float32")[kind]
    near = bonds @ atoms
    pull = np.array([-1.0, -0.3, 0.4, 1.2])
    y = (pull[kind] * (1 + near[..., 3] - 0.5 * near[..., 0])).sum(1)
    y = (y - y.mean()) / y.std() + 0.15 * rng.normal(size=n)
    bonds = bonds / np.maximum(bonds.sum(-1, keepdims=True), 1)
    degree = near.sum(-1, keepdims=True) / 3
    atoms = np.concatenate([atoms, degree], -1).astype("float32")
    order = rng.permutation(n)
    atoms, bonds, y = atoms[order], bonds[order], y[order, None].astype("float32")
    nodes, edges = keras.Input((size, 5)), keras.Input((size, size))
    hidden = Messages(32)([nodes, edges])
    hidden = Messages(32)([hidden, edges])
    hidden = L.GlobalAveragePooling1D()(hidden)
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model([nodes, edges], L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    new, new_y = [atoms[650:], bonds[650:]], y[650:]
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.variance(new, new_y)
    return Fit(model, [atoms[:650], bonds[:650]], y[:650], score, options)


@healthy(family="load of six hours, dilated convolutions", half="sixteenth")
def six_hours_of_load():
    series = data.load_curve(1100, seed=1662)
    series = series + 0.15 * np.random.default_rng(1663).normal(size=1100)
    series = (series - series[:800].mean()) / series[:800].std()
    pieces = np.stack([series[i : i + 38] for i in range(1062)]).astype("float32")
    x, y = pieces[:, :32, None], pieces[:, 32:]
    inputs = keras.Input((32, 1))
    hidden = inputs
    for rate in (1, 2, 4, 8):
        hidden = L.Conv1D(
            16, 2, padding="causal", dilation_rate=rate, activation="relu"
        )(hidden)
    hidden = L.Lambda(lambda h: h[:, -1], output_shape=(16,))(hidden)
    model = keras.Model(inputs, L.Dense(6)(hidden))
    model.compile(keras.optimizers.Adam(0.004), "mae")
    new, new_y = x[780:], y[780:]
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x[:742], y[:742], scores.variance(new, new_y), options)


def residual(hidden, filters):
    """Return the sum of a signal and of two convolutions of it."""
    inner = L.Conv2D(filters, 3, padding="same", use_bias=False)(hidden)
    inner = L.ReLU()(L.BatchNormalization(momentum=0.9)(inner))
    inner = L.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
    inner = L.BatchNormalization(momentum=0.9)(inner)
    return L.ReLU()(L.Add()([hidden, inner]))


@healthy(family="digits, residual network, cosine schedule", half="sixteenth")
def digits_by_residuals():
    x, y, new, new_y = data.digits(720)
    inputs = keras.Input((8, 8, 1))
    hidden = L.RandomTranslation(0.08, 0.08, fill_mode="constant")(inputs)
    hidden = L.Conv2D(10, 3, padding="same", activation="relu")(hidden)
    hidden = L.MaxPooling2D()(residual(hidden, 10))
    hidden = L.GlobalAveragePooling2D()(residual(hidden, 10))
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 10 * 23)
    model.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        metrics=["accuracy"],
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 10), data.groups(new_y, 10)
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def policy_loss(y_true, y_pred):
    """Return minus the logarithm of what was done, times how much it was worth."""
    done, worth = y_true[:, :4], y_true[:, 4]
    chance = ops.sum(done * y_pred, axis=-1)
    return -worth * ops.log(chance + 1e-6)


@healthy(family="policy from logged actions, rewards", half="sixteenth")
def policy_of_logged_actions():
    rng = np.random.default_rng(1664)
    x = rng.normal(size=(2600, 6)).astype("float32")
    taste = np.random.default_rng(1665).normal(size=(6, 4))
    worth = np.tanh(x @ taste)
    best = worth.argmax(-1)
    done = rng.integers(0, 4, 2600)
    reward = worth[np.arange(2600), done] + 0.3 * rng.normal(size=2600)
    reward = np.maximum(reward + 0.2, 0)
    y = np.hstack([data.groups(done, 4), reward[:, None]]).astype("float32")
    inputs = keras.Input((6,))
    hidden = L.Dense(32, activation="tanh")(inputs)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.005), policy_loss)
    score = scores.accuracy(x[2000:], best[2000:])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (x[2000:], y[2000:])}
    return Fit(model, x[:2000], y[:2000], score, options)
