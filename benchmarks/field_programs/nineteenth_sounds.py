"""Nineteenth half: programs on sounds, series and strokes of a pen."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def tones(n, length, levels, seed, noise=0.05):
    """Return levels of pieces of two tones with overtones, and the level after each."""
    rng = np.random.default_rng(seed)
    t = np.arange(length + 1)
    pitch = rng.choice([0.35, 0.5, 0.7, 0.95], (n, 1))
    phase = rng.uniform(0, 6.283, (n, 2))
    wave = np.sin(pitch * t + phase[:, :1]) + 0.5 * np.sin(2 * pitch * t + phase[:, 1:])
    wave = wave / 1.5 + noise * rng.normal(size=wave.shape)
    loud = np.sign(wave) * np.log1p(20 * np.abs(wave)) / np.log(21)
    found = np.clip((loud + 1) / 2 * levels, 0, levels - 1).astype("int32")
    return found[:, :-1], found[:, -1]


def gated(hidden, rate):
    """Return what a gate lets pass added to the signal, and a branch of it."""
    content = L.Conv1D(16, 2, dilation_rate=rate, padding="causal", activation="tanh")
    gate = L.Conv1D(16, 2, dilation_rate=rate, padding="causal", activation="sigmoid")
    passed = L.Multiply()([content(hidden), gate(hidden)])
    return L.Add()([hidden, L.Conv1D(16, 1)(passed)]), L.Conv1D(24, 1)(passed)


@program(
    kind="rate of a stack of gates",
    family="voices of levels, gates with skips",
    half="nineteenth",
    address="https://github.com/ibab/tensorflow-wavenet/issues/136",
    symptom="the loss does not get below the one of guessing",
    cause="the default of the learning rate is far too high for it to learn anything",
    truth=("learning_rate_too_high",),
    also=(*STUCK, *BLOWN_UP, "dead_units", "saturated_units", "zero_gradients"),
)
def nineteenth_gates_at_a_high_rate(repaired):
    x, y = tones(1200, 16, 12, 1942, noise=0.04)
    new, new_y = tones(400, 16, 12, 1943, noise=0.04)
    inputs = keras.Input((16,), dtype="int32")
    hidden = L.Conv1D(16, 2, padding="causal")(L.Embedding(12, 12)(inputs))
    skips = []
    for rate in (1, 2, 4):
        hidden, skip = gated(hidden, rate)
        skips.append(skip)
    last = L.Flatten()(L.Cropping1D((15, 0))(L.Add()(skips)))
    last = L.Dense(32, activation="relu")(L.ReLU()(last))
    model = keras.Model(inputs, L.Dense(12, activation="softmax")(last))
    model.compile(
        keras.optimizers.Adam(0.003 if repaired else 0.2),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="window of a single step",
    family="two seasons in a series, recurrent, one step",
    half="nineteenth",
    address="https://answerofmath.com/solved-lstm-nn-produces-shifted-forecast-low-quality-result/",
    symptom="the forecast is the series shifted, the error much above the noise",
    cause="the network sees a single value, from which no season can be told",
    truth=("window_too_short", "no_better_than_last_value"),
    also=("underfitting", "plateau", "slow_convergence", "order_is_lost"),
)
def nineteenth_seasons_in_one_step(repaired):
    t = np.arange(1400)
    rng = np.random.default_rng(1944)
    series = np.sin(0.1 * t) + np.sin(t) + 0.1 * rng.normal(size=1400)
    x, y = data.windows(series, 16 if repaired else 1)
    model = keras.Sequential()
    model.add(keras.Input(x.shape[1:]))
    model.add(L.LSTM(24))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    new, new_y = x[1000:], y[1000:]
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x[:980], y[:980], scores.variance(new, new_y), options)


def signatures(n, writers, seed):
    """Return pairs of signatures, and whether one person wrote both."""
    hands = np.random.default_rng(1945).normal(size=(220, 2, 5, 2))
    rng = np.random.default_rng(seed)
    first = rng.choice(writers, n)
    genuine = rng.integers(0, 2, n)
    second = np.where(genuine == 1, first, rng.choice(writers, n))
    genuine = (first == second).astype("float32")
    t = np.linspace(0, 6.283, 24)[:, None]
    waves = np.stack([np.sin(k * t / 2) for k in range(1, 6)], -1)

    def written(who):
        strokes = hands[who] + 0.4 * rng.normal(size=(n, 2, 5, 2))
        lines = np.einsum("tik,nakj->ntaj", waves, strokes)[:, :, :, 0]
        return (0.5 * lines + 0.1 * rng.normal(size=lines.shape)).astype("float32")

    return [written(first), written(second)], genuine[:, None]


def contrastive(same):
    """Return a loss that pulls together pairs of which the label is `same`."""

    def loss(y_true, distance):
        near = y_true if same else 1 - y_true
        apart = ops.square(ops.maximum(1.0 - distance, 0.0))
        return ops.mean(near * ops.square(distance) + (1 - near) * apart, axis=-1)

    return loss


def euclidean(pair):
    gaps = ops.sum(ops.square(pair[0] - pair[1]), axis=-1, keepdims=True)
    return ops.sqrt(ops.maximum(gaps, 1e-6))


@program(
    kind="labels of pairs the other way",
    family="signatures of writers, contrastive distance",
    half="nineteenth",
    address="https://github.com/sounakdey/SigNet/issues/2",
    symptom="accuracy decreases constantly, from the first epoch on",
    cause="the loss takes 0 for a pair of one writer, the pairs say 1",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, *BLOWN_UP, "collapsed_embeddings", "metric_mismatch"),
)
def nineteenth_signatures_of_writers(repaired):
    x, y = signatures(1500, np.arange(190), 1946)
    new, new_y = signatures(500, np.arange(190, 220), 1947)
    strokes = keras.Input((24, 2))
    hidden = L.Conv1D(24, 5, strides=2, activation="relu")(strokes)
    hidden = L.Conv1D(24, 3, activation="relu")(hidden)
    tower = keras.Model(strokes, L.Dense(12)(L.Flatten()(hidden)))
    first, second = keras.Input((24, 2)), keras.Input((24, 2))
    distance = L.Lambda(euclidean, output_shape=(1,))([tower(first), tower(second)])
    model = keras.Model([first, second], distance)
    model.compile(keras.optimizers.RMSprop(0.002), contrastive(same=repaired))

    def score(model, history):
        close = scores.predicted(model, new) < 0.5
        return float(close[new_y == 1].mean() - close[new_y == 0].mean())

    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
