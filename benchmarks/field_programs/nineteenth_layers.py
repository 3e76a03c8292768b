"""Nineteenth half: programs with layers and runs of one's own."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


class NeighborAttention(L.Layer):
    """Each node sums up what it may hear of others, by attention."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.features = L.Dense(units)
        self.ask, self.answer = L.Dense(1), L.Dense(1)
        self.units = units

    def build(self, shapes):
        self.features.build(shapes[0])
        for layer in (self.ask, self.answer):
            layer.build((*shapes[0][:-1], self.units))

    def call(self, inputs):
        nodes, edges = inputs
        hidden = self.features(nodes)
        match = self.ask(hidden) + ops.transpose(self.answer(hidden), (0, 2, 1))
        match = ops.leaky_relu(match, 0.2) - 1e9 * (1 - edges)
        return ops.elu(ops.matmul(ops.softmax(match, axis=-1), hidden))

    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], self.units)


@program(
    kind="nodes that do not hear themselves",
    family="roles of nodes, attention of neighbors",
    half="nineteenth",
    address="https://github.com/danielegrattarola/keras-gat/issues/11",
    symptom="accuracy stays below the published one",
    cause="the matrix of neighbors has no diagonal: nodes do not hear themselves",
    truth=("masked_data", "own_features_hidden"),
    also=(*STUCK, "model_too_small", "overfitting"),
)
def nineteenth_roles_of_nodes(repaired):
    rng = np.random.default_rng(1950)
    n, size = 700, 8
    nodes = rng.normal(size=(n, size, 6))
    edges = np.triu(rng.random((n, size, size)) < 0.2, 1)
    edges = (edges | edges.transpose(0, 2, 1)).astype("float32")
    whole = edges + np.eye(size, dtype="float32")
    mixed = whole @ nodes / whole.sum(-1, keepdims=True)
    pull = np.random.default_rng(1951).normal(size=(6, 3))
    y = (mixed @ pull + 0.15 * rng.normal(size=(n, size, 3))).argmax(-1)
    if repaired:
        edges = whole
    nodes = nodes.astype("float32")
    features, matrix = keras.Input((size, 6)), keras.Input((size, size))
    heads = [NeighborAttention(12)([features, matrix]) for _ in range(3)]
    hidden = L.Dense(24, activation="elu")(L.Concatenate()(heads))
    model = keras.Model([features, matrix], L.Dense(3, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    new, new_y = [nodes[500:], edges[500:]], y[500:]
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.accuracy(new, new_y)
    return Fit(model, [nodes[:500], edges[:500]], y[:500], score, options)


class FreezableNormalization(L.BatchNormalization):
    """Batch normalization that can be told to keep its statistics."""

    def __init__(self, freeze, **kwargs):
        super().__init__(momentum=0.9, **kwargs)
        self.freeze = freeze

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=not self.freeze, mask=mask)


def normalized(hidden, filters, own):
    """Return a convolution that is normalized."""
    hidden = L.Conv2D(filters, 3, padding="same", use_bias=False)(hidden)
    if own:
        return FreezableNormalization(freeze=False)(hidden)
    return L.BatchNormalization(momentum=0.9)(hidden)


@program(
    kind="normalization forced to train",
    family="numerals in folders, residual blocks",
    half="nineteenth",
    address="https://github.com/broadinstitute/keras-resnet/issues/46",
    symptom="validation accuracy not above 30 percent, 70 with another network",
    cause="layers of batch normalization are always called as if in training",
    truth=("rows_mixed",),
    also=("overfitting", "unrepresentative_validation", "rows_in_order"),
)
def nineteenth_folders_of_numerals(repaired):
    x, y, new, new_y = data.digits(900)
    order = np.argsort(new_y, kind="stable")
    new, new_y = new[order], new_y[order]
    own = not repaired
    inputs = keras.Input((8, 8, 1))
    hidden = L.ReLU()(normalized(inputs, 20, own))
    for _ in range(2):
        inner = L.ReLU()(normalized(hidden, 20, own))
        inner = normalized(inner, 20, own)
        hidden = L.ReLU()(L.Add()([hidden, inner]))
    hidden = L.GlobalAveragePooling2D()(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Encoder(L.Layer):
    """Attention and a dense layer, each added to its input and normalized."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.attention = L.MultiHeadAttention(2, units // 2)
        self.inner = L.Dense(2 * units, activation="gelu")
        self.outer = L.Dense(units)
        self.norms = [L.LayerNormalization() for _ in range(2)]

    def build(self, shape):
        self.attention.build(shape, shape)
        self.inner.build(shape)
        self.outer.build((*shape[:-1], 2 * shape[-1]))
        for norm in self.norms:
            norm.build(shape)

    def call(self, hidden):
        hidden = self.norms[0](hidden + self.attention(hidden, hidden))
        return self.norms[1](hidden + self.outer(self.inner(hidden)))

    def compute_output_shape(self, shape):
        return shape


class Places(L.Layer):
    """Vectors of words, and of the places they stand at."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = L.Embedding(60, 24)

    def build(self, shape):
        self.words.build(shape)
        self.places = self.add_weight(
            shape=(shape[-1], 24), initializer="uniform", name="places"
        )

    def call(self, words):
        return self.words(words) + self.places

    def compute_output_shape(self, shape):
        return (*shape, 24)


def headlines(n, seed):
    """Return words of headlines, and one of six sections of the paper."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 6, n)
    own = rng.random((n, 12)) < 0.25
    x = np.where(own, 7 * y[:, None] + rng.integers(0, 7, (n, 12)), 0)
    x = np.where(own, x, 42 + rng.integers(0, 18, (n, 12)))
    return x.astype("int32"), y


@program(
    kind="a handful of steps",
    family="sections of headlines, encoder of attention",
    half="nineteenth",
    address="https://github.com/Socialbird-AILab/BERT-Classification-Tutorial/issues/19",
    symptom="accuracy on validation is that of guessing",
    cause="training ends after a few steps; with more epochs it is good at once",
    truth=("too_few_updates", "slow_convergence", "learning_rate_too_low"),
    also=("underfitting", "plateau", "constant_predictions", "batch_size_too_large"),
)
def nineteenth_headlines_in_few_steps(repaired):
    x, y = headlines(1200, 1952)
    new, new_y = headlines(400, 1953)
    inputs = keras.Input((12,), dtype="int32")
    hidden = Encoder(24)(Places()(inputs))
    hidden = Encoder(24)(hidden)
    hidden = L.GlobalAveragePooling1D()(hidden)
    model = keras.Model(inputs, L.Dense(6, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.0004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 12 if repaired else 1,
        "batch_size": 64,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
