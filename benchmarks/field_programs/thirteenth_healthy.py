"""Healthy programs of the thirteenth half: sales, campaigns, learners, short texts."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="monotone in the price", half="thirteenth")
def sales_fall_with_the_price():
    rng = np.random.default_rng(1351)
    n = 1100
    price, season = rng.uniform(0.5, 3, n), rng.uniform(0, 2 * np.pi, n)
    shop = rng.integers(0, 12, n)
    size = rng.normal(size=12)
    sold = 1.5 / price + 0.4 * np.sin(season) + 0.4 * size[shop]
    sold = sold + 0.25 * rng.standard_t(3, n)
    cheap = ((1.75 - price) / 0.72).astype("float32")[:, None]
    year = np.stack([np.sin(season), np.cos(season)], -1).astype("float32")
    y = ((sold - sold.mean()) / sold.std()).astype("float32")[:, None]
    rows, later = np.arange(800), np.arange(800, n)
    x = {"cheap": cheap, "year": year, "shop": shop[:, None]}

    inputs = {
        "cheap": keras.Input((1,), name="cheap"),
        "year": keras.Input((2,), name="year"),
        "shop": keras.Input((1,), name="shop", dtype="int32"),
    }
    positive = keras.constraints.NonNeg()
    h = L.Dense(12, activation="softplus", kernel_constraint=positive)(inputs["cheap"])
    falling = L.Dense(1, kernel_constraint=positive)(h)
    where = L.Flatten()(L.Embedding(12, 3)(inputs["shop"]))
    other = L.Concatenate()([inputs["year"], where])
    other = L.Dense(1)(L.Dense(16, activation="tanh")(other))
    model = keras.Model(inputs, L.Add()([falling, other]))
    model.compile(keras.optimizers.Adam(0.01), keras.losses.Huber())
    new = {k: v[later] for k, v in x.items()}
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, y[later])}
    x = {k: v[rows] for k, v in x.items()}
    return Fit(model, x, y[rows], scores.variance(new, y[later]), options)


class TwoWorlds(keras.Model):
    """What a customer spends with a letter and without; one of them is known."""

    def __init__(self):
        super().__init__()
        self.shared = L.Dense(32, activation="silu")
        self.further = L.Dense(16, activation="silu")
        self.spent = L.Dense(2)

    def call(self, inputs):
        return self.spent(self.further(self.shared(inputs)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        got, spent = y[:, :1], y[:, 1]
        known = ops.where(got[:, 0] > 0.5, y_pred[:, 1], y_pred[:, 0])
        return ops.mean(ops.square(known - spent))


@healthy(family="effect of a campaign, compute_loss", half="thirteenth")
def effect_of_a_letter():
    rng = np.random.default_rng(1352)
    x = rng.normal(size=(2000, 6)).astype("float32")
    effect = 0.6 + 0.8 * np.tanh(1.5 * x[:, 0]) - 0.5 * x[:, 1]
    got = rng.random(2000) < 0.4
    spent = 0.5 * x[:, 2] + 0.3 * x[:, 3] ** 2 + effect * got
    spent = spent + 0.4 * rng.normal(size=2000)
    y = np.stack([got, spent], -1).astype("float32")
    model = TwoWorlds()
    model.compile(keras.optimizers.Adam(0.004))

    def score(model, history):
        out = scores.predicted(model, x[1500:])
        return scores.explained(out[:, 1] - out[:, 0], effect[1500:])

    options = {
        "epochs": 15,
        "batch_size": 32,
        "validation_data": (x[1500:], y[1500:]),
    }
    return Fit(model, x[:1500], y[:1500], score, options)


@healthy(family="answers of learners, weighted steps", half="thirteenth")
def exercises_solved():
    rng = np.random.default_rng(1353)
    n, length, skills = 500, 14, 4
    level = rng.normal(0, 1.4, (n, 1)) + rng.normal(0, 1, (n, skills))
    skill = rng.integers(0, skills, (n, length))
    solved = np.zeros((n, length))
    for t in range(length):
        now = level[np.arange(n), skill[:, t]]
        solved[:, t] = rng.random(n) < 1 / (1 + np.exp(-1.6 * now))
        level[np.arange(n), skill[:, t]] += 0.15
    asked = np.eye(skills)[skill]
    before = np.zeros((n, length, 2 * skills))
    before[:, 1:, :skills] = asked[:, :-1] * solved[:, :-1, None]
    before[:, 1:, skills:] = asked[:, :-1] * (1 - solved[:, :-1, None])
    x = np.concatenate([asked, before], -1).astype("float32")
    y = solved[..., None].astype("float32")
    ends = rng.integers(8, length + 1, n)
    there = (np.arange(length) < ends[:, None]).astype("float32")
    x, y = x * there[..., None], y * there[..., None]

    inputs = keras.Input((length, 3 * skills))
    h = L.GRU(24, return_sequences=True)(inputs)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.006),
        "binary_crossentropy",
        weighted_metrics=["accuracy"],
    )

    def score(model, history):
        said = scores.predicted(model, x[380:])[..., 0] > 0.5
        seen = (there[380:] > 0) & (np.arange(length) >= 3)
        true = y[380:, :, 0][seen] > 0.5
        commonest = max(true.mean(), 1 - true.mean())
        return float(((said[seen] == true).mean() - commonest) / (1 - commonest))

    options = {
        "epochs": 14,
        "batch_size": 30,
        "sample_weight": there[:380],
        "validation_data": (x[380:], y[380:], there[380:]),
    }
    return Fit(model, x[:380], y[:380], score, options)


@healthy(family="sparse counts, one layer", half="thirteenth")
def complaints_by_their_words():
    rng = np.random.default_rng(1354)
    topics = rng.gamma(0.4, 1, (3, 90)) + 0.05
    urgent = rng.random(1500) < 0.22
    mixed = rng.dirichlet([1.5, 1.5], 1500)
    parts = np.stack([mixed[:, 0], mixed[:, 1] * ~urgent, mixed[:, 1] * urgent], -1)
    rates = parts @ (topics / topics.sum(1, keepdims=True))
    x = np.log1p(rng.poisson(18 * rates)).astype("float32")
    x, y, new, new_y = data.split(x, urgent.astype(int))
    model = keras.Sequential(
        [
            keras.Input((90,)),
            L.Dense(
                1, activation="sigmoid", kernel_regularizer=keras.regularizers.L1(5e-4)
            ),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc")],
    )
    options = {"epochs": 15, "batch_size": 30, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
