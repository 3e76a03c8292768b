"""Healthy programs of the twelfth half: texts, series, faces."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="words of sentences, recurrent", half="twelfth")
def names_in_sentences():
    rng = np.random.default_rng(1261)
    n, length = 520, 12
    x = rng.integers(10, 70, (n, length))
    y = np.zeros((n, length), "int32")
    for i in range(n):
        for at in rng.choice(np.arange(1, length, 3), 2, replace=False):
            title = rng.integers(1, 5)
            x[i, at - 1], y[i, at] = title, 1 + (title > 2)
        used = rng.integers(6, length + 1)
        x[i, used:], y[i, used:] = 0, 0
    weight = (x > 0).astype("float32")
    inputs = keras.Input((length,), dtype="int32")
    hidden = L.Embedding(70, 16, mask_zero=True)(inputs)
    hidden = L.Bidirectional(L.LSTM(12, return_sequences=True))(hidden)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.02),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    held_out = x[390:], y[390:], weight[390:]

    def score(model, history):
        said = scores.predicted(model, x[390:]).argmax(-1)
        known = weight[390:] > 0
        recalls = [(said[known & (y[390:] == k)] == k).mean() for k in range(3)]
        return float((np.mean(recalls) - 1 / 3) * 1.5)

    options = {
        "epochs": 6,
        "batch_size": 26,
        "sample_weight": weight[:390],
        "validation_data": held_out,
    }
    return Fit(model, x[:390], y[:390], score, options)


def pinball(y_true, y_pred):
    share = ops.convert_to_tensor([0.1, 0.5, 0.9])
    away = ops.expand_dims(y_true, -1) - y_pred
    return ops.mean(ops.maximum(share * away, (share - 1) * away), axis=(-2, -1))


@healthy(family="forecast with quantiles", half="twelfth")
def quantiles_of_the_load():
    series = data.load_curve(1100, seed=1262)
    series = (series - series[:800].mean()) / series[:800].std()
    x = np.stack([series[i : i + 30] for i in range(1100 - 36)])[..., None]
    y = np.stack([series[i + 30 : i + 36] for i in range(1100 - 36)])
    x, y = x.astype("float32"), y.astype("float32")
    inputs = keras.Input((30, 1))
    hidden = L.Conv1D(16, 5, padding="causal", activation="relu")(inputs)
    hidden = L.GRU(24)(hidden)
    model = keras.Model(inputs, L.Reshape((6, 3))(L.Dense(18)(hidden)))
    model.compile(keras.optimizers.Adam(0.005, clipnorm=1.0), pinball)
    slower = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=3)
    held_out = x[770:], y[770:]

    def score(model, history):
        middle = scores.predicted(model, x[770:])[..., 1]
        return scores.explained(middle, y[770:])

    options = {
        "epochs": 10,
        "batch_size": 32,
        "validation_data": held_out,
        "callbacks": [slower],
    }
    return Fit(model, x[:740], y[:740], score, options)


class Triplets(keras.utils.PyDataset):
    """Draw pictures, others of the same person, and those of somebody else."""

    def __init__(self, x, who, steps, seed):
        super().__init__()
        self.x, self.who, self.steps, self.seed = x, who, steps, seed

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, index))
        rows = rng.integers(0, len(self.x), 24)
        same = [rng.choice(np.flatnonzero(self.who == self.who[i])) for i in rows]
        other = [rng.choice(np.flatnonzero(self.who != self.who[i])) for i in rows]
        parts = (self.x[rows], self.x[same], self.x[other])
        return parts, np.zeros((24, 1), "float32")


def hinge(y_true, y_pred):
    return ops.maximum(y_pred[:, 0] - y_pred[:, 1] + 0.4, 0.0)


@healthy(family="faces in threes, generator", half="twelfth")
def faces_in_threes():
    rng = np.random.default_rng(1263)
    who = rng.integers(0, 40, 1000)
    faces = rng.normal(size=(60, 10, 10))
    faces = (faces + np.roll(faces, 1, 1) + np.roll(faces, 1, 2)) / 1.7
    lit = rng.uniform(0.5, 1.5, (1000, 1, 1)) * faces[who]
    x = (lit + 0.8 * rng.normal(size=lit.shape))[..., None].astype("float32")
    net = keras.Sequential(
        [
            keras.Input((10, 10, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32),
            L.UnitNormalization(),
        ],
        name="face",
    )
    three = [keras.Input((10, 10, 1)) for _ in range(3)]
    codes = [net(part) for part in three]
    near = 1 - L.Dot(-1)([codes[0], codes[1]])
    far = 1 - L.Dot(-1)([codes[0], codes[2]])
    model = keras.Model(three, L.Concatenate()([near, far]))
    model.compile(keras.optimizers.Adam(0.003), hinge)
    train = Triplets(x[:800], who[:800], 40, 1)
    check = Triplets(x[800:], who[800:], 8, 2)

    def score(model, history):
        parts = [check[i][0] for i in range(8)]
        pairs = [np.concatenate([p[k] for p in parts]) for k in range(3)]
        said = scores.predicted(model, pairs)
        return float(2 * (said[:, 0] < said[:, 1]).mean() - 1)

    options = {"epochs": 5, "validation_data": check}
    return Fit(model, train, None, score, options)
