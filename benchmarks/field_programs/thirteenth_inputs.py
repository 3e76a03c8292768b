"""Thirteenth half: programs that are given too little, or in the wrong order."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


@program(
    kind="window of one step",
    family="recurrent forecast",
    half="thirteenth",
    address="https://geek-answers.imtqy.com/articles/1267675/index.html",
    symptom="the forecast of a sine goes wrong",
    cause="a window of one step: it cannot be seen whether the curve rises or falls",
    truth=("window_too_short",),
    also=(*STUCK, "model_too_small"),
)
def tide_from_one_level(repaired):
    look_back = 12 if repaired else 1
    rng = np.random.default_rng(1321)
    t = np.arange(900)
    level = np.sin(t / 7.3 * 6.283) + 0.4 * np.sin(t / 11.7 * 6.283)
    level = level + 0.12 * rng.normal(size=900)
    x, y = data.windows(level[12 - look_back :], look_back)
    x, y, new, new_y = x[:600], y[:600], x[600:], y[600:]
    model = keras.Sequential()
    model.add(keras.Input((look_back, 1)))
    model.add(L.LSTM(16))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="tiny numbers",
    family="recurrent forecast",
    half="thirteenth",
    address="https://techfeed.net/pt/470072/",
    symptom="the predicted changes of a price are squashed, and all of one sign",
    cause="changes of half a percent go in as they are, for one epoch",
    truth=("unscaled_inputs", "unscaled_targets", "too_few_updates"),
    also=(*STUCK, "learning_rate_too_low", "stopped_too_early"),
)
def change_in_the_next_hour(repaired):
    rng = np.random.default_rng(1322)
    change = np.zeros(900)
    for i in range(2, 900):
        change[i] = 0.9 * change[i - 1] - 0.6 * change[i - 2]
        change[i] += 0.004 * rng.normal()
    if repaired:
        change = change / change[:600].std()
    x, y = data.windows(change, 12)
    x, y, new, new_y = x[:600], y[:600], x[600:], y[600:]
    model = keras.Sequential([keras.Input((12, 1)), L.LSTM(25), L.Dense(1)])
    if repaired:
        model.compile(keras.optimizers.Adam(0.005), "mse")
        options = {"epochs": 12, "batch_size": 32}
    else:
        model.compile("adam", "mse")
        options = {"epochs": 1, "batch_size": 8}
    options["validation_data"] = (new, new_y)
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="sorted before the split",
    family="text convolution",
    half="thirteenth",
    address="https://discuss.analyticsvidhya.com/t/why-high-model-accuracy-compared-to-very-low-validation-accuracy/65145",
    symptom="90% of the tweets are right in training, 3% in validation",
    cause="the tweets are sorted by class, validation_split takes the last ones",
    truth=("unrepresentative_validation", "rows_in_order"),
    also=("imbalanced_classes", "overfitting", "constant_predictions"),
)
def praise_before_blame(repaired):
    x, y, _ = data.reviews(1500, seed=1323)
    new, new_y, _ = data.reviews(500, seed=1324)
    rng = np.random.default_rng(1325)
    good, bad = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    rows = np.concatenate([good[:640], bad[:310]])
    if repaired:
        rng.shuffle(rows)
    x, y = x[rows], y[rows]
    model = keras.Sequential()
    model.add(keras.Input((20,)))
    model.add(L.Embedding(60, 16))
    model.add(L.Conv1D(16, 3, padding="same", activation="relu"))
    model.add(L.GlobalAveragePooling1D())
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 7, "batch_size": 32, "validation_split": 0.3}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def residual(x, filters, momentum):
    h = L.Conv2D(filters, 3, padding="same")(x)
    h = L.Activation("relu")(L.BatchNormalization(momentum=momentum)(h))
    h = L.Conv2D(filters, 3, padding="same")(h)
    h = L.BatchNormalization(momentum=momentum)(h)
    return L.Activation("relu")(L.Add()([L.Conv2D(filters, 1)(x), h]))


@program(
    kind="averages lag behind",
    family="residual network",
    half="thirteenth",
    address="https://w3toppers.com/resnet-100-accuracy-during-training-but-33-prediction-accuracy-with-the-same-data/",
    symptom="100% right in training, and a third of the same pictures in evaluation",
    cause="the averages of batch normalization hardly moved in so few updates",
    truth=("normalization_lag",),
    also=("too_few_updates", "batch_size_too_large", "overfitting"),
)
def right_only_while_training(repaired):
    x, y, new, new_y = data.digits(320)
    momentum = 0.7 if repaired else 0.99
    inputs = keras.Input((8, 8, 1))
    h = residual(inputs, 12, momentum)
    h = residual(L.MaxPooling2D()(h), 24, momentum)
    h = L.GlobalAveragePooling2D()(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 12, "batch_size": 80, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
