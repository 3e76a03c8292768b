"""Twelfth half: programs whose rows are not what the model should see."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def tiles(n, classes=5, seed=1221, noise=0.25):
    """Return small pictures in color with stripes, and the direction of these."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, classes, n)
    row, column = np.mgrid[:16, :16]
    angle = kind[:, None, None] * np.pi / classes + 0.08 * rng.normal(size=(n, 1, 1))
    phase = rng.uniform(0, 6.28, (n, 1, 1))
    wave = np.sin(0.9 * (row * np.cos(angle) + column * np.sin(angle)) + phase)
    color = rng.uniform(0.1, 0.4, (n, 1, 1, 3))
    x = 0.5 + color * wave[..., None] + noise * rng.normal(size=(n, 16, 16, 3))
    return np.clip(x, 0, 1).astype("float32"), kind


@program(
    kind="validation of the last rows",
    family="image classifier, colors",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/3894",
    symptom="the accuracy of training is very high, that of validation very low",
    cause="rows stand in the order of their class, and the last are validated",
    truth=("unrepresentative_validation", "rows_in_order"),
    also=("overfitting", "imbalanced_classes"),
)
def folders_one_after_the_other(repaired):
    x, y = tiles(800)
    new, new_y = tiles(300, seed=1222)
    rng = np.random.default_rng(1221)
    order = rng.permutation(800) if repaired else np.argsort(y, kind="stable")
    inputs = keras.Input((16, 16, 3))
    hidden = L.Conv2D(16, 5, activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(24, 3, activation="relu")(hidden)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Dropout(0.25)(L.Flatten()(hidden))
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 10, "batch_size": 25, "validation_split": 0.25}
    score = scores.accuracy(new, new_y)
    return Fit(model, x[order], y[order], score, options)


@program(
    kind="generator repeats one batch",
    family="table regression, generator",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/6341",
    symptom="with a generator the results are far from those of arrays",
    cause="the rows are drawn once, before the endless loop",
    truth=("repeated_batches",),
    also=("overfitting", "model_too_large", "underfitting", "unrelated_targets"),
)
def rows_drawn_before_the_loop(repaired):
    x, y, new, new_y = data.friedman(1200, seed=1223)
    rng = np.random.default_rng(1223)

    def from_memory(size):
        rows = rng.integers(0, len(x), size)
        while True:
            if repaired:
                rows = rng.integers(0, len(x), size)
            yield x[rows], y[rows]

    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.004), "mse")
    options = {
        "epochs": 14,
        "steps_per_epoch": 25,
        "validation_data": (new, new_y),
    }
    return Fit(model, from_memory(32), None, scores.variance(new, new_y), options)


def biopsies(people, each, seed):
    """Return measurements of cells of people, who they are from, and who is ill."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(people, 10))
    risk = person[:, :4].sum(axis=1) / 2 + 0.6 * rng.normal(size=people)
    who = np.repeat(np.arange(people), each)
    x = person[who] + 0.25 * rng.normal(size=(people * each, 10))
    return x.astype("float32"), (risk > 0).astype("int32")[who], who


@program(
    kind="people on both sides",
    family="cells of people",
    half="twelfth",
    address="https://github.com/theislab/multimil/issues/75",
    symptom="the error of validation is far lower than on new samples",
    cause="cells of the same sample are trained on and validated with",
    truth=("train_validation_overlap",),
    also=("overfitting", "target_leakage", "model_too_large"),
)
def cells_split_at_random(repaired):
    x, y, who = biopsies(260, 6, 1224)
    new, new_y, _ = biopsies(300, 3, 1225)
    rng = np.random.default_rng(1224)
    if repaired:
        held = np.isin(who, rng.permutation(260)[:80])
    else:
        held = rng.random(len(x)) < 0.3
    inputs = keras.Input((10,))
    hidden = L.Dense(96, activation="relu")(inputs)
    hidden = L.Dropout(0.1)(hidden)
    hidden = L.Dense(48, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.001 if repaired else 0.004),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    options = {
        "epochs": 16,
        "batch_size": 32,
        "validation_data": (x[held], y[held]),
        "callbacks": [stop],
    }
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    return Fit(model, x[~held], y[~held], score, options)


@program(
    kind="new rows not scaled",
    family="table classifier",
    half="twelfth",
    address="https://github.com/Kotlin/kotlindl/issues/287",
    symptom="it always predicts the same, whatever the age",
    cause="trained on rows from 0 to 1 but tested on raw ones",
    truth=("unrepresentative_validation",),
    also=("constant_predictions", "overfitting", "unscaled_inputs", "saturated_units"),
)
def side_effects_by_age(repaired):
    rng = np.random.default_rng(1225)
    raw = np.stack(
        [
            rng.uniform(13, 100, 1300),
            rng.uniform(40, 120, 1300),
            rng.uniform(5, 80, 1300),
        ],
        axis=-1,
    ).astype("float32")
    risk = (raw[:, 0] - 60) / 12 + (raw[:, 2] - 40) / 14 - (raw[:, 1] - 80) / 25
    y = (risk + 0.8 * rng.normal(size=1300) > 0).astype("int32")
    x, y, new, new_y = data.split(raw, y, 0.75)
    low, high = x.min(axis=0), x.max(axis=0)
    x = (x - low) / (high - low)
    if repaired:
        new = (new - low) / (high - low)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            L.Dense(16, activation="relu"),
            L.Dense(32, activation="relu"),
            L.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 14, "batch_size": 25, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def rooms(n, seed):
    """Return pictures of boxes in a room, some of them black, and their depth."""
    rng = np.random.default_rng(seed)
    row = np.arange(16)[:, None]
    depth = np.full((n, 16, 16), 1.0) - 0.02 * row
    for i in range(n):
        for _ in range(2):
            r, c = rng.integers(1, 10, 2)
            high, wide = rng.integers(3, 6, 2)
            depth[i, r : r + high, c : c + wide] = rng.uniform(0.2, 0.7)
    light = rng.uniform(60, 200, (n, 1, 1))
    x = light * (1.2 - depth) + 4 * rng.normal(size=depth.shape)
    x[rng.random(n) < 0.02] = 0
    return x[..., None], depth[..., None].astype("float32")


@program(
    kind="NaN in the inputs",
    family="depth of pictures",
    half="twelfth",
    address="https://github.com/prs-eth/Marigold/issues/111",
    symptom="the loss turns into NaN, also with a tenth of the learning rate",
    cause="some of the pictures that are trained on consist of NaN",
    truth=("non_finite_data",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "non_finite_start"),
)
def black_pictures_of_rooms(repaired):
    x, y = rooms(480, 1226)
    new, new_y = rooms(160, 1227)
    seen, new_seen = (a.max(axis=(1, 2, 3)) > 0 for a in (x, new))
    new, new_y = new[new_seen], new_y[new_seen]
    if repaired:
        x, y = x[seen], y[seen]

    def normal(pictures):
        low = pictures.min(axis=(1, 2, 3), keepdims=True)
        high = pictures.max(axis=(1, 2, 3), keepdims=True)
        with np.errstate(invalid="ignore"):
            return ((pictures - low) / (high - low)).astype("float32")

    x, new = normal(x), normal(new)
    inputs = keras.Input((16, 16, 1))
    first = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    low = L.Conv2D(16, 3, padding="same", activation="relu")(L.MaxPooling2D()(first))
    low = L.Conv2D(16, 3, padding="same", activation="relu")(low)
    up = L.Concatenate()([L.UpSampling2D()(low), first])
    up = L.Conv2D(12, 3, padding="same", activation="relu")(up)
    model = keras.Model(inputs, L.Conv2D(1, 1)(up))
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    options = {"epochs": 10, "batch_size": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y.astype("float64")), options)
