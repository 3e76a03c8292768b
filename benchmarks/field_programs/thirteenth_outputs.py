"""Thirteenth half: programs whose last layer cannot say what is asked."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


@program(
    kind="softmax over one unit",
    family="table classifier",
    half="thirteenth",
    address="https://stats.stackexchange.com/revisions/2bda6552-783b-4fb7-ba2b-a03d2266e69b/view-source",
    symptom="a network does not find out whether more than half of the bits are set",
    cause="softmax over a single unit is always 1",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients"),
)
def committee_of_nine(repaired):
    rng = np.random.default_rng(1301)
    x = (rng.random((1000, 9)) < 0.5).astype("float32")
    y = (x.sum(axis=1) + 0.8 * rng.normal(size=1000) > 4.5).astype(int)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((9,)),
            L.Dense(10, activation="relu"),
            L.Dense(1, activation="sigmoid" if repaired else "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.RMSprop(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 16, "batch_size": 28, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="softmax over one unit",
    family="recurrent classifier",
    half="thirteenth",
    address="https://stackoverflow.com/questions/47241622/is-it-okay-to-use-stateful-recurrent-nn-lstm-for-classification",
    symptom="an LSTM has 55% of binary samples right, a dense network 97%",
    cause="softmax over a single unit is always 1",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients"),
)
def bits_one_after_another(repaired):
    rng = np.random.default_rng(1302)
    x = (rng.random((900, 16)) < 0.5).astype("float32")
    y = (x @ np.linspace(0.5, 1.5, 16) > 8).astype(int)
    x, y, new, new_y = data.split(x[..., None], y)
    model = keras.Sequential()
    model.add(keras.Input((16, 1)))
    model.add(L.LSTM(24))
    model.add(L.Dense(1, activation="sigmoid" if repaired else "softmax"))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 42, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="output out of range",
    family="curve fitting",
    half="thirteenth",
    address="https://datascience.stackexchange.com/questions/19365/predict-sinus-with-keras-feed-forward-neural-network",
    symptom="the predictions of a sine are bad, however many epochs",
    cause="a sigmoid at the end cannot be negative; hours go in unscaled",
    truth=("output_activation_mismatch", "unscaled_inputs"),
    also=(*STUCK, "model_too_small", "saturated_units", "metric_mismatch"),
)
def sine_from_a_sigmoid(repaired):
    rng = np.random.default_rng(1303)
    hours = rng.uniform(0, 100, (700, 1))
    y = np.sin(hours / 12).astype("float32")
    x = (hours / 50 - 1 if repaired else hours).astype("float32")
    x, y, new, new_y = data.split(x, y)
    if repaired:
        layers = [L.Dense(40, activation="tanh"), L.Dense(40, activation="tanh")]
        optimizer = keras.optimizers.Adam(0.01)
    else:
        layers = [L.Dense(10, activation="sigmoid")]
        optimizer = keras.optimizers.SGD()
    out = L.Dense(1, activation=None if repaired else "sigmoid")
    model = keras.Sequential([keras.Input((1,)), *layers, out])
    model.compile(optimizer, "mean_squared_error")
    options = {"epochs": 20, "batch_size": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def likes(n, seed):
    """Return users, items and whether one likes the other."""
    rng = np.random.default_rng(1304)
    taste, genre = rng.integers(0, 3, 70), rng.integers(0, 3, 40)
    fame = rng.normal(size=40)
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 70, n), rng.integers(0, 40, n)
    drawn = 2.4 * (taste[user] == genre[item]) - 0.9 + 0.7 * fame[item]
    liked = drawn + 0.6 * rng.normal(size=n) > 0
    return [user[:, None], item[:, None]], liked.astype("float32")[:, None]


@program(
    kind="relu before cross-entropy",
    family="recommender",
    half="thirteenth",
    address="https://whosebug.com/question/5173684/why-keras-embedding-not-learning-for-recommendation-system",
    symptom="the embeddings of users and items do not learn, the accuracy stays",
    cause="a relu gives no probabilities, and the rate falls at each step",
    truth=("output_activation_mismatch", "learning_rate_collapsed", "dead_units"),
    also=(*STUCK, "learning_rate_too_low", "zero_gradients"),
)
def score_of_an_item(repaired):
    x, y = likes(1800, 1305)
    new, new_y = likes(700, 1306)
    user = keras.Input((1,), dtype="int32", name="user_input")
    item = keras.Input((1,), dtype="int32", name="item_input")
    penalty = keras.regularizers.L2(1e-6)
    vectors = [
        L.Dropout(0.2)(
            L.Flatten()(L.Embedding(n, 8, embeddings_regularizer=penalty)(given))
        )
        for n, given in ((70, user), (40, item))
    ]
    h = L.Concatenate()(vectors)
    h = L.Dense(50, activation="relu")(h)
    h = L.Dropout(0.2)(h)
    h = L.Dense(1, activation="sigmoid" if repaired else "relu")(h)
    model = keras.Model([user, item], h)
    rate = 0.006
    if not repaired:
        rate = keras.optimizers.schedules.InverseTimeDecay(1e-3, 1, 0.9)
    model.compile(
        keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y.astype(int)), options)
