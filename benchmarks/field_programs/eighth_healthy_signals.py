"""Healthy programs of the eighth half: pictures, series and sequences."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, healthy
from field_programs.splits import Batches

L = keras.layers
ops = keras.ops
CROSS = "sparse_categorical_crossentropy"


@healthy(family="pictures, generator with augmentation", half="eighth")
def shifted_digits():
    x, y, new, new_y = data.digits(900)
    rng = np.random.default_rng(871)

    def shift(x, y, index):
        away = rng.integers(-1, 2, (len(x), 2))
        moved = [np.roll(a, s, (0, 1)) for a, s in zip(x, away, strict=True)]
        return np.stack(moved), y

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, padding="same", activation="relu"),
            L.Flatten(),
            L.Dropout(0.3),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    train = Batches(x, y, 32, shift)
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, train, None, scores.balanced(new, new_y), options)


@healthy(family="pictures in mixed precision", half="eighth")
def digits_in_mixed_precision():
    x, y, new, new_y = data.digits(900)
    half = keras.DTypePolicy("mixed_bfloat16")
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, activation="relu", dtype=half)(inputs)
    hidden = L.Conv2D(24, 3, activation="relu", dtype=half)(hidden)
    hidden = L.Flatten(dtype=half)(hidden)
    hidden = L.Dropout(0.3, dtype=half)(hidden)
    outputs = L.Dense(10, activation="softmax", dtype="float32")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="transfer with a frozen part", half="eighth")
def head_on_a_frozen_part():
    x, y, new, new_y = data.digits(1000)
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(24, 3, activation="relu"),
            L.Conv2D(24, 3, activation="relu"),
            L.Flatten(),
        ]
    )
    before = keras.Sequential([base, L.Dense(10, activation="softmax")])
    before.compile(keras.optimizers.Adam(0.003), CROSS)
    some = y < 6
    before.fit(x[some], y[some], epochs=6, batch_size=32, verbose=0)
    base.trainable = False
    others, rest = y >= 6, new_y >= 6
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dropout(0.3)(base(inputs, training=False))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    held_out = new[rest], new_y[rest] - 6
    options = {"epochs": 15, "batch_size": 32, "validation_data": held_out}
    score = scores.balanced(*held_out)
    return Fit(model, x[others], y[others] - 6, score, options)


@healthy(family="segmentation, loss of one's own", half="eighth")
def masks_with_a_dice_loss():
    x, _, masks = data.shapes(420, seed=874)
    inputs = keras.Input((16, 16, 1))
    down = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    low = L.MaxPooling2D()(down)
    low = L.Conv2D(16, 3, padding="same", activation="relu")(low)
    up = L.Concatenate()([L.UpSampling2D()(low), down])
    up = L.Conv2D(8, 3, padding="same", activation="relu")(up)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(up))

    def loss(truth, answer):
        both = ops.sum(truth * answer, axis=(1, 2, 3))
        sizes = ops.sum(truth, axis=(1, 2, 3)) + ops.sum(answer, axis=(1, 2, 3))
        dice = 1 - (2 * both + 1) / (sizes + 1)
        return dice + ops.mean(
            keras.losses.binary_crossentropy(truth, answer), axis=(1, 2)
        )

    model.compile(keras.optimizers.Adam(0.004), loss)
    held_out = x[300:], masks[300:]
    options = {"epochs": 10, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:300], masks[:300], scores.overlap(*held_out), options)


@healthy(family="forecast of demand for power", half="eighth")
def demand_for_power():
    series = data.load_curve(760, seed=875)
    x, y = data.windows(series, 12)
    model = keras.Sequential([keras.Input((12, 1)), L.GRU(16), L.Dense(1)])
    steps = 14 * 16
    rate = keras.optimizers.schedules.CosineDecay(0.01, steps, alpha=0.05)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "mse")
    held_out = x[520:], y[520:]
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:500], y[:500], scores.variance(*held_out), options)


@healthy(family="movements, bidirectional", half="eighth")
def movements_both_ways():
    x, y = data.gestures(640, length=14, seed=876, noise=0.3)
    inputs = keras.Input(x.shape[1:])
    hidden = L.Bidirectional(L.LSTM(10))(inputs)
    hidden = L.Dropout(0.2)(hidden)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    held_out = x[440:], y[440:]
    options = {"epochs": 15, "batch_size": 40, "validation_data": held_out}
    return Fit(model, x[:440], y[:440], scores.balanced(*held_out), options)


@healthy(family="autoencoder of noisy digits", half="eighth")
def digits_without_noise():
    x, _, new, _ = data.digits(1000)
    rng = np.random.default_rng(877)
    noisy = (x + 0.2 * rng.normal(size=x.shape)).astype("float32")
    new_noisy = (new + 0.2 * rng.normal(size=new.shape)).astype("float32")
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(24, 3, padding="same", activation="relu")(hidden)
    hidden = L.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(
        hidden
    )
    model = keras.Model(
        inputs, L.Conv2D(1, 3, padding="same", activation="sigmoid")(hidden)
    )
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["mse"])
    held_out = new_noisy, new
    options = {"epochs": 15, "batch_size": 32, "validation_data": held_out}
    score = scores.variance(new_noisy, new.reshape(len(new), -1))
    return Fit(model, noisy, x, score, options)


@healthy(family="few rows, tf.data", half="eighth")
def irises_from_a_pipeline():
    import tensorflow as tf

    x, new, y, new_y = data.table("iris")
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    rows = rows.shuffle(200, seed=878).batch(16)
    held_out = tf.data.Dataset.from_tensor_slices((new, new_y)).batch(45)
    l2 = keras.regularizers.L2(0.003)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(10, activation="relu", kernel_regularizer=l2),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 30, "validation_data": held_out}
    return Fit(model, rows, None, scores.balanced(new, new_y), options)
