"""Tenth half: programs whose rows are not what their author believes."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="scaled values cast to whole numbers",
    family="forecast of congestion",
    half="tenth",
    address="https://github.com/tflearn/tflearn/issues/826",
    symptom="the accuracy stays at 0, the forecast of the scaled series is of no use",
    cause="values between 0 and 1 are cast to int32: all inputs are 0",
    truth=("constant_inputs",),
    also=(*STUCK, "zero_gradients", "vanishing_gradients", "metric_mismatch"),
)
def congestion_in_whole_numbers(repaired):
    rng = np.random.default_rng(1001)
    t = np.arange(760)
    traffic = 90 + 50 * np.sin(t / 24 * 6.283) + 25 * np.sin(t / 12 * 6.283 + 1)
    traffic = np.clip(traffic + 10 * rng.normal(size=760), 0, 200)
    scaled = traffic / 201

    def preprocess(rows):
        return np.array(rows, dtype="float32" if repaired else "int32")

    x, y = data.windows(scaled, 12)
    x = preprocess(x).astype("float32")
    y = ((y - scaled.mean()) / scaled.std()).astype("float32")
    model = keras.Sequential()
    model.add(keras.Input((12, 1)))
    model.add(L.LSTM(16))
    model.add(L.Dense(8, activation="relu"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    held_out = x[560:], y[560:]
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:540], y[:540], scores.variance(*held_out), options)


def fields(n, seed):
    """Return patches of four bands from fields of four crops, and the crop."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    rows, columns = np.mgrid[:10, :10]
    stripes = np.where(kind % 2 == 0, 1, 0)[:, None, None]
    wave = np.where(stripes, np.sin(1.6 * rows), np.sin(1.6 * columns))
    light = rng.uniform(0.7, 1.3, (n, 1, 1))
    near_red = np.where(kind < 2, 0.03, -0.03)[:, None, None]
    bands = [
        0.42 + 0.03 * wave * light,
        0.45 + near_red + 0.02 * rng.normal(size=(n, 10, 10)),
        0.40 + 0.02 * rng.normal(size=(n, 10, 10)),
    ]
    x = np.stack(bands, axis=-1) + 0.03 * rng.normal(size=(n, 10, 10, 3))
    return x.astype("float32"), kind


def residual(x, width):
    """Add what two convolutions make of their input."""
    hidden = L.Conv2D(width, 3, padding="same", use_bias=False)(x)
    hidden = L.BatchNormalization(momentum=0.9)(hidden)
    hidden = L.ReLU()(hidden)
    hidden = L.Conv2D(width, 3, padding="same", use_bias=False)(hidden)
    hidden = L.BatchNormalization(momentum=0.9)(hidden)
    return L.ReLU()(hidden + x)


@program(
    kind="validation prepared in another way",
    family="residual network on patches of fields",
    half="tenth",
    address="https://github.com/JeasunLok/ResNet-pytorch/issues/1",
    symptom="the accuracy in training is fine, in testing very low",
    cause="pictures are normalized for training and not for testing",
    truth=("unrepresentative_validation",),
    also=("overfitting", "unscaled_inputs", "foreign_statistics", "normalization_lag"),
)
def only_training_standardized(repaired):
    x, y = fields(900, seed=1002)
    mean, std = x[:600].mean(axis=(0, 1, 2)), x[:600].std(axis=(0, 1, 2))

    def transform(pictures, kinds, index=None):
        return (pictures - mean) / std, kinds

    train = Batches(x[:600], y[:600], 30, transform)
    new = transform(x[600:], None)[0] if repaired else x[600:]
    inputs = keras.Input((10, 10, 3))
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    hidden = residual(hidden, 8)
    hidden = L.GlobalAveragePooling2D()(hidden)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "validation_data": (new, y[600:])}
    return Fit(model, train, None, scores.accuracy(new, y[600:]), options)


def garments(n, seed):
    """Return colored pictures of trousers, shirts, bags and shoes, from 0 to 255."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    x = np.full((n, 12, 12, 3), 225.0)
    for i, k in enumerate(kind):
        cut = np.zeros((12, 12), bool)
        if k == 0:
            cut[2:11, 3:5] = cut[2:11, 7:9] = cut[2:4, 3:9] = True
        elif k == 1:
            cut[3:10, 4:8] = cut[3:5, 1:11] = True
        elif k == 2:
            cut[5:10, 2:10] = cut[2:5, 4] = cut[2:5, 7] = True
        else:
            cut[7:10, 1:10] = cut[4:7, 1:4] = True
        cut = np.roll(cut, rng.integers(-1, 2, 2), axis=(0, 1))
        x[i][cut] = rng.uniform(20, 190, 3)
    x += rng.normal(0, 22, x.shape)
    return np.clip(x, 0, 255).astype("float32"), kind


@program(
    kind="validation prepared in another way",
    family="pictures of clothes, two generators",
    half="tenth",
    address="https://github.com/keras-team/keras/issues/12689",
    symptom="val_acc is 1 / n and does not change, train_acc reaches 0.96",
    cause="the two generators preprocess pictures in two ways",
    truth=("unrepresentative_validation",),
    also=("overfitting", "unscaled_inputs", "foreign_statistics"),
)
def generators_of_two_kinds(repaired):
    x, y = garments(900, seed=1003)
    mean = np.array([103.939, 116.779, 123.68], "float32")

    def rescaled(pictures, kinds, index):
        return pictures / 255, kinds

    def preprocessed(pictures, kinds, index):
        return pictures[..., ::-1] - mean, kinds

    other = preprocessed if repaired else rescaled
    train = Batches(x[:600], y[:600], 32, preprocessed)
    held_out = Batches(x[600:750], y[600:750], 32, other)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            L.BatchNormalization(momentum=0.9),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dropout(0.2),
            L.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["acc"])
    new = other(x[750:], None, 0)[0]
    options = {"epochs": 12, "validation_data": held_out}
    return Fit(model, train, None, scores.accuracy(new, y[750:]), options)


class Scenes(keras.utils.PyDataset):
    """Serve pictures and masks by their numbers, in a new order every epoch."""

    def __init__(self, pictures, masks, together, size=20):
        super().__init__()
        self.pictures, self.masks, self.size = pictures, masks, size
        self.together = together
        self.rng = np.random.default_rng(1004)
        self.first = np.arange(len(pictures))
        self.second = np.arange(len(pictures))

    def __len__(self):
        return len(self.pictures) // self.size

    def __getitem__(self, index):
        part = slice(index * self.size, (index + 1) * self.size)
        return self.pictures[self.first[part]], self.masks[self.second[part]]

    def on_epoch_end(self):
        self.rng.shuffle(self.first)
        if self.together:
            self.second = self.first
        else:
            self.rng.shuffle(self.second)


@program(
    kind="inputs and targets out of step",
    family="segmentation, generator of one's own",
    half="tenth",
    address="https://github.com/keras-team/keras/issues/19355",
    symptom="with the generator the masks stay empty for 50 epochs, with arrays not",
    cause="pictures and masks are paired now and then only",
    truth=("unrelated_targets",),
    also=(*STUCK, *BLOWN_UP, "overfitting", "unknown_cause"),
)
def pairs_come_apart(repaired):
    x, _, masks = data.shapes(420, seed=1004)
    train = Scenes(x[:300], masks[:300], together=repaired)
    inputs = keras.Input((16, 16, 1))
    down = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    low = L.MaxPooling2D()(down)
    low = L.Conv2D(16, 3, padding="same", activation="relu")(low)
    up = L.Concatenate()([L.UpSampling2D()(low), down])
    up = L.Conv2D(8, 3, padding="same", activation="relu")(up)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(up))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    held_out = x[300:], masks[300:]
    options = {"epochs": 12, "validation_data": held_out}
    return Fit(model, train, None, scores.overlap(*held_out), options)


@program(
    kind="rows in the order of classes",
    family="features of a base, Python generator",
    half="tenth",
    address="https://github.com/keras-team/keras/issues/5284",
    symptom="with a custom generator the loss falls much slower than with fit",
    cause="the generator serves the features folder by folder, fit shuffles them",
    truth=("rows_in_order",),
    also=(*STUCK, *BLOWN_UP, "overfitting", "normalization_lag", "imbalanced_classes"),
)
def features_folder_by_folder(repaired):
    rng = np.random.default_rng(1005)
    centers = rng.normal(size=(6, 24)) * 0.8
    y = np.sort(rng.integers(0, 6, 900))
    x = np.maximum(centers[y] + rng.normal(size=(900, 24)), 0).astype("float32")
    new_y = rng.integers(0, 6, 300)
    new = np.maximum(centers[new_y] + rng.normal(size=(300, 24)), 0)
    new = new.astype("float32")
    labels = data.groups(y, 6)
    size = 30

    def my_generator():
        order = np.arange(len(x))
        while True:
            if repaired:
                rng.shuffle(order)
            for i in range(0, len(x), size):
                rows = order[i : i + size]
                yield x[rows], labels[rows]

    model = keras.Sequential(
        [
            keras.Input((24,)),
            L.BatchNormalization(momentum=0.9),
            L.Dense(64, activation="relu"),
            L.BatchNormalization(momentum=0.9),
            L.Dropout(0.3),
            L.Dense(6, activation="softmax"),
        ]
    )
    adam = keras.optimizers.Adam(0.005)
    model.compile(adam, "categorical_crossentropy", metrics=["accuracy"])
    options = {
        "epochs": 10,
        "steps_per_epoch": len(x) // size,
        "validation_data": (new, data.groups(new_y, 6)),
    }
    score = scores.accuracy(new, new_y)
    return Fit(model, my_generator(), None, score, options)
