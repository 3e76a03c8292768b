"""Tenth half: programs whose model does not suit its rows, or learns them by heart."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class Freezable(keras.layers.BatchNormalization):
    """Batch normalization that can be frozen."""

    def __init__(self, training_of, **options):
        super().__init__(**options)
        self.training_of = training_of

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=self.training_of(training), mask=mask)


@program(
    kind="statistics of the batch in prediction",
    family="residual network",
    half="tenth",
    address="https://github.com/broadinstitute/keras-resnet/pull/47",
    symptom="wrong results of the validation, 40 % once it is repaired",
    cause="layers that are not frozen are always called with training=True",
    truth=("rows_mixed",),
    also=("normalization_lag", "normalization_small_batch", "overfitting"),
)
def never_out_of_training(repaired):
    x, y, new, new_y = data.digits(700)
    order = np.argsort(new_y, kind="stable")
    new, new_y = new[order], new_y[order]
    use = (lambda training: training) if repaired else (lambda training: True)

    def block(hidden, width, strides):
        short = L.Conv2D(width, 1, strides=strides, use_bias=False)(hidden)
        hidden = L.Conv2D(width, 3, strides=strides, padding="same", use_bias=False)(
            hidden
        )
        hidden = L.ReLU()(Freezable(use, momentum=0.9)(hidden))
        hidden = L.Conv2D(width, 3, padding="same", use_bias=False)(hidden)
        hidden = Freezable(use, momentum=0.9)(hidden)
        return L.ReLU()(hidden + short)

    inputs = keras.Input((8, 8, 1))
    hidden = block(inputs, 16, 1)
    hidden = block(hidden, 24, 2)
    hidden = L.GlobalAveragePooling2D()(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="model too large for its rows",
    family="movements, stacked LSTM",
    half="tenth",
    address="https://github.com/keras-team/keras/issues/1597",
    symptom="the accuracy of training rises, that of the validation stays",
    cause="three wide layers on many features and few rows",
    truth=("overfitting", "model_too_large"),
    also=("underfitting", "unrelated_targets", "slow_convergence"),
)
def three_layers_for_few_movements(repaired):
    n = 620 if repaired else 110
    x, y = data.gestures(900, length=10, seed=1021, noise=0.9)
    extra = np.random.default_rng(1021).normal(size=(900, 10, 24)).astype("float32")
    if not repaired:
        x = np.concatenate([x, extra], axis=-1)
    model = keras.Sequential()
    model.add(keras.Input(x.shape[1:]))
    if repaired:
        model.add(L.LSTM(12))
        model.add(L.Dropout(0.3))
    else:
        model.add(L.LSTM(96, return_sequences=True))
        model.add(L.LSTM(96, return_sequences=True))
        model.add(L.LSTM(96))
    model.add(L.Dense(4, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    held_out = x[620:], y[620:]
    epochs = 14 if repaired else 20
    options = {"epochs": epochs, "batch_size": 20, "validation_data": held_out}
    return Fit(model, x[:n], y[:n], scores.balanced(*held_out), options)


@program(
    kind="weights start too large",
    family="angle from many sensors",
    half="tenth",
    address="https://github.com/tflearn/tflearn/issues/669",
    symptom="the output is either -1 or 1 and nothing in between",
    cause="all weights start between -1 and 1, with 128 inputs tanh is saturated",
    truth=("poor_initialization", "saturated_units"),
    also=(*STUCK, "vanishing_gradients", "zero_gradients", "exploding_activations"),
)
def either_minus_one_or_one(repaired):
    rng = np.random.default_rng(1022)
    hidden_state = rng.normal(size=(1000, 6))
    mixing = rng.normal(size=(6, 128)) / 2.4
    x = hidden_state @ mixing + 0.3 * rng.normal(size=(1000, 128))
    y = np.tanh(0.5 * hidden_state[:, 0] + 0.4 * hidden_state[:, 1])
    x, y, new, new_y = data.split(x.astype("float32"), y.astype("float32")[:, None])
    if repaired:
        start = keras.initializers.GlorotUniform(seed=1022)
    else:
        start = keras.initializers.RandomUniform(-1.0, 1.0, seed=1022)
    model = keras.Sequential()
    model.add(keras.Input((128,)))
    for units in (64, 8, 1):
        model.add(L.Dense(units, activation="tanh", kernel_initializer=start))
    sgd = keras.optimizers.SGD(0.005, momentum=0.9, clipnorm=1.0)
    model.compile(sgd, "mse", metrics=["mae"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def posts(n, seed):
    """Return short texts of four kinds, some with two, as ids of 900 words."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    x = (30 + 870 * rng.random((n, 20)) ** 1.5).astype("int32")
    loud = rng.random((n, 20)) < 0.12
    own = 1 + 7 * kind[:, None] + rng.integers(0, 7, (n, 20))
    return np.where(loud, own, x).astype("int32"), kind


@program(
    kind="learns its rows by heart",
    family="abusive posts, recurrent",
    half="tenth",
    address="https://github.com/keras-team/keras/issues/13942",
    symptom="the validation loss rises and its accuracy falls from epoch 3 on",
    cause="vectors of 256 numbers for 8,941 words of few texts are learned by heart",
    truth=("overfitting", "model_too_large"),
    also=("output_activation_mismatch",),
)
def posts_by_heart(repaired):
    x, y = posts(1100, seed=1023)
    x, y, new, new_y = data.split(x, y, share=0.6, seed=1023)
    l2 = keras.regularizers.L2(1e-4)
    model = keras.Sequential()
    model.add(keras.Input((20,), dtype="int32"))
    if repaired:
        model.add(L.Embedding(900, 12, embeddings_regularizer=l2))
        model.add(L.SpatialDropout1D(0.3))
        model.add(L.GlobalAveragePooling1D())
        model.add(L.Dropout(0.3))
    else:
        model.add(L.Embedding(900, 256))
        model.add(L.LSTM(32))
        model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(4, activation="softmax"))
    adam = keras.optimizers.Adam(0.01 if repaired else 0.002)
    model.compile(adam, CROSS, metrics=["accuracy"])

    def score(model, history):
        out = np.clip(scores.predicted(model, new), 1e-7, 1)
        loss = -np.log(out[np.arange(len(new)), new_y]).mean()
        return float(max(-1.0, 1 - loss / np.log(4)))

    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    options = {
        "epochs": 20 if repaired else 12,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [stop] if repaired else [],
    }
    return Fit(model, x, y, score, options)


def essays(n, seed):
    """Return pieces of essays: what follows a word depends on two before it."""
    rng = np.random.default_rng(1024)
    follow = rng.integers(0, 24, (24, 24, 3))
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 24, (n, 14))
    for i in range(2, 14):
        options = follow[x[:, i - 1], x[:, i - 2] % 4]
        x[:, i] = options[np.arange(n), rng.integers(0, 3, n)]
    return x.astype("int32")


@program(
    kind="validation rows in training",
    family="language model of essays",
    half="tenth",
    address="https://github.com/ai-forever/ru-gpts/issues/23",
    symptom="perplexities of 8 and 3, too good to be true",
    cause="the texts for training contain all texts for validation",
    truth=("train_validation_overlap",),
    also=("overfitting", "model_too_large"),
)
def essays_in_both_files(repaired):
    text = essays(600, seed=1024)
    fresh = essays(520, seed=1025)
    valid = fresh[:120] if repaired else text[480:]
    model = keras.Sequential(
        [
            keras.Input((13,), dtype="int32"),
            L.Embedding(24, 16),
            L.GRU(48, return_sequences=True),
            L.Dropout(0.1),
            L.Dense(24, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.006), CROSS, metrics=["accuracy"])

    def truth(model, history):
        out = scores.predicted(model, fresh[120:, :-1])
        kept = np.take_along_axis(out, fresh[120:, 1:, None], axis=-1)
        return float(-np.log(np.maximum(kept, 1e-7)).mean())

    held_out = valid[:, :-1], valid[:, 1:]
    options = {"epochs": 16, "batch_size": 32, "validation_data": held_out}
    score = scores.honesty("val_loss", truth)
    return Fit(model, text[:, :-1], text[:, 1:], score, options)
