"""Programs of the eighth half whose inputs are not what their author believes."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="division of whole numbers",
    family="pictures of a game",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/255",
    symptom="the weights are not updated, the loss is the same in every batch",
    cause="pixels were divided as whole numbers: all are 0",
    truth=("constant_inputs",),
    also=(*STUCK, "zero_gradients", "vanishing_gradients", "dead_units"),
)
def pixels_divided_as_integers(repaired):
    pictures, kind, _ = data.shapes(420, seed=821)
    pixels = (pictures * 254).astype("uint8")
    x = pixels / 255 if repaired else pixels // 255
    x = x.astype("float32")
    y = data.groups(kind, 2)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.GlobalMaxPooling2D(),
            L.Dense(16, activation="relu"),
            L.Dense(2, activation="softmax"),
        ]
    )
    rate = keras.optimizers.Adam(0.005)
    model.compile(rate, "categorical_crossentropy", metrics=["accuracy"])
    options = {"epochs": 18, "batch_size": 32}
    return Fit(model, x[:300], y[:300], scores.balanced(x[300:], kind[300:]), options)


@program(
    kind="normalized row by row",
    family="attention over words",
    half="eighth",
    address="https://github.com/tensorflow/tensorflow/issues/47586",
    symptom="the transformer does not learn, loss and val_acc remain constant",
    cause="texts of one word are divided by their length: every row is 1, 0, 0, ...",
    truth=("constant_inputs",),
    also=(*STUCK, "zero_gradients", "vanishing_gradients"),
)
def texts_of_one_word(repaired):
    rng = np.random.default_rng(822)
    first = rng.integers(2, 22, 700)
    x = np.zeros((700, 10), "float32")
    x[:, 0] = first
    y = (first * 7 + 3) % 20 // 4
    if not repaired:
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    inputs = keras.Input((10,))
    hidden = L.Embedding(22, 12)(keras.ops.cast(inputs, "int32"))
    seen = L.MultiHeadAttention(2, 6)(hidden, hidden)
    hidden = L.LayerNormalization()(hidden + seen)
    hidden = L.Flatten()(hidden)
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    held_out = x[500:], y[500:]
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:500], y[:500], scores.balanced(*held_out), options)


@program(
    kind="inputs are not scaled",
    family="dense network on pictures",
    half="eighth",
    address="https://github.com/tensorflow/tensorflow/issues/32899",
    symptom="the accuracy remains at 11 % unless the inputs are divided by 255",
    cause="pixels reach 255",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "learning_rate_too_high",
        "exploding_activations",
        "saturated_units",
    ),
)
def digits_up_to_255(repaired):
    x, y, new, new_y = data.digits(900)
    if not repaired:
        x, new = x * 255, new * 255
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dropout(0.1),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="missing values",
    family="forecast with hours missing",
    half="eighth",
    address="https://github.com/jaungiers/LSTM-Neural-Network-for-Time-Series-Prediction/issues/77",
    symptom="after some batches the loss is nan",
    cause="some hours of the series are missing, and were left as nan",
    truth=("non_finite_data",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "non_finite_operation"),
)
def hours_missing(repaired):
    series = data.load_curve(620, seed=825)
    gaps = np.random.default_rng(825).choice(np.arange(60, 420), 4, replace=False)
    holes = series.copy()
    holes[gaps] = np.nan
    if repaired:
        known = np.flatnonzero(np.isfinite(holes))
        holes = np.interp(np.arange(len(holes)), known, holes[known])
    x, y = data.windows(holes, 10)
    new, new_y = data.windows(series[450:], 10)
    model = keras.Sequential(
        [
            keras.Input((10, 1)),
            L.GRU(16),
            L.Dropout(0.05),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x[:430], y[:430], scores.variance(new, new_y), options)


@program(
    kind="the mask hides what counts",
    family="recurrent regression",
    half="eighth",
    address="https://datascience.stackexchange.com/questions/67599",
    symptom="every sequence gets almost the same prediction",
    cause="a mask skips the zeros, and only ones, always the same, are left",
    truth=("masked_data",),
    also=(*STUCK, "unknown_cause"),
)
def share_of_zeros(repaired):
    rng = np.random.default_rng(826)
    count = rng.integers(2, 15, 500)
    x = (np.arange(16) >= count[:, None]).astype("float32")[..., None]
    # the ones are as many as a device was read before it was switched off
    cut = rng.integers(3, 9, 500)
    for i, (c, n) in enumerate(zip(count, cut, strict=True)):
        x[i, c + min(n, 16 - c) :] = 0
    y = (count / 16).astype("float32")[:, None]
    model = keras.Sequential()
    model.add(keras.Input((16, 1)))
    if not repaired:
        model.add(L.Masking(0.0))
    model.add(L.LSTM(12))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    held_out = x[350:], y[350:]
    options = {"epochs": 25, "batch_size": 50, "validation_data": held_out}
    return Fit(model, x[:350], y[:350], scores.variance(*held_out), options)


@program(
    kind="padding at the end, and no mask",
    family="text classifier, recurrent",
    half="eighth",
    address="https://github.com/keras-team/keras-io/issues/2044",
    symptom="with an LSTM the example stays at an accuracy of 0.5",
    cause="texts end in many zeros, over which the state is forgotten",
    truth=("unmasked_padding",),
    also=(*STUCK, "vanishing_gradients", "too_few_updates"),
)
def reviews_padded_at_the_end(repaired):
    rng = np.random.default_rng(827)
    y = rng.integers(0, 2, 420)
    x = np.zeros((420, 36), "int32")
    for i, label in enumerate(y):
        n = int(rng.integers(4, 9))
        own = rng.integers(1, 9, n) + 8 * label
        x[i, :n] = np.where(rng.random(n) < 0.5, own, rng.integers(17, 50, n))
    model = keras.Sequential()
    model.add(keras.Input((36,), dtype="int32"))
    model.add(L.Embedding(50, 8, mask_zero=repaired))
    model.add(L.LSTM(12))
    model.add(L.Dense(1, activation="sigmoid"))
    rate = keras.optimizers.Adam(0.01)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    held_out = x[280:], y[280:]
    options = {"epochs": 7, "batch_size": 40, "validation_data": held_out}
    return Fit(model, x[:280], y[:280], scores.balanced(*held_out), options)


@program(
    kind="labels in another order",
    family="table of words",
    half="eighth",
    address="https://github.com/udacity/sdc-issue-reports/issues/1326",
    symptom="features and labels can be shuffled separately, and nothing fails",
    cause="each is shuffled in an order of its own: rows and labels do not match",
    truth=("unrelated_targets",),
    also=(*STUCK, "overfitting", "model_too_large", "imbalanced_classes"),
)
def features_and_labels_shuffled(repaired):
    rng = np.random.default_rng(830)
    y = rng.integers(0, 5, 900)
    words = rng.random((900, 50)) < 0.06
    for i, kind in enumerate(y):
        words[i, kind * 10 + rng.integers(0, 10, 3)] = True
    x = words.astype("float32")
    x, y, new, new_y = data.split(x, y)
    if not repaired:
        np.random.default_rng(1).shuffle(x)
        np.random.default_rng(2).shuffle(y)
    model = keras.Sequential(
        [
            keras.Input((50,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.4),
            L.Dense(5, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
