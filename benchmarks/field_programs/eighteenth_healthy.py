"""Eighteenth half: programs without a fault on tables and texts."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="rare faults of pumps, weighted classes", half="eighteenth")
def eighteenth_rare_faults_of_pumps():
    x, y, new, new_y = data.two_classes(2400, 14, share=0.09, seed=1861, apart=1.4)
    x, new = data.standard(x, new)
    model = keras.Sequential([keras.Input((14,))])
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.002),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc")],
    )
    share = float(y.mean())
    options = {
        "epochs": 14,
        "batch_size": 32,
        "class_weight": {0: 0.5 / (1 - share), 1: 0.5 / share},
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def gaussian(y_true, y_pred):
    """Return how unlikely a value is, given a mean and the log of a deviation."""
    mean, log = y_pred[:, :1], y_pred[:, 1:]
    return ops.mean(0.5 * ops.square((y_true - mean) * ops.exp(-log)) + log, axis=-1)


@healthy(family="noise that depends on the place, mean and spread", half="eighteenth")
def eighteenth_mean_and_spread():
    rng = np.random.default_rng(1862)
    x = rng.uniform(-2, 2, (1500, 3)).astype("float32")
    spread = 0.15 + 0.35 / (1 + np.exp(-2 * x[:, 2]))
    y = np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] + spread * rng.normal(size=1500)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])
    inputs = keras.Input((3,))
    hidden = L.Dense(48, activation="swish")(inputs)
    hidden = L.Dense(48, activation="swish")(hidden)
    outputs = L.Concatenate()([L.Dense(1)(hidden), L.Dense(1)(hidden)])
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.004), gaussian)

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], new_y)

    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def opinions(n, seed):
    """Return lists of words of different lengths, and if the last opinion is good."""
    rng = np.random.default_rng(seed)
    texts, y = [], rng.integers(0, 2, n)
    for i in range(n):
        ids = rng.integers(11, 60, rng.integers(4, 15))
        for k, at in enumerate(sorted(rng.choice(len(ids), 3, replace=False))):
            good = y[i] if k == 2 else rng.integers(0, 2)
            ids[at] = rng.integers(1, 6) + 5 * good
        texts.append(ids)
    return texts, y.astype("float32")


class Buckets(keras.utils.PyDataset):
    """Batches of texts of like length, each padded to its own longest."""

    def __init__(self, texts, y, **kwargs):
        super().__init__(**kwargs)
        self.texts, self.y = texts, y
        self.rng = np.random.default_rng(1863)
        self.on_epoch_end()

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        rows = self.batches[index]
        length = max(len(self.texts[i]) for i in rows)
        x = np.zeros((len(rows), length), "int32")
        for k, i in enumerate(rows):
            x[k, : len(self.texts[i])] = self.texts[i]
        return x, self.y[rows]

    def on_epoch_end(self):
        near = [len(t) + self.rng.uniform(-2, 2) for t in self.texts]
        order = np.argsort(near)
        self.batches = np.array_split(order, len(order) // 25)
        self.rng.shuffle(self.batches)


@healthy(family="last opinions, texts in buckets of length", half="eighteenth")
def eighteenth_opinions_in_buckets():
    texts, y = opinions(800, 1864)
    new, new_y = opinions(300, 1865)
    model = keras.Sequential([keras.Input((None,), dtype="int32")])
    model.add(L.Embedding(60, 12, mask_zero=True))
    model.add(L.GRU(24))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    padded = np.zeros((len(new), 14), "int32")
    for i, ids in enumerate(new):
        padded[i, : len(ids)] = ids
    options = {"epochs": 7, "validation_data": (padded, new_y)}
    score = scores.accuracy(padded, new_y)
    return Fit(model, Buckets(texts, y), None, score, options)


class Matcher(keras.Model):
    """Puts readers and books in one space; other books of a batch are wrong ones."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.reader = keras.Sequential([L.Dense(32, activation="relu"), L.Dense(8)])
        self.book = L.Embedding(40, 8)

    def call(self, inputs):
        book = self.book(inputs["book"])
        return ops.concatenate([self.reader(inputs["reader"]), book], axis=-1)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        likeness = ops.matmul(y_pred[:, :8], ops.transpose(y_pred[:, 8:]))
        same = ops.equal(x["book"][:, None], x["book"][None])
        other = ops.logical_and(same, ops.eye(ops.shape(y_pred)[0]) < 0.5)
        likeness = ops.where(other, -1e9, likeness)
        right = ops.diagonal(ops.log_softmax(likeness, axis=-1))
        return -ops.mean(right)


@healthy(family="readers and books, softmax within the batch", half="eighteenth")
def eighteenth_readers_and_books():
    rng = np.random.default_rng(1866)
    taste = rng.normal(size=(6, 40)) * 1.2
    x = rng.normal(size=(1800, 6)).astype("float32")
    book = (x @ taste + rng.gumbel(size=(1800, 40))).argmax(1).astype("int32")
    model = Matcher()
    model.compile(keras.optimizers.Adam(0.005))

    def score(model, history):
        every = {"reader": np.repeat(x[1300:], 40, 0), "book": np.tile(range(40), 500)}
        out = scores.predicted(model, every).reshape(500, 40, 16)
        likeness = (out[..., :8] * out[..., 8:]).sum(-1)
        best = likeness.argsort(1)[:, -5:]
        return float((best == book[1300:, None]).any(1).mean())

    y = np.zeros(1300, "float32")
    options = {"epochs": 12, "batch_size": 50}
    return Fit(model, {"reader": x[:1300], "book": book[:1300]}, y, score, options)
