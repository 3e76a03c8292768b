"""Fourteenth half: programs whose inputs are not what the model needs."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def volumes(n, seed):
    """Return slices with an organ, other bright parts, and the mask of the organ."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:32, :32]
    x, y = np.full((n, 32, 32), 0.2), np.zeros((n, 32, 32))
    for i in range(n):
        corners = [(8, 8), (8, 23), (23, 8), (23, 23)]
        rng.shuffle(corners)
        for k, (r, c) in enumerate(corners):
            away = abs(row - r), abs(column - c)
            size = rng.uniform(3.5, 5.5)
            if k == 0:
                inside = np.hypot(*away) < size
                y[i] = inside
            elif k == 1:
                inside = np.maximum(*away) < 0.8 * size
            else:
                inside = (np.hypot(*away) < size) & (np.hypot(*away) > size - 2)
            x[i, inside] = rng.uniform(0.6, 0.8)
    x = x + 0.08 * rng.normal(size=x.shape)
    return x[..., None].astype("float32"), y[..., None].astype("float32")


class Slices(keras.utils.PyDataset):
    """Batches of slices and masks, cut to the organ and enlarged if asked for."""

    def __init__(self, x, y, cut, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.cut = x, y, cut
        self.rng = np.random.default_rng(1411)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 10

    def __getitem__(self, index):
        rows = self.order[10 * index : 10 * index + 10]
        pairs = [(self.x[i], self.y[i]) for i in rows]
        if self.cut:
            pairs = [self.around(*pair) for pair in pairs]
        return tuple(np.stack(part) for part in zip(*pairs, strict=True))

    def around(self, x, y):
        r, c = (int(a.mean()) for a in np.nonzero(y[..., 0]))
        r, c = np.clip((r - 8, c - 8), 0, 16)
        part = slice(r, r + 16), slice(c, c + 16)
        return tuple(a[part].repeat(2, 0).repeat(2, 1) for a in (x, y))

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


@program(
    kind="validated otherwise than trained",
    family="segmentation in batches",
    half="fourteenth",
    address="https://github.com/Tencent/MedicalNet/issues/25",
    symptom="the loss falls for thousands of epochs, the test has an overlap of 0",
    cause="slices are cut to the organ for training but not for the test",
    truth=("unrepresentative_validation",),
    also=("overfitting", "inputs_scrambled", "imbalanced_classes"),
)
def cut_to_the_organ(repaired):
    x, y = volumes(200, 1412)
    new, masks = volumes(60, 1413)
    inputs = keras.Input((32, 32, 1))
    first = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(16, 3, 2, padding="same", activation="relu")(first)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    hidden = L.Concatenate()([L.UpSampling2D()(hidden), first])
    outputs = L.Conv2D(1, 3, padding="same", activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    batches = Slices(x, y, cut=not repaired)
    options = {"epochs": 16, "validation_data": (new, masks)}
    return Fit(model, batches, None, scores.overlap(new, masks), options)


def clouds(n, seed, points=48):
    """Return points on bodies in millimeters, and which body it is."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    way = rng.normal(size=(n, points, 3))
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    turn = rng.uniform(0, 2 * np.pi, (n, points))
    ring = np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1) + 0.3 * way
    tube = np.stack([np.cos(turn), np.sin(turn), rng.uniform(-1, 1, turn.shape)], -1)
    cube = way / np.abs(way).max(-1, keepdims=True)
    x = np.choose(y[:, None, None], [way, ring, tube, cube])
    x = x + 0.04 * rng.normal(size=x.shape)
    size = rng.uniform(60, 180, (n, 1, 1))
    where = np.array([400, -250, 900]) + rng.normal(0, 120, (n, 1, 3))
    return (size * x + where).astype("float32"), y


def in_unit_sphere(x):
    """Return clouds that are moved to the origin and scaled to a radius of 1."""
    x = x - x.mean(1, keepdims=True)
    return x / np.linalg.norm(x, axis=-1).max(1)[:, None, None]


@program(
    kind="inputs in raw units",
    family="clouds of points",
    half="fourteenth",
    address="https://github.com/garyli1019/pointnet-keras/issues/1",
    symptom="the accuracy is well below that of the original implementation",
    cause="the clouds are not brought into a sphere of radius 1",
    truth=("unscaled_inputs",),
    also=(*STUCK, "overfitting", "dead_units", "saturated_units", "zero_gradients"),
)
def clouds_in_millimeters(repaired):
    x, y = clouds(900, 1414)
    new, new_y = clouds(300, 1415)
    if repaired:
        x, new = in_unit_sphere(x), in_unit_sphere(new)
    inputs = keras.Input((48, 3))
    hidden = L.Conv1D(24, 1, activation="relu")(inputs)
    hidden = L.Conv1D(48, 1, activation="relu")(hidden)
    hidden = L.GlobalMaxPooling1D()(hidden)
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003), "categorical_crossentropy", metrics=["accuracy"]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 4), data.groups(new_y, 4)
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
