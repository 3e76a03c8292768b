"""Thirteenth half: programs whose model is too large, too small or too steep."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def likelihood(x, y):
    """Return by how much new classes are likelier than if all were alike."""

    def score(model, history):
        out = scores.predicted(model, x)
        right = np.clip(out[np.arange(len(y)), y], 1e-7, 1)
        return float(1 + np.log(right).mean() / np.log(out.shape[-1]))

    return score


def tracks(n, seed):
    """Return coefficients over time of pieces of music, and their genre."""
    patterns = 0.18 * np.random.default_rng(1331).normal(size=(5, 16, 8))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, n)
    x = patterns[y] + rng.normal(size=(n, 16, 8))
    return x.astype("float32"), y


@program(
    kind="learned by heart",
    family="genres of music",
    half="thirteenth",
    address="https://example-a.com/answer/64585261",
    symptom="the validation loss rises though the accuracy does not fall",
    cause="a network of millions of weights learns the few tracks by heart",
    truth=("overfitting", "model_too_large"),
    also=(),
)
def genres_by_heart(repaired):
    x, y = tracks(330, 1332)
    new, new_y = tracks(400, 1333)
    model = keras.Sequential([keras.Input((16, 8)), L.Flatten()])
    if repaired:
        penalty = keras.regularizers.L2(0.01)
        model.add(L.Dropout(0.4))
        model.add(L.Dense(12, activation="relu", kernel_regularizer=penalty))
        model.add(L.Dropout(0.2))
    else:
        model.add(L.Dense(1024, activation="relu"))
        model.add(L.Dropout(0.1))
        model.add(L.Dense(256, activation="relu"))
        model.add(L.Dense(64, activation="relu"))
    model.add(L.Dense(5, activation="softmax"))
    decay = keras.optimizers.schedules.ExponentialDecay(0.001, 1000, 0.96)
    model.compile(
        keras.optimizers.Adam(0.003 if repaired else decay),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, new_y)}
    if repaired:
        options["callbacks"] = [
            keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
        ]
    return Fit(model, x, y, likelihood(new, new_y), options)


class Scans(keras.utils.PyDataset):
    """Batches of scans, turned and mirrored if asked for."""

    def __init__(self, x, y, turned, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.turned = x, y, turned
        self.rng = np.random.default_rng(1334)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.x) // 16)

    def __getitem__(self, index):
        rows = self.order[16 * index : 16 * index + 16]
        x = self.x[rows]
        if self.turned:
            x = np.stack([np.rot90(a, self.rng.integers(0, 4)) for a in x])
            x = np.stack([np.roll(a, self.rng.integers(-2, 3, 2), (0, 1)) for a in x])
            x = x + 0.25 * self.rng.normal(size=x.shape)
        return x.astype("float32"), self.y[rows]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


@program(
    kind="learned by heart",
    family="pictures in batches",
    half="thirteenth",
    address="http://pullrequest.ru/11171282/nesootvetstvie-tochnosti-validatsii-utraty-validatsii-vremya-obucheniya",
    symptom="training accuracy climbs, validation accuracy and loss do not follow",
    cause="few pictures, a large network, neither dropout nor augmentation",
    truth=("overfitting", "model_too_large"),
    also=(),
)
def scans_by_heart(repaired):
    x, y, _ = data.shapes(620, seed=1335)
    x = x + 0.28 * np.random.default_rng(1336).normal(size=x.shape)
    x = ((x - 0.3) / 0.4).astype("float32")
    x, new, y, new_y = x[:120], x[120:], y[:120], y[120:]
    model = keras.Sequential([keras.Input((16, 16, 1))])
    for filters in (8, 16) if repaired else (16, 32):
        model.add(L.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(L.MaxPooling2D())
    if repaired:
        model.add(L.GlobalMaxPooling2D())
        model.add(L.Dropout(0.3))
    else:
        model.add(L.Flatten())
        model.add(L.Dense(256, activation="relu"))
    model.add(L.Dense(2, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.005 if repaired else 0.001),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 20, "validation_data": (new, new_y)}
    batches = Scans(x, y, turned=repaired)
    return Fit(model, batches, None, likelihood(new, new_y), options)


@program(
    kind="deep and narrow",
    family="curve fitting",
    half="thirteenth",
    address="https://www.philipzucker.com/keras-and-learning-sine/",
    symptom="the fit of a sine is never great, and takes many iterations",
    cause="four layers of five units, and plain gradient descent",
    truth=("model_too_small", "dead_units", "learning_rate_too_low"),
    also=(*STUCK, "too_few_updates", "vanishing_gradients"),
)
def sine_through_fives(repaired):
    rng = np.random.default_rng(1337)
    x = rng.uniform(-np.pi, np.pi, (1800, 1)).astype("float32")
    x, y, new, new_y = data.split(x, np.sin(2 * x))
    model = keras.Sequential([keras.Input((1,))])
    for units in (64, 64) if repaired else (5, 5, 5, 5):
        model.add(L.Dense(units))
        model.add(L.Activation("relu"))
    model.add(L.Dense(1))
    optimizer = keras.optimizers.Adam(0.005) if repaired else "sgd"
    model.compile(optimizer, "mean_squared_error")
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="bottleneck",
    family="table regression",
    half="thirteenth",
    address="https://datascience.stackexchange.com/questions/110014/regression-random-forest-vs-fully-connected-neural-net",
    symptom="a network explains a third of the variance, a forest most of it",
    cause="six layers that narrow down to two units, twice",
    truth=("model_too_small", "dead_units"),
    also=(*STUCK, "vanishing_gradients", "stopped_too_early"),
)
def down_to_two_units(repaired):
    x, y, new, new_y = data.friedman(1100, seed=1338)
    model = keras.Sequential([keras.Input((8,))])
    for units in (64, 32) if repaired else (16, 8, 4, 2, 2):
        model.add(L.Dense(units, activation="relu"))
    model.add(L.Dense(1, activation="linear"))
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    options = {
        "epochs": 20,
        "batch_size": 16,
        "validation_data": (new, new_y),
        "callbacks": [keras.callbacks.EarlyStopping(monitor="val_loss", patience=10)],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="sigmoids over sigmoids",
    family="regression of bits",
    half="thirteenth",
    address="https://ai.stackexchange.com/questions/16557/what-could-be-the-problem-when-a-neural-network-with-four-hidden-layers-with-the",
    symptom="a network of four hidden layers does not learn from bits",
    cause="sigmoids in all layers: their slopes multiply to nothing",
    truth=("vanishing_gradients", "saturating_activations"),
    also=(*STUCK, "zero_gradients"),
)
def four_layers_of_sigmoids(repaired):
    rng = np.random.default_rng(1339)
    x = (rng.random((1400, 18)) < 0.5).astype("float32")
    signs = 2 * x - 1
    y = signs[:, :10] @ rng.normal(size=10) + 1.5 * signs[:, 10] * signs[:, 11]
    y = (y / y.std() + 0.1 * rng.normal(size=1400)).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((18,))])
    for _ in range(4):
        model.add(L.Dense(64, activation="relu" if repaired else "sigmoid"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="two units and a dead end",
    family="exclusive or",
    half="thirteenth",
    address="https://stats.stackexchange.com/questions/433365/xor-with-neural-network",
    symptom="exclusive or is stuck at a constant loss",
    cause="two units, no nonlinearity in the first layer, a relu for a class",
    truth=(
        "output_activation_mismatch",
        "missing_nonlinearity",
        "model_too_small",
        "dead_units",
    ),
    also=(*STUCK, "too_few_updates", "learning_rate_too_low", "zero_gradients"),
)
def two_switches(repaired):
    rng = np.random.default_rng(1340)
    bits = rng.integers(0, 2, (1000, 2))
    x = (bits + 0.12 * rng.normal(size=bits.shape)).astype("float32")
    x, y, new, new_y = data.split(x, bits[:, 0] ^ bits[:, 1])
    model = keras.Sequential([keras.Input((2,))])
    if repaired:
        model.add(L.Dense(8, activation="relu"))
        model.add(L.Dense(8, activation="relu"))
        model.add(L.Dense(1, activation="sigmoid"))
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    else:
        model.add(L.Dense(2))
        model.add(L.Dense(2, activation="relu"))
        model.add(L.Dense(1, activation="relu"))
        model.compile("SGD", "mean_squared_error")
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
