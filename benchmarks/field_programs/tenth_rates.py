"""Tenth half: programs whose rate or length does not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


@program(
    kind="rate too low",
    family="value from a table of zeros and ones",
    half="tenth",
    address="https://github.com/apache/mxnet/issues/1546",
    symptom="the prediction is the same for all observations",
    cause="a rate of 0.000002",
    truth=("learning_rate_too_low",),
    also=(*STUCK, "too_few_updates", "dead_units", "vanishing_gradients"),
)
def two_millionths_a_step(repaired):
    rng = np.random.default_rng(1031)
    x = (rng.random((1100, 40)) < 0.4).astype("float32")
    weight = rng.normal(size=40) * (np.arange(40) < 12)
    value = x @ weight + 2 * x[:, 0] * x[:, 1] - 2 * x[:, 2] * x[:, 3]
    value = value + 0.4 * rng.normal(size=1100)
    y = ((value - value.mean()) / value.std()).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y, seed=1031)
    model = keras.Sequential()
    model.add(keras.Input((40,)))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(10, activation="relu"))
    model.add(L.Dense(1))
    rate = 0.01 if repaired else 2e-6
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "mse", metrics=["mse"])
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Views(keras.utils.PyDataset):
    """Serve two distorted views of each of some signals, and their numbers."""

    def __init__(self, x, size=50):
        super().__init__()
        self.x, self.size = x, size
        self.rng = np.random.default_rng(1032)

    def __len__(self):
        return len(self.x) // self.size

    def __getitem__(self, index):
        rows = self.x[index * self.size : (index + 1) * self.size]
        both = np.concatenate([rows, rows])
        gain = self.rng.uniform(0.8, 1.2, (len(both), 1))
        both = gain * both + 0.25 * self.rng.normal(size=both.shape)
        number = np.tile(np.arange(len(rows)), 2)
        return both.astype("float32"), number.astype("int32")

    def on_epoch_end(self):
        self.rng.shuffle(self.x)


def contrast(number, codes):
    """Return the contrastive loss of codes of which pairs have the same number."""
    like = ops.matmul(codes, ops.transpose(codes))
    number = ops.reshape(number, (-1, 1))
    same = ops.cast(ops.equal(number, ops.transpose(number)), "float32")
    self_pair = ops.eye(ops.shape(codes)[0])
    like = like - 1e9 * self_pair
    chance = like - ops.logsumexp(like, axis=-1, keepdims=True)
    return -ops.sum((same - self_pair) * chance, axis=-1)


@program(
    kind="rate too high",
    family="contrastive codes of distorted signals",
    half="tenth",
    address="https://github.com/pavancm/CONTRIQUE/issues/8",
    symptom="the loss is nan in the second epoch",
    cause="the learning rate is too high",
    truth=("learning_rate_too_high",),
    also=(
        *BLOWN_UP,
        *STUCK,
        "collapsed_embeddings",
        "dead_units",
        "non_finite_operation",
        "non_finite_weights",
        "zero_gradients",
    ),
)
def distortions_at_a_high_rate(repaired):
    rng = np.random.default_rng(1032)
    kind = rng.integers(0, 5, 900)
    centers = 0.5 * rng.normal(size=(5, 20))
    x = centers[kind] + 0.45 * rng.normal(size=(900, 20))
    x, kind, new, new_kind = data.split(x.astype("float32"), kind, seed=1032)
    inputs = keras.Input((20,))
    hidden = L.Dense(48, activation="relu")(inputs)
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(16)(hidden))
    rate = 0.01 if repaired else 0.3
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), contrast)

    def score(model, history):
        codes = scores.predicted(model, x)
        found = scores.predicted(model, new)
        if not (np.isfinite(codes).all() and np.isfinite(found).all()):
            return -1.0
        codes = codes / (np.linalg.norm(codes, axis=1, keepdims=True) + 1e-9)
        found = found / (np.linalg.norm(found, axis=1, keepdims=True) + 1e-9)
        means = np.stack([codes[kind == k].mean(axis=0) for k in range(5)])
        answer = (found @ means.T).argmax(axis=1)
        recalls = [(answer[new_kind == k] == k).mean() for k in range(5)]
        return float((np.mean(recalls) - 0.2) / 0.8)

    options = {"epochs": 12}
    return Fit(model, Views(x.copy()), None, score, options)


@program(
    kind="too few epochs",
    family="simulated throws, LSTM",
    half="tenth",
    address="https://github.com/nasa/prog_models/pull/409",
    symptom="the LSTM performs poorly, far from the simulated object",
    cause="the default number of epochs is unreasonably low",
    truth=("too_few_updates", "slow_convergence"),
    also=("plateau", "constant_predictions", "underfitting", "learning_rate_too_low"),
)
def throws_for_two_epochs(repaired):
    rng = np.random.default_rng(1033)
    throws = 48
    speed = rng.uniform(25, 45, (throws, 1))
    drag = rng.uniform(0.0, 0.02, (throws, 1))
    t = np.arange(0, 6, 0.25)
    height = 2 + speed * t - 4.9 * t**2 - drag * speed * t**2
    height = (height - height.mean()) / height.std()
    height = height + 0.02 * rng.normal(size=height.shape)
    pieces = [data.windows(h, 8) for h in height]
    x = np.concatenate([p[0] for p in pieces])
    y = np.concatenate([p[1] for p in pieces])
    last = 36 * (len(t) - 8)
    inputs = keras.Input((8, 1))
    hidden = L.LSTM(16)(inputs)
    hidden = L.Dropout(0.05)(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.RMSprop(0.002), "mse", metrics=["mae"])
    held_out = x[last:], y[last:]
    epochs = 24 if repaired else 2
    options = {"epochs": epochs, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:last], y[:last], scores.variance(*held_out), options)
