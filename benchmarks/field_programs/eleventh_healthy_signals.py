"""Healthy programs of the eleventh half: signals, graphs, words, gaps."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="signals with noise, dilated", half="eleventh")
def heartbeats_without_noise():
    rng = np.random.default_rng(1151)
    t = np.arange(64)
    pace = rng.uniform(14, 22, (620, 1))
    phase = rng.uniform(0, 22, (620, 1))
    place = (t + phase) % pace
    clean = np.exp(-((place - 6) ** 2) / 2) - 0.4 * np.exp(-((place - 9) ** 2) / 3)
    noisy = clean + 0.35 * rng.normal(size=clean.shape)
    drift = 0.5 * np.sin(t / 40 + phase)
    x = (noisy + drift)[..., None].astype("float32")
    y = clean[..., None].astype("float32")
    inputs = keras.Input((64, 1))
    hidden = L.Conv1D(12, 3, padding="same", activation="relu")(inputs)
    for rate in (2, 4, 8):
        away = L.Conv1D(12, 3, padding="same", dilation_rate=rate)(hidden)
        hidden = L.Add()([hidden, L.Activation("relu")(away)])
    model = keras.Model(inputs, L.Conv1D(1, 1)(hidden))
    model.compile(keras.optimizers.Adam(0.006), "mse", metrics=["mae"])
    held_out = x[450:], y[450:]
    score = scores.variance(x[450:], y[450:].reshape(-1, 64))
    options = {"epochs": 18, "batch_size": 25, "validation_data": held_out}
    return Fit(model, x[:450], y[:450], score, options)


class Messages(L.Layer):
    """Add to each node what its neighbors say."""

    def __init__(self, units):
        super().__init__()
        self.own, self.others = L.Dense(units), L.Dense(units, use_bias=False)

    def call(self, nodes, links):
        return ops.relu(self.own(nodes) + ops.matmul(links, self.others(nodes)))


@healthy(family="molecules as graphs", half="eleventh")
def molecules_with_a_ring():
    rng = np.random.default_rng(1152)
    n, size = 900, 9
    kind = rng.integers(0, 4, (n, size))
    links = np.zeros((n, size, size))
    for i in range(n):
        for k in range(1, size):
            other = rng.integers(max(0, k - 2), k)
            links[i, k, other] = links[i, other, k] = 1
    bonded = np.einsum("ni,nij,nj->n", kind == 1, links, kind == 2)
    y = bonded + 0.6 * (kind == 3).sum(1) + 0.2 * rng.normal(size=n)
    y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
    nodes = data.groups(kind, 4)
    links = links.astype("float32")
    atoms, bonds = keras.Input((size, 4)), keras.Input((size, size))
    hidden = Messages(24)(atoms, bonds)
    hidden = Messages(24)(hidden, bonds)
    hidden = L.GlobalAveragePooling1D()(hidden)
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model([atoms, bonds], L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.006), "mse", metrics=["mae"])
    new, new_y = [nodes[650:], links[650:]], y[650:]
    options = {"epochs": 18, "batch_size": 25, "validation_data": (new, new_y)}
    train = [nodes[:650], links[:650]]
    return Fit(model, train, y[:650], scores.variance(new, new_y), options)


@healthy(family="words and their company, endless generator", half="eleventh")
def words_and_their_company():
    topics = np.arange(60) % 6

    def pairs(seed):
        rng = np.random.default_rng(seed)
        while True:
            word = rng.integers(0, 60, 64)
            true = rng.random(64) < 0.5
            near = (6 * rng.integers(0, 10, 64) + topics[word]) % 60
            other = np.where(true, near, rng.integers(0, 60, 64))
            x = {"word": word[:, None], "other": other[:, None]}
            yield x, true.astype("float32")[:, None]

    word = keras.Input((1,), dtype="int32", name="word")
    other = keras.Input((1,), dtype="int32", name="other")
    near = L.Dot(-1)([L.Embedding(60, 8)(word), L.Embedding(60, 8)(other)])
    model = keras.Model({"word": word, "other": other}, L.Flatten()(near))
    cross = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), cross)

    def score(model, history):
        x, y = next(pairs(1154))
        for more, more_y in (next(pairs(seed)) for seed in range(1155, 1160)):
            x = {k: np.concatenate([x[k], more[k]]) for k in x}
            y = np.concatenate([y, more_y])
        said = scores.predicted(model, x)[:, 0] > 0
        return float(2 * (said == y[:, 0]).mean() - 1)

    options = {
        "epochs": 10,
        "steps_per_epoch": 40,
        "validation_data": pairs(1153),
        "validation_steps": 8,
    }
    return Fit(model, pairs(1152), None, score, options)


@healthy(family="sensors with gaps", half="eleventh")
def sensors_with_gaps():
    rng = np.random.default_rng(1156)
    x, y = data.gestures(560, length=12, classes=3, seed=1156, noise=0.4)
    there = (rng.random(x.shape) < 0.75).astype("float32")
    x = np.concatenate([x * there, there], axis=-1)
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((12, 6))
    hidden = L.TimeDistributed(L.Dense(12, activation="tanh"))(inputs)
    hidden = L.GRU(12)(L.Dropout(0.1)(hidden))
    hidden = L.LayerNormalization()(hidden)
    model = keras.Model(inputs, L.Dense(3)(hidden))
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(0.01, clipnorm=1.0), cross, metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    options = {
        "epochs": 12,
        "batch_size": 32,
        "validation_data": (new[:90], new_y[:90]),
        "callbacks": [stop],
    }
    score = scores.balanced(new[90:], new_y[90:])
    return Fit(model, x, y, score, options)
