"""Sixteenth half: programs that are given other rows or values than they should."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn.linear_model import LogisticRegression

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def moles(n, share, seed):
    """Return pictures of moles, and which of them are malignant: `share`."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype("int32")
    row, column = np.mgrid[:16, :16] - 7.5
    around, away = np.arctan2(row, column), np.hypot(row, column)
    ragged = np.where(y, 0.24, 0.1) + 0.07 * rng.normal(size=n)
    lobes, turn = rng.integers(3, 6, n), rng.uniform(0, 6.28, n)
    size = rng.uniform(3.5, 5, n) + 0.7 * y
    edge = ragged[:, None, None] * np.cos(
        lobes[:, None, None] * around + turn[:, None, None]
    )
    inside = 1 / (1 + np.exp(2 * (away - size[:, None, None] * (1 + edge))))
    dark = (rng.uniform(0.25, 0.5, n) + 0.1 * y)[:, None, None] * inside
    x = 0.8 - dark + 0.07 * rng.normal(size=(n, 16, 16))
    return np.clip(x, 0, 1)[..., None].astype("float32"), y


def trained_base():
    """Return convolutions that have learned to tell discs from crosses."""
    x, kind, _ = data.shapes(400, seed=1601)
    base = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.MaxPooling2D(),
        ],
        name="base",
    )
    whole = keras.Sequential([base, L.Flatten(), L.Dense(2, activation="softmax")])
    whole.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    whole.fit(x, kind, epochs=4, batch_size=32, verbose=0)
    return base


@program(
    kind="rare class",
    family="skin lesions, transfer",
    half="sixteenth",
    address="https://github.com/tanmoyopenroot/cancer_nn/issues/5",
    symptom="the model says the same class of all pictures and is right in 80 %",
    cause="four fifths and more of the pictures are of one class",
    truth=("imbalanced_classes",),
    also=(*STUCK, "frozen_layers", "overfitting", "metric_mismatch"),
)
def same_kind_of_mole(repaired):
    x, y = moles(900, 0.5 if repaired else 0.1, 1602)
    seen, seen_y = moles(300, 0.5 if repaired else 0.1, 1603)
    new, new_y = moles(500, 0.5, 1604)
    base = trained_base()
    base.trainable = False
    inputs = keras.Input((16, 16, 1))
    hidden = L.Flatten()(base(inputs, training=False))
    hidden = L.Dropout(0.3)(L.Dense(32, activation="relu")(hidden))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    y, seen_y = (a[:, None].astype("float32") for a in (y, seen_y))
    options = {"epochs": 10, "batch_size": 32, "validation_data": (seen, seen_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="inputs not scaled",
    family="species of flowers",
    half="sixteenth",
    address="https://github.com/keras-team/keras/issues/508",
    symptom="a network does not converge on the flowers of Fisher",
    cause="the columns go into sigmoid units as they were measured",
    truth=("unscaled_inputs",),
    also=(*STUCK, "saturated_units", "vanishing_gradients", "oscillating_loss"),
)
def flowers_as_measured(repaired):
    rng = np.random.default_rng(1605)
    y = rng.integers(0, 3, 750)
    middle = np.array([[50, 34, 15, 2.5], [59, 28, 43, 13], [66, 30, 55, 20]])
    spread = np.array([[3.5, 3.8, 1.7, 1], [5, 3, 4.7, 2], [6, 3.2, 5.5, 2.7]])
    x = middle[y] + spread[y] * (
        0.7 * rng.normal(size=(750, 4)) + 0.7 * rng.normal(size=(750, 1))
    )
    x, y, new, new_y = data.split(x.astype("float32"), y)
    if repaired:
        x, new = data.standard(x, new)
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(L.Dense(12, activation="sigmoid"))
    model.add(L.Dense(12, activation="sigmoid"))
    model.add(L.Dense(3, activation="softmax"))
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 3), data.groups(new_y, 3)
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class GraphConvolution(L.Layer):
    """Sums of what neighbors say."""

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = L.Dense(units)
        self.activation = keras.activations.get(activation)

    def build(self, shapes):
        self.dense.build(shapes[0])

    def call(self, inputs):
        features, adjacency = inputs
        return self.activation(ops.matmul(adjacency, self.dense(features)))

    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], self.dense.units)


def citations(n, seed):
    """Return words of papers, how often they cite each other, and their fields."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, (n, 12))
    words = rng.normal(size=(n, 12, 8))
    words[..., :3] += 1.7 * np.eye(3)[y]
    known = rng.lognormal(0, 1.0, (n, 12))
    alike = np.where(y[:, :, None] == y[:, None, :], 5.0, 0.6)
    rate = alike * known[:, :, None] * known[:, None, :]
    adjacency = np.triu(rng.poisson(rate), 1)
    adjacency = adjacency + adjacency.transpose(0, 2, 1) + np.eye(12)
    return words.astype("float32"), adjacency.astype("float32"), y


@program(
    kind="sums over neighbors",
    family="graph convolutions",
    half="sixteenth",
    address="https://github.com/sufeidechabei/graphnets_gcn/issues/1",
    symptom="the accuracy is 41 % where the paper has 81 %",
    cause="the matrix of neighbors is not divided by the degrees",
    truth=("exploding_activations", "unscaled_inputs"),
    also=(*STUCK, *BLOWN_UP, "dead_units", "overfitting", "learning_rate_too_high"),
)
def papers_not_normalized(repaired):
    x, adjacency, y = citations(330, 1606)
    new, new_adjacency, new_y = citations(150, 1607)
    if repaired:
        adjacency, new_adjacency = (
            a / np.sqrt(a.sum(1, keepdims=True) * a.sum(2, keepdims=True))
            for a in (adjacency, new_adjacency)
        )
    nodes, edges = keras.Input((12, 8)), keras.Input((12, 12))
    hidden = GraphConvolution(16, "relu")([nodes, edges])
    hidden = GraphConvolution(16, "relu")([hidden, edges])
    outputs = GraphConvolution(3, "softmax")([hidden, edges])
    model = keras.Model([nodes, edges], outputs)
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    x, new = [x, adjacency], [new, new_adjacency]
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Taught(keras.utils.PyDataset):
    """Pictures with their labels and with what a teacher has said, concatenated."""

    def __init__(self, x, y, said, in_step, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.said, self.in_step = x, y, said, in_step
        self.rng = np.random.default_rng(1608)
        self.order = self.rng.permutation(len(x))

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        place = slice(32 * index, 32 * index + 32)
        rows = self.order[place]
        said = self.said[rows] if self.in_step else self.said[place]
        return self.x[rows], np.hstack([self.y[rows], said])

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


def distilled(y_true, y_pred):
    """Return the divergence from a teacher at 4 degrees, and a little of labels."""
    label, said = y_true[:, :10], y_true[:, 10:]
    soft = -ops.sum(said * ops.log_softmax(y_pred / 4, axis=-1), axis=-1)
    hard = -ops.sum(label * ops.log_softmax(y_pred, axis=-1), axis=-1)
    return 0.9 * 16 * soft + 0.1 * hard


@program(
    kind="targets of other rows",
    family="distillation, PyDataset",
    half="sixteenth",
    address="https://github.com/haitongli/knowledge-distillation-pytorch/pull/16",
    symptom="what the teacher says does not fit the labels, the student is poor",
    cause="outputs of the teacher are kept in another order than the pictures come",
    truth=("unrelated_targets",),
    also=(*STUCK, "disagreeing_loss"),
)
def teacher_out_of_step(repaired):
    x, y, new, new_y = data.digits(1100)
    teacher = LogisticRegression(C=1.0, max_iter=300).fit(x.reshape(-1, 64), y)
    logits = teacher.decision_function(x.reshape(-1, 64)) / 4
    said = np.exp(logits - logits.max(-1, keepdims=True))
    said = (said / said.sum(-1, keepdims=True)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), distilled)
    batches = Taught(x, data.groups(y, 10), said, repaired)
    score = scores.accuracy(new, new_y)
    return Fit(model, batches, None, score, {"epochs": 12})
