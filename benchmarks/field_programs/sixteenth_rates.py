"""Sixteenth half: programs that take too few, too many or too long steps."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.sixteenth_losses import distances, neighbors, persons
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def spectra(n, seed):
    """Return spectra of three kinds of meat, and which of them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    place = np.arange(64)
    middle = np.array([[12, 30, 50], [14, 30, 48], [12, 33, 48]])[y]
    high = np.array([[1, 0.7, 0.5], [1, 0.6, 0.6], [0.9, 0.7, 0.6]])[y]
    middle = middle + 0.4 * rng.normal(size=middle.shape)
    high = high + 0.06 * rng.normal(size=high.shape)
    bands = np.exp(-(((place - middle[..., None]) / 4.5) ** 2)) * high[..., None]
    x = bands.sum(1) + 0.04 * rng.normal(size=(n, 64))
    x = x + rng.normal(0, 0.1, (n, 1)) * place / 64
    x = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    return x[..., None].astype("float32"), y


@program(
    kind="too few epochs",
    family="spectra, convolutions",
    half="sixteenth",
    address="https://github.com/hfawaz/bigdata18/issues/3",
    symptom="the accuracy is 43 % where the paper has 81 %",
    cause="ten epochs were left in the program instead of two thousand",
    truth=("too_few_updates", "slow_convergence", "learning_rate_too_low"),
    also=("underfitting", "plateau", "constant_predictions", "normalization_lag"),
)
def ten_epochs_of_meat(repaired):
    x, y = spectra(128, 1631)
    new, new_y = spectra(300, 1632)
    inputs = keras.Input((64, 1))
    hidden = inputs
    for filters, kernel in ((12, 8), (16, 5), (12, 3)):
        hidden = L.Conv1D(filters, kernel, padding="same")(hidden)
        hidden = L.BatchNormalization(momentum=0.8)(hidden)
        hidden = L.Activation("relu")(hidden)
    hidden = L.GlobalAveragePooling1D()(hidden)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 3), data.groups(new_y, 3)
    options = {
        "epochs": 40 if repaired else 10,
        "batch_size": 16,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, score, options)


def dictations(n, seed):
    """Return frames in which three of four letters sound, and the letters."""
    rng = np.random.default_rng(seed)
    y = rng.integers(1, 5, (n, 3))
    x = 0.3 * rng.normal(size=(n, 18, 6))
    sounds = np.random.default_rng(1633).normal(size=(4, 6))
    for i in range(n):
        at = int(rng.integers(0, 3))
        for letter in y[i]:
            used = int(rng.integers(2, 5))
            x[i, at : at + used] += sounds[letter - 1]
            at += used + int(rng.integers(1, 3))
    return x.astype("float32"), y.astype("int32")


@program(
    kind="too few epochs",
    family="CTC, speech",
    half="sixteenth",
    address="https://github.com/cyprienruffino/CTCModel/issues/12",
    symptom="after ten epochs nothing but blanks is predicted",
    cause="at first only blanks are learned, letters come many epochs later",
    truth=("too_few_updates", "slow_convergence", "learning_rate_too_low"),
    also=("underfitting", "plateau", "constant_predictions"),
)
def blanks_of_ten_epochs(repaired):
    x, y = dictations(400, 1634)
    new, new_y = dictations(200, 1635)
    model = keras.Sequential()
    model.add(keras.Input((18, 6)))
    model.add(L.Conv1D(24, 3, padding="same", activation="tanh"))
    model.add(L.Conv1D(24, 3, padding="same", activation="tanh"))
    model.add(L.Dense(5))
    model.compile(keras.optimizers.Adam(0.001), keras.losses.CTC())

    def score(model, history):
        right = 0
        for path, true in zip(
            scores.predicted(model, new).argmax(-1), new_y, strict=True
        ):
            begins = np.concatenate([[True], path[1:] != path[:-1]])
            found = path[begins & (path != 0)]
            right += len(found) == len(true) and bool((found == true).all())
        return right / len(new_y)

    options = {
        "epochs": 50 if repaired else 10,
        "batch_size": 32,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, score, options)


class Block(L.Layer):
    """A block of an encoder: attention, then two dense layers."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.attention = L.MultiHeadAttention(4, units // 4)
        self.inner = keras.Sequential(
            [L.Dense(2 * units, activation="gelu"), L.Dense(units)]
        )
        self.norms = [L.LayerNormalization() for _ in range(2)]

    def build(self, shape):
        self.attention.build(shape, shape)
        self.inner.build(shape)
        for norm in self.norms:
            norm.build(shape)

    def call(self, hidden):
        hidden = self.norms[0](hidden + self.attention(hidden, hidden))
        return self.norms[1](hidden + self.inner(hidden))


@program(
    kind="steps too long",
    family="encoder of texts",
    half="sixteenth",
    address="https://github.com/strongio/keras-bert/issues/11",
    symptom="the accuracy is 53 %, all rows get nearly the same confidence",
    cause="the rate is far too high for the layers of an encoder",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "attention_saturated",
        "collapsed_embeddings",
    ),
)
def encoder_at_a_run(repaired):
    x, y, _ = data.reviews(1000, length=16, seed=1636, long=True)
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((16,), dtype="int32")
    hidden = L.Embedding(60, 32)(inputs)
    for _ in range(2):
        hidden = Block(32)(hidden)
    hidden = L.GlobalAveragePooling1D()(hidden)
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    rate = 0.0005 if repaired else 0.1
    model.compile(
        keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="too many epochs",
    family="five grades of sentiment",
    half="sixteenth",
    address="https://github.com/munikarmanish/bert-sentiment/issues/1",
    symptom="the training loss goes to zero, that of the test set doubles",
    cause="several times as many epochs as are good for it",
    truth=("overfitting", "model_too_large"),
    also=("diverging_loss",),
)
def grades_by_heart(repaired):
    x, _, balance = data.reviews(1300, length=20, words=90, seed=1637, long=True)
    balance = balance + np.random.default_rng(1638).normal(0, 1.5, len(x))
    y = np.digitize(balance, np.quantile(balance, [0.2, 0.4, 0.6, 0.8]))
    x, y, new, new_y = data.split(x, y, 0.45)
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(90, 32),
            L.Conv1D(64, 3, padding="same", activation="relu"),
            L.GlobalAveragePooling1D(),
            L.Dense(96, activation="relu"),
            L.Dense(5, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )

    def score(model, history):
        said = scores.predicted(model, new)[np.arange(len(new)), new_y]
        return float(max(-1, 1 + np.log(said + 1e-9).mean() / np.log(5)))

    epochs = 4 if repaired else 20
    options = {"epochs": epochs, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def batch_hard(labels, embeddings):
    """Return the triplet loss of the hardest rows of a batch."""
    labels = ops.reshape(labels, (-1,))
    apart = distances(embeddings)
    same = ops.cast(ops.equal(labels[:, None], labels[None, :]), "float32")
    farthest = ops.max(apart * same, axis=1)
    nearest = ops.min(apart + 1e3 * same, axis=1)
    return ops.mean(ops.relu(farthest - nearest + 1.0))


@program(
    kind="steps too long",
    family="triplet embedding, hardest of a batch",
    half="sixteenth",
    address="https://github.com/omoindrot/tensorflow-triplet-loss/issues/18",
    symptom="the loss stays at the margin, whatever the margin is",
    cause="the rate is too high: all embeddings end up in a single point",
    truth=("learning_rate_too_high", "collapsed_embeddings"),
    also=(*STUCK, *BLOWN_UP, "dead_units", "zero_gradients"),
)
def embeddings_in_a_point(repaired):
    x, y = persons(900, 1639, pose=1.1)
    new, new_y = persons(400, 1640, pose=1.1)
    inputs = keras.Input((24,))
    hidden = L.Dense(64, activation="relu")(inputs)
    hidden = L.Dense(64, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(8)(hidden))
    model.compile(keras.optimizers.Adam(0.002 if repaired else 0.1), batch_hard)
    score = neighbors(x, y, new, new_y)
    return Fit(model, x, y, score, {"epochs": 12, "batch_size": 48})
