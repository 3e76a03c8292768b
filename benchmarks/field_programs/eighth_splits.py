"""Programs of the eighth half whose rows are split, sorted or shared out badly."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="validation of one class",
    family="table",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/796",
    symptom="all labels of the validation set are one class: 0 or 1 is its accuracy",
    cause="rows are sorted by class and the last are held out",
    truth=("unrepresentative_validation", "rows_in_order"),
    also=("overfitting", "imbalanced_classes", "constant_targets"),
)
def last_rows_of_one_class(repaired):
    x, y, new, new_y = data.two_classes(900, share=0.33, seed=831, apart=1.2)
    if not repaired:
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    inputs = keras.Input((12,))
    hidden = L.Dense(24, activation="relu")(inputs)
    hidden = L.Dense(12, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    rate = keras.optimizers.Adam(0.003)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    options = {"epochs": 15, "batch_size": 32, "validation_split": 0.3}
    return Fit(model, x, y, score, options)


@program(
    kind="rows on both sides of the split",
    family="recordings",
    half="eighth",
    address="https://geeksmental.com/question/discrepancy-between-cross-validation-and-un-seen-data-predictions",
    symptom="training and validation go well, unseen targets are hardly found",
    cause="rows were multiplied and balanced before they were split",
    truth=("train_validation_overlap",),
    also=("overfitting", "model_too_large"),
)
def balanced_before_the_split(repaired):
    rng = np.random.default_rng(832)
    t = np.arange(48)
    y = (rng.random(900) < 0.2).astype("int32")
    wave = np.sin(0.3 * t + rng.uniform(0, 6.28, (900, 1)))
    bump = np.exp(-(((t - rng.uniform(12, 36, (900, 1))) / 2) ** 2))
    x = wave + 1.4 * y[:, None] * bump + 0.55 * rng.normal(size=(900, 48))
    x = x.astype("float32")
    old, old_y, new, new_y = x[:400], y[:400], x[400:], y[400:]

    def multiplied(x, y):
        often = np.concatenate([np.arange(len(y)), np.repeat(np.flatnonzero(y), 4)])
        often = np.repeat(rng.permutation(often), 2)
        noise = 0.05 * rng.normal(size=(len(often), 48))
        return (x[often] + noise).astype("float32"), y[often]

    if repaired:
        held_out = multiplied(old[280:], old_y[280:])
        x, y = multiplied(old[:280], old_y[:280])
    else:
        x, y = multiplied(old, old_y)
        x, y, *held_out = data.split(x, y)
    model = keras.Sequential()
    model.add(keras.Input((48,)))
    if repaired:
        model.add(L.Reshape((48, 1)))
        model.add(L.Conv1D(12, 7, activation="relu"))
        model.add(L.GlobalMaxPooling1D())
    else:
        model.add(L.Dense(96, activation="relu"))
        model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    rate = keras.optimizers.Adam(0.006)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])

    def unseen(model, history):
        found = scores.predicted(model, new)[:, 0] > 0.5
        return float(np.mean([(found[new_y == k] == k).mean() for k in (0, 1)]))

    options = {"epochs": 20, "batch_size": 32, "validation_data": tuple(held_out)}
    return Fit(model, x, y, scores.honesty("val_accuracy", unseen), options)


@program(
    kind="the shuffled dataset is thrown away",
    family="pipeline of tf.data",
    half="eighth",
    address="https://github.com/tensorflow/models/issues/4215",
    symptom="the training data are not shuffled as expected",
    cause="shuffle returns a new dataset, and its result is not kept",
    truth=("rows_in_order",),
    also=(
        *STUCK,
        "oscillating_loss",
        "learning_rate_too_high",
        "diverging_loss",
        "overfitting",
        "normalization_lag",
        "repeated_batches",
    ),
)
def shuffle_is_not_kept(repaired):
    import tensorflow as tf

    x, y, new, new_y = data.digits(900)
    order = np.argsort(y, kind="stable")
    rows = tf.data.Dataset.from_tensor_slices((x[order], y[order]))
    shuffled = rows.shuffle(1000, seed=833)
    if repaired:
        rows = shuffled
    rows = rows.batch(30)
    held_out = tf.data.Dataset.from_tensor_slices((new, new_y)).batch(50)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    score = scores.balanced(new, new_y)
    return Fit(model, rows, None, score, {"epochs": 8, "validation_data": held_out})


@program(
    kind="validation pictures on another scale",
    family="generator of pictures",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/6499",
    symptom="98 % in fit, and 50 % and a loss of 7.9 with the other generator",
    cause="only the generator for training divides by 255",
    truth=("unrepresentative_validation",),
    also=(
        "unscaled_inputs",
        "overfitting",
        "saturated_units",
        "model_too_large",
        "diverging_loss",
    ),
)
def only_training_is_rescaled(repaired):
    pictures, kind, _ = data.shapes(620, seed=834)
    x = (pictures * 255).astype("uint8")

    def rescale(x, y, index):
        x = x.astype("float32") / 255
        return (x[:, :, ::-1] if index % 2 else x), y

    def alike(x, y, index):
        return x.astype("float32") / (255 if repaired else 1), y

    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.GlobalMaxPooling2D(),
            L.Dropout(0.2),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    rate = keras.optimizers.Adam(0.005)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    train = Batches(x[:320], kind[:320], 32, rescale)
    held_out = Batches(x[320:450], kind[320:450], 32, alike)
    new = x[450:].astype("float32") / 255
    score = scores.honesty("val_accuracy", scores.right(new, kind[450:]))
    options = {"epochs": 18, "validation_data": held_out}
    return Fit(model, train, None, score, options)


@program(
    kind="few rows of the class that counts",
    family="convolutions over words",
    half="eighth",
    address="https://datascience.stackexchange.com/questions/30930",
    symptom="all articles are found uninteresting: 97.44 %, as many as there are",
    cause="one article in twenty is interesting, and both weigh the same",
    truth=("imbalanced_classes",),
    also=(*STUCK, "metric_mismatch"),
    margin=0.15,
)
def few_interesting_articles(repaired):
    rng = np.random.default_rng(835)
    y = (rng.random(2600) < 0.05).astype("int32")
    x = rng.normal(size=(2600, 20, 6))
    place = rng.integers(0, 18, 2600)
    for i in np.flatnonzero(y):
        x[i, place[i] : place[i] + 3, :2] += 1.3
    x = x.astype("float32")
    inputs = keras.Input((20, 6))
    towers = [
        L.GlobalMaxPooling1D()(L.Conv1D(6, size, activation="relu")(inputs))
        for size in (2, 3)
    ]
    hidden = L.Dropout(0.25)(L.Concatenate()(towers))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    rate = keras.optimizers.Adam(0.003)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    held_out = x[1300:], y[1300:]
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    if repaired:
        options["class_weight"] = {0: 0.53, 1: 10.0}
    return Fit(model, x[:1300], y[:1300], scores.balanced(*held_out), options)


@program(
    kind="few points belong to the mask",
    family="segmentation",
    half="eighth",
    address="https://github.com/jakeret/tf_unet/issues/243",
    symptom="only background is predicted, with an accuracy of 0.98",
    cause="hardly any pixel is of the class sought, and all weigh the same",
    truth=("imbalanced_classes",),
    also=(*STUCK, "metric_mismatch", "zero_gradients"),
)
def specks_in_noise(repaired):
    rng = np.random.default_rng(836)
    masks = np.zeros((420, 16, 16, 1), "float32")
    where = rng.integers(1, 14, (420, 2))
    for mask, (r, c) in zip(masks, where, strict=True):
        mask[r : r + 2, c : c + 2] = 1
    x = (1.1 * masks + 0.65 * rng.normal(size=masks.shape)).astype("float32")
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))

    def dice(truth, answer):
        both = keras.ops.sum(truth * answer)
        sizes = keras.ops.sum(truth) + keras.ops.sum(answer)
        return 1 - (2 * both + 1) / (sizes + 1)

    loss = dice if repaired else "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.006), loss, metrics=["binary_accuracy"])
    held_out = x[300:], masks[300:]
    options = {"epochs": 12, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:300], masks[:300], scores.overlap(*held_out), options)
