"""Eleventh half: programs whose layers or rates keep them from learning."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import datasets

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="statistics lag",
    family="residual network on pictures",
    half="eleventh",
    address="https://intellipaat.com/community/11257/resnet-100-accuracy-during-training-but-33-prediction-accuracy-with-the-same-data",
    symptom="100 % while it trains, 33 % when it predicts the same pictures",
    cause="after a few batches the moving averages are close to their start",
    truth=("normalization_lag", "too_few_updates"),
    also=("overfitting", "foreign_statistics", "batch_size_too_large"),
)
def a_few_batches_of_pictures(repaired):
    x, y, new, new_y = data.digits(900)
    momentum = 0.8 if repaired else 0.99

    def block(inputs, filters):
        hidden = L.Conv2D(filters, 3, padding="same", use_bias=False)(inputs)
        hidden = L.ReLU()(L.BatchNormalization(momentum=momentum)(hidden))
        hidden = L.Conv2D(filters, 3, padding="same", use_bias=False)(hidden)
        hidden = L.BatchNormalization(momentum=momentum)(hidden)
        return L.ReLU()(L.Add()([inputs, hidden]))

    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, padding="same")(inputs)
    hidden = block(block(hidden, 16), 16)
    hidden = L.Flatten()(L.MaxPooling2D()(hidden))
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 5, "batch_size": 100, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class DotAttention(L.Layer):
    """Look up what a query asks for among the words of a sentence."""

    def __init__(self, units, scaled):
        super().__init__()
        self.scale = units**-0.5 if scaled else 1.0
        self.query = L.Dense(units, kernel_initializer="he_normal")
        self.key = L.Dense(units, kernel_initializer="he_normal")

    def call(self, query, words):
        query = self.query(query)[:, None]
        match = self.scale * ops.sum(query * self.key(words), axis=-1)
        return ops.sum(ops.softmax(match)[..., None] * words, axis=1)


@program(
    kind="attention not scaled",
    family="attention over words",
    half="eleventh",
    address="https://reddit.gpgaming.de/r/learnmachinelearning/comments/1qukt1i/my_attention_mechanism_collapsed_and_this_is_what",
    symptom="the attention collapses onto two words whatever is asked",
    cause="dot products of long vectors saturate the softmax",
    truth=(
        "attention_saturated",
        "saturated_units",
        "exploding_activations",
        "vanishing_gradients",
    ),
    also=(*STUCK, "overfitting", "unscaled_inputs", "poor_initialization"),
)
def words_looked_up(repaired):
    rng = np.random.default_rng(1133)
    names = np.argsort(rng.random((1300, 16)), axis=1)[:, :12]
    told = rng.integers(0, 4, (1300, 12))
    asked = rng.integers(0, 12, 1300)
    at = np.arange(1300)
    words = np.concatenate([np.eye(16)[names], np.eye(4)[told]], -1)
    words = (2 * words).astype("float32")
    query = (2 * np.eye(16)[names[at, asked]]).astype("float32")
    inputs = [keras.Input((16,)), keras.Input((12, 20))]
    found = DotAttention(128, repaired)(*inputs)
    hidden = L.Dense(24, activation="relu")(found)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    y, new_y = told[at, asked][:1000], told[at, asked][1000:]
    new = [query[1000:], words[1000:]]
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.accuracy(new, new_y)
    return Fit(model, [query[:1000], words[:1000]], y, score, options)


@program(
    kind="too few epochs",
    family="recurrent regression",
    half="eleventh",
    address="http://pullrequest.ru/13233417/predskazanie-impulsnogo-signala-lstm",
    symptom="the LSTM does not predict the pulse",
    cause="it is trained for far too few epochs",
    truth=("slow_convergence", "too_few_updates", "learning_rate_too_low"),
    also=("underfitting", "constant_predictions", "plateau", "model_too_small"),
)
def pulse_of_a_signal(repaired):
    rng = np.random.default_rng(1134)
    place = rng.integers(0, 10, 420)
    x = 0.05 * rng.normal(size=(420, 10, 1))
    x[np.arange(420), place, 0] += 1
    y = (place < 3).astype("float32")[:, None]
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential()
    model.add(keras.Input((10, 1)))
    model.add(L.LSTM(6))
    model.add(L.Dense(1))
    model.compile(optimizer="adam", loss="mse", metrics=["mse"])
    options = {
        "epochs": 60 if repaired else 5,
        "batch_size": 32,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rate too high",
    family="deep network on a plane",
    half="eleventh",
    address="https://stats.stackexchange.com/questions/420006/effect-of-learning-rate-and-standardization-on-nn-with-relu-layers",
    symptom="a rate of 0.5 gives one class only, a lower one learns",
    cause="the rate is too high for four layers of relu",
    truth=("learning_rate_too_high",),
    also=(*STUCK, *BLOWN_UP, "dead_units", "zero_gradients"),
)
def four_clusters(repaired):
    x, y = datasets.make_blobs(600, centers=4, cluster_std=1.6, random_state=1135)
    x, y, new, new_y = data.split(x, y)
    x, new = data.standard(x, new)
    normal = keras.initializers.RandomNormal(stddev=0.9)
    model = keras.Sequential([keras.Input((2,))])
    for _ in range(4):
        model.add(L.Dense(10, activation="relu", kernel_initializer=normal))
    model.add(L.Dense(4, activation="softmax"))
    sgd = keras.optimizers.SGD(0.05 if repaired else 0.5)
    model.compile(sgd, CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class GraphAttention(L.Layer):
    """Several heads of attention to the neighbors of each node."""

    def __init__(self, units, heads, activation):
        super().__init__()
        l2 = keras.regularizers.L2(0.0005)
        self.parts = [
            (L.Dense(units, kernel_regularizer=l2), L.Dense(1), L.Dense(1))
            for _ in range(heads)
        ]
        self.dropout = L.Dropout(0.4)
        self.activation = keras.activations.get(activation)

    def call(self, nodes, links):
        found = []
        for dense, own, other in self.parts:
            hidden = dense(self.dropout(nodes))
            match = own(hidden) + ops.transpose(other(hidden), (0, 2, 1))
            match = ops.leaky_relu(match, 0.2) - 1e9 * (1 - links)
            weights = self.dropout(ops.softmax(match))
            found.append(ops.matmul(weights, hidden))
        return self.activation(ops.concatenate(found, axis=-1))


def labels_of(rows, x, y):
    """Return the share of nodes whose class is right, above chance."""

    def score(model, history):
        said = scores.predicted(model, x).argmax(-1)
        return float(((said == y)[0, rows].mean() - 0.2) / 0.8)

    return score


@program(
    kind="stopped too early",
    family="attention over a graph",
    half="eleventh",
    address="https://github.com/danielegrattarola/keras-gat/issues/26",
    symptom="the accuracy stays below the one that was reported",
    cause="fewer epochs and less patience than the original",
    truth=("stopped_too_early", "too_few_updates", "slow_convergence"),
    also=(
        "underfitting",
        "learning_rate_too_low",
        "batch_size_too_large",
        "constant_predictions",
        "plateau",
    ),
)
def patience_on_a_graph(repaired):
    rng = np.random.default_rng(1136)
    y = rng.integers(0, 5, 300)
    same = y[:, None] == y[None]
    links = rng.random((300, 300)) < np.where(same, 0.05, 0.004)
    links = (links | links.T | np.eye(300, dtype=bool)).astype("float32")
    words = rng.random((300, 60)) < np.where(np.arange(60) % 5 == y[:, None], 0.2, 0.07)
    words = words / np.maximum(words.sum(1, keepdims=True), 1)
    x = [words[None].astype("float32"), links[None]]
    rows = np.arange(300)
    used, checked = (rows < 120), (rows >= 120) & (rows < 180)
    nodes, edges = keras.Input((300, 60)), keras.Input((300, 300))
    hidden = GraphAttention(8, 3, "elu")(nodes, edges)
    hidden = GraphAttention(5, 1, "softmax")(hidden, edges)
    model = keras.Model([nodes, edges], hidden)
    model.compile(keras.optimizers.Adam(0.01), CROSS, weighted_metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=50 if repaired else 4
    )
    options = {
        "epochs": 110 if repaired else 60,
        "batch_size": 1,
        "sample_weight": used[None].astype("float32"),
        "validation_data": (x, y[None], checked[None].astype("float32")),
        "callbacks": [stop],
    }
    return Fit(model, x, y[None], labels_of(rows >= 180, x, y[None]), options)
