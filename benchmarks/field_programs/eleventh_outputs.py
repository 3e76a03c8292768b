"""Eleventh half: programs whose output does not suit what is learned."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import datasets

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="metric for two classes",
    family="table of many classes",
    half="eleventh",
    address="https://ai.stackexchange.com/revisions/11311/2",
    symptom="the accuracy that is reported is far above that of the predictions",
    cause="with a binary cross-entropy, the accuracy is that of each unit alone",
    truth=("metric_mismatch", "loss_target_mismatch"),
    also=("underfitting", "slow_convergence", "output_activation_mismatch"),
)
def eight_kinds_of_soil(repaired):
    x, y = datasets.make_classification(
        1500,
        10,
        n_informative=7,
        n_classes=8,
        n_clusters_per_class=1,
        class_sep=1.0,
        random_state=1101,
    )
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential()
    model.add(keras.Input((10,)))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(8, activation="softmax"))
    loss = "categorical_crossentropy" if repaired else "binary_crossentropy"
    metric = "categorical_accuracy" if repaired else "binary_accuracy"
    model.compile(keras.optimizers.RMSprop(0.002), loss, metrics=[metric])
    held_out = new, data.groups(new_y, 8)
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    score = scores.honesty(f"val_{metric}", scores.right(new, new_y))
    return Fit(model, x, data.groups(y, 8), score, options)


def number_said(x, y):
    """Return the share of right answers above chance, of numbers or of classes."""

    def score(model, history):
        out = scores.predicted(model, x)
        said = np.round(out[:, 0]) if out.shape[-1] == 1 else out.argmax(-1)
        return float(((said == y).mean() - 0.1) / 0.9)

    return score


@program(
    kind="classes as numbers",
    family="dense network on pictures",
    half="eleventh",
    address="http://pullrequest.ru/14126136/polzovatelskaya-funktsiya-poter-dlya-prognozirovaniya-vyhodnyh-dannyh-interget",
    symptom="which loss makes the network predict whole numbers from 1 to N",
    cause="classes are predicted as numbers, with a squared error",
    truth=("loss_target_mismatch",),
    also=(*STUCK, "unscaled_targets", "output_activation_mismatch", "metric_mismatch"),
)
def whole_numbers_of_digits(repaired):
    x, y, new, new_y = data.digits(900)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = keras.Sequential()
    model.add(keras.Input((64,)))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dense(10, activation="softmax") if repaired else L.Dense(1))
    sgd = keras.optimizers.SGD(0.1 if repaired else 0.01)
    model.compile(sgd, CROSS if repaired else "mse", metrics=["accuracy"])
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, number_said(new, new_y), options)


@program(
    kind="one unit for three classes",
    family="augmented pictures",
    half="eleventh",
    address="https://python.19633.com/it/python-tag-7/Keras-7/1007050775.html",
    symptom="with a third folder of pictures the loss is negative, accuracy is low",
    cause="one sigmoid unit and a binary cross-entropy for three classes",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, *BLOWN_UP, "saturated_units", "metric_mismatch"),
    backends=("jax", "tensorflow"),
)
def a_third_folder(repaired):
    x, y, new, new_y = data.digits(1257)
    keep, keep_new = np.isin(y, (3, 5, 8)), np.isin(new_y, (3, 5, 8))
    x, y = x[keep], np.searchsorted((3, 5, 8), y[keep])
    new, new_y = new[keep_new], np.searchsorted((3, 5, 8), new_y[keep_new])
    rng = np.random.default_rng(1103)

    def change(pictures, labels, index):
        shifted = np.roll(pictures, int(rng.integers(-1, 2)), axis=2)
        bright = rng.uniform(0.8, 1.1, (len(pictures), 1, 1, 1))
        return (shifted * bright).astype("float32"), labels

    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.Conv2D(24, 3, activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dropout(0.3))
    if repaired:
        model.add(L.Dense(3, activation="softmax"))
        model.compile(keras.optimizers.RMSprop(0.002), CROSS, metrics=["accuracy"])
    else:
        model.add(L.Dense(1, activation="sigmoid"))
        model.compile(
            keras.optimizers.RMSprop(0.002), "binary_crossentropy", metrics=["accuracy"]
        )
    train, held_out = Batches(x, y, 16, change), Batches(new, new_y, 32)
    options = {"epochs": 16, "validation_data": held_out}
    return Fit(model, train, None, scores.accuracy(new, new_y), options)


class Sampling(L.Layer):
    """Draw a code around its mean, and add the divergence to the loss."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight
        self.seeds = keras.random.SeedGenerator(1104)

    def call(self, inputs, training=None):
        mean, log_var = inputs
        kl = -0.5 * ops.sum(1 + log_var - mean**2 - ops.exp(log_var), axis=-1)
        self.add_loss(self.weight * ops.mean(kl))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_var) * noise


@program(
    kind="logarithm that cannot be negative",
    family="variational autoencoder",
    half="eleventh",
    address="https://coderapp.vercel.app/answer/79505737",
    symptom="the layer of the log variances returns only zeros",
    cause="a relu before the mean and the log variance",
    truth=("dead_units", "zero_gradients"),
    also=(*STUCK, "loss_terms_out_of_balance", "vanishing_gradients"),
)
def log_variances_of_zero(repaired):
    x, _, new, _ = data.digits(900)
    kind = None if repaired else "relu"
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dense(50, activation="relu")(L.Flatten()(inputs))
    mean = L.Dense(10, activation=kind, name="mean")(hidden)
    log_var = L.Dense(10, activation=kind, name="log_var")(hidden)
    code = Sampling(0.003)([mean, log_var])
    hidden = L.Dense(50, activation="relu")(code)
    hidden = L.Dense(64, activation="sigmoid")(hidden)
    model = keras.Model(inputs, L.Reshape((8, 8, 1))(hidden))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new)}
    score = scores.variance(new, new.reshape(len(new), -1))
    return Fit(model, x, x, score, options)


@program(
    kind="softmax of a single unit",
    family="recommender",
    half="eleventh",
    address="http://forums.fast.ai/t/please-help-with-collaborative-filtering-lesson-4/3859",
    symptom="layers on top of the product give 0.7 instead of 0.34: is this valid?",
    cause="the softmax of one unit says 1 of every pair",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients", "imbalanced_classes", "overfitting"),
)
def targets_for_users(repaired):
    rng = np.random.default_rng(1105)
    users, targets = rng.integers(0, 40, 2000), rng.integers(0, 30, 2000)
    tastes = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    match = (tastes[0][users] * tastes[1][targets]).sum(-1)
    y = (match + 0.2 * rng.normal(size=2000) > -0.6).astype("int32")
    user_in = keras.Input((1,), dtype="int32", name="user_in")
    target_in = keras.Input((1,), dtype="int32", name="target_in")
    u = L.Embedding(40, 6)(user_in)
    m = L.Embedding(30, 6)(target_in)
    x = L.Flatten()(L.Multiply()([u, m]))
    x = L.Dropout(0.3)(L.Dense(32, activation="relu")(x))
    x = L.BatchNormalization(momentum=0.9)(x)
    x = L.Dense(16, activation="relu")(x)
    x = L.Dense(1, activation="sigmoid" if repaired else "softmax")(x)
    model = keras.Model([user_in, target_in], x)
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    train = [users[:1500, None], targets[:1500, None]]
    new = [users[1500:, None], targets[1500:, None]]
    options = {"epochs": 9, "batch_size": 64, "validation_data": (new, y[1500:])}
    return Fit(model, train, y[:1500], scores.balanced(new, y[1500:]), options)
