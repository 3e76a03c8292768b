"""Twenty-first half: programs without a fault on tables, links and matches."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


def policies(n, seed):
    """Return what is known of policies, whether there was damage, and how much."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 7)).astype("float32")
    odds = 1.3 * x[:, 0] - x[:, 1] + 0.8 * x[:, 2] * x[:, 3] - 0.9
    damage = rng.random(n) < 1 / (1 + np.exp(-1.8 * odds))
    amount = 1 + 0.7 * x[:, 4] + 0.4 * np.abs(x[:, 0]) + 0.4 * rng.normal(size=n)
    return x, damage.astype("float32"), (amount * damage).astype("float32")


@healthy(family="damage and its amount where there is any", half="twentyfirst")
def twentyfirst_damage_and_amount():
    def only_damage(y_true, y_pred):
        amount, known = y_true[:, :1], y_true[:, 1:]
        errors = known * ops.square(amount - y_pred)
        return ops.sum(errors, axis=-1) / (ops.mean(known) + 0.1)

    def part(n, seed):
        x, damage, amount = policies(n, seed)
        return x, [damage[:, None], np.stack([amount, damage], -1)]

    x, y = part(1500, 2170)
    new, new_y = part(600, 2171)
    inputs = keras.Input((7,))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = L.Dropout(0.1)(L.Dense(24, activation="relu")(hidden))
    happens = L.Dense(1, activation="sigmoid", name="happens")(hidden)
    costs = L.Dense(1, name="costs")(hidden)
    model = keras.Model(inputs, [happens, costs])
    model.compile(
        keras.optimizers.Adam(0.004),
        ["binary_crossentropy", only_damage],
        metrics=[["accuracy"], []],
    )
    options = {"epochs": 14, "batch_size": 50, "validation_data": (new, new_y)}
    score = scores.balanced(new, new_y[0].astype(int))
    return Fit(model, x, y, score, options)


class Strengths(keras.Model):
    """How likely the first of two teams wins, by what each is worth, at home."""

    def __init__(self, teams, **kwargs):
        super().__init__(**kwargs)
        self.worth = L.Embedding(teams, 1, embeddings_initializer="zeros")
        self.form = L.Dense(1, use_bias=False)
        self.home = self.add_weight(shape=(1,), initializer="zeros", name="home")

    def call(self, inputs):
        pair, form = inputs
        worth = ops.squeeze(self.worth(pair), -1)
        gap = worth[:, :1] - worth[:, 1:] + self.form(form)
        return ops.sigmoid(gap + self.home)


@healthy(family="matches of teams, worth by team, home side", half="twentyfirst")
def twentyfirst_matches_of_teams():
    rng = np.random.default_rng(2172)
    n, teams = 2000, 30
    worth = rng.normal(0, 1.3, teams)
    first = rng.integers(0, teams, n)
    pair = np.stack([first, (first + rng.integers(1, teams, n)) % teams], -1)
    form = rng.normal(size=(n, 3)).astype("float32")
    gap = worth[pair[:, 0]] - worth[pair[:, 1]] + form @ [0.8, -0.5, 0.0] + 0.4
    won = (rng.random(n) < 1 / (1 + np.exp(-1.3 * gap))).astype("float32")[:, None]
    x = [pair[:1500].astype("int32"), form[:1500]]
    new = [pair[1500:].astype("int32"), form[1500:]]
    model = Strengths(teams)
    model.compile(
        keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 8, "batch_size": 50, "validation_data": (new, won[1500:])}
    score = scores.accuracy(new, won[1500:].astype(int))
    return Fit(model, x, won[:1500], score, options)


class Neighbors(L.Layer):
    """A node's own features and the mean of its neighbors', each with weights."""

    def __init__(self, units, spread, **kwargs):
        super().__init__(**kwargs)
        self.spread = spread
        self.own, self.theirs = L.Dense(units), L.Dense(units, use_bias=False)

    def call(self, x):
        spread = ops.convert_to_tensor(self.spread)
        return self.own(x) + self.theirs(ops.matmul(spread, x))


class Links(keras.Model):
    """Whether two nodes of a known graph are linked, by what they are."""

    def __init__(self, features, spread, **kwargs):
        super().__init__(**kwargs)
        self.features = features
        self.first = Neighbors(16, spread)
        self.second = Neighbors(8, spread)
        self.drop = L.Dropout(0.2)
        self.last = L.Dense(1, activation="sigmoid")

    def call(self, pairs, training=None):
        nodes = ops.convert_to_tensor(self.features)
        nodes = self.drop(ops.relu(self.first(nodes)), training=training)
        nodes = self.second(nodes)
        left, right = (ops.take(nodes, pairs[:, k], axis=0) for k in range(2))
        return self.last(left * right)


@healthy(family="links between nodes, one graph for all batches", half="twentyfirst")
def twentyfirst_links_between_nodes():
    rng = np.random.default_rng(2173)
    n = 150
    group = rng.integers(0, 4, n)
    centers = rng.normal(size=(4, 8))
    features = (centers[group] + 1.1 * rng.normal(size=(n, 8))).astype("float32")
    same = group[:, None] == group
    linked = np.triu(rng.random((n, n)) < np.where(same, 0.3, 0.02), 1)
    yes = rng.permutation(np.argwhere(linked))
    no = rng.permutation(np.argwhere(np.triu(~linked, 1)))[: len(yes)]
    seen, held = yes[: len(yes) * 7 // 10], yes[len(yes) * 7 // 10 :]
    graph = np.zeros((n, n), "float32")
    graph[seen[::2, 0], seen[::2, 1]] = 1
    graph += graph.T
    spread = graph / np.maximum(graph.sum(axis=1, keepdims=True), 1)
    known = seen[1::2]

    def pairs(positive, negative):
        both = np.concatenate([positive, negative]).astype("int32")
        labels = np.repeat([1.0, 0.0], [len(positive), len(negative)])
        order = rng.permutation(len(both))
        return both[order], labels[order].astype("float32")[:, None]

    x, y = pairs(known, no[: len(known)])
    new, new_y = pairs(held, no[len(known) : len(known) + len(held)])
    model = Links(features, spread)
    model.compile(
        keras.optimizers.Adam(0.01, weight_decay=0.001),
        "binary_crossentropy",
        metrics=["AUC"],
    )
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y.astype(int)), options)


@healthy(family="yield of fields, a small network for each column", half="twentyfirst")
def twentyfirst_sum_of_small_networks():
    rng = np.random.default_rng(2174)
    n = 1400
    x = rng.uniform(-1.7, 1.7, (n, 5)).astype("float32")
    y = np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] ** 2 - np.abs(x[:, 2]) + 0.4 * x[:, 3]
    y = ((y + 0.5 * rng.normal(size=n)) / 1.2).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    columns = [keras.Input((1,), name=f"column{k}") for k in range(5)]
    parts = []
    for column in columns:
        hidden = L.Dense(12, activation="tanh")(column)
        hidden = L.Dense(8, activation="tanh")(hidden)
        parts.append(L.Dense(1, use_bias=False)(hidden))
    out = L.Dense(1, kernel_initializer="ones")(L.Concatenate()(parts))
    model = keras.Model(columns, out)
    rate = keras.optimizers.schedules.CosineDecay(0.015, 330)
    model.compile(keras.optimizers.Adam(rate), keras.losses.LogCosh())
    x, new = ([a[:, k : k + 1] for k in range(5)] for a in (x, new))
    options = {"epochs": 11, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
