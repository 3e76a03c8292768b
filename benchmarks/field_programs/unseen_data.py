"""Unseen programs whose rows are out of step, shared, blank, rare or different."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import small_cnn
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="future of another level",
    family="recurrent forecast",
    half="unseen",
    address="https://github.com/jinglescode/time-series-forecasting-tensorflowjs/issues/5",
    symptom="a flat line where the network is asked about the last fifth",
    cause="prices rise, so that the held-out ones lie beyond all it was trained on",
    truth=("unrepresentative_validation",),
    also=("overfitting", "rows_in_order", "saturated_units"),
)
def flat_line_at_the_end(repaired):
    rng = np.random.default_rng(321)
    steps = 0.006 + 0.01 * rng.normal(size=460)
    price = np.exp(np.cumsum(steps)) * (1 + 0.06 * np.sin(np.arange(460) / 5))
    price = (price - price.min()) / (price[:340].max() - price.min())
    x, y = data.windows(price, 20)
    last = x[:, -1].copy()
    if repaired:
        x, y = 8 * (x - last[:, None]), 8 * (y - last)
    model = keras.Sequential()
    model.add(keras.Input((20, 1)))
    model.add(L.LSTM(24))
    model.add(L.Dense(16, activation="tanh"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), "mse")

    def score(model, history):
        out = scores.predicted(model, x[-88:])
        if repaired:
            return scores.explained(out / 8 + last[-88:], y[-88:] / 8 + last[-88:])
        return scores.explained(out, y[-88:])

    options = {"epochs": 13, "batch_size": 16, "validation_split": 0.2}
    return Fit(model, x, y, score, options)


@program(
    kind="target shifted the wrong way",
    family="table of lags",
    half="unseen",
    address="https://github.com/KIC/pandas-ml-quant/issues/25",
    symptom="the target is shifted forward: the past is predicted, and well",
    cause="the answer for yesterday stands among the lags of today",
    truth=("target_leakage",),
)
def yesterday_foretold(repaired):
    rng = np.random.default_rng(322)
    days = 620
    volume = rng.normal(size=days)
    returns = 0.9 * np.roll(volume, 1) + 0.6 * rng.normal(size=days)
    columns = [np.roll(returns, lag) for lag in range(5)]
    columns += [np.roll(volume, lag) for lag in range(3)]
    x = np.stack(columns, -1).astype("float32")
    tomorrow = (np.roll(returns, -1) > 0).astype("float32")
    yesterday = (np.roll(returns, 1) > 0).astype("float32")
    y = tomorrow if repaired else yesterday
    train, new = slice(8, 420), slice(420, 610)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.1),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 18, "validation_data": (x[new], y[new])}
    score = scores.balanced(x[new], tomorrow[new])
    return Fit(model, x[train], y[train], score, options)


@program(
    kind="rare class",
    family="text classifier",
    half="unseen",
    address="https://github.com/t-davidson/hate-speech-and-offensive-language/issues/8",
    symptom="poor results of an LSTM for two of the three classes",
    cause="the classes of interest make up 5 and 8 % of the texts",
    truth=("imbalanced_classes",),
    also=(*STUCK, "overfitting", "unmasked_padding"),
)
def rude_texts(repaired):
    rng = np.random.default_rng(323)
    n = 900
    y = rng.choice(3, n, p=[0.87, 0.08, 0.05])
    x = rng.integers(1, 50, (n, 12))
    rude = rng.random((n, 12)) < 0.2
    own = np.where(y[:, None] == 1, 1, 6) + rng.integers(0, 5, (n, 12))
    x = np.where(rude & (y[:, None] > 0), own, x).astype("int32")
    x, y, new, new_y = data.split(x, y, 0.6)
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            L.Embedding(50, 8),
            L.LSTM(16),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    if repaired:
        weight = len(y) / (3 * np.bincount(y))
        options["class_weight"] = dict(enumerate(weight.tolist()))
        options["epochs"] = 14
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="blank picture divided by zero",
    family="generator",
    half="unseen",
    address="https://github.com/albumentations-team/albumentations/issues/1742",
    symptom="scaling by least and greatest value makes NaN of black pictures",
    cause="a few pictures are blank: zero is divided by zero",
    truth=("non_finite_data",),
    also=(
        "non_finite_operation",
        "non_finite_start",
        "non_finite_values",
        "non_finite_weights",
    ),
)
def black_frames(repaired):
    x, y, new, new_y = data.digits(600)
    x = x.copy()
    x[[77, 310, 455]] = 0.0

    def stretched(pictures):
        low = pictures.min(axis=(1, 2, 3), keepdims=True)
        high = pictures.max(axis=(1, 2, 3), keepdims=True)
        spread = high - low
        if repaired:
            spread = np.maximum(spread, 1e-6)
        with np.errstate(invalid="ignore"):
            return ((pictures - low) / spread).astype("float32")

    def batches():
        rng = np.random.default_rng(324)
        while True:
            order = rng.permutation(len(x))
            for i in range(0, len(x) - 31, 32):
                rows = order[i : i + 32]
                yield stretched(x[rows]), y[rows]

    model = small_cnn()
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    new = stretched(new)
    options = {
        "epochs": 6,
        "steps_per_epoch": len(x) // 32,
        "validation_data": (new, new_y),
    }
    return Fit(model, batches(), None, scores.accuracy(new, new_y), options)


@program(
    kind="rows on both sides",
    family="tf.data",
    half="unseen",
    address="https://github.com/tensorflow/tensorflow/issues/59279",
    symptom="after shuffle, take and skip the validation is too good",
    cause="the rows are shuffled anew in each epoch, before they are split",
    truth=("train_validation_overlap",),
    also=("overfitting", "model_too_large"),
)
def shuffled_then_split(repaired):
    import tensorflow as tf

    x, y, new, new_y = data.two_classes(900, seed=325, apart=0.9)
    rng = np.random.default_rng(325)
    y = np.where(rng.random(len(y)) < 0.15, 1 - y, y)[:320]
    x = x[:320]
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    rows = rows.shuffle(320, seed=5, reshuffle_each_iteration=not repaired)
    train, held_out = rows.take(240).batch(16), rows.skip(240).batch(16)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(96, activation="relu"),
            L.Dense(64, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )

    def score(model, history):
        answer = scores.predicted(model, new)[:, 0] > 0.5
        honest = 0.15 + 0.7 * (answer == new_y).mean()  # with the errors of labels
        return -abs(np.mean(history.history["val_accuracy"][-3:]) - honest)

    options = {"epochs": 36, "validation_data": held_out}
    return Fit(model, train, None, score, options)


@program(
    kind="inputs and targets out of step",
    family="convolutional regression",
    half="unseen",
    address="https://github.com/NoahVl/Explaining-In-Style-Reproducibility-Study/issues/9",
    symptom="labels and pictures are not loaded in the same order",
    cause="files are listed as 0, 1, 10, 100, the table goes 0, 1, 2, 3",
    truth=("unrelated_targets", "unknown_cause"),
    also=(*STUCK, "overfitting", "oscillating_loss"),
)
def files_in_another_order(repaired):
    rng = np.random.default_rng(326)
    n = 420
    size = rng.uniform(1, 4.5, n)
    row, column = np.mgrid[:12, :12]
    away = np.hypot(row - 5.5, column - 5.5)
    x = (away < size[:, None, None]) + 0.2 * rng.normal(size=(n, 12, 12))
    x = x[..., None].astype("float32")
    y = ((size - size.mean()) / size.std()).astype("float32")[:, None]
    new, new_y, x, y = x[320:], y[320:], x[:320], y[:320]
    names = [f"{i}.png" for i in range(320)]
    if not repaired:
        names.sort()
    x = np.stack([x[int(name.split(".")[0])] for name in names])
    inputs = keras.Input((12, 12, 1))
    hidden = L.Conv2D(8, 3, activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Flatten()(hidden)
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    options = {"epochs": 12, "batch_size": 16, "validation_split": 0.2}
    return Fit(model, x, y, scores.variance(new, new_y), options)
