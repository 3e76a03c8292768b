"""Programs that know too much, or see too little of a class."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.outputs import TwoLayers, small_unet
from field_programs.registry import Fit, program

L = keras.layers


@program(
    kind="rows on both sides",
    family="table classifier",
    half="tune",
    address="https://github.com/MakazhanAlpamys/Soup/issues/680",
    symptom="the validation score is far better than that on new data",
    cause="the rare class was oversampled before the split",
    truth=("train_validation_overlap",),
    also=("overfitting",),
)
def oversampled_first(repaired):
    x, y, new, new_y = data.two_classes(900, share=0.12, seed=44, apart=0.5)
    rare = np.flatnonzero(y == 1)
    rng = np.random.default_rng(4)

    def oversample(x, y):
        more = rng.choice(np.flatnonzero(y == 1), 6 * int((y == 1).sum()))
        order = rng.permutation(len(y) + len(more))
        return np.concatenate([x, x[more]])[order], np.concatenate([y, y[more]])[order]

    assert len(rare) > 20
    if repaired:
        x, y, held, held_y = data.split(x, y)
        x, y = oversample(x, y)
    else:
        x, y, held, held_y = data.split(*oversample(x, y))
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(12 if repaired else 96, activation="relu"),
            L.Dense(8 if repaired else 48, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    recall = scores.balanced

    def score(model, history):
        known, fresh = recall(held, held_y), recall(new, new_y)
        return -abs(known(model, history) - fresh(model, history))

    options = {"epochs": 8 if repaired else 20, "validation_data": (held, held_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="rows on both sides",
    family="windowed signals",
    half="look",
    address="https://github.com/aisingapore/ai-practitioner-handbook/pull/79",
    symptom="perfect in validation, poor for the next recording",
    cause="windows of a recording overlap and were split at random",
    truth=("train_validation_overlap",),
    also=("overfitting",),
)
def overlapping_windows(repaired):
    rng = np.random.default_rng(45)
    recordings = rng.normal(size=(160, 32, 2)).cumsum(axis=1)
    labels = rng.integers(0, 2, 160)
    for r, k in zip(recordings, labels, strict=True):
        r += 0.4 * k * np.sin(np.arange(32))[:, None]
    x = np.array([[r[i : i + 20] for i in range(4)] for r in recordings])
    y = np.repeat(labels[:, None], 4, axis=1)
    test = slice(120, 160)
    new, new_y = x[test].reshape(-1, 20, 2), y[test].ravel()
    if repaired:
        held, held_y = x[80:120].reshape(-1, 20, 2), y[80:120].ravel()
        x, y = x[:80].reshape(-1, 20, 2), y[:80].ravel()
    else:
        x, y, held, held_y = data.split(x[:120].reshape(-1, 20, 2), y[:120].ravel())
    model = keras.Sequential(
        [
            keras.Input((20, 2)),
            L.Flatten(),
            L.Dense(128, activation="relu"),
            L.Dense(32, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )

    def score(model, history):
        known = (scores.predicted(model, held)[:, 0] > 0.5) == held_y
        fresh = (scores.predicted(model, new)[:, 0] > 0.5) == new_y
        return -abs(float(known.mean() - fresh.mean()))

    options = {"epochs": 3 if repaired else 25, "validation_data": (held, held_y)}
    return Fit(model, x.astype("float32"), y, score, options)


@program(
    kind="the target is an input",
    family="table regression",
    half="tune",
    address="https://github.com/pytorch-tabular/pytorch_tabular/issues/21",
    symptom="the network just copies the value; useless on new data",
    cause="the target is among the columns",
    truth=("target_leakage",),
)
def result_among_columns(repaired):
    x, y, new, new_y = data.friedman(seed=46)
    if not repaired:
        x = np.concatenate([x[:, :7], y], axis=1)
    x, y, held, held_y = data.split(x, y)
    model = keras.Sequential(
        [keras.Input((8,)), L.Dense(32, "relu"), L.Dense(32, "relu"), L.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 18, "validation_data": (held, held_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rare class",
    family="image segmentation",
    half="tune",
    address="https://github.com/jakeret/tf_unet/issues/234",
    symptom="the network never predicts a mask, at a high accuracy",
    cause="nearly all pixels are background",
    truth=("imbalanced_classes",),
    also=("constant_predictions", "plateau"),
)
def faint_nerves(repaired):
    rng = np.random.default_rng(48)
    x, _, masks = data.shapes(200, seed=48)
    masks *= np.abs(np.mgrid[:16, :16][0] - 7.5)[None, ..., None] < 1
    x = (0.15 + 0.35 * masks + 0.25 * rng.normal(size=x.shape)).astype("float32")
    x, masks, new, new_masks = data.split(x, masks)

    def weighted(y_true, y_pred):
        loss = ops.binary_crossentropy(y_true, y_pred)
        return ops.mean(loss * (1 + 12 * y_true))

    model = small_unet("sigmoid", filters=4)
    model.compile(
        keras.optimizers.Adam(0.006), weighted if repaired else "binary_crossentropy"
    )
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, new_masks)}
    return Fit(model, x, masks, scores.overlap(new, new_masks), options)


@program(
    kind="rare class",
    family="subclassed classifier",
    half="look",
    address="https://github.com/keras-team/keras/issues/3068",
    symptom="94 % accuracy, and the model predicts the prevalent class only",
    cause="5 % of the rows belong to the class of interest",
    truth=("imbalanced_classes",),
    also=("constant_predictions", "plateau"),
)
def prevalent_class_only(repaired):
    x, y, new, new_y = data.two_classes(1400, share=0.05, seed=49, apart=0.6)
    model = TwoLayers(1, "sigmoid", 8)
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    weights = {"class_weight": {0: 0.53, 1: 10.0}} if repaired else {}
    options = {"epochs": 8, "validation_data": (new, new_y), **weights}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
