"""Fifteenth half: programs with a fault in the targets or what they are measured by."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def land(n, seed):
    """Return satellite tiles in color, and what covers the land, from 0 to 4."""
    rng = np.random.default_rng(seed)
    colors = np.array(
        [[0.6, 0.5, 0.4], [0.2, 0.5, 0.2], [0.7, 0.3, 0.3], [0.1, 0.2, 0.6], [0.4] * 3]
    )
    row, column = np.mgrid[:16, :16]
    x, y = np.zeros((n, 16, 16, 3)), np.zeros((n, 16, 16), "int32")
    for i in range(n):
        centers = rng.uniform(0, 16, (4, 2))
        away = np.hypot(
            row[..., None] - centers[:, 0], column[..., None] - centers[:, 1]
        )
        y[i] = rng.choice(5, 4, p=[0.3, 0.25, 0.2, 0.15, 0.1])[away.argmin(-1)]
        x[i] = colors[y[i]] * rng.uniform(0.8, 1.1)
    x = np.clip(x + 0.1 * rng.normal(size=x.shape), 0, 1)
    return x.astype("float32"), y


class Tiles(keras.utils.PyDataset):
    """Batches of tiles and their masks, as they would be read from files."""

    def __init__(self, x, y, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y
        self.order = np.arange(len(x))
        self.rng = np.random.default_rng(1511)

    def __len__(self):
        return len(self.x) // 10

    def __getitem__(self, index):
        rows = self.order[10 * index : 10 * index + 10]
        return self.x[rows], self.y[rows, ..., None]

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


@program(
    kind="many classes in masks for one",
    family="segmentation of satellite pictures, PyDataset",
    half="fifteenth",
    address="https://github.com/AstarLight/Satellite-Segmentation/issues/22",
    symptom="the loss of a U-Net is -4.4 and never changes, nor does the accuracy",
    cause="masks with classes from 0 to 4 in a binary cross-entropy of one sigmoid",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, "saturated_units", "diverging_loss", "dead_units", "zero_gradients"),
    backends=("jax", "tensorflow"),
)
def land_cover(repaired):
    x, y = land(240, 1512)
    new, new_y = land(100, 1513)
    inputs = keras.Input((16, 16, 3))
    same = {"padding": "same", "activation": "relu"}
    top = L.Conv2D(12, 3, **same)(inputs)
    low = L.Conv2D(24, 3, **same)(L.MaxPooling2D()(top))
    hidden = L.Concatenate()([top, L.UpSampling2D()(low)])
    hidden = L.Conv2D(12, 3, **same)(hidden)
    if repaired:
        outputs = L.Conv2D(5, 1, activation="softmax")(hidden)
        loss = "sparse_categorical_crossentropy"
    else:
        outputs = L.Conv2D(1, 1, activation="sigmoid")(hidden)
        loss = "binary_crossentropy"
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    score = scores.accuracy(new, new_y)
    return Fit(model, Tiles(x, y), None, score, {"epochs": 8})


def cells(n, seed):
    """Return pictures of cells, and maps whose sum is the number of cells."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:24, :24]
    x, y = np.zeros((n, 24, 24, 1)), np.zeros((n, 24, 24, 1))
    for i in range(n):
        for _ in range(rng.integers(1, 6)):
            r, c = rng.uniform(2, 22, 2)
            away = (row - r) ** 2 + (column - c) ** 2
            x[i, ..., 0] += rng.uniform(0.6, 1.0) * (away < rng.uniform(3, 6))
            blob = np.exp(-away / (2 * 1.5**2))
            y[i, ..., 0] += blob / (2 * np.pi * 1.5**2)
    x = np.clip(x + 0.1 * rng.normal(size=x.shape), 0, 1.5) - 0.2
    return x.astype("float32"), y.astype("float32")


@program(
    kind="targets far below 1",
    family="counting cells by density maps",
    half="fifteenth",
    address="https://github.com/WeidiXie/cell_counting_v2/issues/9",
    symptom="the network converges to zero everywhere",
    cause="nearly all of a map is zero and the rest tiny; it was not multiplied by 100",
    truth=("unscaled_targets",),
    also=(
        *STUCK,
        "imbalanced_classes",
        "vanishing_gradients",
        "learning_rate_too_low",
        "constant_targets",
    ),
)
def counted_cells(repaired):
    x, y = cells(200, 1514)
    new, new_y = cells(100, 1515)
    if repaired:
        y, new_y = 100 * y, 100 * new_y
    inputs = keras.Input((24, 24, 1))
    kernel = {"padding": "same", "kernel_initializer": "orthogonal"}
    hidden = L.Conv2D(12, 3, activation="relu", **kernel)(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(24, 3, activation="relu", **kernel)(hidden)
    hidden = L.UpSampling2D()(hidden)
    hidden = L.Conv2D(12, 3, activation="relu", **kernel)(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, **kernel)(hidden))
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    model.compile(optimizer, "mse")
    options = {"epochs": 10, "batch_size": 8, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Recommender(keras.Model):
    """The product of a user's and a movie's vector, and what is usual for both."""

    def __init__(self, users, movies, bounded, **kwargs):
        super().__init__(**kwargs)
        vector = {
            "embeddings_initializer": "he_normal",
            "embeddings_regularizer": keras.regularizers.l2(1e-6),
        }
        self.user = L.Embedding(users, 12, **vector)
        self.user_usual = L.Embedding(users, 1, embeddings_initializer="zeros")
        self.movie = L.Embedding(movies, 12, **vector)
        self.movie_usual = L.Embedding(movies, 1, embeddings_initializer="zeros")
        self.dot = L.Dot(axes=1)
        self.end = L.Activation("sigmoid" if bounded else "linear")

    def call(self, inputs):
        user, movie = inputs[:, 0], inputs[:, 1]
        usual = self.user_usual(user) + self.movie_usual(movie)
        return self.end(self.dot([self.user(user), self.movie(movie)]) + usual)


@program(
    kind="targets not scaled",
    family="recommender, subclassed",
    half="fifteenth",
    address="https://geeksmental.com/question/why-is-using-sigmoid-in-last-layer-of-nn-for-general-matrix-factorisation-showing-better-performance",
    symptom="without the sigmoid, the error of ratings is 2 stars instead of 1",
    cause="ratings were not scaled: vectors that start near zero are far from 3.5",
    truth=("unscaled_targets",),
    also=(*STUCK, "learning_rate_too_low", "too_few_updates"),
)
def stars_for_movies(repaired):
    rng = np.random.default_rng(1516)
    n, users, movies = 2400, 40, 50
    x = np.column_stack([rng.integers(0, users, n), rng.integers(0, movies, n)])
    taste = rng.normal(size=(users, 2)), rng.normal(size=(movies, 2))
    mood, fame = 0.5 * rng.normal(size=users), 0.9 * rng.normal(size=movies)
    stars = 3.5 + mood[x[:, 0]] + fame[x[:, 1]] + 0.3 * rng.normal(size=n)
    stars = stars + 0.25 * (taste[0][x[:, 0]] * taste[1][x[:, 1]]).sum(1)
    stars = np.clip(np.round(2 * stars) / 2, 0.5, 5)[:, None].astype("float32")
    x, y, new, new_y = data.split(x.astype("int32"), stars)
    if repaired:
        y, new_y = (y - 0.5) / 4.5, (new_y - 0.5) / 4.5
    model = Recommender(users, movies, bounded=repaired)
    loss = "binary_crossentropy" if repaired else "mean_squared_error"
    model.compile(keras.optimizers.Adam(0.001), loss)
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Perceptron(keras.Model):
    """Two layers, and the probability that a kernel is slow."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = L.Dense(24, activation="relu")
        self.second = L.Dense(12, activation="relu")
        self.last = L.Dense(1, activation="sigmoid")

    def call(self, inputs):
        return self.last(self.second(self.first(inputs)))


@program(
    kind="one class for all",
    family="run times of kernels, subclassed",
    half="fifteenth",
    address="https://github.com/Smadx/USTC-ML24-Fall/issues/35",
    symptom="the loss is 0 and the accuracy 1, what is there to discuss?",
    cause="run times are compared with a limit of their logarithm: all labels are 1",
    truth=("constant_targets",),
    also=("imbalanced_classes", "constant_predictions", "underfitting"),
)
def slow_kernels(repaired):
    rng = np.random.default_rng(1517)
    n = 1300
    tiles = rng.integers(4, 8, (n, 4))
    flags = rng.integers(0, 2, (n, 6))
    log = 9.0 - 0.8 * tiles[:, 0] - 0.6 * tiles[:, 1] + 0.9 * abs(tiles[:, 2] - 5)
    log = log + 0.5 * tiles[:, 3] - 0.7 * flags[:, 0] * (tiles[:, 0] - 5)
    time = np.exp(log + 2 + 0.2 * rng.normal(size=n)).clip(14)
    x = np.column_stack([tiles, flags]).astype("float32")
    limit = np.median(np.log(time))
    right = (np.log(time) > limit).astype("int32")
    y = right if repaired else (time > limit).astype("int32")
    x, y, new, _ = data.split(x, y)
    right = data.split(right, right)[2]
    x, new = data.standard(x, new)
    model = Perceptron()
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    y = y[:, None].astype("float32")
    score = scores.accuracy(new, right)
    return Fit(model, x, y, score, {"epochs": 12, "batch_size": 32})


@program(
    kind="accuracy of a regression",
    family="series, recurrent",
    half="fifteenth",
    address="https://datascience.stackexchange.com/questions/49109/loss-val-loss-are-decreasing-but-accuracies-are-the-same-in-lstm",
    symptom="the loss falls to 0.01, the accuracy stays at 0.02, on new rows at 0",
    cause="the targets are continuous: hardly any is equal to a rounded prediction",
    truth=("metric_mismatch",),
    also=(),
)
def accuracy_of_levels(repaired):
    series = data.load_curve(1000, seed=1518)
    series = (series - series.min()) / np.ptp(series)
    x, y = data.windows(series, 16)
    x, y, new, new_y = x[:700], y[:700], x[700:], y[700:]
    model = keras.Sequential(
        [keras.Input((16, 1)), L.LSTM(20), L.Dense(1, activation="sigmoid")]
    )
    metric = keras.metrics.R2Score(name="accuracy") if repaired else "accuracy"
    model.compile(keras.optimizers.Adam(0.008), "mse", metrics=[metric])
    score = scores.honesty("val_accuracy", scores.variance(new, new_y))
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
