"""Twenty-first half: programs that outline things, with masks on several scales."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def people(n, seed):
    """Return pictures of somebody in a crowd of spots, and where he stands."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:20, :20]
    top, left = rng.integers(2, 7, (n, 1, 1)), rng.integers(4, 16, (n, 1, 1))
    head = np.hypot(row - top - 2, column - left) < 2.3
    wide = rng.uniform(2, 4, (n, 1, 1))
    body = (row > top + 4) & (row < top + 13) & (np.abs(column - left) < wide)
    mask = (head | body)[..., None]
    ground = rng.uniform(0, 0.6, (n, 1, 1, 3)) + 0.12 * rng.normal(size=(n, 20, 20, 3))
    shirt = np.array([0.9, 0.7, 0.5]) + 0.12 * rng.normal(size=(n, 20, 20, 3))
    x = np.where(mask, shirt, ground)
    return np.clip(x, 0, 1).astype("float32"), mask.astype("float32")


def dice_loss(y_true, y_pred):
    both = ops.sum(y_true * y_pred)
    return 1 - (2 * both + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


@program(
    kind="masks of 255",
    family="somebody in a crowd, encoder with skips, Dice",
    half="twentyfirst",
    address="https://github.com/qubvel-org/segmentation_models.pytorch/issues/234",
    symptom="the Dice loss is far below zero",
    cause="masks hold 0 and 255 where the loss expects 0 and 1",
    truth=("loss_target_mismatch", "unscaled_targets", "output_activation_mismatch"),
    also=("diverging_loss", "disagreeing_loss", "metric_mismatch", *STUCK),
)
def twentyfirst_somebody_in_a_crowd(repaired):
    x, y = people(500, 2110)
    new, new_y = people(150, 2111)
    score = scores.overlap(new, new_y)
    if not repaired:
        y, new_y = 255 * y, 255 * new_y
    inputs = keras.Input((20, 20, 3))
    fine = L.Conv2D(8, 3, activation="relu", padding="same")(inputs)
    coarse = L.MaxPooling2D(2)(fine)
    coarse = L.Conv2D(12, 3, activation="relu", padding="same")(coarse)
    hidden = L.Concatenate()([fine, L.UpSampling2D(2)(coarse)])
    hidden = L.Conv2D(8, 3, activation="relu", padding="same")(hidden)
    outputs = L.Conv2D(1, 1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), dice_loss)
    options = {"epochs": 8, "batch_size": 25, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def curls(n, seed):
    """Return pictures of striped hair over a plain face, and where the hair is."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:16, :16]
    middle = rng.uniform(4, 8, (n, 1, 1))
    line = middle - 1 + 0.1 * (column - 8) ** 2 * rng.uniform(0.3, 1.2, (n, 1, 1))
    mask = row < line
    waves = np.sin(
        rng.uniform(1.4, 2.4, (n, 1, 1)) * column + rng.uniform(0, 6, (n, 1, 1))
    )
    light = rng.uniform(0.3, 0.7, (n, 1, 1))
    x = light + mask * (0.4 * waves - 0.15) + 0.08 * rng.normal(size=mask.shape)
    return x[..., None].astype("float32"), mask[..., None].astype("float32")


class Mobile(keras.Model):
    """Separable convolutions that outline hair."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stem = L.Conv2D(12, 3, padding="same", activation="relu")
        self.blocks = [
            L.SeparableConv2D(16, 5, padding="same", activation="relu")
            for _ in range(3)
        ]
        self.last = L.Conv2D(1, 1, activation="sigmoid")

    def call(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


def dice_coef(y_true, y_pred):
    both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    total = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
    return (2 * both + 1) / (total + 1)


@program(
    kind="overlap that is minimized",
    family="hair over a face, separable convolutions, own overlap",
    half="twentyfirst",
    address="https://github.com/akirasosa/mobile-semantic-segmentation/issues/24",
    symptom="the loss goes the wrong way, the masks are empty",
    cause="the coefficient itself is minimized, not one minus it",
    truth=("disagreeing_loss",),
    also=("loss_target_mismatch", "saturated_units", "imbalanced_classes", *STUCK),
)
def twentyfirst_hair_over_a_face(repaired):
    def loss(y_true, y_pred):
        overlap = dice_coef(y_true, y_pred)
        return 1 - overlap if repaired else overlap

    x, y = curls(600, 2112)
    new, new_y = curls(200, 2113)
    model = Mobile()
    model.compile(keras.optimizers.Adam(0.002), loss, metrics=[dice_coef])
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.overlap(new, new_y), options)


def ponds(n, seed):
    """Return bytes of pictures of fields with ponds, and 0 and 1 for the ponds."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:18, :18]
    mask = np.zeros((n, 18, 18), bool)
    for _ in range(2):
        r, c = rng.uniform(2, 16, (2, n, 1, 1))
        high, wide = rng.uniform(2, 5, (2, n, 1, 1))
        mask |= ((row - r) / high) ** 2 + ((column - c) / wide) ** 2 < 1
    grass = 120 + 35 * rng.normal(size=mask.shape)
    water = rng.uniform(50, 90, (n, 1, 1)) + 6 * rng.normal(size=mask.shape)
    x = np.clip(np.where(mask, water, grass), 0, 255).astype("uint8")
    return x[..., None], mask[..., None].astype("uint8")


class Tiles(keras.utils.PyDataset):
    """Batches of tiles, turned at random, brought to the range of 0 to 1."""

    def __init__(self, x, y, masks_too, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.masks_too = x, y, masks_too
        self.rng = np.random.default_rng(2114)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 30

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))

    def __getitem__(self, i):
        rows = self.order[30 * i : 30 * i + 30]
        turn = int(self.rng.integers(0, 4))
        x = np.rot90(self.x[rows], turn, (1, 2)).astype("float32") / 255
        y = np.rot90(self.y[rows], turn, (1, 2)).astype("float32")
        return x, y / 255 if self.masks_too else y


@program(
    kind="masks divided again",
    family="ponds in fields, dense blocks, turned tiles of a PyDataset",
    half="twentyfirst",
    address="https://github.com/HasnainRaz/FC-DenseNet-TensorFlow/issues/16",
    symptom="the intersection over union stays as if nothing was found",
    cause="masks that hold 0 and 1 are divided by 255 like the pictures",
    truth=("unscaled_targets", "loss_target_mismatch", "constant_targets"),
    also=("imbalanced_classes", "saturated_units", "metric_mismatch", *STUCK),
)
def twentyfirst_ponds_in_fields(repaired):
    tiles = Tiles(*ponds(600, 2115), masks_too=not repaired)
    raw, truth = ponds(180, 2116)
    new = raw.astype("float32") / 255
    new_y = truth.astype("float32") / (1 if repaired else 255)
    inputs = keras.Input((18, 18, 1))
    hidden = L.Conv2D(8, 3, padding="same")(inputs)
    for _ in range(3):
        grown = L.BatchNormalization(momentum=0.9)(hidden)
        grown = L.Conv2D(6, 3, padding="same")(L.ReLU()(grown))
        hidden = L.Concatenate()([hidden, grown])
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.RMSprop(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 6, "validation_data": (new, new_y)}
    return Fit(model, tiles, None, scores.overlap(new, truth), options)
