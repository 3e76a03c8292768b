"""Fifteenth half: programs on sequences, and on rows in sequence."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def tweets(n, seed):
    """Return tweets as ids of words, padded, those in favor before those against."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < 0.46 * n).astype("int32")
    x = rng.integers(41, 300, (n, 16))
    loud = rng.random(x.shape) < 0.2
    agree = rng.random(x.shape) < 0.72
    tone = np.where(agree, y[:, None], 1 - y[:, None])
    x[loud] = (1 + 20 * tone + rng.integers(0, 20, x.shape))[loud]
    x[np.arange(16) >= rng.integers(8, 17, (n, 1))] = 0
    return x.astype("int32"), y


@program(
    kind="sorted before the split",
    family="tweets, convolutions",
    half="fifteenth",
    address="https://datascience.stackexchange.com/questions/29893/high-model-accuracy-vs-very-low-validation-accuarcy",
    symptom="the accuracy is above 0.9, that of validation below 0.1",
    cause="all tweets against stand behind those in favor: the split takes the last",
    truth=("unrepresentative_validation", "rows_in_order"),
    also=("overfitting", "imbalanced_classes"),
)
def tweets_in_two_files(repaired):
    x, y = tweets(1300, 1521)
    new, new_y = tweets(600, 1522)
    if repaired:
        order = np.random.default_rng(1523).permutation(len(x))
        x, y = x[order], y[order]
    model = keras.Sequential()
    model.add(keras.Input((16,), dtype="int32"))
    model.add(L.Embedding(300, 16))
    model.add(L.Conv1D(16, 3, padding="same", activation="relu"))
    model.add(L.MaxPooling1D(2))
    model.add(L.Dropout(0.4))
    model.add(L.Flatten())
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    options = {"epochs": 8, "batch_size": 32, "validation_split": 0.3}
    return Fit(model, x, y[:, None].astype("float32"), score, options)


def greedy(x, y):
    """Return the share of words that are right if each is fed back to the decoder."""

    def score(model, history):
        fed = np.ones_like(y)
        for t in range(y.shape[1]):
            answer = model.predict([x, fed], verbose=0)[:, t].argmax(-1)
            if t + 1 < y.shape[1]:
                fed[:, t + 1] = answer
        last = model.predict([x, fed], verbose=0).argmax(-1)
        return float((last == y).mean())

    return score


@program(
    kind="decoder is given the answer",
    family="summaries, recurrent encoder and decoder",
    half="fifteenth",
    address="https://github.com/Currie32/Text-Summarization-with-Amazon-Reviews/issues/3",
    symptom="the loss falls quickly, but all sequences in the test are the same",
    cause="no start sign in front: the decoder is given the very word it shall say",
    truth=("target_leakage",),
    also=("overfitting", "constant_predictions", "unrepresentative_validation"),
)
def summary_without_start(repaired):
    rng = np.random.default_rng(1524)
    x = rng.integers(2, 14, (1100, 9)).astype("int32")
    loud = 2 * rng.integers(1, 7, (1100, 3))
    places = np.sort(rng.permuted(np.tile(np.arange(9), (1100, 1)), axis=1)[:, :3], 1)
    x[x % 2 == 0] += 1
    np.put_along_axis(x, places, loud.astype("int32"), axis=1)
    y = loud.astype("int32")
    x, y, new, new_y = data.split(x, y)
    fed = np.concatenate([np.ones((len(y), 1), "int32"), y[:, :-1]], axis=1)
    source, target = keras.Input((9,), dtype="int32"), keras.Input((3,), dtype="int32")
    embedding = L.Embedding(16, 16)
    left, state = L.GRU(32, return_sequences=True, return_state=True)(embedding(source))
    right = L.GRU(32, return_sequences=True)(embedding(target), initial_state=state)
    seen = L.Attention()([right, left])
    hidden = L.Concatenate()([right, seen])
    model = keras.Model([source, target], L.Dense(16, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.008),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    inputs = [x, fed if repaired else y]
    options = {"epochs": 14, "batch_size": 32, "validation_split": 0.1}
    return Fit(model, inputs, y, greedy(new, new_y), options)


class Encoding(L.Layer):
    """Adds waves of many lengths, from which places can be told."""

    def __init__(self, along, **kwargs):
        super().__init__(**kwargs)
        self.along = along

    def build(self, shape):
        place = np.arange(2000)[:, None]
        angle = place / 100 ** (2 * np.arange(shape[-1] // 2) / shape[-1])
        waves = np.zeros((2000, shape[-1]), "float32")
        waves[:, ::2], waves[:, 1::2] = np.sin(angle), np.cos(angle)
        self.waves = ops.convert_to_tensor(waves)

    def call(self, inputs):
        if self.along == "words":
            return inputs + self.waves[None, : inputs.shape[1]]
        return inputs + self.waves[: ops.shape(inputs)[0], None]


def rivals(n, seed):
    """Return texts in which two words occur once, and whether the first is first."""
    rng = np.random.default_rng(seed)
    x = rng.integers(3, 20, (n, 10))
    places = rng.permuted(np.tile(np.arange(10), (n, 1)), axis=1)[:, :2]
    x[np.arange(n), places[:, 0]] = 1
    x[np.arange(n), places[:, 1]] = 2
    return x.astype("int32"), (places[:, 0] < places[:, 1]).astype("int32")


@program(
    kind="order is lost",
    family="text, attention",
    half="fifteenth",
    address="https://github.com/AkiRusProd/numpy-transformer/issues/1",
    symptom="after a few epochs, the validation loss begins to increase",
    cause="the encoding of places is added along the batch, not along the words",
    truth=("order_is_lost", "wrong_axis"),
    also=(*STUCK, "overfitting", "rows_mixed"),
)
def places_along_the_batch(repaired):
    x, y = rivals(1200, 1525)
    new, new_y = rivals(300, 1526)
    inputs = keras.Input((10,), dtype="int32")
    hidden = L.Embedding(20, 24)(inputs)
    hidden = Encoding("words" if repaired else "rows")(hidden)
    for _ in range(2):
        seen = L.MultiHeadAttention(2, 12)(hidden, hidden)
        hidden = L.LayerNormalization()(hidden + seen)
        wide = L.Dense(24)(L.Dense(48, activation="relu")(hidden))
        hidden = L.LayerNormalization()(hidden + wide)
    hidden = L.GlobalMaxPooling1D()(hidden)
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.002),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="learned by heart",
    family="series of two classes, recurrent",
    half="fifteenth",
    address="https://github.com/keras-team/keras/issues/2941",
    symptom="the accuracy rises to 0.77, that of validation stays below one half",
    cause="a recurrent layer of 256 units for 425 short sequences",
    truth=("model_too_large", "overfitting"),
    also=("unrepresentative_validation",),
)
def few_sequences(repaired):
    rng = np.random.default_rng(1527)
    n = 3000
    x = rng.normal(size=(n, 6, 10)).astype("float32")
    hint = x[:, 3:, 0].mean(1) - 0.7 * x[:, 4:, 1].mean(1) * (x[:, 5, 2] > -1)
    y = (hint + 0.45 * rng.normal(size=n) > 0).astype("int32")
    new, new_y = x[2000:], y[2000:]
    used = 2000 if repaired else 472
    x, y = x[:used], y[:used, None].astype("float32")
    model = keras.Sequential()
    model.add(keras.Input((6, 10)))
    model.add(L.LSTM(12 if repaired else 256))
    model.add(L.Dropout(0.1 if repaired else 0.5))
    model.add(L.Dense(1))
    model.add(L.Activation("sigmoid"))
    optimizer = keras.optimizers.RMSprop(0.002)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    epochs = 15 if repaired else 30
    options = {"epochs": epochs, "batch_size": 30, "validation_split": 0.1}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def buffered(x, y, buffer, seed):
    """Yield batches without end, drawn from a buffer that is refilled in order."""
    rng = np.random.default_rng(seed)
    while True:
        held, drawn = list(range(buffer)), []
        for i in range(buffer, len(x) + buffer):
            k = int(rng.integers(len(held)))
            drawn.append(held[k])
            if i < len(x):
                held[k] = i
            else:
                held.pop(k)
            if len(drawn) == 32:
                yield x[drawn], y[drawn]
                drawn = []


@program(
    kind="rows in order",
    family="faces by person, generator",
    half="fifteenth",
    address="https://github.com/sirius-ai/MobileFaceNet_TF/issues/7",
    symptom="the loss jumps whenever an epoch ends and another begins",
    cause="pictures are stored by person, and the buffer of the shuffle is small",
    truth=("rows_in_order",),
    also=("oscillating_loss", "learning_rate_too_high", "diverging_loss"),
)
def stored_by_person(repaired):
    x, y, new, new_y = data.digits(1000)
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.SeparableConv2D(32, 3, padding="same", activation="relu")(hidden)
    hidden = L.Flatten()(hidden)
    code = L.Dense(32, name="embedding")(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(code))
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    batches = buffered(x, y, len(x) if repaired else 48, 1528)
    options = {"epochs": 10, "steps_per_epoch": len(x) // 32}
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)
