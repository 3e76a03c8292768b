"""Eighteenth half: programs whose rows, scales or first weights are at fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def fruits(n, seed):
    """Return noisy color pictures with a small fruit, and the kind of each pixel."""
    rng = np.random.default_rng(seed)
    colors = np.array([[0.5, -0.2, -0.2], [0.4, 0.4, -0.4], [-0.3, 0.5, -0.2]])
    row, column = np.mgrid[:20, :20]
    x = 0.42 * rng.normal(size=(n, 20, 20, 3))
    kinds = np.zeros((n, 20, 20), "int32")
    for i in range(n):
        k = rng.integers(0, 3)
        r, c = rng.uniform(3, 17, 2)
        inside = np.hypot(row - r, column - c) < rng.uniform(1.4, 2.2)
        x[i][inside] += colors[k]
        kinds[i][inside] = k + 1
    return x.astype("float32"), kinds


@program(
    kind="background outvotes everything",
    family="kinds of fruit, pixel by pixel",
    half="eighteenth",
    address="https://laganvalleydup.co.uk/post/u-net-segmentor-only-identifies-background-class",
    symptom="the U-Net labels all of every picture as background",
    cause="hardly any pixel belongs to a fruit, and all count the same",
    truth=("imbalanced_classes",),
    also=(*STUCK, "unbalanced_outputs"),
)
def eighteenth_fruit_is_background(repaired):
    x, kinds = fruits(500, 1841)
    new, new_kinds = fruits(200, 1842)
    inputs = keras.Input((20, 20, 3))
    first = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(24, 3, padding="same", activation="relu")(L.MaxPooling2D()(first))
    hidden = L.Conv2DTranspose(12, 2, strides=2, activation="relu")(hidden)
    hidden = L.Concatenate()([first, hidden])
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(4, 1, activation="softmax")(hidden))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    y, new_y = data.groups(kinds, 4), data.groups(new_kinds, 4)
    options = {"epochs": 8, "batch_size": 16, "validation_data": (new, new_y)}
    if repaired:
        share = y.mean(axis=(0, 1, 2))
        weights = (0.25 / share)[kinds]
        options["sample_weight"] = weights / weights.mean()
    return Fit(model, x, y, scores.balanced(new, new_kinds), options)


def clips(n, seed):
    """Return energies of short recordings, and what calls: nothing, or an animal."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    t, band = np.arange(20)[None, :, None], np.arange(12)[None, None]
    slope = np.array([0, 0.3, -0.3, 0.0])[y][:, None, None]
    middle = rng.uniform(4, 7, (n, 1, 1)) + slope * (t - 10)
    middle = middle + np.where(y == 3, 2, 0)[:, None, None] * np.sin(t)
    loud = rng.uniform(2, 30, (n, 1, 1)) * (y > 0)[:, None, None]
    x = loud * np.exp(-((band - middle) ** 2) / 2)
    x = x + np.abs(rng.normal(size=x.shape)) * np.maximum(loud, 1) * 0.25
    silent = (y == 0) & (rng.random(n) < 0.15)
    x[silent] = 0
    return x.astype("float32")[..., None], y


class Recordings(keras.utils.PyDataset):
    """Batches of recordings, each scaled by its largest energy."""

    def __init__(self, x, y, least, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.least = x, y, least

    def __len__(self):
        return -(-len(self.x) // 32)

    def __getitem__(self, index):
        rows = slice(32 * index, 32 * index + 32)
        x = self.x[rows]
        with np.errstate(invalid="ignore"):
            x = x / (x.max(axis=(1, 2, 3), keepdims=True) + self.least)
        return x, self.y[rows]


@program(
    kind="silence divided by its maximum",
    family="calls of animals, scaled clip by clip",
    half="eighteenth",
    address="https://github.com/UCSD-E4E/acoustic-multiclass-training/pull/9",
    symptom="the loss becomes NaN in the course of an epoch",
    cause="clips of silence are divided by their largest value, which is zero",
    truth=("non_finite_data",),
    also=(*STUCK, *BLOWN_UP, "non_finite_start", "non_finite_weights"),
)
def eighteenth_clips_of_silence(repaired):
    x, y = clips(700, 1843)
    new, new_y = clips(400, 1844)
    new, new_y = new[new.max(axis=(1, 2, 3)) > 0], new_y[new.max(axis=(1, 2, 3)) > 0]
    least = 1e-6 if repaired else 0.0
    model = keras.Sequential([keras.Input((20, 12, 1))])
    for filters in (12, 24):
        model.add(L.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(4, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.002),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    scaled = new / new.max(axis=(1, 2, 3), keepdims=True)
    options = {"epochs": 8, "validation_data": Recordings(new, new_y, least)}
    score = scores.accuracy(scaled, new_y)
    return Fit(model, Recordings(x, y, least), None, score, options)


def pairs(x, y, n, seed):
    """Return two pictures each, and whether they show the same digit."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(x), n)
    second = rng.integers(0, len(x), n)
    for i in np.flatnonzero(rng.random(n) < 0.45):
        second[i] = rng.choice(np.flatnonzero(y == y[first[i]]))
    same = (y[first] == y[second]).astype("float32")
    return [x[first], x[second]], same[:, None]


def contrastive(y_true, y_pred):
    """Return how far alike pairs are, and by how much others are too near."""
    near = ops.square(ops.maximum(1 - y_pred, 0.0))
    return ops.mean(y_true * ops.square(y_pred) + (1 - y_true) * near, axis=-1)


@program(
    kind="deviation of pixels that never change",
    family="pairs of digits, standardized pixel by pixel",
    half="eighteenth",
    address="https://github.com/keras-team/keras/issues/2001",
    symptom="the loss of a Siamese network is NaN if the pixels are standardized",
    cause="pixels in the corners are always 0, and so is their deviation",
    truth=("non_finite_data",),
    also=(*STUCK, *BLOWN_UP, "non_finite_start", "non_finite_weights"),
)
def eighteenth_pixels_that_never_change(repaired):
    x, y, new, new_y = data.digits(1200)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    mean, std = x.mean(axis=0), x.std(axis=0)
    if repaired:
        std = np.maximum(std, 0.05)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, new = (x - mean) / std, (new - mean) / std
    x, y = pairs(x, y, 1600, 1845)
    new, new_y = pairs(new, new_y, 600, 1846)
    base = keras.Sequential([keras.Input((64,))], name="base")
    base.add(L.Dense(64, activation="relu"))
    base.add(L.Dropout(0.1))
    base.add(L.Dense(24))
    one, other = keras.Input((64,)), keras.Input((64,))
    away = L.Subtract()([base(one), base(other)])
    away = L.Lambda(
        lambda a: ops.sqrt(ops.sum(a * a, -1, keepdims=True) + 1e-6),
        output_shape=(1,),
    )(away)
    model = keras.Model([one, other], away)
    model.compile(keras.optimizers.RMSprop(0.001), contrastive)

    def score(model, history):
        found = scores.predicted(model, new) < 0.5
        alike = new_y > 0.5
        return float(found[alike].mean() - found[~alike].mean())

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def flats(n, seed):
    """Return what is known of flats, whether they are let, and their rent."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 10)).astype("float32")
    rent = 900 + 220 * x[:, 0] + 160 * np.sin(2 * x[:, 1]) + 60 * rng.normal(size=n)
    let = x[:, 4] * x[:, 5] + 0.8 * x[:, 6] * x[:, 7] + 0.2 * rng.normal(size=n) > 0
    return x, let.astype("float32")[:, None], rent.astype("float32")[:, None]


@program(
    kind="rents drown a decision",
    family="flats: let or not, and the rent",
    half="eighteenth",
    address="https://theneuralbase.com/keras/learn/intermediate/loss-weighting-for-multi-output/",
    symptom="of two outputs only the regression is learned",
    cause="squared errors of rents are a hundred thousand times the other loss",
    truth=("unbalanced_outputs", "unscaled_targets"),
    also=(*STUCK, "oscillating_loss", "overfitting"),
)
def eighteenth_rents_drown_the_rest(repaired):
    x, let, rent = flats(2000, 1847)
    new, new_let, new_rent = flats(500, 1848)
    if repaired:
        mean, std = rent.mean(), rent.std()
        rent, new_rent = (rent - mean) / std, (new_rent - mean) / std
    inputs = keras.Input((10,))
    shared = inputs
    for units in (48, 24):
        shared = L.Dense(units, activation="relu")(shared)
    model = keras.Model(
        inputs,
        [
            L.Dense(1, activation="sigmoid", name="let")(shared),
            L.Dense(1, name="rent")(shared),
        ],
    )
    model.compile(
        keras.optimizers.Adam(0.004),
        {"let": "binary_crossentropy", "rent": "mse"},
        metrics={"let": "accuracy"},
    )
    options = {
        "epochs": 12,
        "batch_size": 32,
        "validation_data": (new, {"let": new_let, "rent": new_rent}),
    }
    score = scores.accuracy(new, new_let)
    return Fit(model, x, {"let": let, "rent": rent}, score, options)


def scans(n, seed):
    """Return pictures at half their size, and at full size."""
    x, _, _ = data.shapes(n, seed=seed)
    small = x.reshape(n, 8, 2, 8, 2, 1).mean(axis=(2, 4))
    return small.astype("float32"), x


@program(
    kind="first weights far too large",
    family="enlarged pictures, dense blocks",
    half="eighteenth",
    address="https://github.com/hengchuan/RDN-TensorFlow/issues/3",
    symptom="trained as it comes, the network returns pictures that are all black",
    cause="weights start with a deviation of 1 where 0.01 would do",
    truth=("poor_initialization", "exploding_activations"),
    also=(*STUCK, *BLOWN_UP, "dead_units", "learning_rate_too_low"),
)
def eighteenth_enlarged_to_black(repaired):
    x, y = scans(500, 1849)
    new, new_y = scans(200, 1850)
    start = keras.initializers.RandomNormal(stddev=0.1 if repaired else 1.0)

    def convolution(filters, hidden, activation="relu"):
        layer = L.Conv2D(
            filters, 3, padding="same", activation=activation, kernel_initializer=start
        )
        return layer(hidden)

    inputs = keras.Input((8, 8, 1))
    shallow = convolution(16, inputs)
    block = shallow
    for _ in range(3):
        block = L.Concatenate()([block, convolution(8, block)])
    fused = L.Add()([shallow, convolution(16, block, None)])
    large = convolution(16, L.UpSampling2D()(fused))
    model = keras.Model(inputs, convolution(1, large, None))
    model.compile(keras.optimizers.Adam(0.002), "mae")
    options = {"epochs": 8, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
