"""Healthy programs of the eleventh half: directions, claims, outliers, decisions."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import metrics

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


def angle_loss(truth, answer):
    """Return 1 less the cosine between two directions."""
    length = ops.sqrt(ops.sum(answer**2, axis=-1) + 1e-6)
    cosine = ops.sum(truth * answer, axis=-1) / length
    return 1 - cosine + 0.05 * (length - 1) ** 2


@healthy(family="directions of the wind", half="eleventh")
def wind_as_two_numbers():
    rng = np.random.default_rng(1141)
    x = rng.normal(size=(1300, 6)).astype("float32")
    turn = 1.6 * np.tanh(x[:, 0]) + 0.9 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
    turn = turn + 0.25 * rng.normal(size=1300)
    y = np.stack([np.cos(turn), np.sin(turn)], -1).astype("float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((6,))
    hidden = L.Dense(48, activation="silu")(inputs)
    hidden = L.Dense(24, activation="silu")(hidden)
    model = keras.Model(inputs, L.Dense(2)(hidden))
    model.compile(keras.optimizers.Adam(0.005), angle_loss)

    def score(model, history):
        out = scores.predicted(model, new)
        out = out / np.linalg.norm(out, axis=-1, keepdims=True)
        return float((out * new_y).sum(-1).mean())

    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class GammaDeviance(keras.losses.Loss):
    """The deviance of a gamma distribution, of an output that is a logarithm."""

    def call(self, y_true, y_pred):
        return ops.mean(y_true * ops.exp(-y_pred) + y_pred, axis=-1)


@healthy(family="sizes of claims, weighted", half="eleventh")
def claims_with_a_gamma_loss():
    rng = np.random.default_rng(1142)
    x = rng.normal(size=(1800, 7)).astype("float32")
    log_mean = 0.6 * x[:, 0] - 0.5 * np.abs(x[:, 1]) + 0.4 * x[:, 2] * (x[:, 3] > 0)
    count = rng.integers(1, 6, 1800)
    shape = 3.0 * count
    y = rng.gamma(shape, np.exp(log_mean) / shape).astype("float32")[:, None]
    weight = (count / count.mean()).astype("float32")
    l2 = keras.regularizers.L2(0.0005)
    model = keras.Sequential(
        [
            keras.Input((7,)),
            L.Dense(32, activation="gelu", kernel_regularizer=l2),
            L.Dense(16, activation="gelu", kernel_regularizer=l2),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), GammaDeviance())

    def score(model, history):
        return scores.explained(scores.predicted(model, x[1300:]), np.log(y[1300:]))

    options = {
        "epochs": 16,
        "batch_size": 32,
        "sample_weight": weight[:1300],
        "validation_data": (x[1300:], y[1300:], weight[1300:]),
    }
    return Fit(model, x[:1300], y[:1300], score, options)


@healthy(family="autoencoder that finds outliers", half="eleventh")
def outliers_by_their_error():
    rng = np.random.default_rng(1143)
    mix = rng.normal(size=(3, 14))

    def normal(n):
        return np.tanh(rng.normal(size=(n, 3)) @ mix) + 0.1 * rng.normal(size=(n, 14))

    x, checked, good = normal(1000), normal(250), normal(300)
    broken = normal(60)
    broken = np.where(rng.random(broken.shape) < 0.25, rng.permutation(broken), broken)
    x, checked, good, broken = (a.astype("float32") for a in (x, checked, good, broken))
    model = keras.Sequential(
        [
            keras.Input((14,)),
            L.GaussianNoise(0.05),
            L.Dense(24, activation="elu"),
            L.Dense(4, name="code"),
            L.Dense(24, activation="elu"),
            L.Dense(14),
        ]
    )
    model.compile(keras.optimizers.AdamW(0.004, weight_decay=0.001), "huber")

    def score(model, history):
        rows = np.concatenate([good, broken])
        away = ((scores.predicted(model, rows) - rows) ** 2).mean(-1)
        odd = np.repeat([0, 1], [len(good), len(broken)])
        return float(2 * metrics.roc_auc_score(odd, away) - 1)

    options = {"epochs": 18, "batch_size": 32, "validation_data": (checked, checked)}
    return Fit(model, x, x, score, options)


class ValueOfActions(keras.Model):
    """Two streams: the value of a state, and the advantage of each action."""

    def __init__(self, actions):
        super().__init__()
        self.first = L.Dense(48, activation="relu")
        self.second = L.Dense(32, activation="relu")
        self.value, self.advantage = L.Dense(1), L.Dense(actions)

    def call(self, states):
        hidden = self.second(self.first(states))
        advantage = self.advantage(hidden)
        mean = ops.mean(advantage, axis=-1, keepdims=True)
        return self.value(hidden) + advantage - mean


def loss_of_the_action_taken(y_true, y_pred):
    """Return the error of the value of the one action that was tried."""
    taken = ops.one_hot(ops.cast(y_true[:, 0], "int32"), 3)
    return (ops.sum(taken * y_pred, axis=-1) - y_true[:, 1]) ** 2


@healthy(family="values of actions, offline", half="eleventh")
def values_of_logged_actions():
    rng = np.random.default_rng(1144)
    states = rng.normal(size=(2300, 5)).astype("float32")
    value = np.stack(
        [
            np.sin(states[:, 0]) + states[:, 1],
            states[:, 2] * states[:, 3],
            0.5 * states[:, 4] - 0.5 * states[:, 1],
        ],
        -1,
    )
    taken = rng.integers(0, 3, 2300)
    got = value[np.arange(2300), taken] + 0.3 * rng.normal(size=2300)
    y = np.stack([taken, got], -1).astype("float32")
    model = ValueOfActions(3)
    model.compile(keras.optimizers.Adam(0.004), loss_of_the_action_taken)
    new = states[1800:]

    def score(model, history):
        said = scores.predicted(model, new).argmax(-1)
        rest = value[1800:]
        chosen = rest[np.arange(500), said].mean()
        return float((chosen - rest.mean()) / (rest.max(-1).mean() - rest.mean()))

    options = {"epochs": 14, "batch_size": 50, "validation_data": (new, y[1800:])}
    return Fit(model, states[:1800], y[:1800], score, options)
