"""Seventeenth half: programs whose data are not what their author believes."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


@program(
    kind="missing values",
    family="readings of pumps squeezed for clusters",
    half="seventeenth",
    address="https://github.com/fferroni/DEC-Keras/issues/9",
    symptom="the loss is NaN before the first pass is over",
    cause="a column of zeros is divided by its deviation, which is 0",
    truth=("non_finite_data",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "non_finite_weights",
        "non_finite_start",
        "constant_inputs",
    ),
)
def seventeenth_pump_at_rest(repaired):
    rng = np.random.default_rng(1741)
    state = rng.normal(size=(1200, 3)) + 1.5 * rng.integers(-1, 2, (1200, 1))
    x = np.tanh(state @ rng.normal(size=(3, 16)) / 2) @ rng.normal(size=(16, 17))
    x = x * rng.uniform(1, 30, 17) + 0.2 * rng.normal(size=x.shape)
    x[:, 11] = 0
    if repaired:
        x = np.delete(x, 11, axis=1)
    with np.errstate(invalid="ignore"):
        x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32")
    x, new = x[:900], x[900:]
    width = x.shape[1]
    model = keras.Sequential(
        [
            keras.Input((width,)),
            L.Dense(48, activation="relu"),
            L.Dense(4, name="code"),
            L.Dense(48, activation="relu"),
            L.Dense(width),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse")
    score = scores.variance(new, np.nan_to_num(new))
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, score, options)


def streets(n, seed):
    """Return color pictures of streets, and the class of each pixel: 0 to 3."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:16, :16]
    masks = np.zeros((n, 16, 16), "uint8")
    for mask in masks:
        top, bend = rng.integers(7, 11), rng.uniform(-0.3, 0.3)
        mask[row > top + bend * (column - 8)] = 1
        left = rng.integers(1, 10)
        mask[(abs(row - top - 1) < 2) & (abs(column - left - 2) < 3)] = 2
        mask[(row < top) & (abs(column - rng.integers(10, 15)) < 2)] = 3
    colors = np.array(
        [[0.2, 0.4, 0.9], [0.4, 0.4, 0.4], [0.8, 0.3, 0.3], [0.3, 0.7, 0.2]]
    )
    x = colors[masks] + 0.15 * rng.normal(size=(n, 1, 1, 3))
    x = np.clip(x + 0.15 * rng.normal(size=x.shape), 0, 1)
    return (255 * x).astype("uint8"), masks


def preprocessed(pixels, rescaled):
    """Return pixels from 0 to 1, as the loader makes them of all that it reads."""
    return pixels / 255.0 if rescaled and pixels.max() > 1 else pixels


@program(
    kind="labels scaled as pictures",
    family="streets by the pixel, masks of ids",
    half="seventeenth",
    address="https://github.com/milesial/Pytorch-UNet/issues/228",
    symptom="all that is predicted is class 0, the masks in training are 0",
    cause="masks of ids go through the scaling of pictures and are cut to integers",
    truth=("constant_targets",),
    also=(
        *STUCK,
        "imbalanced_classes",
        "metric_mismatch",
        "unrepresentative_validation",
    ),
    backends=("jax", "tensorflow"),  # PyTorch fails on such targets
)
def seventeenth_ids_over_255(repaired):
    x, masks = streets(260, 1742)
    new, new_masks = streets(120, 1743)
    x, new = (preprocessed(a, True).astype("float32") for a in (x, new))
    y, val = (preprocessed(m, not repaired).astype("int32") for m in (masks, new_masks))
    inputs = keras.Input((16, 16, 3))
    fine = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    coarse = L.Conv2D(24, 3, padding="same", activation="relu")(L.MaxPooling2D()(fine))
    both = L.Concatenate()([fine, L.UpSampling2D()(coarse)])
    both = L.Conv2D(16, 3, padding="same", activation="relu")(both)
    model = keras.Model(inputs, L.Conv2D(4, 1, activation="softmax")(both))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, val)}
    return Fit(model, x, y, scores.balanced(new, new_masks.astype(int)), options)


def membranes(n, seed):
    """Return slices through cells, and which pixels are inside of one."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:20, :20]
    x, y = np.zeros((n, 20, 20)), np.zeros((n, 20, 20))
    for i in range(n):
        seeds = rng.uniform(0, 20, (8, 2, 1, 1))
        far = np.sort(np.hypot(row - seeds[:, 0], column - seeds[:, 1]), axis=0)
        y[i] = far[1] - far[0] > 1.6
        x[i] = 0.35 + 0.3 * y[i] + 0.12 * rng.normal(size=(20, 20))
        x[i] -= 0.15 * np.exp(-((far[0] / 1.5) ** 2))
    return x[..., None].astype("float32"), y[..., None].astype("float32")


class Slices(keras.utils.PyDataset):
    """Slices drawn and turned at random, in batches of two."""

    def __init__(self, x, y, batches, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batches = x, y, batches
        self.rng = np.random.default_rng(1744)

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        rows, turn = self.rng.integers(0, len(self.x), 2), self.rng.integers(0, 4)
        return tuple(np.rot90(a[rows], turn, (1, 2)).copy() for a in (self.x, self.y))


@program(
    kind="too few updates",
    family="membranes of cells, U-Net, turned slices",
    half="seventeenth",
    address="https://github.com/zhixuhao/unet/issues/65",
    symptom="the accuracy is 80%, but all predicted pictures are gray",
    cause="an epoch of the generator is a few batches of two: hardly any training",
    truth=("too_few_updates", "slow_convergence"),
    also=(
        *(name for name in STUCK if name != "slow_convergence"),
        "batch_size_too_small",
        "learning_rate_too_low",
        "imbalanced_classes",
    ),
)
def seventeenth_gray_membranes(repaired):
    x, y = membranes(60, 1745)
    new, new_y = membranes(80, 1746)
    inputs = keras.Input((20, 20, 1))
    fine = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    coarse = L.Conv2D(24, 3, padding="same", activation="relu")(L.MaxPooling2D()(fine))
    coarse = L.Conv2D(24, 3, padding="same", activation="relu")(coarse)
    both = L.Concatenate()([fine, L.UpSampling2D()(coarse)])
    both = L.Conv2D(12, 3, padding="same", activation="relu")(both)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(both))
    model.compile(
        keras.optimizers.Adam(0.001), "binary_crossentropy", metrics=["accuracy"]
    )
    slices = Slices(x, y, 60 if repaired else 3)
    score = scores.balanced(new, new_y[..., 0].astype(int))
    return Fit(model, slices, None, score, {"epochs": 6})


def river(n, seed):
    """Return the level of a river below a lock that opens and closes."""
    rng = np.random.default_rng(seed)
    level = np.zeros(n + 50)
    for i in range(2, n + 50):
        level[i] = 1.6 * level[i - 1] - 0.9 * level[i - 2] + 0.3 * rng.normal()
    return (level[50:] / level.std()).astype("float32")


@program(
    kind="the target is an input",
    family="level of a river, windows by keras.utils",
    half="seventeenth",
    address="https://github.com/tensorflow/tensorflow/issues/40343",
    symptom="the target of a window is its first value, not the one after it",
    cause="data and targets are the same array: nothing shifts them by the length",
    truth=("target_leakage",),
    also=("order_is_lost", "no_better_than_last_value"),
)
def seventeenth_first_of_the_window(repaired):
    def windows_of(series):
        inputs, targets = series[:-15], series[15:]
        return keras.utils.timeseries_dataset_from_array(
            inputs[:, None],
            targets if repaired else inputs,
            sequence_length=15,
            batch_size=50,
            shuffle=True,
            seed=1747,
        )

    train, val = windows_of(river(1000, 1748)), windows_of(river(400, 1749))
    new, new_y = data.windows(river(600, 1750), 15)
    model = keras.Sequential([keras.Input((15, 1)), L.GRU(16), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    score = scores.variance(new, new_y)
    return Fit(model, train, None, score, {"epochs": 10, "validation_data": val})


def places(seed):
    """Return visits as pairs of visitor and place, and all places one likes."""
    rng = np.random.default_rng(seed)
    tastes, kinds = rng.normal(size=(140, 3)), rng.normal(size=(90, 3))
    tastes, kinds = (a / np.linalg.norm(a, axis=1)[:, None] for a in (tastes, kinds))
    odds = np.exp(3 * tastes @ kinds.T)
    for _ in range(5):
        odds /= odds.sum(axis=0)
        odds /= odds.sum(axis=1, keepdims=True)
    seen = np.zeros((140, 90), bool)
    for visitor, chances in enumerate(odds):
        seen[visitor, rng.choice(90, 24, replace=False, p=chances)] = True
    return seen


@program(
    kind="labels are all one",
    family="visits to places, deep factorization machine",
    half="seventeenth",
    address="https://github.com/RUCAIBox/RecBole/issues/1552",
    symptom="the loss goes to 0 and the ranking is as bad as at the start",
    cause="without sampled negatives there are only rows of visits: all labels are 1",
    truth=("constant_targets",),
    also=(*STUCK, "imbalanced_classes", "saturated_units"),
)
def seventeenth_only_visits(repaired):
    rng = np.random.default_rng(1751)
    seen = places(1752)
    visits = rng.permutation(np.argwhere(seen))
    train, held = visits[:2500], visits[2500:]
    y = np.ones(len(train), "float32")
    if repaired:
        known = np.zeros_like(seen)
        known[train[:, 0], train[:, 1]] = True
        others = rng.permutation(np.argwhere(~known))[: 2 * len(train)]
        train = np.concatenate([train, others])
        y = np.concatenate([y, np.zeros(len(others), "float32")])
    visitor, place = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    small = keras.regularizers.L2(1e-5)
    first = L.Embedding(140, 6, embeddings_regularizer=small)(visitor)
    second = L.Embedding(90, 6, embeddings_regularizer=small)(place)
    deep = L.Dense(32, activation="relu")(L.Concatenate()([first, second]))
    deep = L.Dropout(0.2)(deep)
    total = L.Concatenate()([L.Multiply()([first, second]), deep])
    model = keras.Model([visitor, place], L.Dense(1, activation="sigmoid")(total))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    never = rng.permutation(np.argwhere(~seen))[: len(held)]

    def score(model, history):
        good, bad = (
            scores.predicted(model, [p[:, 0].astype("int32"), p[:, 1].astype("int32")])
            for p in (held, never)
        )
        return float(np.sign(good - bad.T).mean())

    x = [train[:, 0].astype("int32"), train[:, 1].astype("int32")]
    return Fit(model, x, y[:, None], score, {"epochs": 10, "batch_size": 128})
