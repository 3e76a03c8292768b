"""Tenth half: programs whose output, loss and targets do not suit each other."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="labels out of range",
    family="segmentation into object and background",
    half="tenth",
    address="https://github.com/divamgupta/image-segmentation-keras/issues/30",
    symptom="all predicted pictures are of a single color",
    cause="the masks hold 0 and 255 in place of 0 and 1",
    truth=("loss_target_mismatch", "output_activation_mismatch", "unscaled_targets"),
    also=(*STUCK, *BLOWN_UP, "dead_units", "saturated_units", "zero_gradients"),
    backends=("jax", "tensorflow"),  # PyTorch refuses such targets
)
def objects_in_white(repaired):
    x, _, masks = data.shapes(420, seed=1011)
    drawn = (masks * 255).astype("uint8")
    y = (drawn / 255 if repaired else drawn).astype("float32")
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    hidden = L.BatchNormalization(momentum=0.9)(hidden)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    hidden = L.BatchNormalization(momentum=0.9)(hidden)
    hidden = L.Conv2DTranspose(12, 2, strides=2, activation="relu")(hidden)
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    adam = keras.optimizers.Adam(0.005)
    model.compile(adam, "binary_crossentropy", metrics=["accuracy"])
    held_out = x[300:], y[300:]
    options = {"epochs": 12, "batch_size": 20, "validation_data": held_out}
    return Fit(model, x[:300], y[:300], scores.overlap(x[300:], masks[300:]), options)


class FaceCode(keras.Model):
    """A variational autoencoder of small pictures."""

    def __init__(self, activation):
        super().__init__()
        self.first = L.Conv2D(16, 3, strides=2, padding="same", activation="relu")
        self.flat = L.Flatten()
        self.mean = L.Dense(12)
        self.spread = L.Dense(12)
        self.grow = L.Dense(4 * 4 * 16, activation="relu")
        self.shape = L.Reshape((4, 4, 16))
        self.up = L.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")
        self.last = L.Conv2D(1, 3, padding="same", activation=activation)
        self.noise = keras.random.SeedGenerator(1012)

    def call(self, x, training=False):
        hidden = self.flat(self.first(x))
        mean, spread = self.mean(hidden), self.spread(hidden)
        code = mean
        if training:
            noise = keras.random.normal(ops.shape(mean), seed=self.noise)
            code = mean + ops.exp(0.5 * spread) * noise
        kl = -0.5 * ops.mean(1 + spread - ops.square(mean) - ops.exp(spread))
        self.add_loss(0.02 * kl)
        return self.last(self.up(self.shape(self.grow(code))))


def cross_entropy_of_pixels(truth, answer):
    answer = ops.clip(answer, 1e-6, 1 - 1e-6)
    both = truth * ops.log(answer) + (1 - truth) * ops.log(1 - answer)
    return -ops.mean(both, axis=(1, 2, 3))


@program(
    kind="targets out of range of the loss",
    family="variational autoencoder",
    half="tenth",
    address="https://github.com/bhpfelix/Variational-Autoencoder-PyTorch/issues/4",
    symptom="after 40 to 50 epochs the reconstructions are bad",
    cause="binary cross-entropy on normalized pixels, mean squared error works",
    truth=("loss_target_mismatch", "output_activation_mismatch", "disagreeing_loss"),
    also=(*STUCK, *BLOWN_UP, "saturated_units", "unscaled_targets", "dead_units"),
)
def pixels_below_zero(repaired):
    x, _, new, _ = data.digits(800)
    mean, std = x.mean(), x.std()
    x, new = (x - mean) / std, (new - mean) / std
    model = FaceCode(None if repaired else "sigmoid")
    loss = "mse" if repaired else cross_entropy_of_pixels
    model.compile(keras.optimizers.Adam(0.004), loss)
    score = scores.variance(new, new.reshape(len(new), -1))
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, score, options)


def nll_loss(truth, answer):
    """Return what a model says of the right class, negated."""
    return -ops.sum(truth * answer, axis=-1)


@program(
    kind="no log-softmax before the likelihood",
    family="spoken commands",
    half="tenth",
    address="https://github.com/pytorch/tutorials/pull/1204",
    symptom="the loss falls below -100,000, the accuracy is 13 to 15 %",
    cause="the negative log-likelihood of the bare outputs of a linear layer",
    truth=("disagreeing_loss", "output_activation_mismatch", "loss_target_mismatch"),
    also=(*BLOWN_UP, *STUCK, "exploding_activations", "learning_rate_too_high"),
)
def commands_without_log_softmax(repaired):
    rng = np.random.default_rng(1013)
    kind = rng.integers(0, 6, 900)
    t = np.arange(32)
    pitch = np.linspace(0.05, 0.3, 12)[rng.permutation(12)].reshape(6, 2)[kind]
    late = rng.uniform(0, 6.28, (900, 2, 1))
    tones = np.sin(6.283 * pitch[:, :, None] * t + late)
    swell = np.stack([t < 16, t >= 16]) * 1.0
    x = ((tones * swell).sum(axis=1) + 0.3 * rng.normal(size=(900, 32)))[..., None]
    x, y, new, new_y = data.split(x.astype("float32"), kind, seed=1013)
    inputs = keras.Input((32, 1))
    hidden = L.Conv1D(16, 7, strides=2, activation="relu")(inputs)
    hidden = L.Conv1D(24, 3, activation="relu")(hidden)
    hidden = L.MaxPooling1D(2)(hidden)
    hidden = L.Flatten()(hidden)
    hidden = L.Dropout(0.2)(hidden)
    outputs = L.Dense(6, activation="log_softmax" if repaired else None)(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.004), nll_loss, metrics=["accuracy"])
    held_out = (new, data.groups(new_y, 6))
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x, data.groups(y, 6), scores.accuracy(new, new_y), options)


@program(
    kind="ratings beyond the reach of the output",
    family="recommender of two towers",
    half="tenth",
    address="https://github.com/tensorflow/tensorflow/issues/59944",
    symptom="the loss goes from 7.357 to 7.355 in 50 epochs",
    cause="a product of vectors of length 1 is at most 1, the ratings go up to 5",
    truth=("unscaled_targets", "output_activation_mismatch"),
    also=(*STUCK, "loss_target_mismatch", "collapsed_embeddings", "saturated_units"),
)
def ratings_by_unit_vectors(repaired):
    rng = np.random.default_rng(1014)
    taste = rng.normal(size=(60, 4))
    genres = rng.normal(size=(50, 4))
    user, film = rng.integers(0, 60, 2600), rng.integers(0, 50, 2600)
    lengths = np.linalg.norm(taste, axis=1)[user] * np.linalg.norm(genres, axis=1)[film]
    liking = (taste[user] * genres[film]).sum(axis=1) / lengths
    stars = 3 + 2.2 * liking + 0.3 * rng.normal(size=2600)
    rating = np.clip(np.round(2 * stars) / 2, 0.5, 5)
    y = ((rating - 3) / 2 if repaired else rating).astype("float32")[:, None]
    x = {
        "user": user.astype("int32"),
        "film": (genres[film] + 0.1 * rng.normal(size=(2600, 4))).astype("float32"),
    }
    who = keras.Input((), dtype="int32", name="user")
    what = keras.Input((4,), name="film")
    u = L.Embedding(60, 16)(who)
    u = L.Dense(16)(L.Dense(24, activation="relu")(u))
    f = L.Dense(16)(L.Dense(24, activation="relu")(what))
    u, f = L.UnitNormalization()(u), L.UnitNormalization()(f)
    model = keras.Model({"user": who, "film": what}, L.Dot(axes=1)([u, f]))
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    train = {name: rows[:2000] for name, rows in x.items()}
    new = {name: rows[2000:] for name, rows in x.items()}

    def score(model, history):
        out = scores.predicted(model, new)
        out = 3 + 2 * out if repaired else out
        return scores.explained(out, rating[2000:, None])

    options = {"epochs": 14, "batch_size": 64, "validation_data": (new, y[2000:])}
    return Fit(model, train, y[:2000], score, options)


@program(
    kind="softmax over one output",
    family="deep classifier of a table",
    half="tenth",
    address="https://github.com/keras-team/keras/issues/2975",
    symptom="the model always predicts the same class",
    cause="softmax over a single unit is always 1, it should be a sigmoid",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients", "vanishing_gradients", "loss_target_mismatch"),
)
def lumps_by_softmax(repaired):
    x, new, y, new_y = data.table("breast_cancer")
    model = keras.Sequential()
    model.add(keras.Input((30,)))
    model.add(L.Dense(16, activation="elu", kernel_initializer="he_normal"))
    model.add(L.Dropout(0.4))
    model.add(L.Dense(8, activation="elu", kernel_initializer="he_normal"))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(1, activation="sigmoid" if repaired else "softmax"))
    adam = keras.optimizers.Adam(0.002)
    model.compile(adam, "binary_crossentropy", metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
