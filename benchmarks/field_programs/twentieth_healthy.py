"""Twentieth half: programs without a fault on tables, words and tastes."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn.metrics import roc_auc_score

from field_programs import scores
from field_programs.registry import Fit, healthy

L = keras.layers


def gamma_deviance(y_true, y_pred):
    """Return the deviance of a gamma distribution, given the log of the mean."""
    return ops.mean(y_true * ops.exp(-y_pred) + y_pred, axis=-1)


def repairs(n, seed):
    """Return makes and data of cars, and what their repair costs, in thousands."""
    made = np.random.default_rng(2060)
    dear = 0.6 * made.normal(size=25)
    rng = np.random.default_rng(seed)
    make = rng.integers(0, 25, n)
    numbers = rng.normal(size=(n, 5)).astype("float32")
    log_mean = dear[make] + 0.5 * numbers[:, 0] - 0.4 * np.abs(numbers[:, 1])
    cost = np.exp(log_mean) * rng.gamma(4, 1 / 4, n)
    x = {"make": make[:, None].astype("int32"), "numbers": numbers}
    return x, cost.astype("float32")[:, None], log_mean


@healthy(family="costs of repairs, gamma deviance, makes embedded", half="twentieth")
def twentieth_costs_of_repairs():
    x, y, _ = repairs(1500, 2061)
    new, new_y, log_mean = repairs(500, 2062)
    make = keras.Input((1,), dtype="int32", name="make")
    numbers = keras.Input((5,), name="numbers")
    hidden = L.Concatenate()([L.Flatten()(L.Embedding(25, 4)(make)), numbers])
    hidden = L.Dense(32, activation="swish")(hidden)
    hidden = L.Dense(16, activation="swish")(hidden)
    model = keras.Model({"make": make, "numbers": numbers}, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.004), gamma_deviance)

    def score(model, history):
        return scores.explained(scores.predicted(model, new), log_mean[:, None])

    options = {"epochs": 10, "batch_size": 48, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def carts(n, seed):
    """Return which of 60 goods lie in carts: each cart mixes two of six recipes."""
    made = np.random.default_rng(2063)
    liking = np.exp(1.6 * made.normal(size=(6, 60)))
    liking /= liking.sum(1, keepdims=True)
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 60), "float32")
    for row in x:
        chance = liking[rng.choice(6, 2, replace=False)].mean(0)
        row[rng.choice(60, 14, replace=False, p=chance)] = 1
    return x


def multinomial(y_true, y_pred):
    """Return minus the log likelihood of the goods, on average over goods."""
    chance = ops.log_softmax(y_pred, axis=-1)
    return -ops.sum(y_true * chance, axis=-1) / 14


@healthy(family="goods missing in carts, multinomial autoencoder", half="twentieth")
def twentieth_goods_missing():
    x, new = carts(1500, 2064), carts(400, 2065)
    rng = np.random.default_rng(2066)
    shown = new * (rng.random(new.shape) < 0.6)
    hidden_goods = new - shown
    inputs = keras.Input((60,))
    codes = L.Dropout(0.4)(L.UnitNormalization()(inputs))
    codes = L.Dense(32, activation="tanh")(codes)
    model = keras.Model(inputs, L.Dense(60)(codes))
    model.compile(keras.optimizers.Adam(0.005), multinomial)

    def score(model, history):
        out = scores.predicted(model, shown)
        return float(
            np.mean(
                [
                    2 * roc_auc_score(h[s == 0], o[s == 0]) - 1
                    for h, s, o in zip(hidden_goods, shown, out, strict=True)
                    if h.sum() > 0
                ]
            )
        )

    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, score, options)


def spellings(n, seed):
    """Return words of letters, padded, with a start, and the same backwards."""
    rng = np.random.default_rng(seed)
    x, before, after = (np.zeros((n, 6), "int32") for _ in range(3))
    for i in range(n):
        used = int(rng.integers(4, 7))
        word = rng.integers(1, 13, used)
        x[i, :used], after[i, :used] = word, word[::-1]
        before[i, 0], before[i, 1:used] = 13, word[::-1][:-1]
    return x, before, after


@healthy(family="letters backwards, decoder told the last letter", half="twentieth")
def twentieth_letters_backwards():
    x, before, after = spellings(1600, 2067)
    new, new_before, new_after = spellings(400, 2068)
    inputs = [keras.Input((6,), dtype="int32") for _ in range(2)]
    letters = L.Embedding(14, 16, mask_zero=True)
    _, state = L.GRU(64, return_sequences=True, return_state=True)(letters(inputs[0]))
    hidden = L.GRU(64, return_sequences=True)(letters(inputs[1]), initial_state=state)
    model = keras.Model(inputs, L.Dense(13)(hidden))
    model.compile(
        keras.optimizers.Adam(0.008),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )

    def score(model, history):
        found = scores.predicted(model, [new, new_before]).argmax(-1)
        return float((12 * (found == new_after)[new_after > 0].mean() - 1) / 11)

    options = {
        "epochs": 9,
        "batch_size": 64,
        "sample_weight": (after > 0).astype("float32"),
        "validation_data": (
            [new, new_before],
            new_after,
            (new_after > 0).astype("float32"),
        ),
    }
    return Fit(model, [x, before], after, score, options)


def pipes(n, seed):
    """Return data of pipes, and which one in twelve of them leaks."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 9)).astype("float32")
    risk = 1.3 * x[:, 0] + np.maximum(x[:, 1], 0) * 1.5 - x[:, 2] * x[:, 3]
    leaks = risk + 0.5 * rng.normal(size=n) > 3.4
    return x, leaks.astype("float32")[:, None]


@healthy(family="pipes that leak, one in twelve, focal loss", half="twentieth")
def twentieth_pipes_that_leak():
    x, y = pipes(2000, 2069)
    new, new_y = pipes(800, 2070)
    model = keras.Sequential([keras.Input((9,))])
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.005),
        keras.losses.BinaryFocalCrossentropy(
            apply_class_balancing=True, alpha=0.85, gamma=1.5
        ),
        metrics=[keras.metrics.AUC(name="auc")],
    )
    options = {"epochs": 12, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
