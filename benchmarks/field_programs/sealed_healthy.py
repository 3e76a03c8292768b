"""Sealed programs without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


def contrastive(y_true, y_pred):
    """Draw pairs of one kind together, push the others a margin apart."""
    y_true = ops.cast(y_true, y_pred.dtype)
    apart = ops.maximum(1.0 - y_pred, 0.0)
    return ops.mean(y_true * y_pred**2 + (1 - y_true) * apart**2, axis=-1)


@healthy(family="pairs and contrastive loss", half="sealed")
def pairs_of_digits():
    x, y, new, new_y = data.digits(900)

    def pairs(x, y, n, seed):
        rng = np.random.default_rng(seed)
        first = rng.integers(0, len(x), n)
        same = rng.random(n) < 0.5
        second = np.array(
            [
                rng.choice(np.flatnonzero((y == y[i]) == s))
                for i, s in zip(first, same, strict=True)
            ]
        )
        return (x[first], x[second]), same.astype("float32")[:, None]

    x, same = pairs(x, y, 1300, 1081)
    new, new_same = pairs(new, new_y, 400, 1082)
    tower = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.Conv2D(16, 3, activation="relu"),
            L.Flatten(),
            L.Dropout(0.2),
            L.Dense(12),
        ]
    )
    inputs = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    apart = ops.square(tower(inputs[0]) - tower(inputs[1]))
    apart = ops.sqrt(ops.maximum(ops.sum(apart, axis=-1, keepdims=True), 1e-7))
    model = keras.Model(inputs, apart)
    model.compile(keras.optimizers.Adam(0.002), contrastive)
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_same)}

    def score(model, history):
        near = model.predict(new, verbose=0) < 0.5
        return float(2 * (near == (new_same > 0.5)).mean() - 1)

    return Fit(model, x, same, score, options)


class Distiller(keras.Model):
    """A student that learns from the labels and from what its teacher says."""

    def __init__(self, teacher, student, warmth=3.0, **kwargs):
        super().__init__(**kwargs)
        self.teacher, self.student, self.warmth = teacher, student, warmth
        self.teacher.trainable = False

    def call(self, x, training=False):
        return self.student(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        loss = super().compute_loss(x, y, y_pred, sample_weight, **kwargs)
        told = ops.softmax(self.teacher(x, training=False) / self.warmth)
        said = ops.log_softmax(y_pred / self.warmth)
        return 0.5 * loss - 0.5 * ops.mean(ops.sum(told * said, axis=-1))


@healthy(family="student and teacher", half="sealed")
def digits_distilled():
    x, y, new, new_y = data.digits(900)
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher = keras.Sequential([keras.Input((8, 8, 1))])
    teacher.add(L.Conv2D(24, 3, activation="relu"))
    teacher.add(L.Flatten())
    teacher.add(L.Dropout(0.4))
    teacher.add(L.Dense(10))
    teacher.compile(keras.optimizers.Adam(0.003), cross)
    teacher.fit(x, y, epochs=10, batch_size=32, verbose=0)
    student = keras.Sequential([keras.Input((8, 8, 1)), L.Flatten()])
    student.add(L.Dense(24, activation="relu"))
    student.add(L.Dense(10))
    model = Distiller(teacher, student)
    model.compile(keras.optimizers.Adam(0.004), cross, metrics=["accuracy"])
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="gradients of several batches", half="sealed")
def two_batches_a_step():
    x, y = data.gestures(800, length=20, classes=5, seed=1083, noise=0.5)
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((20, 3))
    h = inputs
    for filters in (16, 24):
        h = L.Conv1D(filters, 3, padding="same")(h)
        h = L.LayerNormalization()(h)
        h = L.Activation("gelu")(h)
        h = L.MaxPooling1D()(h)
    h = L.Dropout(0.3)(L.GlobalAveragePooling1D()(h))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(h))
    optimizer = keras.optimizers.Adam(0.008, gradient_accumulation_steps=2)
    model.compile(optimizer, CROSS, metrics=["accuracy"])
    options = {"epochs": 16, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="volumes", half="sealed")
def knots_in_wood():
    rng = np.random.default_rng(1084)
    n = 420
    kind = rng.integers(0, 3, n)
    grid = np.stack(np.mgrid[:8, :8, :8])
    middle = rng.uniform(2.5, 4.5, (n, 3, 1, 1, 1))
    away = grid[None] - middle
    stretch = np.ones((n, 3, 1, 1, 1))
    stretch[np.arange(n), kind] = 2.2  # along one of the axes
    x = np.exp(-((away / stretch) ** 2).sum(1) / 3) + 0.3 * rng.normal(
        size=(n, 8, 8, 8)
    )
    x, y, new, new_y = data.split(x[..., None].astype("float32"), kind)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 8, 1)),
            L.Conv3D(8, 3, activation="relu"),
            L.MaxPooling3D(),
            L.Flatten(),
            L.Dropout(0.3),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Detections(keras.utils.PyDataset):
    """Pictures with what is on them and where, the place weighted by clarity."""

    def __init__(self, x, kind, place, batch_size=24, shuffle=True, **kwargs):
        super().__init__(**kwargs)
        self.x, self.kind, self.place = x, kind, place
        self.batch_size, self.shuffle = batch_size, shuffle
        self.rng = np.random.default_rng(1085)
        self.order = np.arange(len(x))

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        y = {"kind": self.kind[rows], "place": self.place[rows]}
        clear = self.x[rows].max((1, 2, 3))
        weight = {"kind": np.ones(len(rows), "float32"), "place": clear}
        return self.x[rows], y, weight

    def on_epoch_end(self):
        if self.shuffle:
            self.rng.shuffle(self.order)


@healthy(family="weighted detections", half="sealed")
def kind_and_place():
    x, kind, masks = data.shapes(760, seed=1085)
    row, column = np.mgrid[:16, :16] / 8 - 1
    area = masks.sum((1, 2, 3))
    place = np.stack(
        [(masks[..., 0] * axis).sum((1, 2)) / area for axis in (row, column)], 1
    ).astype("float32")
    inputs = keras.Input((16, 16, 1))
    h = L.Conv2D(12, 3, activation="relu", padding="same")(inputs)
    h = L.MaxPooling2D()(h)
    h = L.Conv2D(20, 3, activation="relu", padding="same")(h)
    h = L.MaxPooling2D()(h)
    h = L.Dropout(0.1)(L.Flatten()(h))
    h = L.Dense(32, activation="relu")(h)
    outputs = {
        "kind": L.Dense(1, activation="sigmoid", name="kind")(h),
        "place": L.Dense(2, name="place")(h),
    }
    model = keras.Model(inputs, outputs)
    losses = {"kind": "binary_crossentropy", "place": "mse"}
    weights = {"kind": 1.0, "place": 4.0}
    model.compile(keras.optimizers.Adam(0.003), losses, loss_weights=weights)
    cut = 540
    kind = kind[:, None].astype("float32")
    train = Detections(x[:cut], kind[:cut], place[:cut])
    held = Detections(x[cut:], kind[cut:], place[cut:], shuffle=False)
    options = {"epochs": 14, "validation_data": held}

    def score(model, history):
        out = model.predict(x[cut:], verbose=0)
        right = ((out["kind"] > 0.5) == (kind[cut:] > 0.5)).mean()
        return float(min(2 * right - 1, scores.explained(out["place"], place[cut:])))

    return Fit(model, train, None, score, options)


class Experts(L.Layer):
    """A gate that shares the rows among experts, and a small penalty on favorites."""

    def __init__(self, experts, width, **kwargs):
        super().__init__(**kwargs)
        self.gate = L.Dense(experts, activation="softmax")
        self.hidden = L.EinsumDense("bi,ieh->beh", (experts, width), activation="relu")
        self.out = L.EinsumDense("beh,eho->beo", (experts, 1), bias_axes="eo")

    def call(self, x):
        share = self.gate(x)
        used = ops.mean(share, axis=0)
        self.add_loss(0.01 * ops.sum(used * ops.log(used + 1e-6)))
        answers = self.out(self.hidden(x))[..., 0]
        return ops.sum(share * answers, axis=-1, keepdims=True)


@healthy(family="experts for a table", half="sealed")
def friedman_by_experts():
    x, y, new, new_y = data.friedman(900, seed=1086)
    inputs = keras.Input((8,))
    model = keras.Model(inputs, Experts(4, 12)(inputs))
    model.compile(keras.optimizers.Adam(0.008), "mse", metrics=["mae"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="short films", half="sealed")
def way_of_the_disc():
    rng = np.random.default_rng(1087)
    n, steps = 480, 5
    way = rng.integers(0, 4, n)
    move = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])[way]
    at = rng.uniform(3.5, 6.5, (n, 2))
    row, column = np.mgrid[:10, :10]
    x = np.zeros((n, steps, 10, 10, 1))
    for t in range(steps):
        now = at + move * (t - 2) * 0.9
        away = (row - now[:, :1, None]) ** 2 + (column - now[:, 1:, None]) ** 2
        x[:, t, ..., 0] = np.exp(-away / 2)
    x = (x + 0.15 * rng.normal(size=x.shape)).astype("float32")
    x, y, new, new_y = data.split(x, way)
    frame = keras.Sequential(
        [
            keras.Input((10, 10, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(16, activation="tanh"),
        ]
    )
    inputs = keras.Input((steps, 10, 10, 1))
    h = L.TimeDistributed(frame)(inputs)
    h = L.Dropout(0.2)(L.GRU(16)(h))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 24, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="angles", half="sealed")
def heading_of_a_bar():
    rng = np.random.default_rng(1088)
    n = 640
    angle = rng.uniform(0, np.pi, n)
    row, column = np.mgrid[:12, :12] - 5.5
    off = np.sin(angle)[:, None, None] * column - np.cos(angle)[:, None, None] * row
    x = np.exp(-(off**2) / 2) + 0.25 * rng.normal(size=(n, 12, 12))
    y = np.stack([np.sin(2 * angle), np.cos(2 * angle)], 1)
    x, y, new, new_y = data.split(x[..., None].astype("float32"), y.astype("float32"))
    inputs = keras.Input((12, 12, 1))
    h = L.Conv2D(8, 3, strides=2, activation="relu")(inputs)
    h = L.Dropout(0.1)(L.Flatten()(h))
    h = L.Dense(24, activation="relu")(h)
    model = keras.Model(inputs, L.UnitNormalization()(L.Dense(2)(h)))
    model.compile(keras.optimizers.Adam(0.003), "cosine_similarity")
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
