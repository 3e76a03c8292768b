"""Healthy programs on tables and counts, and with losses of their own."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import datasets

from field_programs import data, scores
from field_programs.outputs import TwoLayers, many_labels
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="logistic regression", half="tune")
def one_layer():
    x, new, y, new_y = data.table("breast_cancer")
    model = keras.Sequential([keras.Input((30,)), L.Dense(1, activation="sigmoid")])
    model.compile(
        keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="table classifier", half="look")
def wine_of_three():
    x, new, y, new_y = data.table("wine")
    model = keras.Sequential(
        [keras.Input((13,)), L.Dense(24, "relu"), L.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="one-hot classifier", half="tune")
def iris_one_hot():
    x, new, y, new_y = data.table("iris")
    rows, held = data.groups(y, 3), data.groups(new_y, 3)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(16, "tanh"), L.Dense(3, "softmax")]
    )
    model.compile(
        keras.optimizers.Adam(0.03), "categorical_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, held)}
    return Fit(model, x, rows, scores.accuracy(new, new_y), options)


@healthy(family="whole-number regression", half="tune")
def years_of_age():
    rng = np.random.default_rng(71)
    x = rng.normal(size=(500, 8)).astype("float32")
    y = 7 + 3 * np.tanh(x[:, 0]) + 2 * x[:, 1] + np.abs(x[:, 2]) + rng.normal(size=500)
    x, y, new, new_y = data.split(x, np.round(y).astype("float32")[:, None])
    model = keras.Sequential([keras.Input((8,)), L.Dense(32, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    options = {"epochs": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="counts", half="tune")
def poisson_counts():
    x, y, new, new_y = data.visits(seed=72)
    model = keras.Sequential(
        [keras.Input((6,)), L.Dense(32, "relu"), L.Dense(1, activation="exponential")]
    )
    model.compile(keras.optimizers.Adam(0.01), "poisson")
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="quantile regression", half="look")
def ninth_decile():
    x, y, new, new_y = data.friedman(seed=73)

    def pinball(y_true, y_pred):
        rest = y_true - y_pred
        return ops.mean(ops.maximum(0.9 * rest, -0.1 * rest), axis=-1)

    model = keras.Sequential([keras.Input((8,)), L.Dense(32, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), pinball)

    def score(model, history):
        return 1 - 5 * abs((scores.predicted(model, new) > new_y).mean() - 0.9)

    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="table regression", half="tune")
def smooth_function():
    x, y, new, new_y = data.friedman(seed=74)
    model = keras.Sequential(
        [keras.Input((8,)), L.Dense(32, "gelu"), L.Dense(32, "gelu"), L.Dense(1)]
    )
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 200)
    model.compile(keras.optimizers.AdamW(schedule), "mse")
    options = {"epochs": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="probabilistic regression", half="look")
def mean_and_deviation():
    rng = np.random.default_rng(75)
    x = rng.normal(size=(550, 4)).astype("float32")
    y = x[:, 0] + 0.5 * x[:, 1] + 0.15 * (1 + (x[:, 2] > 0)) * rng.normal(size=550)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])

    def likelihood(y_true, out):
        mean, log_deviation = out[:, :1], out[:, 1:]
        square = ops.square((y_true - mean) * ops.exp(-log_deviation))
        return ops.mean(log_deviation + square / 2, axis=-1)

    model = keras.Sequential([keras.Input((4,)), L.Dense(24, "tanh"), L.Dense(2)])
    model.compile(keras.optimizers.Adam(0.01), likelihood)

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], new_y)

    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="hinge loss", half="look")
def margin_classifier():
    x, y, new, new_y = data.two_classes(seed=76)
    model = keras.Sequential([keras.Input((12,)), L.Dense(24, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "hinge")
    options = {"epochs": 12, "validation_data": (new, 2 * new_y - 1)}
    score = scores.balanced(new, new_y, threshold=0)
    return Fit(model, x, (2 * y - 1).astype("float32"), score, options)


@healthy(family="several labels", half="tune")
def labels_at_once():
    x, y = datasets.make_multilabel_classification(
        550, 16, n_classes=4, n_labels=2, random_state=77
    )
    x, y, new, new_y = data.split(x, y.astype("float32"))
    x, new = data.standard(x, new)
    model = keras.Sequential(
        [keras.Input((16,)), L.Dense(24, "relu"), L.Dense(4, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, many_labels(new, new_y), options)


@healthy(family="subclassed classifier", half="tune")
def built_when_called():
    x, y, new, new_y = data.two_classes(seed=78)
    model = TwoLayers(1, "sigmoid")
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="subclassed logits", half="look")
def logits_to_the_end():
    rng = np.random.default_rng(79)
    x = rng.normal(size=(500, 8)).astype("float32")
    x, y, new, new_y = data.split(x, (x @ rng.normal(size=(8, 4))).argmax(axis=1))
    model = TwoLayers(4, None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="weighted classes", half="look")
def rare_class_weighted():
    x, y, new, new_y = data.two_classes(800, share=0.1, seed=80)
    model = keras.Sequential(
        [keras.Input((12,)), L.Dense(24, "relu"), L.Dense(1, "sigmoid")]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {
        "epochs": 10,
        "class_weight": {0: 0.55, 1: 5.0},
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="two inputs", half="tune")
def numbers_and_category():
    rng = np.random.default_rng(81)
    x, kind = rng.normal(size=(550, 5)), rng.integers(0, 6, 550)
    effect = rng.normal(size=6)
    y = x[:, 0] * effect[kind] + effect[kind] + 0.5 * x[:, 1]
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    numbers, category = keras.Input((5,)), keras.Input((1,), dtype="int32")
    known = L.Flatten()(L.Embedding(6, 4)(category))
    hidden = L.Dense(32, activation="relu")(L.Concatenate()([numbers, known]))
    model = keras.Model([numbers, category], L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.015), "mse")
    new = [x[400:], kind[400:, None]]
    options = {"epochs": 18, "validation_data": (new, y[400:])}
    given = [x[:400], kind[:400, None]]
    return Fit(model, given, y[:400], scores.variance(new, y[400:]), options)


@healthy(family="several outputs", half="look")
def class_and_value():
    rng = np.random.default_rng(82)
    x = rng.normal(size=(550, 8)).astype("float32")
    kind = (x[:, :3] @ rng.normal(size=(3, 3))).argmax(axis=1)
    value = (np.tanh(x[:, 3]) + 0.5 * x[:, 4]).astype("float32")[:, None]
    inputs = keras.Input((8,))
    hidden = L.Dense(32, activation="relu")(inputs)
    out = [
        L.Dense(3, activation="softmax", name="kind")(hidden),
        L.Dense(1, name="value")(hidden),
    ]
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.01), [CROSS, "mse"])
    new = x[400:], [kind[400:], value[400:]]
    options = {"epochs": 14, "validation_data": new}
    score = scores.accuracy(x[400:], kind[400:])
    return Fit(model, x[:400], [kind[:400], value[:400]], score, options)


@healthy(family="recommender", half="tune")
def users_and_films():
    rng = np.random.default_rng(83)
    taste, film = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    who, what = rng.integers(0, 40, 900), rng.integers(0, 30, 900)
    y = (taste[who] * film[what]).sum(1) + 0.1 * rng.normal(size=900)
    y = y.astype("float32")[:, None]
    user, item = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    known = [
        L.Flatten()(L.Embedding(size, 6)(part))
        for size, part in ((40, user), (30, item))
    ]
    model = keras.Model([user, item], L.Dot(1)(known))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    new = [who[720:, None], what[720:, None]]
    options = {"epochs": 8, "validation_data": (new, y[720:])}
    given = [who[:720, None], what[:720, None]]
    return Fit(model, given, y[:720], scores.variance(new, y[720:]), options)


@healthy(family="model with its own compute_loss", half="tune")
def own_squared_error():
    x, y, new, new_y = data.friedman(seed=84)

    class Regressor(keras.Model):
        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            return ops.mean(ops.square(y - y_pred))

    inputs = keras.Input((8,))
    hidden = L.Dense(32, activation="relu")(inputs)
    model = Regressor(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.02))
    return Fit(model, x, y, scores.variance(new, new_y), {"epochs": 16})


@healthy(family="generator", half="look")
def endless_generator():
    x, y, new, new_y = data.friedman(seed=85)

    def batches():
        rng = np.random.default_rng(0)
        while True:
            rows = rng.integers(0, len(x), 32)
            yield x[rows], y[rows]

    model = keras.Sequential([keras.Input((8,)), L.Dense(32, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    options = {"epochs": 14, "steps_per_epoch": 12, "validation_data": (new, new_y)}
    return Fit(model, batches(), None, scores.variance(new, new_y), options)


@healthy(family="early stopping", half="tune")
def stopped_in_time():
    x, new, y, new_y = data.table("breast_cancer")
    model = keras.Sequential(
        [keras.Input((30,)), L.Dense(16, "relu"), L.Dense(1, "sigmoid")]
    )
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    options = {"epochs": 25, "validation_data": (new, new_y), "callbacks": [stop]}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="noisy targets", half="look")
def little_to_explain():
    x, y, new, new_y = data.friedman(600, seed=86, noise=5.0)
    model = keras.Sequential([keras.Input((8,)), L.Dense(8, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="trained further", half="look")
def second_fit():
    x, y, new, new_y = data.two_classes(seed=87)
    model = keras.Sequential(
        [keras.Input((12,)), L.Dense(24, "relu"), L.Dense(1, "sigmoid")]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    model.fit(x, y, epochs=8, verbose=0)
    model.compile(
        keras.optimizers.Adam(0.0005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 6, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
