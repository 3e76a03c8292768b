"""Sealed programs whose rate, length, weights or order of rows does not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.sealed_outputs import skill
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


def ink_detector(filters=12):
    """Return a small U-net for one channel."""
    inputs = keras.Input((16, 16, 1))
    top = L.Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    h = L.MaxPooling2D()(top)
    h = L.Conv2D(2 * filters, 3, padding="same", activation="relu")(h)
    h = L.UpSampling2D()(h)
    h = L.Concatenate()([top, h])
    h = L.Conv2D(filters, 3, padding="same", activation="relu")(h)
    return keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))


class Tiles(keras.utils.PyDataset):
    """Batches of tiles and their masks, in a new order every epoch."""

    def __init__(self, x, masks, batch_size, seed, **kwargs):
        super().__init__(**kwargs)
        self.x, self.masks, self.batch_size = x, masks, batch_size
        self.rng = np.random.default_rng(seed)
        self.order = np.arange(len(x))

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.x[rows], self.masks[rows]

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


@program(
    kind="too few updates",
    family="segmentation of tiles",
    half="sealed",
    address="https://github.com/mattroz/mobilenet_segmentation/issues/2",
    symptom="the steps of an epoch are not the length of the generator",
    cause="the number of batches is divided by the size of a batch once more",
    truth=("too_few_updates",),
    also=(*STUCK, "learning_rate_too_low", "repeated_batches", "stopped_too_early"),
)
def divided_by_the_batch_again(repaired):
    x, _, masks = data.shapes(640, seed=1062)
    x, masks, new, new_masks = data.split(x, masks)
    batch = 8
    tiles = Tiles(x, masks, batch, seed=1062)
    inputs = keras.Input((16, 16, 1))
    h = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    for filters in (16, 24):
        h = L.SeparableConv2D(filters, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.002), "binary_crossentropy")
    steps = len(tiles) if repaired else len(tiles) // batch
    options = {
        "epochs": 10,
        "steps_per_epoch": steps,
        "validation_data": (new, new_masks),
    }
    return Fit(model, tiles, None, scores.overlap(new, new_masks), options)


class EncoderLayer(L.Layer):
    """A layer of BERT, normalized behind each sum."""

    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.attention = L.MultiHeadAttention(heads, width // heads)
        self.inner = L.Dense(2 * width, activation="gelu")
        self.outer = L.Dense(width)
        self.first, self.second = L.LayerNormalization(), L.LayerNormalization()

    def call(self, x):
        x = self.first(x + self.attention(x, x))
        return self.second(x + self.outer(self.inner(x)))


class Bert(keras.Model):
    """Guess the masked words, and whether the second sentence follows the first."""

    def __init__(self, words, length, width=24, layers=2, **kwargs):
        super().__init__(**kwargs)
        self.words = L.Embedding(words, width)
        self.places = L.Embedding(length, width)
        self.encoder = [EncoderLayer(width, 3) for _ in range(layers)]
        self.word = L.Dense(words)
        self.follows = L.Dense(2)
        self.length = length

    def call(self, ids):
        h = self.words(ids) + self.places(ops.arange(self.length))
        for layer in self.encoder:
            h = layer(h)
        return {"word": self.word(h[:, 4]), "follows": self.follows(h[:, 0])}


@program(
    kind="rate too high",
    family="masked words and next sentence",
    half="sealed",
    address="https://github.com/graykode/nlp-tutorial/issues/77",
    symptom="the loss is almost never less than 2, with a tenth of the rate it is 0.1",
    cause="the rate is too high for a BERT from scratch",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "saturated_units",
        "vanishing_gradients",
        "zero_gradients",
        "exploding_activations",
        "collapsed_embeddings",
    ),
)
def bert_in_a_hurry(repaired):
    rng = np.random.default_rng(1063)
    n, topics, each = 900, 4, 6
    topic = rng.integers(0, topics, n)
    follows = rng.integers(0, 2, n)
    second = np.where(follows, topic, (topic + rng.integers(1, topics, n)) % topics)
    words = 2 + each * np.stack([topic, second], 1).repeat(4, 1)
    words = words + rng.integers(0, each, (n, 8))
    word = words[:, 3].copy()  # its place in the topic is that of the word before
    word = 2 + each * topic + (words[:, 2] - 2) % each
    ids = np.concatenate([np.zeros((n, 1), int), words], 1).astype("int32")
    ids[:, 4] = 1  # [MASK]
    y = {"word": word, "follows": follows}
    x, new = ids[:650], ids[650:]
    y, new_y = ({k: v[s] for k, v in y.items()} for s in (slice(650), slice(650, n)))
    model = Bert(2 + topics * each, 9)
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = {"word": cross, "follows": cross}
    metrics = {"word": ["accuracy"], "follows": ["accuracy"]}
    rate = 0.003 if repaired else 0.05
    model.compile(keras.optimizers.Adam(rate), losses, metrics=metrics)
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}

    def score(model, history):
        found = model.predict(new, verbose=0)["word"].argmax(-1)
        return float((found == new_y["word"]).mean())

    return Fit(model, x, y, score, options)


@program(
    kind="targets not scaled",
    family="curve of one number",
    half="sealed",
    address="https://stackoverflow.com/questions/52800582",
    symptom="y = x ** 3 works, y = x ** 4 fails",
    cause="inputs reach 100 and targets 1e8, far from what the weights start with",
    truth=("unscaled_targets", "unscaled_inputs"),
    also=(
        *STUCK,
        "saturated_units",
        "learning_rate_too_low",
        "too_few_updates",
        "vanishing_gradients",
    ),
)
def fourth_power(repaired):
    rng = np.random.default_rng(1064)
    x = rng.uniform(-100, 100, (700, 1)).astype("float32")
    y = x**4
    if repaired:
        x, y = x / 58, (y - y.mean()) / y.std()
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((1,))])
    model.add(L.Dense(20, activation="sigmoid"))
    model.add(L.Dense(20, activation="elu"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    options = {"epochs": 40, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rare class",
    family="generator",
    half="sealed",
    address="https://github.com/keras-team/keras/issues/2071",
    symptom="with whatever weights, only the class that is ten times as common comes",
    cause="the weights of the classes never reach the loss of a generator",
    truth=("imbalanced_classes",),
    also=(*STUCK, "repeated_batches"),
)
def weights_lost_on_the_way(repaired):
    rng = np.random.default_rng(1065)
    n = 2400
    y = rng.choice(3, n, p=[0.05, 0.05, 0.9])
    x = rng.normal(size=(n, 12, 2))
    t = np.arange(12)[:, None] / 3
    x = x + 0.55 * np.stack([np.sin(t), np.cos(t), 0 * t])[y]
    x, y, new, new_y = data.split(x.astype("float32"), y)
    weights = np.array([9.0, 9.0, 1.0], "float32")

    def batches():
        own = np.random.default_rng(1065)
        while True:
            rows = own.integers(0, len(x), 64)
            weight = weights[y[rows]] / 2
            yield (x[rows], y[rows], weight) if repaired else (x[rows], y[rows])

    inputs = keras.Input((12, 2))
    h = L.Conv1D(6, 3, activation="relu")(inputs)
    h = L.Dropout(0.2)(L.Flatten()(h))
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "steps_per_epoch": 26, "validation_data": (new, new_y)}
    return Fit(model, batches(), None, scores.balanced(new, new_y), options)


@program(
    kind="overfitting",
    family="tuned residual network",
    half="sealed",
    address="https://github.com/keras-team/keras-tuner/issues/167",
    symptom="0.99 in training, 0.59 in validation",
    cause="a residual network far too large for the pictures that there are",
    truth=("overfitting", "model_too_large"),
    also=("oscillating_loss",),
)
def residual_network_of_a_tuner(repaired):
    x = data.shapes(560, seed=1066)[0]
    rng = np.random.default_rng(1066)
    y = rng.integers(0, 4, len(x))
    x = x + 0.7 * rng.normal(size=x.shape)
    x = np.stack([np.rot90(g, k) for g, k in zip(half_lit(x), y, strict=True)])
    x, y, new, new_y = data.split(x.astype("float32"), y, share=0.4)
    width, blocks = (8, 1) if repaired else (48, 2)
    inputs = keras.Input((16, 16, 1))
    h = L.Conv2D(width, 3, padding="same", strides=2)(inputs)
    for _ in range(blocks):
        other = L.Activation("relu")(h)
        other = L.Conv2D(width, 3, padding="same", activation="relu")(other)
        h = L.Add()([h, L.Conv2D(width, 3, padding="same")(other)])
    if repaired:
        h = L.AveragePooling2D(4)(h)
        h = L.Dropout(0.2)(L.Flatten()(h))
    else:
        h = L.Dense(64, activation="relu")(L.Flatten()(h))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, skill(new, new_y), options)


def half_lit(x):
    """Return the pictures, their upper half a little brighter."""
    light = np.zeros((1, 16, 16, 1))
    light[:, :8] = 0.2
    return x + light


@program(
    kind="rows in order",
    family="parts of a click log",
    half="sealed",
    address="https://github.com/keras-team/keras/issues/5538",
    symptom="ten epochs on each part; the first parts are forgotten",
    cause="each part is gone through ten times before the next is read",
    truth=("rows_in_order",),
    also=(*STUCK, *BLOWN_UP, "repeated_batches", "overfitting", "rows_mixed"),
)
def ten_rounds_on_each_part(repaired):
    rng = np.random.default_rng(1067)
    n, kinds = 1300, 5
    y = rng.integers(0, kinds, n)
    own = 1 + 12 * y[:, None] + rng.integers(0, 12, (n, 10))
    x = np.where(rng.random((n, 10)) < 0.5, own, rng.integers(1, 61, (n, 10)))
    x, y, new, new_y = data.split(x.astype("int32"), y)
    order = np.argsort(y + rng.uniform(0, 0.5, len(y)))  # the log is kept by shop
    parts = np.array_split(order, kinds)
    if repaired:
        parts = [rng.permutation(order)]

    def batches():
        own = np.random.default_rng(1067)
        while True:
            for part in parts:
                for _ in range(10):
                    rows = own.permutation(part)
                    for start in range(0, len(rows), 18):
                        yield x[rows[start : start + 18]], y[rows[start : start + 18]]

    inputs = keras.Input((10,), dtype="int32")
    h = L.Embedding(61, 8)(inputs)
    h = L.GRU(12)(h)
    h = L.Dropout(0.4)(h)
    model = keras.Model(inputs, L.Dense(kinds, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 11, "steps_per_epoch": 51, "validation_data": (new, new_y)}
    return Fit(model, batches(), None, scores.accuracy(new, new_y), options)
