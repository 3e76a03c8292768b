"""Ninth half: programs without a fault, on pictures, texts and time series."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy
from field_programs.splits import Batches

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="padded texts with a mask", half="ninth")
def short_reviews_masked():
    x, y, _ = data.reviews(1000, length=16, seed=971)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((16,), dtype="int32"),
            L.Embedding(60, 8, mask_zero=True),
            L.GRU(10, dropout=0.2),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.006), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 5, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="attention with positions", half="ninth")
def which_pulse_first():
    rng = np.random.default_rng(972)
    y = rng.integers(0, 2, 700)
    early, late = np.sort(np.argsort(rng.random((700, 18)), 1)[:, :2], 1).T
    x = 0.2 * rng.normal(size=(700, 18, 2))
    x[np.arange(700), np.where(y == 1, early, late), 0] += 1.5
    x[np.arange(700), np.where(y == 1, late, early), 1] += 1.5
    x, y, new, new_y = data.split(x.astype("float32"), y)
    angle = np.arange(18)[:, None] / 18 * math.pi * np.array([[0.5, 1, 2]])
    place = np.concatenate([np.sin(angle), np.cos(angle)], 1).astype("float32")
    inputs = keras.Input((18, 2))
    where = L.Lambda(
        lambda t: ops.zeros_like(t[..., :1]) + ops.convert_to_tensor(place)
    )
    hidden = L.Dense(16)(L.Concatenate()([inputs, where(inputs)]))
    attended = L.MultiHeadAttention(2, 8, dropout=0.1)(hidden, hidden)
    hidden = L.LayerNormalization()(L.Add()([hidden, attended]))
    hidden = L.Dense(24, activation="gelu")(hidden)
    hidden = L.GlobalAveragePooling1D()(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="normalization, augmentation and a cosine", half="ninth")
def shifted_digits_again():
    x, y, new, new_y = data.digits(704)
    rng = np.random.default_rng(973)

    def shifted(pictures, kinds, index):
        step = int(rng.integers(-1, 2))
        return np.roll(pictures, step, axis=1 + index % 2), kinds

    rate = keras.optimizers.schedules.CosineDecay(0.008, 10 * 22)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.MaxPooling2D(),
            L.Conv2D(24, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {"epochs": 10, "validation_data": (new, new_y)}
    batches = Batches(x, y, 32, shifted)
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


@healthy(family="mixed precision", half="ninth")
def discs_in_half_precision():
    x, y, _ = data.shapes(600, seed=974)
    x, y, new, new_y = data.split(x, y)
    half = "mixed_bfloat16"
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(8, 3, strides=2, activation="relu", padding="same", dtype=half),
            L.Conv2D(16, 3, activation="relu", padding="same", dtype=half),
            L.GlobalMaxPooling2D(dtype=half),
            L.Dense(16, activation="relu", dtype=half),
            L.Dense(2, activation="softmax", dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="autoencoder of noisy digits, once more", half="ninth")
def digits_without_noise_again():
    x, _, new, _ = data.digits(900)
    rng = np.random.default_rng(975)

    def noisy(pictures):
        noise = 0.25 * rng.normal(size=pictures.shape)
        return np.clip(pictures + noise, 0, 1).astype("float32")

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu", padding="same"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu", padding="same"),
            L.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
            L.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), "mse")
    seen = noisy(new)
    options = {"epochs": 12, "batch_size": 32, "validation_data": (seen, new)}
    return Fit(model, noisy(x), x, scores.variance(seen, new), options)


@healthy(family="recurrent forecast of two series", half="ninth")
def demand_from_weather():
    rng = np.random.default_rng(976)
    weather = np.zeros(660)
    for i in range(1, 660):
        weather[i] = 0.92 * weather[i - 1] + 0.4 * rng.normal()
    hour = np.sin(np.arange(660) / 12 * math.pi)
    demand = hour + 0.8 * np.roll(weather, 2) + 0.2 * rng.normal(size=660)
    both = np.stack([weather, demand, hour], -1)[4:]
    both = ((both - both[:450].mean(0)) / both[:450].std(0)).astype("float32")
    x = np.stack([both[i : i + 10] for i in range(len(both) - 10)])
    y = both[10:, 1:2]
    held_out = (x[450:], y[450:])
    model = keras.Sequential([keras.Input((10, 3)), L.GRU(16), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.006, clipnorm=5.0), "mse", metrics=["mae"])
    plateau = keras.callbacks.ReduceLROnPlateau(patience=4, factor=0.5)
    options = {
        "epochs": 14,
        "batch_size": 32,
        "validation_data": held_out,
        "callbacks": [plateau],
    }
    return Fit(model, x[:450], y[:450], scores.variance(*held_out), options)


@healthy(family="picture pairs with a contrastive loss", half="ninth")
def twins_among_digits():
    x, y, new, new_y = data.digits(900)
    rng = np.random.default_rng(977)

    def pairs(pictures, kinds, count):
        first = rng.integers(0, len(kinds), count)
        second = rng.integers(0, len(kinds), count)
        for i in range(0, count, 2):
            second[i] = rng.choice(np.flatnonzero(kinds == kinds[first[i]]))
        same = (kinds[first] == kinds[second]).astype("float32")
        return [pictures[first], pictures[second]], same[:, None]

    eye = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.2),
            L.Dense(16),
        ]
    )
    inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    apart = L.Subtract()([eye(inputs[0]), eye(inputs[1])])
    away = L.Lambda(lambda d: ops.sum(d * d, -1, keepdims=True), (1,))(apart)

    def contrastive(y_true, y_pred):
        distance = ops.sqrt(y_pred + 1e-6)
        short = ops.square(ops.relu(2.0 - distance))
        return ops.mean(y_true * y_pred + (1 - y_true) * short)

    model = keras.Model(inputs, away)
    model.compile(keras.optimizers.Adam(0.002), contrastive)
    fit_x, fit_y = pairs(x, y, 1600)
    held_out = pairs(new, new_y, 600)
    options = {"epochs": 12, "batch_size": 40, "validation_data": held_out}

    def score(model, history):
        near = scores.predicted(model, held_out[0]) < 1.0
        return float(2 * (near == (held_out[1] == 1)).mean() - 1)

    return Fit(model, fit_x, fit_y, score, options)


@healthy(family="generator of endless batches", half="ninth")
def gestures_from_a_generator():
    x, y = data.gestures(640, seed=978, noise=0.7)
    x, y, new, new_y = data.split(x, y)
    rng = np.random.default_rng(978)

    def batches():
        while True:
            rows = rng.permutation(len(x))
            for start in range(0, len(rows) - 31, 32):
                chosen = rows[start : start + 32]
                shift = 0.1 * rng.normal(size=(32, 1, 3))
                yield (x[chosen] + shift).astype("float32"), y[chosen]

    model = keras.Sequential(
        [
            keras.Input((24, 3)),
            L.Conv1D(16, 5, activation="relu", padding="same"),
            L.MaxPooling1D(2),
            L.SpatialDropout1D(0.1),
            L.Conv1D(24, 5, activation="relu", padding="same"),
            L.GlobalMaxPooling1D(),
            L.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {
        "epochs": 12,
        "steps_per_epoch": len(x) // 32,
        "validation_data": (new, new_y),
    }
    return Fit(model, batches(), None, scores.accuracy(new, new_y), options)
