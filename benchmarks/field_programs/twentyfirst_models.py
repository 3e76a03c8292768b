"""Twenty-first half: programs whose layers are too narrow, too strict or misplaced."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def rooms(n, seed):
    """Return windows of the temperature of rooms, brought to the range of 0 to 1."""
    rng = np.random.default_rng(seed)
    t = np.arange(12)
    phase = rng.uniform(0, 6.283, (n, 1))
    wave = rng.uniform(0.5, 1, (n, 1)) * np.sin(6.283 * t / 12 + phase)
    x = (
        0.5
        + 0.3 * wave
        + 0.1 * rng.normal(size=(n, 1))
        + 0.02 * rng.normal(size=(n, 12))
    )
    return np.clip(x, 0, 1)[..., None].astype("float32")


@program(
    kind="code of one number",
    family="temperatures of rooms squeezed, LSTM there and back",
    half="twentyfirst",
    address="https://qanswer.pro/questions/autoencoder-lstm-for-denoising-reconstruction",
    symptom="what is drawn again is a flat line, whatever went in",
    cause="encoder and decoder have as many units as a step has values: one",
    truth=("model_too_small",),
    also=(*STUCK, "dead_units", "zero_gradients", "output_activation_mismatch"),
)
def twentyfirst_temperatures_of_rooms(repaired):
    x, new = rooms(800, 2150), rooms(300, 2151)
    units = 24 if repaired else 1
    inputs = keras.Input((12, 1))
    code = L.LSTM(units)(inputs)
    back = L.LSTM(units, return_sequences=True)(L.RepeatVector(12)(code))
    model = keras.Model(inputs, L.TimeDistributed(L.Dense(1))(back))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 16, "batch_size": 50, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


def concretes(n, seed):
    """Return mixtures of concrete, in raw units, and their strength."""
    rng = np.random.default_rng(seed)
    cement, water = rng.uniform(150, 500, n), rng.uniform(130, 230, n)
    ash, sand = rng.uniform(0, 150, n), rng.uniform(600, 900, n)
    age = rng.choice([3, 7, 14, 28, 90], n)
    strength = 14 * (cement + 0.4 * ash) / water + 9 * np.log(age / 7)
    strength += 0.02 * (sand - 750) + 3 * rng.normal(size=n)
    x = np.stack([cement, water, ash, sand, np.log(age)], -1)
    return x.astype("float32"), strength.astype("float32")[:, None]


@program(
    kind="penalty of another library",
    family="strength of concrete, carried over from scikit-learn",
    half="twentyfirst",
    address="https://stackoverflow.com/questions/53633838/resolving-differences-between-keras-and-scikit-learn-for-simple-fully-connected",
    symptom="the network is much worse than the same one in scikit-learn",
    cause="alpha is divided by the number of rows there, and not here",
    truth=("regularization_too_strong",),
    also=("vanishing_gradients", "model_too_small", *STUCK),
)
def twentyfirst_strength_of_concrete(repaired):
    x, y = concretes(700, 2152)
    new, new_y = concretes(250, 2153)
    x, new = data.standard(x, new)
    y, new_y = data.standard(y, new_y)
    alpha = 1.0
    penalty = keras.regularizers.L2(alpha / (2 * len(x)) if repaired else alpha)
    mlp = keras.Sequential()
    mlp.add(keras.Input((5,)))
    mlp.add(L.Dense(10, activation="sigmoid", kernel_regularizer=penalty))
    mlp.add(L.Dense(1, kernel_regularizer=penalty))
    mlp.compile(keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "mse")
    options = {"epochs": 40, "batch_size": 50, "validation_data": (new, new_y)}
    return Fit(mlp, x, y, scores.variance(new, new_y), options)


def boards(n, seed):
    """Return pictures of a dark and a bright stone, and the bright one's quarter."""
    rng = np.random.default_rng(seed)
    x = 0.15 * rng.normal(size=(n, 16, 16))
    first = rng.integers(0, 16, n)
    second = (first + rng.integers(1, 16, n)) % 16
    for i in range(n):
        for square, light in ((first[i], 1.3), (second[i], 0.7)):
            r, c = 4 * (square // 4) + 1, 4 * (square % 4) + 1
            x[i, r : r + 2, c : c + 2] += light + 0.1 * rng.normal()
    quarter = 2 * (first // 8) + (first % 4) // 2
    return x[..., None].astype("float32"), quarter


class Places(L.Layer):
    """Adds what was learned of the place of each patch."""

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.table = self.add_weight(shape=shape, initializer="random_normal")

    def call(self, x):
        return x + self.table[: ops.shape(x)[0]]

    def compute_output_shape(self, shape):
        return shape


@program(
    kind="places by row of the batch",
    family="two stones on a board, patches with attention",
    half="twentyfirst",
    address="https://github.com/pytorch/examples/issues/1178",
    symptom="the embedding of positions is shaped by the batch, not by the patches",
    cause="all patches of a picture get the same vector, so their order is lost",
    truth=("order_is_lost",),
    also=("overfitting", "rows_mixed", "unused_layers", *STUCK),
)
def twentyfirst_stones_on_a_board(repaired):
    x, y = boards(1200, 2154)
    new, new_y = boards(400, 2155)
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(32, 4, strides=4)(inputs)
    hidden = L.Reshape((16, 32))(hidden)
    hidden = Places((1, 16, 32) if repaired else (40, 1, 32))(hidden)
    inner = L.LayerNormalization()(hidden)
    hidden = L.Add()([hidden, L.MultiHeadAttention(2, 16)(inner, inner)])
    inner = L.Dense(64, activation="gelu")(L.LayerNormalization()(hidden))
    hidden = L.Add()([hidden, L.Dense(32)(inner)])
    hidden = L.GlobalAveragePooling1D()(L.LayerNormalization()(hidden))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 8, "batch_size": 40, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
