"""Eighteenth half: programs whose outputs, targets or metrics do not fit."""

from __future__ import annotations

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


class Flipped(keras.utils.PyDataset):
    """Batches of pictures and masks, flipped alike and scaled by each other's kind."""

    def __init__(self, x, masks, centered, **kwargs):
        super().__init__(**kwargs)
        self.x = (x - x.mean()) / x.std()
        self.masks = (masks - masks.mean()) / masks.std() if centered else masks
        self.rng = np.random.default_rng(1811)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 16

    def __getitem__(self, index):
        rows = self.order[16 * index : 16 * index + 16]
        x, masks = self.x[rows], self.masks[rows]
        if self.rng.random() < 0.5:
            x, masks = x[:, :, ::-1], masks[:, :, ::-1]
        if self.rng.random() < 0.5:
            x, masks = x[:, ::-1], masks[:, ::-1]
        return x.astype("float32"), masks.astype("float32")

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


@program(
    kind="masks scaled like pictures",
    family="masks in augmented batches",
    half="eighteenth",
    address="https://coderoad.ru/57200621/",
    symptom="with augmentation the loss is negative and the model does not train",
    cause="the generator centers the masks too, and only the training pictures",
    truth=(
        "loss_target_mismatch",
        "output_activation_mismatch",
        "unrepresentative_validation",
    ),
    also=(*STUCK, *BLOWN_UP, "saturated_units", "metric_mismatch", "overfitting"),
    backends=("jax", "tensorflow"),
)
def eighteenth_masks_centered_too(repaired):
    x, _, masks = data.shapes(700, seed=1812)
    x, masks, new, new_masks = x[:480], masks[:480], x[480:], masks[480:]
    if repaired:
        new = ((new - x.mean()) / x.std()).astype("float32")
    inputs = keras.Input((16, 16, 1))
    first = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(L.MaxPooling2D()(first))
    hidden = L.Conv2DTranspose(8, 2, strides=2, activation="relu")(hidden)
    hidden = L.Concatenate()([first, hidden])
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    batches = Flipped(x, masks, centered=not repaired)
    options = {"epochs": 6, "validation_data": (new, new_masks)}
    return Fit(model, batches, None, scores.overlap(new, new_masks), options)


def machines(n, seed, broken=0.0):
    """Return what 24 gauges of machines show, and which machines are broken."""
    made = np.random.default_rng(1813)
    weights, center = made.normal(size=(5, 24)), made.uniform(5, 90, 24)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)) @ weights / 5**0.5 + 0.2 * rng.normal(size=(n, 24))
    odd = rng.random(n) < broken
    for i in np.flatnonzero(odd):
        x[i] = 0.9 * rng.permutation(x[i])
    return (center * (1 + 0.2 * x)).astype("float32"), odd


@program(
    kind="sigmoid for gauges in raw units",
    family="gauges of machines, autoencoder of ten units",
    half="eighteenth",
    address="https://github.com/keras-team/keras/issues/12394",
    symptom="the worst outliers have the lowest scores; in MATLAB they are on top",
    cause="sigmoid outputs for columns that were not scaled",
    truth=("output_activation_mismatch", "unscaled_inputs", "unscaled_targets"),
    also=(*STUCK, "saturated_units", "zero_gradients", "vanishing_gradients"),
)
def eighteenth_gauges_in_raw_units(repaired):
    x, _ = machines(1200, 1814, broken=0.01)
    new, odd = machines(600, 1815, broken=0.1)
    if repaired:
        x, new = data.standard(x, new)
    inputs = keras.Input((24,))
    encoded = L.Dense(10, activation="sigmoid")(inputs)
    decoded = L.Dense(24, activation="linear" if repaired else "sigmoid")(encoded)
    autoencoder = keras.Model(inputs, decoded)
    autoencoder.compile(keras.optimizers.Adam(0.01), "mse")

    def score(model, history):
        error = ((scores.predicted(model, new) - new) ** 2).mean(axis=1)
        return float(2 * roc_auc_score(odd, error) - 1)

    options = {"epochs": 20, "batch_size": 32, "validation_split": 0.1}
    return Fit(autoencoder, x, x, score, options)


def directory(n, seed):
    """Return color pictures of three kinds of fabric, from 0 to 255, and the kind."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    row, column = np.mgrid[:16, :16]
    phase = rng.uniform(0, 6.28, (n, 1, 1))
    along = np.stack([row + 0 * column, column + 0 * row, row + column])[y]
    wave = np.sin(1.2 * along + phase)[..., None] * rng.uniform(20, 60, (n, 1, 1, 3))
    x = 120 + wave + 25 * rng.normal(size=(n, 16, 16, 3))
    return np.clip(x, 0, 255).astype("float32"), y


def flow(x, y, size=16):
    """Yield batches of rescaled pictures and their class, forever."""
    rng = np.random.default_rng(1816)
    while True:
        order = rng.permutation(len(x))
        for i in range(0, len(x) - size + 1, size):
            rows = order[i : i + size]
            yield x[rows] / 255, y[rows]


@program(
    kind="one sigmoid for three classes",
    family="fabrics from folders, endless flow",
    half="eighteenth",
    address="https://newbe.dev/index.php/cnn-with-keras-accuracy-not-improving",
    symptom="the accuracy of a network for three classes does not improve",
    cause="a single sigmoid and binary cross-entropy where there are three classes",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, *BLOWN_UP, "saturated_units", "metric_mismatch"),
    backends=("jax", "tensorflow"),
)
def eighteenth_three_fabrics_one_unit(repaired):
    x, y = directory(480, 1817)
    new, new_y = directory(300, 1818)
    model = keras.Sequential([keras.Input((16, 16, 3))])
    for filters in (12, 16):
        model.add(L.Conv2D(filters, 3))
        model.add(L.Activation("relu"))
        model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(32))
    model.add(L.Activation("relu"))
    model.add(L.Dropout(0.3))
    model.add(L.Dense(3 if repaired else 1))
    model.add(L.Activation("softmax" if repaired else "sigmoid"))
    name = "sparse_categorical_crossentropy" if repaired else "binary_crossentropy"
    model.compile(keras.optimizers.RMSprop(0.002), name, metrics=["accuracy"])
    options = {
        "steps_per_epoch": 30,
        "epochs": 11,
        "validation_data": (new / 255, new_y),
    }
    score = scores.accuracy(new / 255, new_y)
    return Fit(model, flow(x, y), None, score, options)


def scenes(n, seed):
    """Return pictures of up to four things, and which of them are to be seen."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 4)) < 0.5).astype("float32")
    x = 0.25 * rng.normal(size=(n, 16, 16, 1))
    corner = np.tri(4)
    things = np.stack([np.ones((4, 4)), np.eye(4), corner, corner[::-1, ::-1] * 0])
    things[3, 1:3] = 1
    for i in range(n):
        for k in np.flatnonzero(y[i]):
            r, c = rng.integers(0, 4, 2) + 8 * np.array([k // 2, k % 2])
            x[i, r : r + 4, c : c + 4, 0] += things[k]
    return x.astype("float32"), y


@program(
    kind="accuracy of one class for many labels",
    family="several things in a scene, tags",
    half="eighteenth",
    address="https://github.com/suraj-deshmukh/Keras-Multi-Label-Image-Classification/issues/1",
    symptom="the accuracy of a tagger of pictures is not that of its tags",
    cause="categorical accuracy compares only the largest of several labels",
    truth=("metric_mismatch",),
    also=(),
)
def eighteenth_tags_counted_as_classes(repaired):
    x, y = scenes(700, 1819)
    new, new_y = scenes(400, 1820)
    model = keras.Sequential([keras.Input((16, 16, 1))])
    for filters in (12, 24):
        model.add(L.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dropout(0.2))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(4, activation="sigmoid"))
    kind = (
        keras.metrics.BinaryAccuracy if repaired else keras.metrics.CategoricalAccuracy
    )
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=[kind(name="acc")]
    )

    def share(model, history):
        return float(((scores.predicted(model, new) > 0.5) == new_y).mean())

    options = {"epochs": 9, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.honesty("val_acc", share), options)
