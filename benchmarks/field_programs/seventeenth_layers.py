"""Seventeenth half: programs whose layers do not let through what is needed."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def tubes(n, seed):
    """Return pictures of a float in a tube, and how high it is and how tilted."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:16, :16]
    high, tilt = rng.uniform(4, 12, (n, 1, 1)), rng.uniform(-0.6, 0.6, (n, 1, 1))
    far = row - high - tilt * (column - 7.5)
    x = 1.2 * np.exp(-((far / 1.6) ** 2)) + 0.15 * rng.normal(size=far.shape)
    y = np.concatenate([(high - 8) / 2.3, tilt / 0.35], axis=1)[..., 0]
    return (2 * x - 0.5)[..., None].astype("float32"), y.astype("float32")


@program(
    kind="averages lag behind",
    family="floats in tubes, two batches an epoch",
    half="seventeenth",
    address="https://github.com/tensorflow/tensorflow/issues/36446",
    symptom="the loss is tiny, on the very same rows in validation it is huge",
    cause="after so few batches the moving statistics are still those of the start",
    truth=("normalization_lag",),
    also=(*STUCK, "overfitting", "too_few_updates", "batch_size_too_large"),
)
def seventeenth_floats_in_tubes(repaired):
    x, y = tubes(400, 1721)
    new, new_y = tubes(300, 1722)
    model = keras.Sequential([keras.Input((16, 16, 1))])
    for filters in (12, 16, 24, 24):
        model.add(
            L.Conv2D(
                filters, 3, strides=2, padding="same", kernel_initializer="he_normal"
            )
        )
        model.add(L.BatchNormalization(momentum=0.8 if repaired else 0.99))
        model.add(L.Activation("relu"))
    model.add(L.Flatten())
    model.add(L.Dense(2))
    model.compile(keras.optimizers.Adam(0.006), "mse")
    options = {"epochs": 14, "batch_size": 200, "validation_data": (x, y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def leaves(n, seed):
    """Return color pictures of leaves: healthy, with spots, or with pale veins."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    row, column = np.mgrid[:16, :16]
    x = np.zeros((n, 16, 16, 3))
    x += rng.normal([-0.4, 0.5, -0.5], 0.25, (n, 1, 1, 3))
    for i, kind in enumerate(y):
        if kind == 1:
            for r, c in rng.integers(2, 14, (5, 2)):
                x[i, np.hypot(row - r, column - c) < 1.6] += [0.5, -0.5, 0.1]
        elif kind == 2:
            bend, start = rng.uniform(0.5, 1.5), rng.integers(0, 4)
            x[i, (row + (bend * column).astype(int) + start) % 5 == 0] += 0.45
    return (x + 0.25 * rng.normal(size=x.shape)).astype("float32"), y


def separable(x, filters, momentum, strides=1):
    """Return a depthwise and a pointwise convolution, both normalized."""
    x = L.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
    x = L.ReLU(max_value=6)(L.BatchNormalization(momentum=momentum)(x))
    x = L.Conv2D(filters, 1, use_bias=False)(x)
    return L.ReLU(max_value=6)(L.BatchNormalization(momentum=momentum)(x))


@program(
    kind="averages lag behind",
    family="diseases of leaves, depthwise",
    half="seventeenth",
    address="https://github.com/keras-team/keras/issues/6839",
    symptom="with the decay of the reference implementation the results are bad",
    cause="a momentum of 0.9997 needs thousands of batches to know the statistics",
    truth=("normalization_lag",),
    also=(*STUCK, "overfitting", "too_few_updates", "oscillating_loss"),
)
def seventeenth_diseases_of_leaves(repaired):
    x, y = leaves(640, 1723)
    new, new_y = leaves(400, 1724)
    momentum = 0.9 if repaired else 0.9997
    inputs = keras.Input((16, 16, 3))
    hidden = L.Conv2D(12, 3, padding="same", use_bias=False)(inputs)
    hidden = L.ReLU(max_value=6)(L.BatchNormalization(momentum=momentum)(hidden))
    hidden = separable(hidden, 16, momentum, strides=2)
    hidden = separable(hidden, 24, momentum, strides=2)
    hidden = L.GlobalAveragePooling2D()(hidden)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def vibration(n, seed):
    """Return a vibration whose pace and strength drift."""
    rng = np.random.default_rng(seed)
    pace = 0.55 + 0.15 * np.sin(np.arange(n) / 60) + 0.02 * rng.normal(size=n)
    strength = 1.2 + 0.4 * np.sin(np.arange(n) / 45 + 1)
    return strength * np.sin(np.cumsum(pace)) + 0.08 * rng.normal(size=n)


@program(
    kind="next value in place of the window",
    family="vibrations squeezed, LSTM that finds outliers",
    half="seventeenth",
    address="https://github.com/bnsreenu/python_for_microscopists/issues/43",
    symptom="the error that is called one of reconstruction is none",
    cause="the decoder is fitted to the value after a window, not to the window",
    truth=("loss_target_mismatch",),
    also=(*STUCK, "disagreeing_loss", "order_is_lost", "no_better_than_last_value"),
)
def seventeenth_windows_not_rebuilt(repaired):
    x, after = data.windows(vibration(800, 1725), 10)
    new, _ = data.windows(vibration(500, 1726), 10)
    model = keras.Sequential(
        [
            keras.Input((10, 1)),
            L.LSTM(32),
            L.RepeatVector(10),
            L.LSTM(32, return_sequences=True),
            L.TimeDistributed(L.Dense(1)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mae")
    y = x if repaired else after
    options = {"epochs": 14, "batch_size": 32, "validation_split": 0.1}
    return Fit(model, x, y, scores.variance(new, new), options)


def amplified(n, seed):
    """Return pieces of a raw tone of two channels, and what an amplifier makes."""
    rng = np.random.default_rng(seed)
    t = np.arange(n + 40)
    pace = np.cumsum(0.35 + 0.2 * np.sin(t / 37)[:, None] + [[0, 0.15]], axis=0)
    raw = (0.8 + 0.5 * np.sin(t / 53))[:, None] * np.sin(pace)
    raw = raw + 0.15 * rng.normal(size=raw.shape)
    wet = np.tanh(1.5 * raw) + 0.5 * np.roll(raw, 4, axis=0)
    wet = wet - 0.3 * np.roll(raw[:, ::-1], 2, axis=0)
    x = np.stack([raw[i : i + 10] for i in range(20, 20 + n)])
    return x.astype("float32"), wet[29 : 29 + n].astype("float32")


@program(
    kind="softmax of values",
    family="guitar amplifier imitated, LSTM",
    half="seventeenth",
    address="https://discuss.tensorflow.org/t/lstm-only-yielding-outputs-between-0-1/3471",
    symptom="all outputs are between 0 and 1, the tone has both signs",
    cause="samples of a tone are to be predicted by a softmax and a cross-entropy",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, *("diverging_loss", "exploding_gradients"), "saturated_units"),
)
def seventeenth_tone_of_softmax(repaired):
    x, y = amplified(1000, 1727)
    new, new_y = amplified(500, 1728)
    model = keras.Sequential()
    model.add(keras.Input((10, 2)))
    model.add(L.LSTM(32))
    model.add(L.Dense(2, activation="linear" if repaired else "softmax"))
    loss = "mse" if repaired else "categorical_crossentropy"
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.005))
    options = {"epochs": 10, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def engines(n, seed):
    """Return the noise of engines over a turn, each centered, and which is faulty."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    t = np.arange(40)
    x = np.sin(t / 40 * 6.283 * 3 + rng.normal(0, 0.4, (n, 1)))
    knock = np.where(y == 1, 22.0, 12.0)[:, None] + rng.normal(0, 1.5, (n, 1))
    x = x + 1.3 * np.exp(-(((t - knock) / 1.5) ** 2)) + 0.4 * rng.normal(size=x.shape)
    x = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    return x[..., None].astype("float32"), y


def encoder(x):
    """Return a block of a transformer on series of one feature."""
    found = L.MultiHeadAttention(2, 8, dropout=0.1)(x, x)
    x = L.Add()([x, found])
    wide = L.Dropout(0.1)(L.Conv1D(8, 1, activation="relu")(x))
    return L.Add()([x, L.Conv1D(1, 1)(wide)])


@program(
    kind="pooled to one number",
    family="noise of engines, attention over one feature",
    half="seventeenth",
    address="https://github.com/keras-team/keras/issues/20627",
    symptom="the example of a transformer stays at an accuracy of half",
    cause="the average over time of a single feature leaves one number of a series",
    truth=("order_is_lost", "model_too_small", "wrong_axis"),
    also=STUCK,
)
def seventeenth_pooled_to_one(repaired):
    x, y = engines(900, 1729)
    new, new_y = engines(400, 1730)
    inputs = keras.Input((40, 1))
    hidden = encoder(inputs)
    hidden = L.Flatten()(hidden) if repaired else L.GlobalAveragePooling1D()(hidden)
    hidden = L.Dropout(0.2)(L.Dense(32, activation="relu")(hidden))
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.002),
        "sparse_categorical_crossentropy",
        metrics=["sparse_categorical_accuracy"],
    )
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
