"""Twentieth half: programs on pictures, echoes and sounds."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


class Draw(L.Layer):
    """Draws codes, and adds how far they are from a standard normal."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(2050)

    def call(self, inputs, training=False):
        mean, spread = inputs
        far = ops.square(mean) + ops.exp(spread) - 1 - spread
        self.add_loss(0.5 * ops.mean(ops.sum(far, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return mean + ops.exp(0.5 * spread) * noise


def crossings(n, seed):
    """Return pictures of streets: two roads that cross, sky and light."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:12, :12] / 11
    a, b, light = rng.uniform(0.15, 0.85, (3, n, 1, 1))
    x = 0.2 + 0.5 * light * row
    x = x + 0.5 * np.exp(-(((column - a) / 0.12) ** 2))
    x = x - 0.4 * np.exp(-(((row - b) / 0.12) ** 2))
    x = x + 0.04 * rng.normal(size=x.shape)
    return x.reshape(n, 144).astype("float32")


def squares(y_true, y_pred):
    """Return squared errors summed over a picture."""
    return 20 * ops.sum(ops.square(y_true - y_pred), axis=-1)


@program(
    kind="rate too high",
    family="crossings of streets, encoder that draws codes",
    half="twentieth",
    address="https://github.com/sinhasam/vaal/issues/10",
    symptom="the distance of codes is huge, and soon the loss is not a number",
    cause="the learning rate of the encoder and decoder is far too high",
    truth=("learning_rate_too_high",),
    also=(*STUCK, *BLOWN_UP, "dead_units", "exploding_activations", "zero_gradients"),
)
def twentieth_crossings_in_codes(repaired):
    x, new = crossings(1000, 2051), crossings(300, 2052)
    inputs = keras.Input((144,))
    hidden = L.Dense(96, activation="relu")(inputs)
    codes = Draw()([L.Dense(6)(hidden), L.Dense(6)(hidden)])
    hidden = L.Dense(96, activation="relu")(codes)
    model = keras.Model(inputs, L.Dense(144)(hidden))
    model.compile(keras.optimizers.Adam(0.002 if repaired else 0.25), squares)
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


def echoes(n, seed):
    """Return echoes from the ground of the sea, and how soft it is."""
    rng = np.random.default_rng(seed)
    soft = rng.uniform(-1.7, 1.7, (n, 1))
    t = np.arange(64)
    start = rng.integers(4, 30, (n, 1))
    tail = 9 * np.exp(0.5 * soft)
    inside = (t >= start) * np.exp(-(t - start).clip(0) / tail)
    x = inside * (0.6 + 0.4 * rng.normal(size=(n, 64))) + 0.1 * rng.normal(size=(n, 64))
    return x[..., None].astype("float32"), soft.astype("float32")


@program(
    kind="averages lag behind",
    family="softness of the ground from echoes, normalized convolutions",
    half="twentieth",
    address="https://github.com/keras-team/keras/issues/605",
    symptom="the loss of the validation is far above that of the training",
    cause="the averages of the normalization move too slowly for so few updates",
    truth=("normalization_lag",),
    also=("overfitting", "oscillating_loss", "diverging_loss", "constant_predictions"),
)
def twentieth_grounds_of_the_sea(repaired):
    x, y = echoes(900, 2053)
    new, new_y = echoes(400, 2054)
    momentum = 0.8 if repaired else 0.999
    inputs = keras.Input((64, 1))
    hidden = inputs
    for filters in (16, 24, 24):
        hidden = L.Conv1D(filters, 5, padding="same")(hidden)
        hidden = L.BatchNormalization(momentum=momentum)(hidden)
        hidden = L.Activation("relu")(hidden)
        hidden = L.MaxPooling1D(2)(hidden)
    hidden = L.GlobalAveragePooling1D()(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.006), "mse", metrics=["mae"])
    options = {"epochs": 10, "batch_size": 96, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def clips(n, seed):
    """Return short clips of sound between -1 and 1, and which of four kinds it is."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    t = np.arange(512)
    low = rng.uniform(0.25, 0.4, (n, 1)) * (1 + 0.9 * (kind[:, None] >= 2))
    sweep = np.where(kind % 2 == 0, 1, -1)[:, None] * rng.uniform(2e-4, 4e-4, (n, 1))
    wave = np.sin(low * t + sweep * t * (t - 512) / 2) * rng.uniform(0.2, 0.5, (n, 1))
    wave = wave + 0.1 * rng.normal(size=wave.shape)
    return np.clip(wave, -0.99, 0.99), kind


def decibels(sound):
    """Return how loud each pitch is over time: 0 is 80 dB below the top."""
    pieces = np.stack([sound[:, i : i + 64] for i in range(0, 449, 32)], 1)
    power = np.abs(np.fft.rfft(pieces * np.hanning(64), axis=-1)) ** 2
    loud = 10 * np.log10(np.maximum(power[..., :24] / 3e11, 1e-8))
    return (loud / 80 + 1).astype("float32")[..., None]


@program(
    kind="sounds cut to whole numbers",
    family="clips as pictures of pitches, two convolutions",
    half="twentieth",
    address="https://github.com/keunwoochoi/kapre/issues/36",
    symptom="with another way of making pictures of pitches nothing is learned",
    cause="sounds between -1 and 1 are saved as whole numbers: all are silent",
    truth=("constant_inputs",),
    also=(*STUCK, "dead_units", "zero_gradients", "unrelated_targets"),
)
def twentieth_clips_of_silence(repaired):
    sound, y = clips(700, 2055)
    other, new_y = clips(400, 2056)
    loud = 32767 if repaired else 1
    x, new = (decibels((loud * a).astype("int16")) for a in (sound, other))
    model = keras.Sequential()
    model.add(keras.Input(x.shape[1:]))
    model.add(L.Conv2D(12, 3, activation="relu"))
    model.add(L.MaxPooling2D(2))
    model.add(L.Conv2D(24, 3, activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dropout(0.3))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(4, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    options = {
        "epochs": 10,
        "batch_size": 32,
        "validation_data": (new, data.groups(new_y, 4)),
    }
    score = scores.accuracy(new, new_y)
    return Fit(model, x, data.groups(y, 4), score, options)
