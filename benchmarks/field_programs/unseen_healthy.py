"""Unseen healthy programs, of kinds where a check might cry wolf."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy
from field_programs.splits import Batches, small_cnn

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="several quantiles", half="unseen")
def three_quantiles():
    x, y, new, new_y = data.friedman(640, seed=341)

    def pinball(y_true, y_pred):
        levels = ops.array([0.1, 0.5, 0.9], dtype="float32")
        error = y_true - y_pred
        return ops.mean(ops.maximum(levels * error, (levels - 1) * error), axis=-1)

    inputs = keras.Input((8,))
    hidden = L.Dense(32, activation="swish")(inputs)
    hidden = L.Dense(16, activation="swish")(hidden)
    model = keras.Model(inputs, L.Dense(3)(hidden))
    model.compile(keras.optimizers.Adam(0.006), pinball)

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, 1:2], new_y)

    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="counts with many zeros", half="unseen")
def many_zero_counts():
    rng = np.random.default_rng(342)
    x = rng.normal(size=(760, 6)).astype("float32")
    rate = np.exp(1.0 + 0.6 * x[:, 0] - 0.4 * x[:, 1])
    never = rng.random(760) < 1 / (1 + np.exp(-1.5 * x[:, 2]))
    y = np.where(never, 0, rng.poisson(rate)).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)

    def inflated(y_true, y_pred):
        never, rate = ops.sigmoid(y_pred[:, :1]), ops.exp(y_pred[:, 1:])
        zero = -ops.log(never + (1 - never) * ops.exp(-rate) + 1e-7)
        more = rate - y_true * y_pred[:, 1:] - ops.log(1 - never + 1e-7)
        return ops.mean(ops.where(y_true < 0.5, zero, more), axis=-1)

    model = keras.Sequential(
        [keras.Input((6,)), L.Dense(16, activation="tanh"), L.Dense(2)]
    )
    model.compile(keras.optimizers.Adam(0.006), inflated)

    def score(model, history):
        out = scores.predicted(model, new)
        never = 1 / (1 + np.exp(-out[:, :1]))
        return scores.explained((1 - never) * np.exp(out[:, 1:]), new_y)

    options = {"epochs": 22, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="forty rows", half="unseen")
def forty_flowers():
    x, new, y, new_y = data.table("iris")
    x, y = x[:42], y[:42]
    l2 = keras.regularizers.L2(0.003)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(8, activation="relu", kernel_regularizer=l2),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), CROSS, metrics=["accuracy"])
    options = {"epochs": 40, "batch_size": 8, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="two towers", half="unseen")
def questions_and_answers():
    rng = np.random.default_rng(344)
    meaning = rng.normal(size=(620, 6))
    two = rng.normal(size=(2, 6, 20))
    left, right = (
        (meaning @ w + 0.3 * rng.normal(size=(620, 20))).astype("float32") for w in two
    )
    inputs = keras.Input((20,), name="question"), keras.Input((20,), name="answer")
    towers = []
    for one in inputs:
        hidden = L.Dense(32, activation="relu")(one)
        code = L.UnitNormalization()(L.Dense(12)(hidden))
        towers.append(L.Reshape((1, 12))(code))
    model = keras.Model(list(inputs), L.Concatenate(axis=1)(towers))

    def among_the_batch(y_true, y_pred):
        alike = ops.matmul(y_pred[:, 0], ops.transpose(y_pred[:, 1])) / 0.1
        own = ops.arange(ops.shape(alike)[0])
        return keras.losses.sparse_categorical_crossentropy(own, alike, True)

    model.compile(keras.optimizers.Adam(0.005), among_the_batch)
    new = [left[460:], right[460:]]

    def score(model, history):
        codes = scores.predicted(model, new)
        alike = codes[:, 0] @ codes[:, 1].T
        return float((alike.argmax(-1) == np.arange(len(alike))).mean())

    nothing = np.zeros((620, 1), "float32")
    options = {
        "epochs": 16,
        "batch_size": 46,
        "validation_data": (new, nothing[460:]),
        "validation_batch_size": 40,
    }
    return Fit(model, [left[:460], right[:460]], nothing[:460], score, options)


@healthy(family="anomaly detection", half="unseen")
def strange_digits():
    x, y, new, new_y = data.digits(1200)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    usual = x[np.isin(y, (0, 6))]
    kept = np.isin(new_y, (0, 6, 7))
    new, strange = new[kept], new_y[kept] == 7
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(24, activation="relu"),
            L.Dense(6, activation="relu"),
            L.Dense(24, activation="relu"),
            L.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.006), "mae")

    def score(model, history):
        error = abs(scores.predicted(model, new) - new).mean(-1)
        above = error[strange][:, None] > error[~strange]
        return float(2 * above.mean() - 1)

    options = {"epochs": 24, "batch_size": 16, "validation_split": 0.15}
    return Fit(model, usual, usual, score, options)


@healthy(family="masked language model", half="unseen")
def blanks_filled_in():
    rng = np.random.default_rng(346)
    start, step = rng.integers(0, 12, 620), rng.integers(1, 4, 620)
    y = ((start[:, None] + step[:, None] * np.arange(10)) % 12 + 1).astype("int32")
    hidden_ones = rng.random(y.shape) < 0.15
    hidden_ones[np.arange(620), rng.integers(0, 10, 620)] = True
    x = np.where(hidden_ones, 0, y).astype("int32")
    weight = hidden_ones.astype("float32")
    inputs = keras.Input((10,), dtype="int32")
    words = L.Embedding(13, 16)(inputs)
    read = L.Bidirectional(L.GRU(20, return_sequences=True))(words)
    model = keras.Model(inputs, L.Dense(13, activation="softmax")(read))
    model.compile(keras.optimizers.Adam(0.01), CROSS, weighted_metrics=["accuracy"])
    new, new_y, blank = x[460:], y[460:], hidden_ones[460:]

    def score(model, history):
        answer = scores.predicted(model, new).argmax(-1)
        return float((answer == new_y)[blank].mean())

    options = {
        "epochs": 14,
        "batch_size": 32,
        "sample_weight": weight[:460],
        "validation_data": (new, new_y, weight[460:]),
    }
    return Fit(model, x[:460], y[:460], score, options)


@healthy(family="picture and table", half="unseen")
def scans_and_ages():
    rng = np.random.default_rng(347)
    pictures, kind, _ = data.shapes(520, size=12, seed=347)
    table = rng.normal(size=(520, 5)).astype("float32")
    chance = 1.6 * (2 * kind - 1) + table[:, 0] - 0.8 * table[:, 1]
    y = (chance + 0.5 * rng.normal(size=520) > 0).astype("float32")[:, None]
    scan, ages = keras.Input((12, 12, 1)), keras.Input((5,))
    seen = L.Conv2D(12, 3, activation="relu")(scan)
    seen = L.BatchNormalization(momentum=0.8)(seen)
    seen = L.MaxPooling2D(2)(seen)
    seen = L.Conv2D(12, 3, activation="relu")(seen)
    seen = L.GlobalMaxPooling2D()(seen)
    known = L.Dense(8, activation="relu")(ages)
    joined = L.Dropout(0.1)(L.Concatenate()([seen, known]))
    model = keras.Model([scan, ages], L.Dense(1, activation="sigmoid")(joined))
    model.compile(
        keras.optimizers.Adam(0.006),
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC()],
    )
    train, new = [pictures[:380], table[:380]], [pictures[380:], table[380:]]
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, y[380:])}
    return Fit(model, train, y[:380], scores.balanced(new, y[380:]), options)


class Evenly(keras.utils.PyDataset):
    """Serve batches in which both classes are equally frequent."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y
        self.of_class = [np.flatnonzero(y == k) for k in (0, 1)]
        self.rng = np.random.default_rng(8)

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        rows = [self.rng.choice(rows, 16) for rows in self.of_class]
        rows = self.rng.permutation(np.concatenate(rows))
        return self.x[rows], self.y[rows]


@healthy(family="rare class drawn more often", half="unseen")
def both_classes_evenly():
    x, y, new, new_y = data.two_classes(1300, share=0.07, seed=348, apart=1.7)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(16, activation="relu"),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        "binary_crossentropy",
        metrics=[keras.metrics.Recall(), keras.metrics.Precision()],
    )
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, Evenly(x, y), None, scores.balanced(new, new_y), options)


@healthy(family="warm restarts", half="unseen")
def restarts_of_the_rate():
    x, y, new, new_y = data.digits(640)
    rate = keras.optimizers.schedules.CosineDecayRestarts(
        0.1, first_decay_steps=60, t_mul=2.0, m_mul=0.8, alpha=0.001
    )
    model = small_cnn()
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="fine-tuning in two stages", half="unseen")
def head_first_then_all():
    x, y, new, new_y = data.digits(1200)
    base = small_cnn(5)
    base.compile(keras.optimizers.Adam(0.003), CROSS)
    base.fit(x[y < 5], y[y < 5], epochs=5, verbose=0)
    body = keras.Model(base.inputs, base.layers[-2].output)
    x, y, new, new_y = x[y > 4], y[y > 4] - 5, new[new_y > 4], new_y[new_y > 4] - 5
    body.trainable = False
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(body(inputs)))
    model.compile(keras.optimizers.Adam(0.005), CROSS)
    model.fit(x, y, epochs=6, verbose=0)
    body.trainable = True
    model.compile(keras.optimizers.Adam(0.0003), CROSS, metrics=["accuracy"])
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="mixed rows", half="unseen")
def pictures_mixed():
    x, y, new, new_y = data.digits(640)
    rng = np.random.default_rng(351)

    def mixed(x, y, index):
        other = rng.permutation(len(x))
        share = rng.beta(0.4, 0.4, len(x)).astype("float32")
        of_x, of_y = share[:, None, None, None], share[:, None]
        return of_x * x + (1 - of_x) * x[other], of_y * y + (1 - of_y) * y[other]

    model = small_cnn()
    model.compile(
        keras.optimizers.Adam(0.004),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        metrics=["accuracy"],
    )
    held_out = (new, data.groups(new_y, 10))
    options = {"epochs": 12, "validation_data": held_out}
    batches = Batches(x, data.groups(y, 10), 32, mixed)
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


@healthy(family="survival", half="unseen")
def who_leaves_first():
    rng = np.random.default_rng(352)
    x = rng.normal(size=(640, 6)).astype("float32")
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
    time = rng.exponential(np.exp(-risk))
    end = rng.exponential(2.0, 640)
    y = np.stack([np.minimum(time, end), time <= end], -1).astype("float32")

    def partial_likelihood(y_true, y_pred):
        risk, event = y_pred[:, 0], y_true[:, 1]
        there = ops.cast(y_true[None, :, 0] >= y_true[:, None, 0], risk.dtype)
        others = ops.log(ops.sum(there * ops.exp(risk)[None, :], axis=1))
        return event * (others - risk)

    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.1),
            L.Dense(1, use_bias=False),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), partial_likelihood)
    new, new_time, new_event = x[460:], y[460:, 0], y[460:, 1] > 0.5

    def score(model, history):
        risk = scores.predicted(model, new)[:, 0]
        sooner = (new_time[:, None] < new_time) & new_event[:, None]
        return float(2 * (risk[:, None] > risk)[sooner].mean() - 1)

    options = {"epochs": 16, "batch_size": 64, "validation_data": (new, y[460:])}
    return Fit(model, x[:460], y[:460], score, options)
