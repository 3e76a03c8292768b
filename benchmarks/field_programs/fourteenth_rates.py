"""Fourteenth half: programs whose steps, units or outputs do not fit the task."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


@program(
    kind="softmax of one unit",
    family="sentiment, recurrent",
    half="fourteenth",
    address="https://www.52sbl.cn/discussion/115307.html",
    symptom="the loss is 7.97 and the accuracy 0.5 in all epochs",
    cause="softmax over a single unit is always 1",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients", "loss_target_mismatch"),
)
def sentiment_of_one(repaired):
    x, y, _ = data.reviews(1000, seed=1431)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((20,)),
            L.Embedding(60, 8, mask_zero=True),
            L.LSTM(8),
            L.Dense(1, activation="sigmoid" if repaired else "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.008),
        "binary_crossentropy",
        metrics=["accuracy", "binary_accuracy"],
    )
    options = {"epochs": 6, "batch_size": 32, "validation_split": 0.1}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, y[:, None].astype("float32"), score, options)


def voices(n, seed):
    """Return spectrograms of voices, and whether they are hoarse."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.45).astype("int32")
    band, t = np.arange(14), np.arange(14)
    pitch = rng.uniform(2, 4, n)[:, None, None]
    glide = rng.uniform(-0.6, 0.6, n)[:, None, None] * np.sin(t / 3)[None, :, None]
    harmonic = np.cos(2 * np.pi * band / (pitch + glide)) ** 2
    breath = rng.random((n, 14, 14)) * (0.3 + 0.4 * y)[:, None, None]
    loud = np.exp(-band / 9) * rng.uniform(0.7, 1, (n, 1, 1))
    x = loud * harmonic * (1 - 0.35 * y)[:, None, None] + breath
    x = x + 0.1 * rng.normal(size=x.shape)
    x = (x - x.min((1, 2), keepdims=True)) / np.ptp(x, (1, 2))[:, None, None]
    return x[..., None].astype("float32"), y


@program(
    kind="steps too long",
    family="spectrograms of voices",
    half="fourteenth",
    address="http://www.kouhan.cn/en/article/00036610",
    symptom="the accuracy stays at 55 %, the same network learns MNIST",
    cause="the steps of Adam are too long here, those of SGD are not",
    truth=("learning_rate_too_high", "dead_units"),
    also=(*STUCK, "zero_gradients", "exploding_activations", "oscillating_loss"),
)
def hoarse_voices(repaired):
    x, y = voices(800, 1432)
    new, new_y = voices(400, 1433)
    model = keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dropout(0.3),
            L.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.02, momentum=0.9)
        if repaired
        else keras.optimizers.Adam(0.05),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 2), data.groups(new_y, 2)
    options = {"epochs": 11, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def corners(n, seed):
    """Return points near the corners of a square, and whether two bits differ."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (n, 2))
    x = bits + 0.12 * rng.normal(size=(n, 2))
    y = (bits[:, 0] != bits[:, 1]).astype("int32")
    return x.astype("float32"), y


@program(
    kind="steps too short",
    family="exclusive or",
    half="fourteenth",
    address="https://geek-tips.imtqy.com/articles/631334/index.html",
    symptom="the exclusive or is not learned, all outputs stay near 0.5",
    cause="tanh units and short steps: it takes thousands of epochs more",
    truth=("learning_rate_too_low", "too_few_updates", "slow_convergence"),
    also=("constant_predictions", "plateau", "underfitting", "model_too_small"),
)
def xor_in_short_steps(repaired):
    x, y = corners(400, 1434)
    new, new_y = corners(400, 1435)
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    model.add(L.Dense(4, activation="tanh"))
    model.add(L.Dense(1, activation="sigmoid"))
    rate = 0.1 if repaired else 0.001
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    options = {"epochs": 20, "batch_size": 16}
    y = y[:, None].astype("float32")
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="too few units",
    family="exclusive or, many rows",
    half="fourteenth",
    address="http://pullrequest.ru/10478105/model-uchitsya-keras",
    symptom="thousands of examples of the exclusive or are not enough",
    cause="layers of two units, and dropout after each of them",
    truth=("model_too_small", "regularization_too_strong", "misplaced_dropout"),
    also=(*STUCK, "dead_units"),
)
def xor_with_dropout(repaired):
    x, y = corners(1600, 1436)
    new, new_y = corners(500, 1437)
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    if repaired:
        model.add(L.Dense(24, activation="relu"))
    else:
        for _ in range(2):
            model.add(L.Dense(2, activation="relu"))
            model.add(L.Dropout(0.5))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y[:, None])}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, y[:, None].astype("float32"), score, options)


@program(
    kind="too few units",
    family="equal signs",
    half="fourteenth",
    address="http://pullrequest.ru/13148192/pochemu-mogu-obuchit-ann-dlya-xnor",
    symptom="one gate is learned, the other one is not",
    cause="two rectified units, of which one is easily lost",
    truth=("model_too_small", "dead_units"),
    also=STUCK,
)
def gate_of_two_units(repaired):
    x, y = corners(800, 1438)
    new, new_y = corners(400, 1439)
    inputs = keras.Input((2,))
    hidden = L.Dense(20 if repaired else 2, activation="relu")(inputs)
    if repaired:
        hidden = L.Dense(20, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"]
    )
    score = scores.accuracy(new, 1 - new_y)
    y = (1 - y)[:, None].astype("float32")
    return Fit(model, x, y, score, {"epochs": 7, "batch_size": 16})


@program(
    kind="softmax of one unit",
    family="three bits",
    half="fourteenth",
    address="https://programbox.ru/2022/10/24/%d0%bf%d1%80%d0%be%d1%81%d1%82%d0%b0%d1%8f-%d0%bd%d0%b5%d0%b9%d1%80%d0%be%d0%bd%d0%bd%d0%b0%d1%8f-%d1%81%d0%b5%d1%82%d1%8c-keras-%d0%b7%d0%b0%d1%81%d1%82%d1%80%d1%8f%d0%bb%d0%b0-%d1%81-%d1%82%d0%be",
    symptom="the accuracy stays at 87.5 %, the row of zeros is never learned",
    cause="softmax over a single unit, and a cross-entropy for several classes",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, "zero_gradients", "imbalanced_classes", "too_few_updates"),
)
def any_of_three_bits(repaired):
    rng = np.random.default_rng(1440)
    bits = rng.integers(0, 2, (1600, 3))
    x = (bits + 0.1 * rng.normal(size=bits.shape)).astype("float32")
    x, y, new, new_y = data.split(x, bits.any(axis=1).astype("int32"))
    model = keras.Sequential()
    model.add(keras.Input((3,)))
    model.add(L.Dense(6, activation="relu"))
    model.add(L.Dense(6, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid" if repaired else "softmax"))
    model.compile(
        keras.optimizers.Adam(0.005),
        "binary_crossentropy" if repaired else "categorical_crossentropy",
        metrics=["accuracy"],
    )
    score = scores.balanced(new, new_y)
    y = y[:, None].astype("float32")
    return Fit(model, x, y, score, {"epochs": 10, "batch_size": 16})


@program(
    kind="steps too short",
    family="handwritten digits",
    half="fourteenth",
    address="https://www.52zhanxing.com/ask/7399595.html",
    symptom="the network for MNIST of a textbook has a very low accuracy",
    cause="Adadelta has a rate of 0.001 unless another is given",
    truth=("learning_rate_too_low",),
    also=(*STUCK, "too_few_updates"),
)
def textbook_digits(repaired):
    x, y, new, new_y = data.digits(1100)
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(16, (3, 3), padding="valid"))
    model.add(L.Activation("relu"))
    model.add(L.Conv2D(16, (3, 3)))
    model.add(L.Activation("relu"))
    model.add(L.MaxPooling2D((2, 2)))
    model.add(L.Dropout(0.25))
    model.add(L.Flatten())
    model.add(L.Dense(64))
    model.add(L.Activation("relu"))
    model.add(L.Dropout(0.25))
    model.add(L.Dense(10))
    model.add(L.Activation("softmax"))
    optimizer = keras.optimizers.Adadelta(1.0) if repaired else "adadelta"
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    score = scores.accuracy(new, new_y)
    new_y = data.groups(new_y, 10)
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, data.groups(y, 10), score, options)
