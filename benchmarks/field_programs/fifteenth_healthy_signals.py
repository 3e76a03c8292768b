"""Fifteenth half: programs without a fault, on pictures, texts and series."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers


class Drawn(L.Layer):
    """Draws codes, and adds the divergence of their distribution to the loss."""

    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.seed = keras.random.SeedGenerator(1561)

    def call(self, mean, log, training=False):
        if not training:
            return mean
        divergence = -0.5 * (1 + log - mean**2 - ops.exp(log))
        self.add_loss(self.weight * ops.mean(ops.sum(divergence, axis=-1)))
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return mean + ops.exp(0.5 * log) * noise


@healthy(family="variational autoencoder, digits drawn again", half="fifteenth")
def digits_drawn_again():
    x, _, new, _ = data.digits(1100)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    inputs = keras.Input((64,))
    hidden = L.Dense(64, activation="relu")(inputs)
    code = Drawn(0.003)(L.Dense(8)(hidden), L.Dense(8)(hidden))
    hidden = L.Dense(64, activation="relu")(code)
    model = keras.Model(inputs, L.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


def names(n, seed):
    """Return made-up names as ids of letters, padded, and their language."""
    grammar = np.random.default_rng(1562)
    chains = grammar.dirichlet(np.full(20, 0.25), (4, 20))
    rng = np.random.default_rng(seed)
    language = rng.integers(0, 4, n)
    x = np.zeros((n, 10), "int32")
    for i, k in enumerate(language):
        letter = rng.integers(20)
        for t in range(rng.integers(4, 11)):
            x[i, t] = letter + 1
            letter = rng.choice(20, p=chains[k, letter])
    return x, language


@healthy(family="languages of names, recurrent, logits", half="fifteenth")
def languages_of_names():
    x, y = names(1300, 1563)
    new, new_y = names(400, 1564)
    model = keras.Sequential(
        [
            keras.Input((10,), dtype="int32"),
            L.Embedding(21, 16, mask_zero=True),
            L.GRU(28),
            L.Dense(4),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="demand of the next hours, dilated convolutions", half="fifteenth")
def next_six_hours():
    series = data.load_curve(1300, seed=1565)
    series = (series - series[:900].mean()) / series[:900].std()
    starts = np.arange(1300 - 54)
    x = np.stack([series[i : i + 48] for i in starts])[..., None].astype("float32")
    y = np.stack([series[i + 48 : i + 54] for i in starts]).astype("float32")
    x, y, new, new_y = x[:850], y[:850], x[904:], y[904:]
    inputs = keras.Input((48, 1))
    hidden = inputs
    for rate in (1, 2, 4, 8):
        wide = L.Conv1D(16, 3, dilation_rate=rate, padding="causal", activation="relu")(
            hidden
        )
        hidden = wide if rate == 1 else L.Add()([hidden, wide])
    last = L.Lambda(lambda a: a[:, -1])(hidden)
    model = keras.Model(inputs, L.Dense(6)(last))
    rate = keras.optimizers.schedules.CosineDecay(0.006, 14 * 27)
    model.compile(keras.optimizers.Adam(rate, clipnorm=5.0), "mae")
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Flipped(keras.utils.PyDataset):
    """Batches of pictures, some mirrored, with the shape and its size."""

    def __init__(self, x, kind, area, **kwargs):
        super().__init__(**kwargs)
        self.x, self.kind, self.area = x, kind, area
        self.rng = np.random.default_rng(1566)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 20

    def __getitem__(self, index):
        rows = self.order[20 * index : 20 * index + 20]
        x = self.x[rows]
        x = x[:, :, ::-1] if self.rng.random() < 0.5 else x
        x = x[:, ::-1] if self.rng.random() < 0.5 else x
        return x, {"shape": self.kind[rows, None], "area": self.area[rows, None]}

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


@healthy(family="shape and size, two outputs, PyDataset", half="fifteenth")
def shape_and_size():
    x, kind, masks = data.shapes(900, seed=1567)
    area = masks.sum((1, 2, 3))
    area = ((area - area.mean()) / area.std()).astype("float32")
    inputs = keras.Input((16, 16, 1))
    hidden = L.Rescaling(3.0, offset=-0.8)(inputs)
    for filters in (12, 24):
        hidden = L.Conv2D(filters, 3, padding="same", activation="relu")(hidden)
        hidden = L.MaxPooling2D()(hidden)
    hidden = L.Dense(32, activation="relu")(L.Flatten()(hidden))
    outputs = {
        "shape": L.Dense(1, activation="sigmoid", name="shape")(hidden),
        "area": L.Dense(1, name="area")(hidden),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.003),
        {"shape": "binary_crossentropy", "area": "mse"},
        loss_weights={"shape": 1.0, "area": 0.5},
        metrics={"shape": ["accuracy"], "area": ["mae"]},
    )
    new, truth = x[600:], {"shape": kind[600:, None], "area": area[600:, None]}
    options = {"epochs": 14, "validation_data": (new, truth)}
    batches = Flipped(x[:600], kind[:600].astype("float32"), area[:600])

    def score(model, history):
        out = model.predict(new, verbose=0)
        right = (out["shape"][:, 0] > 0.5) == kind[600:]
        size = scores.explained(out["area"], truth["area"])
        return float(min(2 * right.mean() - 1, size))

    return Fit(model, batches, None, score, options)
