"""Twelfth half: programs whose layers do not do what was meant."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK
from field_programs.twelfth_data import tiles

L = keras.layers


def features(momentum):
    """Return the layers of a small network for pictures, normalized by batches."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=momentum),
            L.Activation("relu"),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=momentum),
            L.Activation("relu"),
            L.GlobalAveragePooling2D(),
        ]
    )


@program(
    kind="statistics of other pictures",
    family="image classifier, fine-tuned",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/9214",
    symptom="fine-tuning fails in validation where there is batch normalization",
    cause="trained with statistics of batches, judged with those of old pictures",
    truth=("normalization_lag", "foreign_statistics"),
    also=("overfitting", "frozen_layers", "unrepresentative_validation", *STUCK),
)
def old_statistics(repaired):
    x, y, new, new_y = data.digits(900)
    old, old_y = x[y < 5], y[y < 5]
    base = features(0.9)
    first = keras.Sequential([base, L.Dense(5, activation="softmax")])
    first.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    first.fit(old, old_y, epochs=8, batch_size=32, verbose=0)
    tuned = features(0.9 if repaired else 0.9999)
    tuned.set_weights(base.get_weights())
    x, new = 1.6 - 1.5 * x, 1.6 - 1.5 * new
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dense(48, activation="relu")(tuned(inputs))
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Neighbors(L.Layer):
    """Hand on what the neighbors of a node know."""

    def __init__(self, units, activation="relu"):
        super().__init__()
        self.dense = L.Dense(units, activation=activation)

    def call(self, nodes, links):
        return self.dense(ops.matmul(links, nodes))


@program(
    kind="links not normalized",
    family="papers that cite one another",
    half="twelfth",
    address="https://github.com/sufeidechabei/graphnets_gcn/issues/1",
    symptom="half the accuracy of the original implementation",
    cause="the matrix of links is not divided by the number of neighbors",
    truth=("exploding_activations", "unscaled_inputs"),
    also=(
        *STUCK,
        *BLOWN_UP,
        "exploding_gradients",
        "poor_initialization",
        "dead_units",
        "saturated_units",
        "learning_rate_too_high",
    ),
)
def citations_summed(repaired):
    rng = np.random.default_rng(1241)
    n, size = 240, 40
    kind = rng.integers(0, 4, (n, size))
    fame = rng.uniform(0.05, 1, (n, size)) ** 2
    same = kind[:, :, None] == kind[:, None, :]
    chance = np.where(same, 0.9, 0.12) * np.sqrt(fame[:, :, None] + fame[:, None, :])
    links = np.triu(rng.random((n, size, size)) < chance, 1).astype(float)
    links = links + links.transpose(0, 2, 1)
    words = 0.9 * rng.normal(size=(4, 12))[kind] + rng.normal(size=(n, size, 12))
    if repaired:
        links = links + np.eye(size)
        root = np.sqrt(links.sum(axis=-1))
        links = links / root[:, :, None] / root[:, None, :]
    links, words = links.astype("float32"), words.astype("float32")
    nodes, edges = keras.Input((size, 12)), keras.Input((size, size))
    hidden = Neighbors(16)(nodes, edges)
    hidden = Neighbors(16)(hidden, edges)
    hidden = Neighbors(4, "softmax")(hidden, edges)
    model = keras.Model([nodes, edges], hidden)
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    new, new_y = [words[160:], links[160:]], kind[160:]
    options = {"epochs": 15, "batch_size": 8, "validation_data": (new, new_y)}
    train = [words[:160], links[:160]]
    return Fit(model, train, kind[:160], scores.accuracy(new, new_y), options)


@program(
    kind="output that is always zero",
    family="payments by the day",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/18247",
    symptom="for some branches the network predicts nothing but zeros",
    cause="a rectified output that is below zero for all rows gets no gradient",
    truth=("output_activation_mismatch", "dead_units", "zero_gradients"),
    also=(*STUCK, "poor_initialization", "vanishing_gradients"),
)
def payments_of_a_branch(repaired):
    rng = np.random.default_rng(1242)
    day = np.arange(900)
    open_days = (day % 7 < 5).astype(float)
    level = 1.2 + 0.5 * np.sin(day / 30 * 6.283) + 0.3 * (day % 7 == 4)
    paid = open_days * np.maximum(level + 0.15 * rng.normal(size=900), 0)
    x, y = data.windows(paid, 14)
    x, y = x[..., 0], y.reshape(-1, 1)
    model = keras.Sequential()
    model.add(keras.Input((14,)))
    model.add(L.BatchNormalization(momentum=0.9))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1, activation=None if repaired else "relu"))
    unlucky = -np.abs(0.3 * rng.normal(size=(16, 1)))
    model.layers[-1].set_weights([unlucky, np.zeros(1)])
    model.compile(keras.optimizers.Adam(0.003), "mse")
    held_out = x[650:], y[650:]
    options = {"epochs": 14, "batch_size": 31, "validation_data": held_out}
    return Fit(model, x[:650], y[:650], scores.variance(*held_out), options)


@program(
    kind="too few pictures",
    family="image classifier, colors",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/161",
    symptom="the loss of validation falls at first and rises afterwards",
    cause="a large network trained for long on few pictures in color",
    truth=("overfitting", "model_too_large"),
    also=("unrelated_targets", "unrepresentative_validation"),
)
def few_pictures_in_color(repaired):
    x, y = tiles(1100, 6, seed=1243, noise=0.4)
    rng = np.random.default_rng(1243)
    wrong = rng.random(1100) < 0.08
    wrong[950:] = False
    y = np.where(wrong, rng.integers(0, 6, 1100), y)
    n = 800 if repaired else 100
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 3)))
    model.add(L.Conv2D(16 if repaired else 32, 3, padding="same", activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Conv2D(32, 3, padding="same", activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    if repaired:
        model.add(L.Dropout(0.4))
    model.add(L.Dense(32 if repaired else 256, activation="relu"))
    model.add(L.Dense(6, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.002),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 12 if repaired else 40,
        "batch_size": 20,
        "validation_data": (x[800:950], y[800:950]),
    }
    return Fit(model, x[:n], y[:n], scores.accuracy(x[950:], y[950:]), options)
