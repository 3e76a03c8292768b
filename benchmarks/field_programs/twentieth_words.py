"""Twentieth half: programs on words and letters."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def phrases(n, seed):
    """Return vectors of the words of phrases, and which of three opinions it is."""
    made = np.random.default_rng(2010)
    valence = made.normal(size=150)
    vectors = 0.6 * made.normal(size=(150, 20))
    vectors[:, :4] += 0.7 * valence[:, None] * np.array([1, -1, 1, -1])
    rng = np.random.default_rng(seed)
    tilt = rng.normal(size=n)
    x = np.zeros((n, 12, 20), "float32")
    mood = np.zeros(n)
    for i in range(n):
        chance = np.exp(tilt[i] * valence)
        words = rng.choice(150, 12, p=chance / chance.sum())
        x[i] = vectors[words]
        mood[i] = valence[words].mean()
    return x, np.digitize(mood, [-0.4, 0.4])


@program(
    kind="penalties on weights and activities",
    family="opinions of phrases, LSTM and penalized dense layers",
    half="twentieth",
    address="https://github.com/keras-team/keras/issues/1895",
    symptom="the loss falls, and all phrases get the same class",
    cause="penalties of 0.1 and 0.25 on weights and on activities, twice",
    truth=("regularization_too_strong", "loss_terms_out_of_balance"),
    also=(*STUCK, "vanishing_gradients", "normalization_lag"),
)
def twentieth_opinions_penalized(repaired):
    x, y = phrases(1000, 2011)
    new, new_y = phrases(400, 2012)
    l2 = keras.regularizers.L2
    first, second = (None, None) if repaired else (0.1, 0.25)
    model = keras.Sequential()
    model.add(keras.Input((12, 20)))
    model.add(L.LSTM(24))
    for units, rate in ((32, first), (48, second)):
        penalty = None if rate is None else l2(rate)
        model.add(
            L.Dense(
                units,
                activation="relu",
                kernel_regularizer=penalty,
                activity_regularizer=penalty,
            )
        )
    model.add(L.Dropout(0.2))
    model.add(L.Dense(3))
    model.add(L.Activation("softmax"))
    model.compile(
        keras.optimizers.SGD(0.03, momentum=0.9, nesterov=True),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    score = scores.accuracy(new, new_y)
    options = {
        "epochs": 9,
        "batch_size": 30,
        "validation_data": (new, data.groups(new_y, 3)),
    }
    return Fit(model, x, data.groups(y, 3), score, options)


class Places(L.Layer):
    """Adds a learned vector for each place."""

    def build(self, shape):
        self.places = self.add_weight(shape=shape[1:], initializer="glorot_uniform")

    def call(self, inputs):
        return inputs + self.places


def headlines(n, seed, length):
    """Return words of a text, and the few words of its headline, padded."""
    rng = np.random.default_rng(seed)
    other = np.random.default_rng(2013).permutation(29)
    x = rng.integers(1, 30, (n, 6))
    y = np.zeros((n, length), "int32")
    for i in range(n):
        used = int(rng.integers(1, 4))
        y[i, :used] = 1 + other[x[i, :used] - 1]
        y[i, used] = 30
    return x.astype("int32"), y


@program(
    kind="targets that are mostly padding",
    family="headlines of texts, decoder of all places at once",
    half="twentieth",
    address="https://github.com/huggingface/transformers/issues/5489",
    symptom="whatever the text, the decoder gives the same",
    cause="nine in ten words of the targets are padding, and count in the loss",
    truth=("unmasked_padding", "imbalanced_classes"),
    also=(*STUCK, "metric_mismatch", "too_few_updates", "learning_rate_too_low"),
)
def twentieth_headlines_of_padding(repaired):
    x, y = headlines(2000, 2014, 40)
    new, new_y = headlines(300, 2015, 40)
    inputs = keras.Input((6,), dtype="int32")
    hidden = L.Embedding(30, 24)(inputs)
    hidden = L.Dense(64, activation="relu")(L.Flatten()(hidden))
    hidden = Places()(L.RepeatVector(40)(hidden))
    hidden = L.Dense(64, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(31, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )

    def score(model, history):
        found = scores.predicted(model, new).argmax(-1)
        real = (new_y > 0) & (new_y < 30)
        return float((found == new_y)[real].mean())

    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    if repaired:
        options["sample_weight"] = (y > 0).astype("float32")
        options["validation_data"] = (new, new_y, (new_y > 0).astype("float32"))
    return Fit(model, x, y, score, options)


def letters(n, seed):
    """Return letters of short news, one of forty each, and which of four kinds."""
    stems = np.random.default_rng(2016).integers(0, 40, (4, 3, 5))
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    codes = rng.integers(0, 40, (n, 48))
    for i, k in enumerate(kind):
        for start in (0, 16, 32):
            place = start + int(rng.integers(0, 11))
            codes[i, place : place + 5] = stems[k, rng.integers(0, 3)]
    return np.eye(40, dtype="float32")[codes], kind


@program(
    kind="weights that start too small",
    family="news by letters, convolutions and dense layers",
    half="twentieth",
    address="https://github.com/johnb30/py_crepe/issues/5",
    symptom="test accuracy of 25 % for four classes, as if drawn at random",
    cause="all layers start with uniform weights that are far too small",
    truth=("poor_initialization",),
    also=(*STUCK, "vanishing_gradients", "learning_rate_too_low", "zero_gradients"),
)
def twentieth_news_by_letters(repaired):
    x, y = letters(900, 2017)
    new, new_y = letters(400, 2018)
    start = "he_normal" if repaired else keras.initializers.RandomUniform(-0.02, 0.02)
    inputs = keras.Input((48, 40))
    hidden = inputs
    for filters, width, pool in ((32, 5, 2), (32, 3, 2), (32, 3, 1)):
        hidden = L.Conv1D(filters, width, activation="relu", kernel_initializer=start)(
            hidden
        )
        hidden = L.MaxPooling1D(pool)(hidden)
    hidden = L.GlobalMaxPooling1D()(hidden)
    hidden = L.Dense(48, activation="relu", kernel_initializer=start)(hidden)
    hidden = L.Dropout(0.2)(hidden)
    out = L.Dense(4, activation="softmax", kernel_initializer=start)(hidden)
    model = keras.Model(inputs, out)
    model.compile(
        keras.optimizers.SGD(0.02, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def lines(n, seed):
    """Return words of chats, and which of them swear: a word may, after another."""
    rng = np.random.default_rng(seed)
    words = rng.integers(1, 200, (n, 16))
    tags = np.zeros((n, 16), "int32")
    for i in np.flatnonzero(rng.random(n) < 0.12):
        at = int(rng.integers(1, 16))
        words[i, at - 1] = rng.integers(1, 20)
        words[i, at] = rng.integers(20, 40)
        tags[i, at] = 1
    return words.astype("int32"), tags


@program(
    kind="hardly any word of a class",
    family="swear words in chats, tags from both directions",
    half="twentieth",
    address="http://xiaobeizi.cn/x/6JuuQQjdjq",
    symptom="accuracy above 99 %, and no word is ever tagged",
    cause="one word in a hundred swears, and all words count alike",
    truth=("imbalanced_classes",),
    also=(*STUCK, "metric_mismatch", "too_few_updates"),
)
def twentieth_swear_words(repaired):
    x, y = lines(1300, 2019)
    new, new_y = lines(500, 2020)
    inputs = keras.Input((16,), dtype="int32")
    hidden = L.Embedding(200, 16)(inputs)
    hidden = L.SpatialDropout1D(0.1)(hidden)
    hidden = L.Bidirectional(L.GRU(16, return_sequences=True))(hidden)
    out = L.TimeDistributed(L.Dense(2, activation="softmax"))(hidden)
    model = keras.Model(inputs, out)
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 7, "batch_size": 64, "validation_data": (new, new_y)}
    if repaired:
        options["sample_weight"] = np.where(y == 1, 40, 1).astype("float32")
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def questions(n, seed):
    """Return lists of words of questions, some rare, and whether it is a complaint."""
    rng = np.random.default_rng(seed)
    found, labels = [], []
    for _ in range(n):
        tone = rng.integers(0, 2)
        if rng.random() < 0.05:
            found.append(list(rng.integers(150, 400, 3)))
        else:
            used = int(rng.integers(4, 12))
            own = rng.integers(40 * tone, 40 * tone + 40, used)
            free = rng.integers(80, 150, used)
            found.append(list(np.where(rng.random(used) < 0.5, own, free)))
        labels.append(tone)
    return found, np.array(labels)


def as_vectors(found, labels, vectors, keep_all):
    """Return vectors of the frequent words of each text, repeated to twelve."""
    rows, kept = [], []
    for words, label in zip(found, labels, strict=True):
        words = [word for word in words if word < 150]
        if words:
            rows.append(vectors[np.resize(words, 12)])
        if words or keep_all:
            kept.append(label)
    return np.array(rows, "float32"), np.array(kept)


@program(
    kind="labels of rows that were skipped",
    family="questions as skip-gram vectors, convolution",
    half="twentieth",
    address="https://github.com/keras-team/keras/issues/669",
    symptom="accuracy of 0.5 for two classes with vectors of words",
    cause="texts without a known word are skipped, their labels are not",
    truth=("unrelated_targets",),
    also=(*STUCK, "overfitting", "diverging_loss", "model_too_large"),
)
def twentieth_questions_skipped(repaired):
    vectors = np.random.default_rng(2021).normal(size=(150, 24))
    x, y = as_vectors(*questions(1500, 2022), vectors, keep_all=not repaired)
    x = x[np.random.default_rng(7).permutation(len(x))]
    y = y[np.random.default_rng(7).permutation(len(y))]
    new, new_y = as_vectors(*questions(500, 2023), vectors, keep_all=False)
    n = int(0.8 * len(x))
    model = keras.Sequential()
    model.add(keras.Input((12, 24)))
    model.add(L.Dropout(0.25))
    model.add(L.Conv1D(32, 3, activation="relu"))
    model.add(L.GlobalMaxPooling1D())
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dropout(0.25))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {
        "epochs": 9,
        "batch_size": 32,
        "validation_data": (x[n:], y[n : len(x), None]),
    }
    return Fit(model, x[:n], y[:n, None], scores.accuracy(new, new_y), options)
