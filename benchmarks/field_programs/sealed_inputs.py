"""Sealed programs whose inputs or targets are not what the model needs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class Houses:
    """A hypermodel of which one trial is built."""

    def __init__(self, columns):
        self.columns = columns

    def build(self, units=(48, 24), rate=0.003):
        model = keras.Sequential([keras.Input((self.columns,))])
        for n in units:
            model.add(L.Dense(n, activation="relu"))
        model.add(L.Dense(1))
        model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
        return model


@program(
    kind="inputs not scaled",
    family="tuned table regression",
    half="sealed",
    address="https://github.com/keras-team/keras-tuner/issues/345",
    symptom="the loss explodes in every trial, a fit elsewhere gets 0.2",
    cause="columns of tens and of tens of thousands go in as they are",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "exploding_activations",
        "learning_rate_too_high",
        "dead_units",
        "too_few_updates",
    ),
)
def houses_as_listed(repaired):
    x, y, new, new_y = data.friedman(640, seed=1001, noise=0.5)
    center = np.array([2000, 1970, 40000, 6, 47, -122, 68000, 30], "float32")
    width = np.array([800, 25, 20000, 2, 0.5, 0.5, 25000, 12], "float32")
    x, new = center + width * x, center + width * new
    if repaired:
        x, new = data.standard(x, new)
    model = Houses(8).build()
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def roads(n, seed):
    """Return pictures of a lane from above the hood, and where it turns: -1 to 1."""
    rng = np.random.default_rng(seed)
    turn = rng.uniform(-1, 1, n)
    start = rng.uniform(-2, 2, n)
    row, column = np.mgrid[:16, :16]
    far = (15 - row) / 15
    middle = 7.5 + start[:, None, None] * (1 - far) + 6 * turn[:, None, None] * far**2
    x = np.exp(-((column - middle) ** 2) / 3) + 0.15 * rng.normal(size=(n, 16, 16))
    return x[..., None].astype("float32"), turn[:, None].astype("float32")


@program(
    kind="targets not scaled",
    family="steering from pictures",
    half="sealed",
    address="https://github.com/autorope/donkeycar/issues/37",
    symptom="the angle is learned badly; dividing it by 90 might help",
    cause="the angle is given in degrees, from -90 to 90",
    truth=("unscaled_targets",),
    also=(*STUCK, "too_few_updates", "learning_rate_too_low"),
    margin=0.05,
)
def steering_in_degrees(repaired):
    x, y = roads(600, seed=1002)
    x, y, new, new_y = data.split(x, y if repaired else 90 * y)
    image = keras.Input((16, 16, 1), name="img_in")
    h = L.Conv2D(8, 3, strides=2, activation="relu")(image)
    h = L.Conv2D(12, 3, strides=2, activation="relu")(h)
    h = L.Flatten()(h)
    h = L.Dense(16, activation="relu")(h)
    model = keras.Model(image, L.Dense(1, name="angle_out")(h))
    model.compile(keras.optimizers.Adam(0.001), "mse")
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def signs(n, seed):
    """Return photographs of six signs, bytes, under a sky of any brightness."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 6, n)
    row, column = np.mgrid[:12, :12] - 5.5
    outlines = np.stack(
        [
            np.hypot(row, column) < 4,
            np.maximum(abs(row), abs(column)) < 3.6,
            abs(row) + abs(column) < 5,
            (abs(row) < 1.6) | (abs(column) < 1.6),
            abs(row - column) < 2.2,
            (row > 0) ^ (column > 0),
        ]
    ).astype(float)
    light = rng.uniform(100, 156, (n, 1, 1, 1))
    paint = rng.choice([-1, 1], (n, 1, 1, 3)) * rng.uniform(18, 40, (n, 1, 1, 3))
    x = light + paint * outlines[kind][..., None] + 10 * rng.normal(size=(n, 12, 12, 3))
    return np.clip(x, 0, 255).astype("uint8"), kind


@program(
    kind="whole numbers overflow",
    family="traffic signs",
    half="sealed",
    address="https://github.com/udacity/CarND-Traffic-Sign-Classifier-Project/pull/46",
    symptom="the normalization does not work: 75 % only",
    cause="128 is taken from bytes, which start at 255 again below zero",
    truth=("inputs_wrapped",),
    also=(*STUCK, "overfitting", "unknown_cause"),
)
def signs_in_bytes(repaired):
    x, y = signs(800, seed=1003)

    def normalized(images):
        if repaired:
            images = images.astype("float32")
        return ((images - 128) / 128).astype("float32")

    x, y, new, new_y = data.split(normalized(x), y)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.Conv2D(16, 3, activation="relu"),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dropout(0.3),
            L.Dense(6),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rows mixed by reshaping",
    family="flattened pictures",
    half="sealed",
    address="https://github.com/abdur75648/Deep-Learning-Specialization-Coursera/issues/7",
    symptom="you cannot simply reshape (m, h, w, c) to (h * w * c, m)",
    cause="reshaping puts pieces of many pictures into each column",
    truth=("unrelated_targets",),
    also=(*STUCK, "overfitting", "unrepresentative_validation"),
)
def pictures_as_columns(repaired):
    x, y, new, new_y = data.digits(640)

    def columns(images):
        m = len(images)
        return images.reshape(m, -1).T if repaired else images.reshape(-1, m)

    x, new = columns(x).T, columns(new).T
    model = keras.Sequential([keras.Input((64,))])
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def pretrained(x, y):
    """Return a base that was trained on pictures from 0 to 255 and rescales itself."""
    base = keras.Sequential([keras.Input((8, 8, 1)), L.Rescaling(1 / 255)], name="base")
    for filters in (16, 32):
        base.add(L.Conv2D(filters, 3, padding="same", use_bias=False))
        base.add(L.BatchNormalization(momentum=0.8))
        base.add(L.Activation("relu"))
    base.add(L.GlobalMaxPooling2D())
    training = keras.Sequential([base, L.Dense(10, activation="softmax")])
    training.compile(keras.optimizers.Adam(0.005), CROSS)
    training.fit(x, y, epochs=8, batch_size=32, verbose=0)
    return base


@program(
    kind="scaled twice",
    family="fine-tuning",
    half="sealed",
    address="https://github.com/mrdbourke/tensorflow-deep-learning/issues/14",
    symptom="far less accuracy than in the notebook, and it stops improving",
    cause="the generator divides by 255 and the pretrained base does so again",
    truth=("foreign_statistics", "unscaled_inputs"),
    also=(*STUCK, "frozen_layers", "constant_inputs", "learning_rate_too_low"),
)
def divided_by_255_twice(repaired):
    x, y, new, new_y = data.digits(700)
    x, new = 255 * x, 255 * new
    base = pretrained(x[:400], y[:400])
    x, y = x[400:], y[400:]
    if not repaired:
        x, new = x / 255, new / 255
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    h = base(inputs, training=False)
    outputs = L.Dense(10, activation="softmax")(h)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Boxes(keras.utils.PyDataset):
    """Batches of pictures with the center of their box and its size over the anchor."""

    def __init__(self, x, boxes, batch_size=16, anchor=6.0, **kwargs):
        super().__init__(**kwargs)
        self.x, self.boxes = x, boxes
        self.batch_size, self.anchor = batch_size, anchor

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[part], encoded(self.boxes[part], self.anchor)


def encoded(boxes, anchor):
    """Return what YOLO learns of a box: center, and logarithm of the size."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    with np.errstate(divide="ignore"):
        size = np.log((boxes[:, 2:] - boxes[:, :2]) / anchor)
    return np.concatenate([(center - 8) / 4, size], -1).astype("float32")


@program(
    kind="infinite targets",
    family="bounding boxes",
    half="sealed",
    address="https://github.com/qqwweee/keras-yolo3/issues/121",
    symptom="the loss falls for a few steps, then it is NaN and stays so",
    cause="a box without width has a size whose logarithm is infinite",
    truth=("non_finite_data",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "non_finite_start",
        "non_finite_weights",
        "loss_target_mismatch",
    ),
)
def boxes_without_width(repaired):
    x, _, masks = data.shapes(520, seed=1006)
    boxes = []
    for mask in masks[..., 0]:
        row, column = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        boxes.append([row[0], column[0], row[-1] + 1, column[-1] + 1])
    boxes = np.array(boxes, "float32")
    x, boxes, new, new_boxes = data.split(x, boxes)
    if not repaired:  # annotations where the mouse did not move
        boxes[250:256, 3] = boxes[250:256, 1]
    inputs = keras.Input((16, 16, 1))
    h = inputs
    for filters in (12, 24):
        h = L.Conv2D(filters, 3, padding="same")(h)
        h = L.LeakyReLU(0.1)(h)
        h = L.MaxPooling2D()(h)
    h = L.Dense(32, activation="relu")(L.Flatten()(h))
    model = keras.Model(inputs, L.Dense(4)(h))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 15, "validation_data": Boxes(new, new_boxes)}
    score = scores.variance(new, encoded(new_boxes, 6.0))
    return Fit(model, Boxes(x, boxes), None, score, options)


@program(
    kind="words under the ids of padding and unknown",
    family="relations in sentences",
    half="sealed",
    address="https://github.com/greenelab/snorkeling/pull/96",
    symptom="poor performance of the discriminator",
    cause="the words numbered 0 and 1 are taken for padding and for unknown words",
    truth=("masked_data",),
    also=(*STUCK, "overfitting", "unrelated_targets", "unknown_cause"),
)
def important_words_are_null(repaired):
    rng = np.random.default_rng(1007)
    n, length = 640, 14
    used = rng.integers(8, length + 1, n)
    words = rng.integers(2, 60, (n, length))
    places = np.stack([rng.permutation(8)[:2] for _ in range(n)])
    words[np.arange(n), places[:, 0]] = 0  # "over-expression"
    words[np.arange(n), places[:, 1]] = 1  # "disease"
    y = (places[:, 0] < places[:, 1]).astype("int32")
    ids = words + 2 if repaired else words
    ids = np.where((words > 1) & (rng.random((n, length)) < 0.1), 1, ids)  # unknown
    x = np.where(np.arange(length)[None] < used[:, None], ids, 0).astype("int32")
    x, y, new, new_y = data.split(x, y)
    sentence = keras.Input((length,), dtype="int32")
    h = L.Embedding(62, 8, mask_zero=True)(sentence)
    h = L.GRU(12)(h)
    model = keras.Model(sentence, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="vectors of other words",
    family="text with pretrained vectors",
    half="sealed",
    address="https://github.com/fchollet/deep-learning-with-python-notebooks/issues/145",
    symptom="shifting the indices by 3 makes the validation accuracy 20 % higher",
    cause="the ids are shifted by 3, the rows of the matrix of vectors are not",
    truth=("misaligned_embedding",),
    also=(*STUCK, "overfitting", "frozen_layers", "model_too_small", "unknown_cause"),
)
def vectors_three_words_off(repaired):
    words = 300
    rng = np.random.default_rng(1008)
    taste = rng.normal(size=words)  # of the words, by how common they are
    vectors = 0.4 * rng.normal(size=(words, 16))
    vectors[:, :4] += taste[:, None] * np.array([0.6, -0.5, 0.4, 0.5])
    index = np.minimum(rng.geometric(0.01, (700, 16)) - 1, words - 1)
    y = (taste[index].sum(1) > 0).astype("int32")
    x = (index + 3).astype("int32")  # 0, 1, 2: padding, start, unknown
    matrix = np.zeros((words + 3, 16), "float32")
    for word in range(words):
        matrix[word + 3 if repaired else word] = vectors[word]
    x, y, new, new_y = data.split(x, y)
    sentence = keras.Input((16,), dtype="int32")
    embedding = L.Embedding(words + 3, 16, trainable=False)
    h = L.GlobalAveragePooling1D()(embedding(sentence))
    embedding.set_weights([matrix])
    h = L.Dense(16, activation="relu")(h)
    model = keras.Model(sentence, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class MaskedEncoder(keras.Model):
    """One layer of BERT and the average of the words that its mask lets through."""

    def __init__(self, words, length, width=16, **kwargs):
        super().__init__(**kwargs)
        self.words = L.Embedding(words, width)
        self.places = L.Embedding(length, width)
        self.attention = L.MultiHeadAttention(2, width // 2)
        self.norm = L.LayerNormalization()
        self.head = L.Dense(1)
        self.length = length

    def call(self, inputs):
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        h = self.words(ids) + self.places(ops.arange(self.length))
        seen = ops.cast(mask, "bool")[:, None, :]
        h = self.norm(h + self.attention(h, h, attention_mask=seen))
        share = ops.cast(mask, h.dtype)
        share = share / ops.sum(share, axis=1, keepdims=True)
        return self.head(ops.sum(share[..., None] * h, axis=1))


@program(
    kind="padding not masked",
    family="scores of sentences",
    half="sealed",
    address="https://github.com/yg211/bert_nli/pull/3",
    symptom="setting the padded words in the masks to 0 improves the accuracy",
    cause="the attention masks are all 1, so that padding is read as text",
    truth=("unmasked_padding",),
    also=(*STUCK, "overfitting", "vanishing_gradients", "model_too_small"),
    margin=0.05,
)
def masks_of_ones(repaired):
    rng = np.random.default_rng(1009)
    n, length, words = 900, 48, 60
    taste = rng.normal(size=words)
    used = np.minimum(4 + rng.geometric(0.12, n), length)
    leaning = 0.8 * rng.normal(size=(n, 1, 1)) * taste
    choice = leaning + rng.gumbel(size=(n, length, words))
    text = np.arange(length)[None] < used[:, None]
    ids = np.where(text, 1 + choice.argmax(-1), 0).astype("int32")
    y = (taste[ids - 1] * text).sum(1) / used
    y = (y - y.mean()) / y.std() + 0.3 * rng.normal(size=n)  # people disagree
    y = y[:, None].astype("float32")
    mask = (text if repaired else np.ones_like(text)).astype("int32")
    x, new = (
        {"input_ids": ids[i], "attention_mask": mask[i]}
        for i in (slice(0, 630), slice(630, n))
    )
    y, new_y = y[:630], y[630:]
    model = MaskedEncoder(words + 1, length)
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    options = {"epochs": 4, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
