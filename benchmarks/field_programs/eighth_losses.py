"""Programs of the eighth half whose loss or metric is not what it seems."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
ops = keras.ops


@program(
    kind="arguments of the loss in the wrong order",
    family="policy from rewards",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/5733",
    symptom="the loss is always nan, though in numpy it is 1.48",
    cause="the loss takes (prediction, truth): the logarithm of a truth of 0",
    truth=("non_finite_operation", "non_finite_start"),
    also=(
        "disagreeing_loss",
        *BLOWN_UP,
        *STUCK,
        "non_finite_weights",
        "loss_target_mismatch",
    ),
)
def policy_loss_the_other_way(repaired):
    rng = np.random.default_rng(812)
    x = rng.normal(size=(900, 4)).astype("float32")
    best = ((x[:, 0] + x[:, 1] * x[:, 2]) > 0).astype(int)
    action = rng.integers(0, 2, 900)
    reward = np.where(action == best, 1.0, 0.1) + 0.05 * rng.random(900)
    baseline = np.eye(2)[action] * reward[:, None]
    y = baseline.astype("float32")
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(24, activation="relu"),
            L.Dense(24, activation="relu"),
            L.Dense(2, activation="softmax"),
        ]
    )

    def policy_loss(truth, policy):
        return -ops.sum(ops.log(policy) * truth, axis=-1)

    def swapped(policy, truth):
        return -ops.sum(ops.log(policy) * truth, axis=-1)

    loss = policy_loss if repaired else swapped
    model.compile(keras.optimizers.Adam(0.004), loss)
    score = scores.balanced(x[650:], best[650:])
    return Fit(model, x[:650], y[:650], score, {"epochs": 15, "batch_size": 32})


@program(
    kind="accuracy counted over all units",
    family="text classifier",
    half="eighth",
    address="https://intellipaat.com/community/17161",
    symptom="evaluate says 98 %, the predicted classes are right in 83 %",
    cause="binary accuracy counts each of 19 units of a one-hot row",
    truth=("metric_mismatch",),
    also=("output_activation_mismatch", "loss_target_mismatch", "disagreeing_loss"),
)
def nineteen_topics_at_once(repaired):
    rng = np.random.default_rng(815)
    y = rng.integers(0, 19, 1500)
    own = 1 + y[:, None] * 4 + rng.integers(0, 4, (1500, 14))
    other = rng.integers(1, 140, (1500, 14))
    x = np.where(rng.random((1500, 14)) < 0.25, own, other).astype("int32")
    labels = data.groups(y, 19)
    model = keras.Sequential()
    model.add(keras.Input((14,), dtype="int32"))
    model.add(L.Embedding(140, 24))
    model.add(L.GlobalAveragePooling1D())
    model.add(L.Dropout(0.2))
    model.add(L.Dense(19, activation="softmax" if repaired else "sigmoid"))
    kind = "categorical" if repaired else "binary"
    accuracy = getattr(keras.metrics, f"{kind.capitalize()}Accuracy")(name="acc")
    model.compile(
        keras.optimizers.Adam(0.01), f"{kind}_crossentropy", metrics=[accuracy]
    )
    new, new_y = x[1100:], y[1100:]
    options = {
        "epochs": 12,
        "batch_size": 64,
        "validation_data": (new, labels[1100:]),
    }
    score = scores.honesty("val_acc", scores.right(new, new_y))
    return Fit(model, x[:1100], labels[:1100], score, options)


@program(
    kind="accuracy of a regression",
    family="table",
    half="eighth",
    address="https://stackoverflow.com/questions/48775305",
    symptom="what does val_acc: 0.325 mean, when the loss is a squared error?",
    cause="numbers are predicted: accuracy counts values that are exactly equal",
    truth=("metric_mismatch",),
    also=("overfitting",),
)
def accuracy_of_numbers(repaired):
    x, y, new, new_y = data.friedman(700, seed=816, noise=0.5)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(24, activation="relu"),
            L.Dense(12, activation="relu"),
            L.Dense(1),
        ]
    )
    metric = keras.metrics.R2Score(name="acc") if repaired else "acc"
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=[metric])
    score = scores.honesty("val_acc", scores.variance(new, new_y))
    options = {"epochs": 25, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="padding is counted",
    family="tagger of words",
    half="eighth",
    address="https://github.com/aneesh-joshi/LSTM_POS_Tagger/issues/8",
    symptom="99 % of the tags are right, but the words' own are not",
    cause="sentences are padded without a mask, and padding is easy to guess",
    truth=("unmasked_padding", "metric_mismatch"),
    also=("imbalanced_classes", *STUCK, "too_few_updates"),
)
def tags_of_padding(repaired):
    rng = np.random.default_rng(817)
    usual = np.concatenate([[0], rng.integers(1, 6, 60)])
    x = np.zeros((600, 16), "int32")
    y = np.zeros((600, 16), "int32")
    for i in range(600):
        n = int(rng.integers(2, 6))
        words = rng.integers(1, 61, n)
        tags = usual[words]
        # after a verb, tag 1, a noun becomes an object; some words are rare
        tags[1:][(tags[:-1] == 1) & (tags[1:] == 2)] = 3
        odd = rng.random(n) < 0.25
        tags[odd] = rng.integers(1, 6, odd.sum())
        x[i, :n], y[i, :n] = words, tags
    inputs = keras.Input((16,), dtype="int32")
    hidden = L.Embedding(61, 12, mask_zero=repaired)(inputs)
    hidden = L.LSTM(16, return_sequences=True)(hidden)
    model = keras.Model(inputs, L.Dense(6, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    new, new_y = x[400:], y[400:]

    def of_words(model, history):
        out = scores.predicted(model, new).argmax(-1)
        return float((out == new_y)[new > 0].mean())

    options = {"epochs": 10, "batch_size": 40, "validation_data": (new, new_y)}
    score = scores.honesty("val_accuracy", of_words)
    return Fit(model, x[:400], y[:400], score, options)


@program(
    kind="square root of zero",
    family="recordings, a layer of one's own",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/13203",
    symptom="the loss is nan; without the line with sqrt it is correct",
    cause="a root is taken of what a relu yields: at 0 its gradient is infinite",
    truth=("non_finite_operation",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "non_finite_start"),
    # the others do not pass on what comes back to a relu at 0
    backends=("tensorflow",),
)
def root_of_a_relu(repaired):
    x, y = data.gestures(420, length=16, seed=818)
    inputs = keras.Input(x.shape[1:])
    hidden = L.Dense(12, activation="relu", name="middle")(inputs)
    hidden = L.Flatten()(hidden)
    hidden = ops.sqrt(hidden + 0.01) if repaired else ops.sqrt(hidden)
    hidden = L.Dropout(0.2)(hidden)
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    held_out = x[280:], y[280:]
    options = {"epochs": 15, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:280], y[:280], scores.balanced(*held_out), options)
