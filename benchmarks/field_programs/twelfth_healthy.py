"""Healthy programs of the twelfth half: tables, pictures, few rows."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import datasets

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


@healthy(family="few flowers, cosine rate", half="twelfth")
def irises_with_a_cosine():
    x, new, y, new_y = data.table("iris")
    rate = keras.optimizers.schedules.CosineDecay(0.05, 20 * 10, alpha=0.05)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(10, activation="tanh"), L.Dense(3)]
    )
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate, momentum=0.8), cross, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 11, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="few frauds, class weights", half="twelfth")
def frauds_with_weights():
    x, y, new, new_y = data.two_classes(2600, 14, 0.07, seed=1251, apart=1.8)
    model = keras.Sequential()
    model.add(keras.Input((14,)))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dropout(0.3))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.002),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
    )
    share = y.mean()
    options = {
        "epochs": 14,
        "batch_size": 64,
        "class_weight": {0: 0.5 / (1 - share), 1: 0.5 / share},
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


class Household(keras.Model):
    """Say the income of a household, and whether it owns its home."""

    def __init__(self):
        super().__init__()
        self.first = L.Dense(48, activation="gelu")
        self.norm = L.LayerNormalization()
        self.second = L.Dense(24, activation="gelu")
        self.income = L.Dense(1)
        self.owns = L.Dense(1, activation="sigmoid")

    def call(self, inputs, training=None):
        shared = self.second(self.norm(self.first(inputs)))
        return {"income": self.income(shared), "owns": self.owns(shared)}


@healthy(family="table, outputs by name", half="twelfth")
def households():
    rng = np.random.default_rng(1252)
    x = rng.normal(size=(1300, 9)).astype("float32")
    income = x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3])
    income = income + 0.4 * rng.normal(size=1300)
    income = ((income - income.mean()) / income.std()).astype("float32")[:, None]
    owns = (income[:, 0] + x[:, 4] + 0.5 * rng.normal(size=1300) > 0).astype("float32")
    y = {"income": income, "owns": owns[:, None]}
    model = Household()
    model.compile(
        keras.optimizers.AdamW(0.004, weight_decay=0.004),
        loss={"income": keras.losses.Huber(), "owns": "binary_crossentropy"},
        loss_weights={"income": 1.0, "owns": 0.5},
        metrics={"income": ["mae"], "owns": ["accuracy"]},
    )
    new = x[900:], {k: v[900:] for k, v in y.items()}
    options = {"epochs": 14, "batch_size": 32, "validation_data": new}
    train = {k: v[:900] for k, v in y.items()}
    return Fit(model, x[:900], train, scores.variance(new[0], income[900:]), options)


class Sampling(L.Layer):
    """Draw a code, and add how far its distribution is from the normal one."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight
        self.seeds = keras.random.SeedGenerator(1253)

    def call(self, inputs, training=None):
        mean, spread = ops.split(inputs, 2, axis=-1)
        spread = ops.clip(spread, -6.0, 4.0)
        far = 0.5 * (mean**2 + ops.exp(spread) - 1 - spread)
        self.add_loss(self.weight * ops.mean(ops.sum(far, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * spread) * noise


@healthy(family="variational autoencoder of digits", half="twelfth")
def digits_from_a_code():
    d = datasets.load_digits()
    x = (d.data / 16).astype("float32")
    x, _, new, _ = data.split(x, d.target, 0.75, seed=1253)
    inputs = keras.Input((64,))
    hidden = L.Dense(96, activation="relu")(inputs)
    code = Sampling(0.003)(L.Dense(24)(hidden))
    hidden = L.Dense(96, activation="relu")(code)
    model = keras.Model(inputs, L.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@healthy(family="image classifier, frozen base", half="twelfth")
def known_digits_to_new_ones():
    x, y, new, new_y = data.digits(1100)
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(24, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.Conv2D(32, 3, strides=2, activation="relu"),
            L.Flatten(),
        ],
        name="base",
    )
    first = keras.Sequential([base, L.Dense(5, activation="softmax")])
    first.compile(keras.optimizers.Adam(0.004), "sparse_categorical_crossentropy")
    low = y < 5
    first.fit(x[low], y[low], epochs=6, batch_size=32, verbose=0)
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dropout(0.3)(base(inputs, training=False))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    x, y, new, new_y = x[~low], y[~low] - 5, new[new_y >= 5], new_y[new_y >= 5] - 5
    options = {"epochs": 12, "batch_size": 24, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
