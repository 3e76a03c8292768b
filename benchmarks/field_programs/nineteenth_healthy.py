"""Nineteenth half: programs without a fault on tables and sets."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


class Mixture(L.Layer):
    """Logarithms of weights, means, and logarithms of widths of four bell curves."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        starts = keras.initializers.Constant([-1.5, -0.5, 0.5, 1.5])
        self.weights_of = L.Dense(4)
        self.means = L.Dense(4, bias_initializer=starts)
        self.widths = L.Dense(4)

    def build(self, shape):
        for layer in (self.weights_of, self.means, self.widths):
            layer.build(shape)

    def call(self, hidden):
        weights = ops.log_softmax(self.weights_of(hidden), axis=-1)
        widths = ops.clip(self.widths(hidden) - 0.5, -3, 2)
        return ops.concatenate([weights, self.means(hidden), widths], axis=-1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], 12)


def surprise_of_mixture(y_true, curves):
    weights, means, widths = (curves[:, 4 * k : 4 * k + 4] for k in range(3))
    away = (y_true - means) * ops.exp(-widths)
    return -ops.logsumexp(weights - widths - 0.5 * ops.square(away) - 0.919, axis=-1)


@healthy(family="angles that lead to a place, mixture of curves", half="nineteenth")
def nineteenth_angles_to_a_place():
    rng = np.random.default_rng(1960)
    x = rng.normal(size=(1800, 3))
    bend = 1.2 + 0.4 * np.tanh(x[:, 0])
    side = np.where(rng.random(1800) < 1 / (1 + np.exp(-1.5 * x[:, 1])), 1, -1)
    y = side * bend + 0.3 * x[:, 2] + 0.12 * rng.normal(size=1800)
    x, y, new, new_y = data.split(x.astype("float32"), y[:, None].astype("float32"))
    inputs = keras.Input((3,))
    hidden = L.Dense(40, activation="tanh")(inputs)
    hidden = L.Dense(40, activation="tanh")(hidden)
    model = keras.Model(inputs, Mixture()(hidden))
    model.compile(keras.optimizers.Adam(0.004, clipnorm=5.0), surprise_of_mixture)

    def score(model, history):
        curves = ops.convert_to_tensor(scores.predicted(model, new))
        surprise = surprise_of_mixture(ops.convert_to_tensor(new_y), curves)
        plain = 0.919 + np.log(y.std()) + 0.5 * (((new_y - y.mean()) / y.std()) ** 2)
        return float(plain.mean() - ops.convert_to_numpy(surprise).mean())

    options = {"epochs": 11, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="best of eight offers, listwise", half="nineteenth")
def nineteenth_best_of_eight_offers():
    rng = np.random.default_rng(1961)
    offers = rng.normal(size=(1500, 8, 5)).astype("float32")
    price, stars, far, _, age = np.moveaxis(offers, -1, 0)
    worth = -price + 0.8 * np.tanh(2 * stars) - 0.5 * far**2 + 0.4 * stars * age
    y = (worth + 0.3 * rng.gumbel(size=worth.shape)).argmax(-1)
    x, y, new, new_y = data.split(offers, y)
    model = keras.Sequential(
        [
            keras.Input((8, 5)),
            L.Dense(32, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(1),
            L.Reshape((8,)),
            L.Softmax(),
        ]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 8), data.groups(new_y, 8)
    model.compile(
        keras.optimizers.AdamW(0.004, weight_decay=0.001),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="ages of shells, few rows, Huber", half="nineteenth")
def nineteenth_ages_of_shells():
    rng = np.random.default_rng(1962)
    size = rng.gamma(9, 0.1, 320)
    columns = [size * rng.lognormal(0, 0.12, 320) for _ in range(4)]
    weight = size**3 * rng.lognormal(0, 0.15, 320)
    kind = rng.integers(0, 3, 320)
    age = 4 + 7 * size + 1.5 * (kind == 2) + 1.4 * rng.standard_t(4, 320)
    x = np.column_stack([*columns, np.log(weight), np.eye(3)[kind]])
    x, y, new, new_y = data.split(x, age[:, None], share=0.6)
    x, new = data.standard(x, new)
    y, new_y = data.standard(y, new_y)
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(L.Dense(12, activation="relu", kernel_regularizer="l2"))
    model.add(L.Dense(1))
    model.compile(
        keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True), keras.losses.Huber()
    )
    stop = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    options = {
        "epochs": 40,
        "batch_size": 16,
        "validation_data": (new, new_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Customers(keras.Model):
    """Whether customers leave, and what they spend if they stay."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.plan = L.Embedding(9, 4)
        self.shared = [L.Dense(32, activation="relu"), L.Dense(24, activation="relu")]
        self.drop = L.Dropout(0.1)
        self.leaves = L.Dense(1, activation="sigmoid")
        self.spends = L.Dense(1)

    def call(self, inputs, training=None):
        hidden = ops.concatenate([inputs["use"], self.plan(inputs["plan"])], axis=-1)
        for layer in self.shared:
            hidden = self.drop(layer(hidden), training=training)
        return {"leaves": self.leaves(hidden), "spends": self.spends(hidden)}


@healthy(family="customers who leave or spend, named inputs", half="nineteenth")
def nineteenth_customers_who_leave():
    rng = np.random.default_rng(1963)
    n = 2200
    use = rng.normal(size=(n, 6)).astype("float32")
    plan = rng.integers(0, 9, n).astype("int32")
    fee = np.random.default_rng(1964).normal(size=9)[plan]
    odds = 1.4 * use[:, 0] - use[:, 1] * use[:, 2] + fee - 1.9
    leaves = (rng.random(n) < 1 / (1 + np.exp(-1.5 * odds))).astype("float32")
    spends = 0.8 * use[:, 3] + fee + 0.5 * np.abs(use[:, 4]) + 0.3 * rng.normal(size=n)
    spends = ((spends - spends.mean()) / spends.std()).astype("float32")

    def part(rows):
        x = {"use": use[rows], "plan": plan[rows]}
        return x, {"leaves": leaves[rows, None], "spends": spends[rows, None]}

    x, y = part(slice(0, 1600))
    new, new_y = part(slice(1600, n))
    model = Customers()
    model.compile(
        keras.optimizers.Adam(0.005),
        {"leaves": "binary_crossentropy", "spends": "mse"},
        loss_weights={"leaves": 1.0, "spends": 0.5},
        metrics={"leaves": [keras.metrics.AUC(name="auc")], "spends": ["mae"]},
    )
    options = {"epochs": 12, "batch_size": 64, "validation_data": (new, new_y)}
    score = scores.balanced(new, leaves[1600:].astype(int))
    return Fit(model, x, y, score, options)
