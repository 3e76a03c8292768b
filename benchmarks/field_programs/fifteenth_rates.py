"""Fifteenth half: programs with a fault in their steps, scales or shares."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def patches(n, seed):
    """Return patches of photographs as bytes, and how good they look, from 0 to 1."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:16, :16]
    quality = rng.uniform(0.3, 1.0, n)
    turn = rng.uniform(0, np.pi, (n, 1, 1))
    phase = rng.uniform(0, 6.28, (n, 1, 1))
    wave = np.sin(0.9 * (np.cos(turn) * row + np.sin(turn) * column) + phase)
    noise = rng.normal(size=wave.shape) * (1 - quality)[:, None, None]
    x = 128 + 50 * wave + 70 * noise + rng.uniform(-15, 15, (n, 1, 1))
    return np.clip(x, 0, 255).astype("uint8")[..., None], quality[:, None]


@program(
    kind="inputs not scaled",
    family="quality of patches, pictures",
    half="fifteenth",
    address="https://github.com/keras-team/keras/issues/2139",
    symptom="the loss is 67 in the first epoch, 0.04 in all others; one answer for all",
    cause="pictures as bytes up to 255: the first steps turn the rectified units off",
    truth=("unscaled_inputs",),
    also=(*STUCK, *BLOWN_UP, "dead_units", "zero_gradients", "learning_rate_too_high"),
)
def quality_of_patches(repaired):
    x, y = patches(700, 1531)
    x, y, new, new_y = data.split(x.astype("float32"), y.astype("float32"))
    if repaired:
        x, new = x / 127.5 - 1, new / 127.5 - 1
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(16, 5, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9, clipvalue=1.0), "mse")
    score = scores.variance(new, new_y)
    return Fit(model, x, y, score, {"epochs": 12, "batch_size": 16})


def livers(n, seed):
    """Return scans of a body, and the masks of its liver."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:24, :24]
    x, y = np.zeros((n, 24, 24, 1)), np.zeros((n, 24, 24, 1))
    for i in range(n):
        body = np.hypot((row - 12) / 11, (column - 12) / 10) < 1
        r, c = rng.uniform(8, 15), rng.uniform(6, 11)
        tall, wide = rng.uniform(3, 5), rng.uniform(3, 6)
        liver = (np.hypot((row - r) / tall, (column - c) / wide) < 1) & body
        bone = np.hypot(row - 19, column - 12) < 2.5
        x[i, ..., 0] = 0.35 * body + 0.25 * liver + 0.6 * bone
        y[i, ..., 0] = liver
    x = x + 0.07 * rng.normal(size=x.shape)
    return x.astype("float32"), y.astype("float32")


@program(
    kind="rate too high",
    family="segmentation of the liver",
    half="fifteenth",
    address="https://github.com/milesial/Pytorch-UNet/issues/255",
    symptom="the loss is about 0.0x, but what is predicted after 5 epochs is all black",
    cause="the learning rate is too high",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "saturated_units",
        "imbalanced_classes",
        "zero_gradients",
        "batch_size_too_small",
    ),
)
def black_livers(repaired):
    x, y = livers(160, 1532)
    new, new_y = livers(80, 1533)
    inputs = keras.Input((24, 24, 1))
    same = {"padding": "same", "activation": "relu"}
    top = L.Conv2D(8, 3, **same)(inputs)
    low = L.Conv2D(16, 3, **same)(L.MaxPooling2D()(top))
    low = L.Conv2D(16, 3, **same)(low)
    hidden = L.Concatenate()([top, L.UpSampling2D()(low)])
    hidden = L.Conv2D(8, 3, **same)(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    rate = 0.001 if repaired else 0.1
    optimizer = keras.optimizers.RMSprop(rate, momentum=0.9)
    model.compile(optimizer, "binary_crossentropy")
    options = {"epochs": 6, "batch_size": 4, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.overlap(new, new_y), options)


@program(
    kind="inputs and targets not scaled",
    family="exchange rates, table",
    half="fifteenth",
    address="https://wiki.gubat.org/content/stackoverflow.com_en_all_2023-11/questions/65310966/regression-with-keras-api-not-giving-consistent-result",
    symptom="the error is 136 in one run and 7 in another, that of a line always 0.22",
    cause="two rectified units for rates near 121: scaled neither there nor here",
    truth=("unscaled_targets", "unscaled_inputs", "dead_units"),
    also=(
        *STUCK,
        "zero_gradients",
        "model_too_small",
        "learning_rate_too_low",
        "poor_initialization",
    ),
)
def rates_of_exchange(repaired):
    rng = np.random.default_rng(1534)
    rate = np.zeros(1000)
    for i in range(1, 1000):
        rate[i] = 0.93 * rate[i - 1] + 0.4 * rng.normal()
    rate = 121.9 + rate
    x, y = rate[:-1, None], rate[1:, None]
    x, y, new, new_y = x[:640], y[:640], x[640:], y[640:]
    if repaired:
        x, new = data.standard(x, new)
        y, new_y = data.standard(y, new_y)
    model = keras.Sequential()
    model.add(keras.Input((1,)))
    units = 8 if repaired else 2
    start = keras.initializers.GlorotUniform(seed=3)
    model.add(L.Dense(units, activation="relu", kernel_initializer=start))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    x, y, new, new_y = (a.astype("float32") for a in (x, y, new, new_y))
    score = scores.variance(new, new_y)
    return Fit(model, x, y, score, {"epochs": 25, "batch_size": 32})


def f1_metric(y_true, y_pred):
    said = ops.round(y_pred)
    y_true = ops.cast(y_true, said.dtype)
    hits = ops.sum(said * y_true)
    return 2 * hits / (ops.sum(said) + ops.sum(y_true) + 1e-7)


@program(
    kind="callback looks the wrong way",
    family="questions, text",
    half="fifteenth",
    address="https://github.com/keras-team/keras/issues/11964",
    symptom="the rate is reduced in each epoch, as if the F1 score did not improve",
    cause="ReduceLROnPlateau takes a metric it does not know for one to be small",
    truth=("learning_rate_collapsed",),
    also=(*STUCK, "too_few_updates", "learning_rate_too_low"),
)
def insincere_questions(repaired):
    rng = np.random.default_rng(1535)
    n = 1500
    y = (rng.random(n) < 0.35).astype("int32")
    x = rng.integers(30, 200, (n, 14))
    odd = rng.random(x.shape) < 0.12
    own = np.where(y[:, None] == 1, rng.integers(1, 15, x.shape), 0)
    x[odd] = np.where(own > 0, own, rng.integers(15, 30, x.shape))[odd]
    x, y, new, new_y = data.split(x.astype("int32"), y)
    model = keras.Sequential(
        [
            keras.Input((14,), dtype="int32"),
            L.Embedding(200, 12),
            L.Conv1D(16, 3, activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.002)
    model.compile(optimizer, "binary_crossentropy", metrics=[f1_metric])
    reduce = keras.callbacks.ReduceLROnPlateau(
        monitor="val_f1_metric",
        factor=0.2,
        patience=1,
        min_lr=1e-7,
        mode="max" if repaired else "min",
    )
    options = {
        "epochs": 12,
        "batch_size": 32,
        "validation_data": (new, new_y[:, None].astype("float32")),
        "callbacks": [reduce],
    }
    y = y[:, None].astype("float32")
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rare class",
    family="emotions in talks, three inputs",
    half="fifteenth",
    address="https://github.com/amanshenoy/multilogue-net/issues/8",
    symptom="of most emotions the model predicts one class only: never",
    cause="the emotion is rare, and rows are not weighted by their class",
    truth=("imbalanced_classes",),
    also=("constant_predictions", "underfitting", "metric_mismatch", "plateau"),
)
def rare_emotion(repaired):
    rng = np.random.default_rng(1536)
    n = 1900
    y = (rng.random(n) < 0.07).astype("int32")
    parts = [rng.normal(size=(n, size)) for size in (12, 8, 6)]
    for part, shift in zip(parts, (0.75, 0.7, -0.75), strict=True):
        part[:, :3] += shift * y[:, None]
    rows = np.arange(n) < 1300
    x = [part[rows].astype("float32") for part in parts]
    new = [part[~rows].astype("float32") for part in parts]
    inputs = [keras.Input((size,)) for size in (12, 8, 6)]
    codes = [L.Dense(8, activation="tanh")(part) for part in inputs]
    hidden = L.Dropout(0.3)(L.Concatenate()(codes))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.002), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32}
    if repaired:
        options["class_weight"] = {0: 1.0, 1: 13.0}
    y, new_y = y[rows, None].astype("float32"), y[~rows]
    return Fit(model, x, y, scores.balanced(new, new_y), options)
