"""Seventeenth half: programs of series, texts and pictures without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="wind in one and in six hours, outputs by name", half="seventeenth")
def seventeenth_wind_soon_and_later():
    rng = np.random.default_rng(1771)
    t, calm = np.arange(1700), np.zeros(1700)
    for i in range(1, 1700):
        calm[i] = 0.85 * calm[i - 1] + 0.25 * rng.normal()
    wind = np.sin(t / 24 * 6.283) + 0.4 * np.cos(t / 12 * 6.283) + calm
    hour = np.stack([np.sin(t / 24 * 6.283), np.cos(t / 24 * 6.283)], axis=-1)
    series = np.column_stack([wind, hour]).astype("float32")
    rows = np.arange(1700 - 30)
    x = np.stack([series[i : i + 24] for i in rows])
    soon, later = (wind[rows + k, None].astype("float32") for k in (24, 29))
    inputs = keras.Input((24, 3))
    hidden = L.GRU(20)(inputs)
    heads = {
        "later": L.Dense(1, name="later")(L.Dense(16, activation="relu")(hidden)),
        "soon": L.Dense(1, name="soon")(hidden),
    }
    model = keras.Model(inputs, heads)
    model.compile(keras.optimizers.Adam(0.004), {"later": "mse", "soon": "mse"})
    y = {"later": later[:1200], "soon": soon[:1200]}
    val = {"later": later[1300:], "soon": soon[1300:]}
    score = scores.variance(x[1300:], val["later"])
    options = {"epochs": 8, "batch_size": 48, "validation_data": (x[1300:], val)}
    return Fit(model, x[:1200], y, score, options)


def part_numbers(n, rng):
    """Return codes of parts as numbers of letters, padded, and their maker."""
    y = rng.integers(0, 4, n)
    x = np.zeros((n, 12), "int32")
    for row, maker in zip(x, y, strict=True):
        used = rng.integers(8, 13)
        row[:used] = rng.integers(1, 27, used)
        where = rng.integers(0, used - 3)
        row[where : where + 3] = [[3, 1, 20], [20, 1, 3], [3, 20, 9], [9, 1, 20]][maker]
    return x, y


def endless_parts(seed):
    """Yield batches of codes without an end."""
    rng = np.random.default_rng(seed)
    while True:
        yield part_numbers(48, rng)


@healthy(family="makers of parts by code, endless Python generator", half="seventeenth")
def seventeenth_makers_by_code():
    new, new_y = part_numbers(400, np.random.default_rng(1773))
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            L.Embedding(27, 12),
            L.Conv1D(32, 3, activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(4),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {
        "epochs": 10,
        "steps_per_epoch": 40,
        "validation_data": (new, new_y),
    }
    score = scores.accuracy(new, new_y)
    return Fit(model, endless_parts(1774), None, score, options)


class AlongRoads(L.Layer):
    """A graph convolution over a network of roads that does not change.

    Args:
        units: Number of columns that come out for each junction.
        roads: Shares in which junctions look at one another.
    """

    def __init__(self, units, roads, **kwargs):
        super().__init__(**kwargs)
        self.units, self.roads = units, roads

    def build(self, shape):
        size = (shape[-1], self.units)
        self.own = self.add_weight(shape=size, initializer="glorot_uniform")
        self.others = self.add_weight(shape=size, initializer="glorot_uniform")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, x):
        near = ops.matmul(ops.convert_to_tensor(self.roads), x)
        mixed = ops.matmul(x, self.own) + ops.matmul(near, self.others)
        return ops.relu(mixed + self.bias)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)


@healthy(family="flow at junctions, convolution along roads", half="seventeenth")
def seventeenth_flow_at_junctions():
    rng = np.random.default_rng(1775)
    place = rng.uniform(size=(18, 2))
    far = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    roads = np.exp(-((far / 0.25) ** 2)) * (far > 0) * (far < 0.45) + 1e-6
    roads = (roads / roads.sum(1, keepdims=True)).astype("float32")
    x = rng.normal(size=(900, 18, 4)).astype("float32")
    push = np.tanh(x[..., 0]) + 0.5 * x[..., 1] * x[..., 2]
    y = push + 1.5 * push @ roads.T + 0.2 * rng.normal(size=push.shape)
    x, y, new, new_y = data.split(x, y.astype("float32")[..., None])
    inputs = keras.Input((18, 4))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = AlongRoads(32, roads)(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.004), "mse")
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Where(L.Layer):
    """The mean place at which each map of a picture is bright."""

    def call(self, maps):
        size = maps.shape[1]
        flat = ops.softmax(ops.reshape(maps, (-1, size * size, maps.shape[-1])), axis=1)
        row, column = np.mgrid[:size, :size].reshape(2, -1).astype("float32")
        grid = np.stack([row, column]) * 2 / (size - 1) - 1
        places = ops.matmul(ops.convert_to_tensor(grid), flat)
        return ops.reshape(places, (-1, 2 * maps.shape[-1]))

    def compute_output_shape(self, shape):
        return (shape[0], 2 * shape[-1])


@healthy(family="two marks on wings, mean place of a map", half="seventeenth")
def seventeenth_marks_on_wings():
    rng = np.random.default_rng(1776)
    row, column = np.mgrid[:16, :16]
    place = rng.uniform(2, 13, (900, 2, 2))
    dark = np.hypot(
        row - place[:, 0, 0, None, None], column - place[:, 1, 0, None, None]
    )
    ring = np.hypot(
        row - place[:, 0, 1, None, None], column - place[:, 1, 1, None, None]
    )
    x = np.exp(-((ring - 2) ** 2)) - np.exp(-((dark / 1.5) ** 2))
    x = (x + 0.15 * rng.normal(size=x.shape)) / 0.4
    y = (place.reshape(900, 4) * 2 / 15 - 1).astype("float32")
    x, y, new, new_y = data.split(x[..., None].astype("float32"), y)
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(16, 5, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, Where()(L.Conv2D(2, 1)(hidden)))
    model.compile(keras.optimizers.Adam(0.005), keras.losses.Huber(0.5))
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
