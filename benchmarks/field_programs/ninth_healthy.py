"""Ninth half: programs without a fault, on tables, counts and pairs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy
from field_programs.splits import Batches

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="small table with early stopping", half="ninth")
def three_wines():
    x, new, y, new_y = data.table("wine")
    model = keras.Sequential(
        [
            keras.Input((13,)),
            L.Dense(16, activation="relu"),
            L.Dropout(0.2),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    options = {
        "epochs": 40,
        "batch_size": 16,
        "validation_data": (new, new_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="counts with an exposure", half="ninth")
def claims_and_exposure():
    rng = np.random.default_rng(961)
    x = rng.normal(size=(900, 5)).astype("float32")
    years = rng.uniform(0.3, 2.5, (900, 1)).astype("float32")
    rate = np.exp(0.4 + 0.5 * x[:, :1] - 0.4 * x[:, 1:2] + 0.3 * np.tanh(2 * x[:, 2:3]))
    y = rng.poisson(rate * years).astype("float32")
    features, exposure = keras.Input((5,)), keras.Input((1,))
    hidden = L.Dense(24, activation="tanh")(features)
    per_year = L.Dense(1, activation="exponential")(hidden)
    model = keras.Model([features, exposure], L.Multiply()([per_year, exposure]))
    model.compile(keras.optimizers.Adam(0.004), "poisson")
    held_out = ([x[650:], years[650:]], y[650:])
    options = {"epochs": 20, "batch_size": 32, "validation_data": held_out}
    fit_x = [x[:650], years[:650]]
    return Fit(model, fit_x, y[:650], scores.variance(*held_out), options)


@healthy(family="two outputs with weights", half="ninth")
def label_and_brightness():
    x, y, new, new_y = data.digits(800)

    def ink(pictures):
        return ((pictures.mean(axis=(1, 2, 3)) - 0.3) / 0.04)[:, None]

    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, activation="relu", padding="same")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(24, 3, activation="relu")(hidden)
    hidden = L.Flatten()(hidden)
    digit = L.Dense(10, activation="softmax", name="digit")(L.Dropout(0.3)(hidden))
    model = keras.Model(inputs, {"digit": digit, "ink": L.Dense(1, name="ink")(hidden)})
    model.compile(
        keras.optimizers.Adam(0.003),
        loss={"digit": CROSS, "ink": "mse"},
        loss_weights={"digit": 1.0, "ink": 0.3},
        metrics={"digit": ["accuracy"], "ink": ["mae"]},
    )
    held_out = (new, {"digit": new_y, "ink": ink(new)})
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    targets = {"digit": y, "ink": ink(x)}
    return Fit(model, x, targets, scores.accuracy(new, new_y), options)


@healthy(family="imbalanced classes with weights", half="ninth")
def rare_breakdowns():
    x, y, new, new_y = data.two_classes(
        2000, columns=10, share=0.08, seed=963, apart=1.6
    )
    x, new = data.standard(x, new)
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(
                16, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)
            ),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
    )
    options = {
        "epochs": 15,
        "batch_size": 64,
        "validation_data": (new, new_y),
        "class_weight": {0: 1.0, 1: float((y == 0).sum() / (y == 1).sum())},
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


class Quantiles(keras.Model):
    """Predict the 10 %, 50 % and 90 % points, with a loss of its own."""

    def __init__(self):
        super().__init__()
        self.hidden = L.Dense(32, activation="swish")
        self.out = L.Dense(3)

    def call(self, inputs):
        return self.out(self.hidden(inputs))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        shares = ops.convert_to_tensor([0.1, 0.5, 0.9])
        over = ops.cast(y, "float32") - y_pred
        return ops.mean(ops.maximum(shares * over, (shares - 1) * over))


@healthy(family="quantiles with compute_loss", half="ninth")
def median_and_edges():
    rng = np.random.default_rng(964)
    x = rng.uniform(-2, 2, (1000, 3)).astype("float32")
    spread = 0.2 + 0.3 * (x[:, 1] > 0)
    y = np.sin(1.5 * x[:, 0]) + 0.4 * x[:, 2] + spread * rng.normal(size=1000)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])
    model = Quantiles()
    model.compile(keras.optimizers.Adam(0.005))
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}

    def score(model, history):
        out = scores.predicted(model, new)
        return scores.explained(out[:, 1:2], new_y)

    return Fit(model, x, y, score, options)


@healthy(family="noisy table with a modest result", half="ninth")
def course_of_diabetes():
    x, new, y, new_y = data.table("diabetes")
    mean, std = y.mean(), y.std()
    y, new_y = (((a - mean) / std).astype("float32")[:, None] for a in (y, new_y))
    l2 = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(12, activation="relu", kernel_regularizer=l2),
            L.Dense(1, kernel_regularizer=l2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "huber", metrics=["mae"])
    options = {"epochs": 25, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="recommender with two embeddings", half="ninth")
def readers_and_books():
    rng = np.random.default_rng(966)
    readers, books = rng.integers(0, 60, 4000), rng.integers(0, 40, 4000)
    tastes, kinds = rng.normal(size=(60, 2)), rng.normal(size=(40, 2))
    liked = rng.normal(size=40)
    y = (tastes[readers] * kinds[books]).sum(-1) + liked[books]
    y = ((y + 0.5 * rng.normal(size=4000)) / 1.7).astype("float32")[:, None]
    l2 = keras.regularizers.L2(1e-5)
    inputs = [keras.Input((), dtype="int32"), keras.Input((), dtype="int32")]
    reader = L.Embedding(60, 4, embeddings_regularizer=l2)(inputs[0])
    book = L.Embedding(40, 4, embeddings_regularizer=l2)(inputs[1])
    match = L.Dot(1)([reader, book])
    model = keras.Model(inputs, L.Add()([match, L.Embedding(40, 1)(inputs[1])]))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    held_out = ([readers[3000:], books[3000:]], y[3000:])
    options = {"epochs": 12, "batch_size": 64, "validation_data": held_out}
    x = [readers[:3000], books[:3000]]
    return Fit(model, x, y[:3000], scores.variance(*held_out), options)


@healthy(family="frozen projection under a new head", half="ninth")
def head_on_principal_axes():
    x, y, new, new_y = data.digits(900)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    middle = x.mean(axis=0)
    axes = np.linalg.svd(x - middle, full_matrices=False)[2][:24].T
    inputs = keras.Input((64,))
    project = L.Dense(24, name="axes")
    hidden = project(inputs)
    project.set_weights([2 * axes, -2 * middle @ axes])
    project.trainable = False
    hidden = L.Dense(48, activation="relu")(hidden)
    hidden = L.Dropout(0.3)(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.AdamW(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "validation_data": (new, new_y)}
    batches = Batches(x, y, 32)
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)
