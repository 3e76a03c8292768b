"""Healthy programs of the eighth half: tables, counts, texts, several outputs."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers
ops = keras.ops
CROSS = "sparse_categorical_crossentropy"


@healthy(family="table, normalized in the model", half="eighth")
def tumors_with_a_normalization():
    x, new, y, new_y = data.table("breast_cancer", scaled=False)
    normalize = L.Normalization()
    normalize.adapt(x)
    l2 = keras.regularizers.L2(0.001)
    inputs = keras.Input((30,))
    hidden = normalize(inputs)
    hidden = L.Dense(16, activation="relu", kernel_regularizer=l2)(hidden)
    hidden = L.Dropout(0.3)(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=metrics)
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="counts of visits", half="eighth")
def visits_with_a_poisson_loss():
    x, y, new, new_y = data.visits(1200, seed=861)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(24, activation="elu"),
            L.Dense(12, activation="elu"),
            L.Dense(1, activation="exponential"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "poisson", metrics=["mae"])
    options = {"epochs": 25, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="two outputs", half="eighth")
def age_and_mood_in_balance():
    rng = np.random.default_rng(862)
    x = rng.normal(size=(1300, 8)).astype("float32")
    mood = (x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=1300) > 0)[:, None]
    age = 44 + 9 * x[:, 3] + 6 * np.tanh(x[:, 4]) + 3 * rng.normal(size=1300)
    age = ((age - 44) / 11).astype("float32")[:, None]
    mood = mood.astype("float32")
    inputs = keras.Input((8,))
    shared = L.Dense(32, activation="relu")(inputs)
    shared = L.Dense(24, activation="relu")(shared)
    model = keras.Model(
        inputs,
        {
            "mood": L.Dense(1, activation="sigmoid", name="mood")(shared),
            "age": L.Dense(1, name="age")(shared),
        },
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        loss={"mood": "binary_crossentropy", "age": "mse"},
        loss_weights={"mood": 1.0, "age": 0.7},
        metrics={"mood": ["accuracy"], "age": ["mae"]},
    )
    y = {"mood": mood[:900], "age": age[:900]}
    new = {"mood": mood[900:], "age": age[900:]}

    def score(model, history):
        out = model.predict(x[900:], verbose=0)
        right = ((np.asarray(out["mood"]) > 0.5) == (mood[900:] > 0.5)).mean()
        ages = scores.explained(np.asarray(out["age"]), age[900:])
        return float(min(2 * right - 1, ages))

    options = {"epochs": 15, "batch_size": 32, "validation_data": (x[900:], new)}
    return Fit(model, x[:900], y, score, options)


class Quantiles(keras.Model):
    """Predict three quantiles, with a loss of its own."""

    def __init__(self):
        super().__init__()
        self.first = L.Dense(32, activation="relu")
        self.second = L.Dense(16, activation="relu")
        self.last = L.Dense(3)

    def call(self, x):
        return self.last(self.second(self.first(x)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        level = ops.convert_to_tensor(np.array([[0.1, 0.5, 0.9]], "float32"))
        away = y - y_pred
        return ops.mean(ops.maximum(level * away, (level - 1) * away))


@healthy(family="quantiles, compute_loss", half="eighth")
def quantiles_of_a_noisy_value():
    x, y, new, new_y = data.friedman(1300, seed=863, noise=1.5)
    model = Quantiles()
    model.compile(keras.optimizers.Adam(0.004))

    def score(model, history):
        out = scores.predicted(model, new)
        return scores.explained(out[:, 1:2], new_y)

    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="attention over words", half="eighth")
def topics_with_attention():
    rng = np.random.default_rng(864)
    y = rng.integers(0, 4, 1100)
    own = 1 + y[:, None] * 7 + rng.integers(0, 7, (1100, 14))
    other = rng.integers(29, 90, (1100, 14))
    x = np.where(rng.random((1100, 14)) < 0.22, own, other).astype("int32")
    inputs = keras.Input((14,), dtype="int32")
    hidden = L.Embedding(90, 16)(inputs)
    seen = L.MultiHeadAttention(2, 8, dropout=0.1)(hidden, hidden)
    hidden = L.LayerNormalization()(hidden + seen)
    hidden = L.GlobalAveragePooling1D()(hidden)
    hidden = L.Dropout(0.3)(hidden)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.AdamW(0.003), CROSS, metrics=["accuracy"])
    held_out = x[800:], y[800:]
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    options = {
        "epochs": 15,
        "batch_size": 32,
        "validation_data": held_out,
        "callbacks": [stop],
    }
    return Fit(model, x[:800], y[:800], scores.balanced(*held_out), options)


@healthy(family="ratings, two inputs", half="eighth")
def ratings_of_users_and_films():
    rng = np.random.default_rng(865)
    taste, kind = rng.normal(size=(40, 3)), rng.normal(size=(30, 3))
    user, film = rng.integers(0, 40, 3000), rng.integers(0, 30, 3000)
    rating = (taste[user] * kind[film]).sum(axis=1) + 0.5 * rng.normal(size=3000)
    y = (rating / rating.std()).astype("float32")[:, None]
    x = {"user": user.astype("int32"), "film": film.astype("int32")}
    left = keras.Input((), dtype="int32", name="user")
    right = keras.Input((), dtype="int32", name="film")
    l2 = keras.regularizers.L2(1e-5)
    u = L.Embedding(40, 6, embeddings_regularizer=l2)(left)
    f = L.Embedding(30, 6, embeddings_regularizer=l2)(right)
    both = L.Concatenate()([u, f, u * f])
    hidden = L.Dense(16, activation="relu")(both)
    model = keras.Model({"user": left, "film": right}, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    train = {name: ids[:2300] for name, ids in x.items()}
    new = {name: ids[2300:] for name, ids in x.items()}
    options = {"epochs": 10, "batch_size": 64, "validation_data": (new, y[2300:])}
    return Fit(model, train, y[:2300], scores.variance(new, y[2300:]), options)


@healthy(family="rare class, weighted", half="eighth")
def one_in_ten_weighted():
    x, y, new, new_y = data.two_classes(2400, share=0.1, seed=866, apart=1.2)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.2),
            L.Dense(12, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    recall = keras.metrics.Recall(name="recall")
    model.compile(
        keras.optimizers.Adam(0.003),
        "binary_crossentropy",
        metrics=[recall],
        weighted_metrics=["accuracy"],
    )
    options = {
        "epochs": 18,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "class_weight": {0: 0.55, 1: 5.0},
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="noisy table, modest result", half="eighth")
def a_modest_forecast_of_choices():
    rng = np.random.default_rng(867)
    x = rng.normal(size=(2000, 10)).astype("float32")
    score_of = 0.8 * x[:, 0] - 0.6 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
    y = (rng.random(2000) < 1 / (1 + np.exp(-score_of))).astype("int32")
    l2 = keras.regularizers.L2(0.002)
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(12, activation="relu", kernel_regularizer=l2),
            L.Dropout(0.1),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    rate = keras.optimizers.Adam(0.004)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    held_out = x[1400:], y[1400:]
    options = {"epochs": 20, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:1400], y[:1400], scores.balanced(*held_out), options)
