"""Ninth half: programs whose rows are not what the model should see."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="inputs not scaled",
    family="dense network on pictures of signs",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/6914",
    symptom="the classifier of digits does not go past 30 %",
    cause="the pixels go from 0 to 255",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "learning_rate_too_high",
        "dead_units",
        "exploding_activations",
        "saturated_units",
        "zero_gradients",
    ),
)
def pixels_to_255(repaired):
    x, y, new, new_y = data.digits(800)
    x, new = np.round(255 * x.reshape(-1, 64)), np.round(255 * new.reshape(-1, 64))
    if repaired:
        x, new = x / 255, new / 255
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(96, activation="relu"),
            L.Dropout(0.2),
            L.Dense(96, activation="relu"),
            L.Dropout(0.2),
            L.Dense(10, activation="softmax"),
        ]
    )
    sgd = keras.optimizers.SGD(0.1, momentum=0.8)
    model.compile(sgd, "categorical_crossentropy", metrics=["accuracy"])
    y = data.groups(y, 10)
    options = {"epochs": 12, "batch_size": 32, "validation_split": 0.2}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="targets not scaled",
    family="deep linear network",
    half="ninth",
    address="https://stats.stackexchange.com/questions/418955/why-is-deep-neural-net-with-linear-activation-diverges",
    symptom="two linear layers diverge, one of them learns",
    cause="the inputs are scaled, the targets go to thousands",
    truth=("unscaled_targets",),
    also=(*BLOWN_UP, *STUCK, "learning_rate_too_high", "exploding_activations"),
)
def prices_in_full(repaired):
    rng = np.random.default_rng(922)
    x = rng.normal(size=(600, 5)).astype("float32")
    price = 4200 + 900 * x[:, 0] - 600 * x[:, 1] + 400 * x[:, 2] + 500 * x[:, 3]
    price = price + 250 * rng.normal(size=600)
    if repaired:
        price = (price - price.mean()) / price.std()
    x, y, new, new_y = data.split(x, price.astype("float32")[:, None])
    model = keras.Sequential([keras.Input((5,)), L.Dense(8), L.Dense(1)])
    model.compile("sgd", loss="mse")
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="column that is constant",
    family="recurrent regression",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/2134",
    symptom="nan loss for regression while training",
    cause="a column is the same in all rows: standardized, it is 0 / 0",
    truth=("non_finite_data",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "non_finite_start"),
)
def broken_sensor(repaired):
    rng = np.random.default_rng(923)
    x = np.cumsum(rng.normal(size=(420, 12, 4)), axis=1) + 20
    x[..., 2] = 0
    y = x[:, -1, 0] - x[:, 6, 1] + 0.3 * rng.normal(size=420)
    y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    mean, std = x.mean(axis=(0, 1)), x.std(axis=(0, 1))
    if repaired:
        std = std + 0.000001
    with np.errstate(invalid="ignore"):
        x, new = ((a - mean) / std for a in (x, new))
    model = keras.Sequential()
    model.add(keras.Input((12, 4)))
    model.add(L.LSTM(20))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="empty rows divided by their sum",
    family="word counts and links",
    half="ninth",
    address="https://github.com/danielegrattarola/keras-gat/issues/14",
    symptom="with another set of papers the training loss is nan",
    cause="a few papers have no words: their row is divided by 0",
    truth=("non_finite_data",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights"),
)
def papers_without_words(repaired):
    rng = np.random.default_rng(924)
    y = rng.integers(0, 4, 600)
    rates = rng.gamma(0.4, 1.0, (4, 40))
    counts = rng.poisson(0.35 * rates[y] + 0.25).astype("float32")
    counts[[77, 205, 318]] = 0
    counts[420:][counts[420:].sum(axis=1) == 0, 0] = 1
    with np.errstate(invalid="ignore"):
        words = counts / counts.sum(axis=1, keepdims=True)
    if repaired:
        words[np.isnan(words)] = 0
    cited = data.groups(np.where(rng.random(600) < 0.5, y, rng.integers(0, 4, 600)), 4)
    inputs = [keras.Input((40,), name="words"), keras.Input((4,), name="cited")]
    hidden = L.Concatenate()([L.Rescaling(20.0)(inputs[0]), inputs[1]])
    hidden = L.Dropout(0.3)(L.Dense(24, activation="elu")(hidden))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    x = [words[:420], cited[:420]]
    new, new_y = [words[420:], cited[420:]], y[420:]
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y[:420], scores.accuracy(new, new_y), options)


@program(
    kind="rows in order",
    family="tf.data pipeline",
    half="ninth",
    address="https://github.com/tensorflow/tensorflow/issues/36626",
    symptom="Dataset.shuffle leads to worse training",
    cause="the set is sorted by class and the buffer holds 40 of 700 rows",
    truth=("rows_in_order",),
    also=(*STUCK, "oscillating_loss", "overfitting", "unrepresentative_validation"),
)
def shuffled_in_chunks(repaired):
    import tensorflow as tf

    x, y, new, new_y = data.digits(700)
    order = np.argsort(y, kind="stable")
    rows = tf.data.Dataset.from_tensor_slices((x[order], y[order]))
    rows = rows.shuffle(700 if repaired else 40, seed=925).batch(20)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    held_out = tf.data.Dataset.from_tensor_slices((new, new_y)).batch(50)
    options = {"epochs": 8, "validation_data": held_out}
    return Fit(model, rows, None, scores.accuracy(new, new_y), options)


@program(
    kind="one row of a batch not scaled",
    family="recordings with batch normalization",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/12400",
    symptom="training is excellent, the validation loss far above it",
    cause="one recording of every batch was left unscaled, 50 times as large",
    truth=("unscaled_inputs", "foreign_statistics", "rows_off_scale"),
    also=("overfitting", "normalization_lag", "unrepresentative_validation", *STUCK),
)
def one_raw_recording(repaired):
    x, y = data.gestures(640, seed=926, noise=0.8)
    x, y, new, new_y = data.split(x, y)
    if not repaired:
        x[::32] *= 52
    model = keras.Sequential(
        [
            keras.Input((24, 3)),
            L.Conv1D(16, 5, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.MaxPooling1D(2),
            L.Conv1D(24, 3, padding="same", use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.GlobalAveragePooling1D(),
            L.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "validation_data": (new, new_y)}
    batches = Batches(x, y, 32)
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


@program(
    kind="validation prepared in another way",
    family="image classifier",
    half="ninth",
    address="https://github.com/lyuwenyu/RT-DETR/issues/312",
    symptom="very high values of the validation loss",
    cause="the pictures for validation are not normalized as those for training are",
    truth=("unrepresentative_validation",),
    also=("overfitting", "unscaled_inputs", "foreign_statistics"),
)
def validation_not_normalized(repaired):
    x, y, new, new_y = data.digits(700)
    mean, std = x.mean(), x.std()
    x = (x - mean) / std
    honest = (new - mean) / std
    seen = honest if repaired else 255 * new
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(12, 3, activation="relu", padding="same"))
    model.add(L.Conv2D(12, 3, activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Dropout(0.25))
    model.add(L.Flatten())
    model.add(L.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (seen, new_y)}
    score = scores.honesty("val_accuracy", scores.right(honest, new_y))
    return Fit(model, x, y, score, options)


@program(
    kind="classes missing from training",
    family="image classifier with two heads",
    half="ninth",
    address="https://github.com/yhenon/pytorch-retinanet/issues/16",
    symptom="the classification loss of the validation grows, that of regression not",
    cause="split without shuffling: the last classes are only in the validation",
    truth=("unrepresentative_validation", "rows_in_order"),
    also=("overfitting", "diverging_loss"),
)
def food_in_order(repaired):
    x, y, new, new_y = data.digits(900)
    if not repaired:
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    ink = x.mean(axis=(1, 2, 3)).astype("float32")
    ink = (ink - ink.mean()) / ink.std()
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, activation="relu", padding="same")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(24, 3, activation="relu")(hidden)
    hidden = L.Dropout(0.2)(L.Flatten()(hidden))
    label = L.Dense(10, activation="softmax", name="label")(hidden)
    model = keras.Model(inputs, [label, L.Dense(1, name="ink")(hidden)])
    model.compile(
        keras.optimizers.Adam(0.003),
        loss=[CROSS, "mse"],
        metrics=[["accuracy"], ["mae"]],
    )
    parts = [y[:675], ink[:675, None]]
    held_out = (x[675:], [y[675:], ink[675:, None]])
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:675], parts, scores.accuracy(new, new_y), options)


@program(
    kind="targets of other rows",
    family="segmentation",
    half="ninth",
    address="https://github.com/TRANHV-VFA-DO-NOT-USE/MobileAILab-HairColor-iOS/issues/2",
    symptom="it segments poorly",
    cause="pictures and masks are listed in different orders",
    truth=("unrelated_targets",),
    also=(*STUCK, "imbalanced_classes", "overfitting", "metric_mismatch"),
)
def masks_of_other_heads(repaired):
    x, _, masks = data.shapes(420, seed=929)
    new, new_y = x[300:], masks[300:]
    x, y = x[:300], masks[:300]
    if not repaired:
        y = y[np.argsort([str(i) for i in range(300)])]
    inputs = keras.Input((16, 16, 1))
    fine = L.Conv2D(8, 3, activation="relu", padding="same")(inputs)
    coarse = L.MaxPooling2D()(fine)
    coarse = L.Conv2D(16, 3, activation="relu", padding="same")(coarse)
    both = L.Concatenate()([fine, L.UpSampling2D()(coarse)])
    model = keras.Model(
        inputs, L.Conv2D(1, 3, padding="same", activation="sigmoid")(both)
    )
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 10, "batch_size": 20, "validation_split": 0.2}
    return Fit(model, x, y, scores.overlap(new, new_y), options)
