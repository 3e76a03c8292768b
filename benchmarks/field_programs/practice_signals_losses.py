"""Practice: programs whose loss or output is not what the targets need."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


class Enhancer(keras.Model):
    """Clean pictures, with a loss of its own."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign
        self.first = L.Conv2D(16, 3, padding="same", activation="relu")
        self.second = L.Conv2D(16, 3, padding="same", activation="relu")
        self.last = L.Conv2D(1, 3, padding="same")

    def call(self, pictures):
        return self.last(self.second(self.first(pictures)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        return self.sign * ops.mean(ops.abs(y - y_pred))


@program(
    kind="sign of the loss",
    family="cleaned pictures",
    half="practice",
    address="https://github.com/nothinglo/Deep-Photo-Enhancer/issues/57",
    symptom="the losses of training and test do not fall",
    cause="a minus before the loss, so that it is maximized",
    truth=("disagreeing_loss",),
    also=(*STUCK, *BLOWN_UP, "vanishing_gradients"),
)
def enhanced_with_a_minus(repaired):
    _, _, masks = data.shapes(420, seed=1411)
    rng = np.random.default_rng(1411)
    x = (masks + 0.5 * rng.normal(size=masks.shape)).astype("float32")
    model = Enhancer(1.0 if repaired else -1.0)
    model.compile(keras.optimizers.Adam(0.003))
    held_out = x[320:], masks[320:]
    options = {"epochs": 8, "batch_size": 20, "validation_data": held_out}
    return Fit(model, x[:320], masks[:320], scores.variance(*held_out), options)


class Code(L.Layer):
    """A code drawn from a normal distribution, with its divergence as a loss."""

    def __init__(self, units, factor, all_rows=False):
        super().__init__()
        self.mean, self.log_var = L.Dense(units), L.Dense(units)
        self.factor, self.all_rows = factor, all_rows
        self.seeds = keras.random.SeedGenerator(3)

    def call(self, inputs, training=False):
        mean, log_var = self.mean(inputs), self.log_var(inputs)
        terms = -0.5 * (1 + log_var - mean**2 - ops.exp(log_var))
        divergence = ops.sum(terms) if self.all_rows else ops.mean(ops.sum(terms, -1))
        self.add_loss(self.factor * divergence)
        if training:
            noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
            mean = mean + ops.exp(0.5 * log_var) * noise
        return mean


def autoencoder(code, columns=12):
    inputs = keras.Input((columns,))
    h = L.Dense(32, activation="relu")(inputs)
    h = L.Dense(32, activation="relu")(code(h))
    return keras.Model(inputs, L.Dense(columns)(h))


def curves(n, seed):
    """Return curves of 12 points that depend on three numbers."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, n, 1))
    t = np.linspace(0, 6, 12)
    return (a * np.sin(t) + b * np.cos(t) + 0.5 * c * np.sin(2 * t)).astype("float32")


@program(
    kind="sign of a term of the loss",
    family="variational autoencoder of curves",
    half="practice",
    address="https://github.com/qiancheng0/ToolRL/issues/52",
    symptom="training becomes unstable and collapses in the end",
    cause="the divergence is subtracted from the loss, not added",
    truth=("disagreeing_loss", "loss_terms_out_of_balance"),
    also=(*STUCK, *BLOWN_UP, "exploding_activations", "learning_rate_too_high"),
)
def divergence_with_a_minus(repaired):
    x, new = curves(900, 1412), curves(300, 1413)
    model = autoencoder(Code(4, 0.02 if repaired else -0.02))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="term summed over all rows",
    family="variational autoencoder of curves",
    half="practice",
    address="https://github.com/EDAPINENUT/GNTPP/issues/4",
    symptom="no exception is raised, but this is not the loss that was wanted",
    cause="the divergence is summed over the whole batch, the error is a mean",
    truth=("loss_terms_out_of_balance",),
    also=(*STUCK, "vanishing_gradients"),
)
def divergence_of_the_whole_batch(repaired):
    x, new = curves(900, 1414), curves(300, 1415)
    model = autoencoder(Code(4, 0.02, all_rows=not repaired))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


class Apart(L.Layer):
    """How far two codes are apart."""

    def call(self, left, right):
        square = ops.sum((left - right) ** 2, axis=-1, keepdims=True)
        return ops.sqrt(ops.maximum(square, 1e-7))


@program(
    kind="labels of pairs the other way round",
    family="pairs of curves",
    half="practice",
    address="https://github.com/KevinMusgrave/pytorch-metric-learning/issues/549",
    symptom="positive pairs are pushed as far as possible, negative ones closer",
    cause="the loss pulls pairs with label 0 together, here 1 means alike",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "collapsed_embeddings", "overfitting"),
)
def alike_curves_apart(repaired):
    rng = np.random.default_rng(1416)

    def pairs(n, seed):
        x, kind = data.gestures(400, seed=seed)
        first = rng.integers(0, 400, n)
        alike = rng.random(n) < 0.5
        second = [
            rng.choice(np.flatnonzero((kind == kind[i]) == same))
            for i, same in zip(first, alike, strict=True)
        ]
        return [x[first], x[second]], alike.astype("float32")

    (a, b), y = pairs(700, 1416)
    new, new_y = pairs(300, 1417)
    encoder = keras.Sequential([keras.Input((24, 3))])
    encoder.add(L.Conv1D(16, 5, activation="relu"))
    encoder.add(L.GlobalAveragePooling1D())
    encoder.add(L.Dense(8))
    left, right = keras.Input((24, 3)), keras.Input((24, 3))
    model = keras.Model([left, right], Apart()(encoder(left), encoder(right)))

    def contrastive(y_true, y_pred):
        different = 1 - y_true if repaired else y_true
        near = (1 - different) * y_pred**2
        return ops.mean(near + different * ops.maximum(1 - y_pred, 0) ** 2, axis=-1)

    model.compile(keras.optimizers.Adam(0.005), contrastive)

    def score(model, history):
        out = scores.predicted(model, new)[:, 0]
        same = new_y > 0.5
        return float(2 * (out[same][:, None] < out[~same]).mean() - 1)

    options = {"epochs": 12, "batch_size": 32}
    return Fit(model, [a, b], y[:, None], score, options)


@program(
    kind="output cannot reach the targets",
    family="values of actions",
    half="practice",
    address="https://example-a.com/answer/48025703",
    symptom="which activation is right if rewards are negative, too?",
    cause="a ReLU at the output of a Q network, whose values are below zero",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "dead_units", "zero_gradients", "unscaled_targets"),
)
def values_below_zero(repaired):
    rng = np.random.default_rng(1418)
    x = rng.normal(size=(1200, 6)).astype("float32")
    y = (-1.0 + np.tanh(x @ rng.normal(size=(6, 3)))).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((6,))])
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(3, activation="linear" if repaired else "relu"))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 15, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="ReLU before a cross-entropy",
    family="recommender",
    half="practice",
    address="https://whosebug.com/question/5173684/why-keras-embedding-not-learning-for-recommendation-system",
    symptom="the training curve does not change over the epochs",
    cause="one ReLU unit gives the probability that somebody likes an item",
    truth=("output_activation_mismatch", "learning_rate_collapsed"),
    also=(*STUCK, "dead_units", "zero_gradients", "overfitting"),
)
def liked_by_relu(repaired):
    rng = np.random.default_rng(1419)
    people, items = rng.normal(size=(60, 3)), rng.normal(size=(50, 3))
    who, what = rng.integers(0, 60, 2400), rng.integers(0, 50, 2400)
    y = ((people[who] * items[what]).sum(-1) > 0).astype("float32")
    user, item = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    a = L.Flatten()(L.Embedding(60, 8, embeddings_initializer="he_normal")(user))
    b = L.Flatten()(L.Embedding(50, 8, embeddings_initializer="he_normal")(item))
    h = L.Dense(32, activation="relu")(L.Concatenate()([a, b, a * b]))
    out = L.Dense(1, activation="sigmoid" if repaired else "relu")(h)
    model = keras.Model([user, item], out)
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    who, what = who[:, None], what[:, None]
    new, new_y = [who[1800:], what[1800:]], y[1800:]
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    train = [who[:1800], what[:1800]]
    return Fit(model, train, y[:1800], scores.accuracy(new, new_y), options)
