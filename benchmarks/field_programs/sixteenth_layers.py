"""Sixteenth half: programs with masks, statistics and inputs of the wrong kind."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


class Positions(L.Layer):
    """Adds what is learned of each place."""

    def build(self, shape):
        self.places = self.add_weight(
            shape=shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.1)
        )

    def call(self, inputs):
        return inputs + self.places


class MaskedAttention(L.Layer):
    """Attention of valid frames to valid frames."""

    def __init__(self, units, hidden_score, **kwargs):
        super().__init__(**kwargs)
        self.query, self.key, self.value = (L.Dense(units) for _ in range(3))
        self.hidden_score, self.units = hidden_score, units

    def build(self, shapes):
        for layer in (self.query, self.key, self.value):
            layer.build(shapes[0])

    def call(self, inputs):
        frames, valid = inputs
        keys = ops.transpose(self.key(frames), (0, 2, 1))
        score = ops.matmul(self.query(frames), keys) / self.units**0.5
        both = ops.logical_and(valid[:, :, None] > 0, valid[:, None, :] > 0)
        score = ops.where(both, score, self.hidden_score)
        return ops.matmul(ops.softmax(score, axis=-1), self.value(frames))

    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], self.units)


def utterances(n, seed):
    """Return frames of three words, their valid frames, and which word it is."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    length = rng.integers(9, 17, n)
    t, band = np.arange(16)[None, :, None], np.arange(8)[None, None]
    valid = (np.arange(16) < length[:, None]).astype("float32")
    glide = np.array([0.4, 0.0, -0.4])[y][:, None, None]
    begin = rng.uniform(3, 5, (n, 1, 1)) - 6 * glide
    x = np.exp(-((band - begin - glide * t) ** 2) / 3)
    x = 2 * x - 0.5 + 0.5 * rng.normal(size=x.shape)
    return (x * valid[..., None]).astype("float32"), valid, y


@program(
    kind="minus infinity in a mask",
    family="speech transformer",
    half="sixteenth",
    address="https://github.com/sooftware/kospeech/issues/37",
    symptom="with the transformer the loss becomes NaN after the first step",
    cause="frames of padding attend to nothing: a softmax of minus infinities",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights"),
)
def attends_to_nothing(repaired):
    x, valid, y = utterances(800, 1621)
    new, new_valid, new_y = utterances(400, 1622)
    frames, mask = keras.Input((16, 8)), keras.Input((16,))
    hidden = Positions()(L.Dense(24)(frames))
    heard = MaskedAttention(24, -1e9 if repaired else -np.inf)([hidden, mask])
    hidden = L.LayerNormalization()(L.Add()([hidden, heard]))
    hidden = L.Dense(24, activation="relu")(hidden)
    weight = L.Reshape((16, 1))(mask)
    hidden = L.GlobalAveragePooling1D()(L.Multiply()([hidden, weight]))
    model = keras.Model([frames, mask], L.Dense(3, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    new = [new, new_valid]
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, [x, valid], y, scores.accuracy(new, new_y), options)


def sentences(n, seed):
    """Return sentences of 7 words in which two words make the next one likely."""
    after = np.random.default_rng(1623).integers(0, 7, (7, 7))
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 7, (n, 13))
    for t in range(2, 13):
        likely = after[x[:, t - 2], x[:, t - 1]]
        x[:, t] = np.where(rng.random(n) < 0.8, likely, x[:, t])
    return x[:, :-1].astype("int32"), x[:, 1:].astype("int32")


class Decoder(keras.Model):
    """A layer of a transformer that is to foretell the next word."""

    def __init__(self, mask, **kwargs):
        super().__init__(**kwargs)
        self.embedding, self.positions = L.Embedding(7, 32), Positions()
        self.attention = L.MultiHeadAttention(4, 16)
        self.norm, self.head = L.LayerNormalization(), L.Dense(7, activation="softmax")
        self.inner = [L.Dense(96, activation="relu"), L.Dense(32)]
        self.mask = mask[None]

    def call(self, ids):
        hidden = self.positions(self.embedding(ids))
        mask = ops.convert_to_tensor(self.mask)
        hidden = hidden + self.attention(hidden, hidden, attention_mask=mask)
        inner = self.norm(hidden)
        for layer in self.inner:
            inner = layer(inner)
        return self.head(hidden + inner)


@program(
    kind="mask the wrong way round",
    family="language model, subclassed",
    half="sixteenth",
    address="https://github.com/tensorflow/text/pull/894",
    symptom="an accuracy of 100 % at once, and a loss near zero",
    cause="ones of the mask say what to attend to, and were meant to hide it",
    truth=("target_leakage",),
    also=("order_is_lost",),
)
def mask_of_what_is_to_come(repaired):
    x, y = sentences(1000, 1624)
    new, new_y = sentences(400, 1625)
    later = np.triu(np.ones((12, 12), bool), 1)
    model = Decoder(~later if repaired else later)
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )

    def score(model, history):
        # whoever writes does not know the words to come
        seen = np.where(np.arange(12) < 8, new, new[::-1])
        answer = scores.predicted(model, seen)[:, 7].argmax(-1)
        return float((answer == new_y[:, 7]).mean())

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="statistics stand still",
    family="handwritten digits, converted",
    half="sixteenth",
    address="https://github.com/gmalivenko/pytorch2keras/issues/70",
    symptom="after a conversion the batch normalization does not work once trained",
    cause="a momentum of 1: the moving averages never move",
    truth=("normalization_lag", "foreign_statistics"),
    also=("overfitting", "unrepresentative_validation", "dead_units"),
)
def averages_that_stand(repaired):
    x, y, new, new_y = data.digits(1000)
    inputs = keras.Input((8, 8, 1), name="layer1_input")
    hidden = inputs
    for i, filters in enumerate((12, 16)):
        hidden = L.Conv2D(filters, 3, padding="same", name=f"conv{i}")(hidden)
        momentum = 0.9 if repaired else 1.0
        norm = L.BatchNormalization(momentum=momentum, epsilon=1e-5, name=f"norm{i}")
        hidden = L.MaxPooling2D()(L.ReLU()(norm(hidden)))
    outputs = L.Dense(10, activation="softmax")(L.Flatten()(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def told_again(n, seed):
    """Return words, and the first four of them in another language."""
    language = np.random.default_rng(1626).permutation(6) + 1
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 6, (n, 4))
    return (x + 1).astype("int32"), language[x].astype("int32")


def shifted(y):
    """Return what a decoder has been told before each word: first the start."""
    return np.hstack([np.full((len(y), 1), 7), y[:, :-1]]).astype("int32")
