"""Fifteenth half: programs whose output does not fit the loss or the targets."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


@program(
    kind="cross-entropy of classes over one unit",
    family="tumors, table",
    half="fifteenth",
    address="https://github.com/keras-team/keras/issues/14729",
    symptom="the accuracy is too low, and stays where it is for 100 epochs",
    cause="categorical cross-entropy of a single sigmoid unit is always zero",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, "zero_gradients", "unrelated_targets", "poor_initialization"),
)
def tumors_of_one_unit(repaired):
    x, new, y, new_y = data.table("breast_cancer")
    model = keras.Sequential(
        [
            keras.Input((30,)),
            L.Dense(16, activation="relu", kernel_initializer="random_uniform"),
            L.Dropout(0.1),
            L.Dense(16, activation="relu", kernel_initializer="random_uniform"),
            L.Dropout(0.1),
            L.Dense(1, activation="sigmoid", kernel_initializer="random_uniform"),
        ]
    )
    loss = "binary_crossentropy" if repaired else "categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    y = y[:, None].astype("float32")
    score = scores.accuracy(new, new_y)
    return Fit(model, x, y, score, {"epochs": 20, "batch_size": 25})


def packets(n, seed):
    """Return packets of a network, addresses as numbers, and which are malicious."""
    rng = np.random.default_rng(seed)
    source = 3232235776 + rng.integers(1, 255, n)
    target = 3232235776 + 256 * rng.integers(0, 4, n) + rng.integers(1, 255, n)
    port = rng.choice([80, 443, 22, 8080, 53], n)
    other = rng.integers(1024, 65536, n)
    size = rng.gamma(2, 300, n)
    life = rng.choice([64, 128, 255], n)
    flag = rng.integers(0, 32, n)
    gap = rng.exponential(40, n)
    x = np.column_stack([source, target, port, other, size, life, flag, gap])
    odd = 1.2 * (port == 22) - 1.1 * np.log(gap / 28) + 0.004 * (450 - size)
    odd = odd + 1.3 * (flag > 20) - 0.6 + 0.5 * rng.normal(size=n)
    return x, (odd > 0).astype("int32")


@program(
    kind="ReLU before the loss, raw units",
    family="network packets, table",
    half="fifteenth",
    address="https://github.com/keras-team/keras/issues/6688",
    symptom="whatever the optimizer, the accuracy does not rise over 50 %",
    cause="a rectified output for a cross-entropy, and addresses as raw numbers",
    truth=("output_activation_mismatch", "unscaled_inputs"),
    also=(
        *STUCK,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "exploding_activations",
        "exploding_gradients",
    ),
)
def malicious_packets(repaired):
    x, y = packets(1100, 1501)
    x, y, new, new_y = data.split(x, y)
    if repaired:
        x, new = data.standard(x, new)
    normal = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.05)}
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(12, activation="relu", **normal),
            L.Dense(12, activation="relu", **normal),
            L.Dense(1, activation="sigmoid" if repaired else "relu", **normal),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    x, new = x.astype("float32"), new.astype("float32")
    y = y[:, None].astype("float32")
    score = scores.accuracy(new, new_y)
    return Fit(model, x, y, score, {"epochs": 6, "batch_size": 5})


class Likeness(L.Layer):
    """How near two codes are: 1 if they are equal."""

    def call(self, left, right):
        return ops.exp(-ops.sum(ops.abs(left - right), axis=-1, keepdims=True))


def sentences(n, seed):
    """Return pairs of sentences, and how related they are, from 1 to 5."""
    meaning = np.random.default_rng(1504).uniform(0, 1, 50)
    meaning[0] = 0
    rng = np.random.default_rng(seed)
    center = rng.random((n, 2))
    words = np.zeros((n, 2, 8), "int32")
    for i in range(n):
        for k in range(2):
            used = rng.integers(4, 9)
            near = np.exp(-(((meaning[1:] - center[i, k]) / 0.15) ** 2))
            words[i, k, -used:] = rng.choice(49, used, p=near / near.sum()) + 1
    counts = (words > 0).sum(-1)
    mean = meaning[words].sum(-1) / counts
    related = 1 + 4 * np.exp(-3 * abs(mean[:, 0] - mean[:, 1]))
    related = np.clip(related + 0.1 * rng.normal(size=n), 1, 5)
    return [words[:, 0], words[:, 1]], related[:, None].astype("float32")


@program(
    kind="output cannot reach the targets",
    family="siamese, pairs of sentences",
    half="fifteenth",
    address="https://github.com/fionn-mac/Manhattan-LSTM/issues/4",
    symptom="scores from 1 to 5 are given to a network that is asked for a likeness",
    cause="the exponential of a negative distance is between 0 and 1, targets are not",
    truth=("output_activation_mismatch", "unscaled_targets"),
    also=(*STUCK, "collapsed_embeddings", "zero_gradients", "vanishing_gradients"),
)
def related_sentences(repaired):
    x, y = sentences(700, 1505)
    new, new_y = sentences(300, 1506)
    if repaired:
        y, new_y = (y - 1) / 4, (new_y - 1) / 4
    embedding = L.Embedding(50, 12, mask_zero=True)
    encoder = L.LSTM(16)
    left, right = (keras.Input((8,), dtype="int32") for _ in range(2))
    codes = encoder(embedding(left)), encoder(embedding(right))
    model = keras.Model([left, right], Likeness()(*codes))
    optimizer = keras.optimizers.Adam(0.005, clipnorm=1.25)
    model.compile(optimizer, "mean_squared_error", metrics=["mae"])
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
