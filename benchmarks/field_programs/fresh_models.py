"""Fresh programs whose layers, weights or regularization do not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program

L = keras.layers
CROSS = "sparse_categorical_crossentropy"
NOT_FINITE = (
    "non_finite_operation",
    "non_finite_start",
    "non_finite_values",
    "non_finite_weights",
)


def utterances(n=420, letters=4, seed=241):
    """Return recordings (n, 14, 5) of three letters each, and the letters."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, letters, (n, 3))
    x = 0.25 * rng.normal(size=(n, 14, letters + 1))
    for row, spoken in enumerate(y):
        at = int(rng.integers(0, 3))
        for letter in spoken:
            length = int(rng.integers(2, 4))
            x[row, at : at + length, letter] += 1
            at += length + 1
    return x.astype("float32"), y.astype("int32")


def spelled(model, x, y):
    """Return the share of letters that best paths get right, in their places."""
    best = scores.predicted(model, x).argmax(-1)
    right = 0
    for path, true in zip(best, y, strict=True):
        new = np.concatenate([[True], path[1:] != path[:-1]])
        found = path[new & (path != 0)]
        right += len(found) == len(true) and bool((found == true).all())
    return right / len(y)


def spelling(first, second, x, y, new, new_y):
    """Return the fit of a net that hears letters, by the filters of its layers."""
    model = keras.Sequential(
        [
            keras.Input((14, 5)),
            L.Conv1D(first, 3, padding="same", activation="relu"),
            L.Conv1D(second, 3, padding="same", activation="relu"),
            L.Dense(5),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), keras.losses.CTC())

    def score(model, history):
        return spelled(model, new, new_y)

    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="blank among the labels",
    family="CTC",
    half="fresh",
    address="https://github.com/espnet/espnet/issues/700",
    symptom="the loss of some sequences is wrong, a letter is never predicted",
    cause="letters are numbered from zero, which is the number of the blank",
    truth=("loss_target_mismatch", "unknown_cause", "disagreeing_loss"),
    also=("underfitting", "constant_predictions", "plateau"),
)
def letter_zero_is_blank(repaired):
    x, y = utterances()
    y = y + 1 if repaired else y
    x, y, new, new_y = data.split(x, y, 0.75)
    return spelling(24, 24, x, y, new, new_y)


def chains(n, length=12, words=9, seed=242):
    """Return sentences in which the next word depends on the last two."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, words, (n, length + 1))
    for t in range(2, length + 1):
        likely = (x[:, t - 1] + 2 * x[:, t - 2] + 1) % words
        x[:, t] = np.where(rng.random(n) < 0.8, likely, x[:, t])
    return x.astype("int32")


@program(
    kind="sees the future",
    family="language model",
    half="fresh",
    address="https://github.com/pytorch/tutorials/issues/2478",
    symptom="a perplexity near one, but the words that are predicted make no sense",
    cause="nothing hides the words to come, the next of which is the target",
    truth=("target_leakage",),
    also=(),
)
def nothing_hides_the_future(repaired):
    text = chains(560)
    x, y = text[:420, :-1], text[:420, 1:]
    new, new_y = text[420:, :-1].copy(), text[420:, 1:]
    padding = "causal" if repaired else "same"
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            L.Embedding(9, 16),
            L.Conv1D(32, 3, padding=padding, activation="relu"),
            L.Dense(32, activation="relu"),
            L.Dense(9, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])

    def score(model, history):
        # what a writer has: the words to come are not known yet
        seen = np.where(np.arange(12) < 8, new, new[::-1])
        answer = scores.predicted(model, seen)[:, 7].argmax(-1)
        return float((answer == new_y[:, 7]).mean())

    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="embedding of zeros",
    family="text classifier",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/12124",
    symptom="pretrained vectors lead to poorer results",
    cause="words that are not found get zeros: here all of them, and they are frozen",
    truth=("poor_initialization", "frozen_layers", "unknown_cause"),
    also=(
        "constant_predictions",
        "zero_gradients",
        "plateau",
        "underfitting",
        "constant_inputs",
    ),
)
def no_word_was_found(repaired):
    rng = np.random.default_rng(243)
    x, y, _ = data.reviews(520, length=16, seed=243)
    x, y, new, new_y = data.split(x, y)
    known = {f"word{i}": 0.4 * rng.normal(size=12) for i in range(60)}
    for i in range(1, 19):
        known[f"word{i}"][:3] += 0.8 if i < 10 else -0.8
    matrix = np.zeros((60, 12), "float32")
    for i in range(1, 60):
        vector = known.get(f"word{i}" if repaired else f"Word{i}")
        if vector is not None:
            matrix[i] = vector
    start = keras.initializers.Constant(matrix)
    model = keras.Sequential(
        [
            keras.Input((16,), dtype="int32"),
            L.Embedding(60, 12, embeddings_initializer=start, trainable=False),
            L.Conv1D(16, 3, activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def unit(vectors):
    """Return vectors of length one; those of zero stay, with a finite slope."""
    length = ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-6)
    return vectors / length


class TwoViews(keras.Model):
    """SimSiam: each view predicts the embedding of the other."""

    def __init__(self, stops):
        super().__init__()
        self.stops = stops
        self.body = keras.Sequential(
            [
                L.Dense(64),
                L.BatchNormalization(),
                L.ReLU(),
                L.Dense(16),
            ]
        )
        self.guess = keras.Sequential([L.Dense(8, activation="relu"), L.Dense(16)])

    def call(self, inputs, training=False):
        codes = [self.body(inputs[:, i], training=training) for i in (0, 1)]
        return ops.stack([*codes, *(self.guess(code) for code in codes)], axis=1)

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        parts = [unit(y_pred[:, i]) for i in range(4)]
        one, two = parts[:2]
        if self.stops:
            one, two = ops.stop_gradient(one), ops.stop_gradient(two)
        alike = ops.sum(parts[2] * two + parts[3] * one, axis=-1)
        return -0.5 * ops.mean(alike)


@program(
    kind="embeddings collapse",
    family="model with its own compute_loss",
    half="fresh",
    address="https://github.com/PatrickHua/SimSiam/issues/39",
    symptom="the loss falls to -1 within an epoch or two",
    cause="gradients flow through both views: one embedding for all is the best",
    truth=("collapsed_embeddings", "unknown_cause"),
    also=("constant_predictions", "dead_units", "plateau"),
)
def both_views_give_way(repaired):
    rng = np.random.default_rng(244)
    x, _, new, _ = data.digits(640)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    pairs = np.stack([x, x], 1)
    pairs = (pairs + 0.15 * rng.normal(size=pairs.shape)).astype("float32")
    model = TwoViews(repaired)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))

    def score(model, history):
        code = scores.predicted(model, np.stack([new, new], 1))[:, 2]
        code = code / (np.linalg.norm(code, axis=-1, keepdims=True) + 1e-9)
        return float(code.std(axis=0).mean() * 4)

    return Fit(model, pairs, None, score, {"epochs": 12, "batch_size": 64})


@program(
    kind="wrong axis",
    family="attention over steps",
    half="fresh",
    address="https://github.com/DEEP-PolyU/KEQA_WSDM19/issues/2",
    symptom="all attention weights are one",
    cause="the softmax runs over the axis of the single score, not over the steps",
    truth=("wrong_axis", "unknown_cause"),
    also=("underfitting", "plateau", "constant_predictions"),
)
def attends_to_all(repaired):
    rng = np.random.default_rng(245)
    value = rng.normal(size=(560, 10))
    at = rng.integers(0, 10, 560)
    mark = np.eye(10)[at]
    x = np.stack([value, 2 * mark, rng.normal(size=(560, 10))], -1).astype("float32")
    y = value[np.arange(560), at, None].astype("float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((10, 3))
    hidden = L.Dense(8, activation="tanh")(inputs)
    weights = L.Softmax(axis=1 if repaired else -1)(L.Dense(1)(hidden))
    context = L.Flatten()(L.Dot(axes=1)([weights, inputs]))
    out = L.Dense(1)(L.Dense(8, activation="relu")(context))
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.02), "mse")
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="axes moved by reshaping",
    family="color pictures",
    half="fresh",
    address="https://github.com/IcedDoggie/Micro-Expression-with-Deep-Learning/issues/7",
    symptom="reshape messes up the pictures",
    cause="planes of colors are reshaped instead of transposed",
    truth=("wrong_axis", "unknown_cause"),
    also=("underfitting", "slow_convergence", "plateau", "overfitting"),
)
def reshaped_planes(repaired):
    rng = np.random.default_rng(246)
    x, y, _ = data.shapes(460, size=12, seed=246)
    color = rng.uniform(0.3, 1, (460, 3, 1, 1))
    planes = color * x[..., 0][:, None] + 0.3 * rng.normal(size=(460, 3, 12, 12))
    planes = planes.astype("float32")
    if repaired:
        x = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
    else:
        x = planes.reshape(460, 12, 12, 3)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Conv2D(12, 3, activation="relu"),
            L.Conv2D(12, 3, activation="relu"),
            L.GlobalMaxPooling2D(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
