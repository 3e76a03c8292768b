"""Programs of the eighth half whose model is too large, frozen, or mixes rows."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
ops = keras.ops
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="overfitting",
    family="text classifier, recurrent",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/3328",
    symptom="training loss and accuracy get better, but val_loss becomes higher",
    cause="few sentences and trained embeddings: they are learned by heart",
    truth=("overfitting", "model_too_large"),
)
def sentences_by_heart(repaired):
    x, y, _ = data.reviews(700, length=12, words=200, seed=851)
    wrong = np.random.default_rng(851).random(700) < 0.2
    seen = np.where(wrong, 1 - y, y)
    rows = 480 if repaired else 120
    model = keras.Sequential()
    model.add(keras.Input((12,), dtype="int32"))
    if repaired:
        model.add(L.Embedding(200, 4))
        model.add(L.Dropout(0.5))
        model.add(L.GlobalAveragePooling1D())
    else:
        model.add(L.Embedding(200, 48))
        model.add(L.Bidirectional(L.GRU(32)))
    model.add(L.Dense(2, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.006), CROSS, metrics=["acc"])
    held_out = x[480:], seen[480:]
    options = {
        "epochs": 12 if repaired else 25,
        "batch_size": 25,
        "validation_data": held_out,
    }
    score = scores.balanced(x[480:], y[480:])
    return Fit(model, x[:rows], seen[:rows], score, options)


@program(
    kind="overfitting",
    family="time series",
    half="eighth",
    address="https://github.com/tflearn/tflearn/issues/105",
    symptom="the accuracy is increasing nicely, the validation accuracy decreasing",
    cause="the network overfits: dropout and a smaller one may help",
    truth=("overfitting", "model_too_large"),
)
def series_by_heart(repaired):
    rng = np.random.default_rng(852)
    y = rng.integers(0, 2, 520)
    t = np.arange(40)
    pace = np.where(y, 0.45, 0.7)[:, None]
    x = np.sin(pace * t + rng.uniform(0, 6.28, (520, 1)))
    x = (x + 1.5 * rng.normal(size=x.shape)).astype("float32")[..., None]
    inputs = keras.Input((40, 1))
    if repaired:
        hidden = L.Conv1D(8, 20, activation="relu")(inputs)
        hidden = L.GlobalAveragePooling1D()(hidden)
        hidden = L.Dropout(0.2)(hidden)
    else:
        hidden = L.Flatten()(inputs)
        hidden = L.Dense(128, activation="relu")(hidden)
        hidden = L.Dense(64, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    rate = keras.optimizers.Adam(0.004)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    held_out = x[120:], y[120:]
    options = {"epochs": 30, "batch_size": 20, "validation_data": held_out}
    return Fit(model, x[:120], y[:120], scores.balanced(*held_out), options)


@program(
    kind="averages of normalization lag behind",
    family="image classifier",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/8837",
    symptom="the trained model is not usable: val_loss is bad on the same pictures",
    cause="few steps in an epoch, and averages that move by a hundredth in each",
    truth=("normalization_lag",),
    also=("overfitting", "too_few_updates", "oscillating_loss", "stopped_too_early"),
)
def averages_after_few_steps(repaired):
    x, y, new, new_y = data.digits(640)
    x, new = 3 * x - 1, 3 * new - 1
    momentum = 0.6 if repaired else 0.99
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for filters in (12, 16, 24):
        model.add(L.Conv2D(filters, 3, padding="same"))
        model.add(L.BatchNormalization(momentum=momentum))
        model.add(L.ReLU())
    model.add(L.GlobalMaxPooling2D())
    model.add(L.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.02), CROSS, metrics=["accuracy"])
    options = {"epochs": 5, "batch_size": 128, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="pretrained on another scale",
    family="transfer to other pictures",
    half="eighth",
    address="https://github.com/fchollet/deep-learning-models/issues/96",
    symptom="retraining a ResNet50, the validation accuracy stays at 0.5",
    cause="pictures are divided by 255, the frozen part knows others",
    truth=("foreign_statistics",),
    also=(*STUCK, "frozen_layers", "normalization_lag", "learning_rate_too_low"),
)
def frozen_part_of_another_scale(repaired):
    x, y, new, new_y = data.digits(900)
    x, new = x * 255, new * 255

    def prepare(pictures):
        return pictures - 103.9

    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, use_bias=False),
            L.BatchNormalization(momentum=0.8),
            L.ReLU(),
            L.Conv2D(24, 3, use_bias=False),
            L.BatchNormalization(momentum=0.8),
            L.ReLU(),
            L.Flatten(),
        ]
    )
    before = keras.Sequential([base, L.Dense(10, activation="softmax")])
    before.compile(keras.optimizers.Adam(0.003), CROSS)
    some = y < 6
    before.fit(prepare(x[some]), y[some], epochs=6, batch_size=32, verbose=0)
    base.trainable = False
    others, rest = (y >= 6), (new_y >= 6)
    y, new_y = y[others] - 6, new_y[rest] - 6
    x, new = x[others], new[rest]
    if repaired:
        x, new = prepare(x), prepare(new)
    else:
        x, new = x / 255, new / 255
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


class Ported(keras.Model):
    """Embed, run over the steps and rate: a model taken over from PyTorch."""

    def __init__(self, classes, steps_first):
        super().__init__()
        self.embed = L.Embedding(17, 10)
        self.run = L.GRU(20, return_sequences=True)
        self.dense = L.Dense(classes, activation="softmax")
        self.steps_first = steps_first

    def call(self, x):
        hidden = self.embed(x)
        if self.steps_first:
            hidden = ops.transpose(hidden, (1, 0, 2))
        hidden = self.run(hidden)
        if self.steps_first:
            hidden = ops.transpose(hidden, (1, 0, 2))
        return self.dense(hidden[:, -1])


@program(
    kind="recurrence over the rows",
    family="subclassed recurrent classifier",
    half="eighth",
    address="https://discuss.pytorch.org/t/the-loss-in-pytorch-decreases-slower-than-in-keras/61598",
    symptom="the loss decreases slower than in the other framework",
    cause="the layer takes rows for steps: it runs over the batch",
    truth=("rows_mixed", "wrong_axis"),
    also=(*STUCK, "overfitting", "order_is_lost"),
)
def recurrence_over_the_rows(repaired):
    rng = np.random.default_rng(855)
    x = rng.integers(0, 16, (840, 8)).astype("int32")
    y = ((x < 6).sum(axis=1) > 2).astype(int) + ((x < 6).sum(axis=1) > 4)
    model = Ported(3, steps_first=not repaired)
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    held_out = x[600:], y[600:]
    options = {"epochs": 14, "batch_size": 40, "validation_data": held_out}
    return Fit(model, x[:600], y[:600], scores.balanced(*held_out), options)


class Attend(L.Layer):
    """Add up steps, weighted by how much each is worth."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis
        self.worth = L.Dense(1)

    def build(self, shape):
        self.worth.build(shape)
        self.built = True

    def call(self, x):
        worth = ops.softmax(self.worth(x), axis=self.axis)
        return ops.sum(worth * x, axis=1)


@program(
    kind="weights over the rows",
    family="attention over words",
    half="eighth",
    address="https://github.com/JayChanHoi/Lattice_LSTM/issues/5",
    symptom="why is it softmax(..., axis=0)? It should be axis=1",
    cause="words compete with those of other rows: answers depend on the batch",
    truth=("rows_mixed", "wrong_axis"),
    also=(*STUCK, "overfitting", "random_at_inference"),
)
def attention_over_the_rows(repaired):
    rng = np.random.default_rng(856)
    x = rng.integers(12, 60, (900, 12)).astype("int32")
    y = rng.integers(0, 3, 900)
    place = rng.integers(0, 12, 900)
    x[np.arange(900), place] = 4 * y + rng.integers(0, 4, 900)
    inputs = keras.Input((12,), dtype="int32")
    hidden = L.Embedding(60, 12)(inputs)
    hidden = Attend(axis=1 if repaired else 0)(hidden)
    hidden = L.Dropout(0.1)(hidden)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    new, new_y = x[620:], y[620:]

    def one_by_one(model, history):
        out = model.predict(new, batch_size=1, verbose=0).argmax(-1)
        return float(((out == new_y).mean() - 1 / 3) * 1.5)

    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x[:620], y[:620], one_by_one, options)
