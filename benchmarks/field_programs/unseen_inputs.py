"""Unseen programs whose inputs or targets are not on the scale they should be on."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


def base_of_pictures(seen, labels):
    """Return layers with batch normalization that were trained on pictures."""
    inputs = keras.Input((8, 8, 1))
    hidden = inputs
    for filters in (12, 16):
        hidden = L.Conv2D(filters, 3, use_bias=False)(hidden)
        hidden = L.BatchNormalization(momentum=0.8)(hidden)
        hidden = L.ReLU(max_value=6.0)(hidden)
    hidden = L.Flatten()(hidden)
    hidden = L.Dense(32)(hidden)
    hidden = L.BatchNormalization(momentum=0.8)(hidden)
    hidden = L.ReLU(max_value=6.0)(hidden)
    out = L.Dense(5, activation="softmax")(hidden)
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.004), CROSS)
    model.fit(seen, labels, epochs=6, verbose=0)
    return keras.Model(inputs, hidden)


@program(
    kind="statistics of the base go on moving",
    family="fine-tuning",
    half="unseen",
    address="https://github.com/keras-team/keras/pull/9965",
    symptom="training goes well, the validation stays at chance: batch normalization",
    cause="frozen layers are normalized by the batch, later by old moving statistics",
    truth=("normalization_lag", "foreign_statistics"),
    also=("overfitting", "model_too_large", "frozen_layers"),
)
def normalized_by_old_pictures(repaired):
    x, y, new, new_y = data.digits(1100)
    base = base_of_pictures(x[y < 5], y[y < 5])
    for layer in base.layers:
        layer.trainable = isinstance(layer, L.BatchNormalization)
        if isinstance(layer, L.BatchNormalization):
            layer.momentum = 0.7 if repaired else 0.99
    x, y, new, new_y = x[y > 4], y[y > 4] - 5, new[new_y > 4], new_y[new_y > 4] - 5
    # the new camera is brighter, and its black is never black
    x, y, new = 0.8 + 1.5 * x[:300], y[:300], 0.8 + 1.5 * new
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(base(inputs)))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="targets not scaled",
    family="two inputs",
    half="unseen",
    address="https://github.com/UC-IIC2613/Syllabus/issues/220",
    symptom="is the price to be normalized? The errors are enormous otherwise",
    cause="prices of hundreds of thousands, which the weights cannot reach in time",
    truth=("unscaled_targets",),
    also=(
        *STUCK,
        "learning_rate_too_low",
        "too_few_updates",
        "exploding_gradients",
        "oscillating_loss",
    ),
)
def prices_of_flats(repaired):
    rng = np.random.default_rng(333)
    n = 640
    x = rng.normal(size=(n, 7)).astype("float32")
    quarter = rng.integers(0, 12, (n, 1)).astype("int32")
    worth = rng.normal(size=12)[quarter[:, 0]] + 0.7 * x[:, 0] + 0.4 * x[:, 1] * x[:, 2]
    price = 210_000 * np.exp(0.35 * worth + 0.1 * rng.normal(size=n))
    y = price.astype("float32")[:, None]
    if repaired:
        level = np.log(y)
        y = (level - level[:450].mean()) / level[:450].std()
    numbers, place = keras.Input((7,)), keras.Input((1,), dtype="int32")
    joined = L.Concatenate()([numbers, L.Flatten()(L.Embedding(12, 4)(place))])
    hidden = L.Dense(32, activation="relu")(joined)
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model([numbers, place], L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    train, new = [x[:450], quarter[:450]], [x[450:], quarter[450:]]
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, y[450:])}
    return Fit(model, train, y[:450], scores.variance(new, y[450:]), options)


@program(
    kind="inputs not scaled",
    family="table classifier",
    half="unseen",
    address="https://github.com/rstudio/keras3/issues/634",
    symptom="the accuracy does not change over the epochs; the inputs are near 70000",
    cause="columns of tens of thousands that differ by a few percent",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        "dead_units",
        "saturated_units",
        "oscillating_loss",
        "zero_gradients",
        "exploding_gradients",
        "exploding_activations",
    ),
)
def columns_of_seventy_thousand(repaired):
    x, y, new, new_y = data.two_classes(640, columns=24, seed=334, apart=1.3)
    if not repaired:
        x, new = 70_000 + 1800 * x, 70_000 + 1800 * new
    model = keras.Sequential(
        [
            keras.Input((24,)),
            L.Dense(16, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.RMSprop(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def numbered(texts, counted):
    """Return texts as ids, by how often each word is found in the texts counted."""
    words, times = np.unique(counted, return_counts=True)
    ids = np.zeros(61, "int32")
    ids[words[np.argsort(-times, kind="stable")]] = 1 + np.arange(len(words))
    return ids[texts]


@program(
    kind="validation words numbered anew",
    family="text classifier",
    half="unseen",
    address="https://github.com/tthustla/twitter_sentiment_analysis_part11/issues/1",
    symptom="an F1 of 0.74, and 0.93 with one numbering for all sets",
    cause="a second tokenizer is fitted to the test texts: the same words, other ids",
    truth=("unrepresentative_validation",),
    also=("overfitting", "unmasked_padding"),
)
def two_tokenizers(repaired):
    rng = np.random.default_rng(335)
    n = 560
    y = rng.integers(0, 2, n)
    favorite = 1 + 15 * y[:, None] + rng.integers(0, 15, (n, 16))
    texts = np.where(rng.random((n, 16)) < 0.45, favorite, rng.integers(1, 61, (n, 16)))
    texts, y, new, new_y = data.split(texts, y)
    x, new = numbered(texts, texts), numbered(new, texts if repaired else new)
    model = keras.Sequential(
        [
            keras.Input((16,), dtype="int32"),
            L.Embedding(62, 8),
            L.Bidirectional(L.GRU(8)),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="attention hides the words",
    family="transformer",
    half="unseen",
    address="https://github.com/mlwithme/TransformerTranslation/issues/6",
    symptom="is '== 0' missing where the mask of the padding is applied?",
    cause="the mask is turned around: only padding is attended to",
    truth=("masked_data", "unmasked_padding", "unknown_cause"),
    also=(*STUCK, "overfitting", "oscillating_loss"),
)
def only_padding_attended(repaired):
    x, y, _ = data.reviews(620, seed=336)
    x, y, new, new_y = data.split(x, y)
    ids = keras.Input((20,), dtype="int32")
    words = L.Embedding(60, 16)(ids)
    allowed = L.Lambda(
        lambda ids: ops.expand_dims(ids != 0 if repaired else ids == 0, 1),
        output_shape=(1, 20),
    )(ids)
    mixed = L.MultiHeadAttention(2, 8)(words, words, attention_mask=allowed)
    hidden = L.GlobalAveragePooling1D()(L.LayerNormalization()(mixed))
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model(ids, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class GraphConvolution(L.Layer):
    """Sum over the neighbors of a node, and a dense layer."""

    def __init__(self, units):
        super().__init__()
        self.dense = L.Dense(units, activation="relu")

    def call(self, features, adjacency):
        return self.dense(ops.matmul(adjacency, features))


@program(
    kind="sums over neighbors grow",
    family="graph",
    half="unseen",
    address="https://github.com/Emory-Melody/GraphSlim/issues/4",
    symptom="the adjacency is not normalized before the graph convolution",
    cause="each layer multiplies the activations by the number of neighbors",
    truth=("exploding_activations", "exploding_gradients"),
    also=(
        *STUCK,
        "learning_rate_too_high",
        "poor_initialization",
        "oscillating_loss",
        "dead_units",
        "diverging_loss",
        "unscaled_inputs",
        "saturated_units",
        "zero_gradients",
    ),
)
def neighbors_not_averaged(repaired):
    rng = np.random.default_rng(337)
    n, nodes = 420, 14
    links = np.triu(rng.random((n, nodes, nodes)) < 0.75, 1)
    links = (links | links.transpose(0, 2, 1)) | np.eye(nodes, dtype=bool)
    x = rng.normal(size=(n, nodes, 3)).astype("float32")
    level = np.maximum(links @ x[..., :1] / links.sum(-1, keepdims=True), 0)
    y = level.mean((1, 2)) + 0.3 * x[..., 1].mean(1)
    y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
    links = links.astype("float32")
    if repaired:
        degree = links.sum(-1) ** -0.5
        links = links * degree[:, :, None] * degree[:, None]
    features, adjacency = keras.Input((nodes, 3)), keras.Input((nodes, nodes))
    hidden = features
    for _ in range(4):
        hidden = GraphConvolution(16)(hidden, adjacency)
    out = L.Dense(1)(L.GlobalAveragePooling1D()(hidden))
    model = keras.Model([features, adjacency], out)
    model.compile(keras.optimizers.Adam(0.004), "mse")
    train, new = [x[:300], links[:300]], [x[300:], links[300:]]
    options = {"epochs": 22, "batch_size": 32, "validation_data": (new, y[300:])}
    return Fit(model, train, y[:300], scores.variance(new, y[300:]), options)
