"""Twelfth half: programs whose steps, penalties or first weights do not fit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def promoters(n=1800, length=30, seed=1211):
    """Return sequences of four letters, one-hot, and whether a motif is in them."""
    rng = np.random.default_rng(seed)
    letters = rng.integers(0, 4, (n, length))
    y = (rng.random(n) < 0.36).astype("int32")
    motif = np.array([3, 0, 3, 0, 0, 3])
    for i in np.flatnonzero(y):
        at = rng.integers(0, length - 6)
        kept = rng.random(6) < 0.99
        letters[i, at : at + 6] = np.where(kept, motif, letters[i, at : at + 6])
    return data.groups(letters, 4), y


@program(
    kind="learning rate too high",
    family="sequences of letters, convolutional",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/2392",
    symptom="loss and accuracy do not change from the second epoch on",
    cause="Adagrad with a learning rate of one",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "saturated_units",
        "zero_gradients",
        "vanishing_gradients",
        "exploding_activations",
    ),
)
def promoters_with_adagrad(repaired):
    x, y = promoters()
    x, y, new, new_y = data.split(x, y, 0.8)
    model = keras.Sequential()
    model.add(keras.Input((30, 4)))
    model.add(L.Conv1D(16, 10, activation="relu"))
    model.add(L.MaxPooling1D(2))
    model.add(L.Conv1D(32, 8, activation="relu"))
    model.add(L.MaxPooling1D(2))
    model.add(L.Flatten())
    model.add(L.Dense(32))
    model.add(L.Dropout(0.25))
    model.add(L.Activation("relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adagrad(0.03 if repaired else 1.0),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 14, "batch_size": 32}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def gaussian_surprise(y_true, y_pred):
    place, spread = y_pred[..., :2], y_pred[..., 2:]
    away = (y_true - place) * ops.exp(-spread)
    return ops.mean(0.5 * away**2 + spread, axis=-1)


def walks(n=900, seed=1212):
    """Return eight past steps of walkers, and the four steps that follow."""
    rng = np.random.default_rng(seed)
    heading = rng.uniform(0, 6.28, (n, 1))
    turn = rng.uniform(-0.25, 0.25, (n, 1))
    pace = rng.uniform(0.5, 1.5, (n, 1))
    angle = heading + turn * np.arange(12)
    steps = np.stack([pace * np.cos(angle), pace * np.sin(angle)], axis=-1)
    steps = (steps + 0.1 * rng.normal(size=steps.shape)).astype("float32")
    return steps[:, :8], steps[:, 8:]


def places(x, y):
    """Return how much of the variance of the next steps the means explain."""

    def score(model, history):
        said = scores.predicted(model, x)[..., :2]
        return scores.explained(said, y)

    return score


@program(
    kind="loss turns into NaN",
    family="paths of walkers, distributions",
    half="twelfth",
    address="https://github.com/abduallahmohamed/Social-STGCNN/issues/20",
    symptom="the loss is NaN after some epochs, the data are fine",
    cause="a learning rate too high for a likelihood with exponents",
    truth=("learning_rate_too_high",),
    also=(
        *BLOWN_UP,
        *STUCK,
        "non_finite_weights",
        "exploding_activations",
        "non_finite_operation",
        "saturated_units",
    ),
)
def walkers_with_large_steps(repaired):
    x, y = walks()
    x, y, new, new_y = data.split(x, y, 0.75)
    inputs = keras.Input((8, 2))
    hidden = L.Conv1D(24, 3, padding="same", activation="relu")(inputs)
    near = L.Conv1D(24, 3, padding="same", activation="relu")(hidden)
    hidden = L.Add()([hidden, near])
    hidden = L.Dense(48, activation="relu")(L.Flatten()(hidden))
    model = keras.Model(inputs, L.Reshape((4, 4))(L.Dense(16)(hidden)))
    rate = 0.005 if repaired else 3.0
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), gaussian_surprise)
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, places(new, new_y), options)


class GraphAttention(L.Layer):
    """Let each node choose which of its neighbors to listen to."""

    def __init__(self, units, penalty):
        super().__init__()
        l2 = keras.regularizers.L2(penalty)
        self.values = L.Dense(units, kernel_regularizer=l2)
        self.own = L.Dense(1, kernel_regularizer=l2)
        self.others = L.Dense(1, kernel_regularizer=l2)

    def call(self, nodes, links):
        values = self.values(nodes)
        logits = self.own(values) + ops.swapaxes(self.others(values), 1, 2)
        logits = ops.leaky_relu(logits, 0.2) - 1e4 * (1 - links)
        return ops.elu(ops.matmul(ops.softmax(logits), values))


@program(
    kind="penalty too strong",
    family="graphs, attention",
    half="twelfth",
    address="https://github.com/danielegrattarola/spektral/pull/36",
    symptom="the example with graph attention does not learn",
    cause="the L2 penalty is so strong that the network cannot learn",
    truth=("regularization_too_strong",),
    also=(*STUCK, "vanishing_gradients", "poor_initialization"),
)
def graph_attention_with_penalty(repaired):
    rng = np.random.default_rng(1213)
    kind = rng.integers(0, 3, 700)
    topics = rng.normal(size=(3, 5, 12))
    part = rng.integers(0, 5, (700, 10))
    words = 0.8 * topics[kind[:, None], part] + 0.9 * rng.normal(size=(700, 10, 12))
    near = np.abs(part[:, :, None] - part[:, None, :]) <= 1
    links = rng.random((700, 10, 10)) < np.where(near, 0.7, 0.1)
    links = (links | links.transpose(0, 2, 1) | np.eye(10, dtype=bool)).astype(float)
    words, links = words.astype("float32"), links.astype("float32")
    penalty = 0.0002 if repaired else 0.2
    nodes, edges = keras.Input((10, 12)), keras.Input((10, 10))
    hidden = GraphAttention(16, penalty)(nodes, edges)
    hidden = GraphAttention(16, penalty)(hidden, edges)
    hidden = L.Dropout(0.2)(L.GlobalAveragePooling1D()(hidden))
    l2 = keras.regularizers.L2(penalty)
    outputs = L.Dense(3, activation="softmax", kernel_regularizer=l2)(hidden)
    model = keras.Model([nodes, edges], outputs)
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    new, new_y = [words[480:], links[480:]], kind[480:]
    options = {"epochs": 14, "batch_size": 20, "validation_data": (new, new_y)}
    train = [words[:480], links[:480]]
    return Fit(model, train, kind[:480], scores.accuracy(new, new_y), options)


def patches(n, kinds, seed):
    """Return pairs of noisy patches, and whether both show the same place."""
    rng = np.random.default_rng(seed)
    wide = rng.normal(size=(kinds, 15, 15))
    smooth = sum(np.roll(wide, (r, c), (1, 2)) for r in (-1, 0, 1) for c in (-1, 0, 1))
    same = rng.random(n) < 0.5
    first = rng.integers(0, kinds, n)
    second = np.where(same, first, (first + rng.integers(1, kinds, n)) % kinds)

    def seen(which):
        at = rng.integers(0, 2, (n, 2))
        cut = np.stack(
            [
                smooth[k, r : r + 12, c : c + 12]
                for k, (r, c) in zip(which, at, strict=True)
            ]
        )
        return (cut / 3 + 0.1 * rng.normal(size=cut.shape))[..., None]

    return [seen(k).astype("float32") for k in (first, second)], same.astype("float32")


def contrastive(y_true, distance):
    apart = ops.maximum(1.0 - distance, 0.0)
    return ops.mean(y_true * distance**2 + (1 - y_true) * apart**2, axis=-1)


def matches(x, y):
    """Return how well distances below a half tell pairs that belong together."""

    def score(model, history):
        said = scores.predicted(model, x)[:, 0] < 0.5
        return float((said[y == 1].mean() + (~said[y == 0]).mean()) - 1)

    return score


@program(
    kind="first weights too small",
    family="pairs of patches, contrastive",
    half="twelfth",
    address="https://github.com/andyzeng/3dmatch-toolbox/issues/11",
    symptom="a port to another library does not converge after a long time",
    cause="narrow Gaussian first weights instead of those of Xavier",
    truth=("poor_initialization", "vanishing_gradients"),
    also=(*STUCK, "collapsed_embeddings", "learning_rate_too_low", "zero_gradients"),
)
def patches_from_narrow_weights(repaired):
    x, y = patches(1000, 500, 1214)
    new, new_y = patches(400, 100, 1215)
    first = (
        keras.initializers.GlorotUniform()
        if repaired
        else keras.initializers.RandomNormal(stddev=0.01)
    )
    branch = keras.Sequential([keras.Input((12, 12, 1))])
    for filters in (8, 8, 16, 16):
        layer = L.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_initializer=first
        )
        branch.add(layer)
        if filters == 8:
            branch.add(L.MaxPooling2D())
    branch.add(L.Flatten())
    branch.add(L.Dense(16, kernel_initializer=first))
    one, other = keras.Input((12, 12, 1)), keras.Input((12, 12, 1))
    gap = L.Subtract()([branch(one), branch(other)])
    distance = L.Lambda(
        lambda d: ops.sqrt(ops.sum(d**2, axis=-1, keepdims=True) + 1e-6),
        output_shape=(1,),
    )(gap)
    model = keras.Model([one, other], distance)
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), contrastive)
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, matches(new, new_y), options)
