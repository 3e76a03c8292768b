"""Twelfth half: programs whose targets and loss do not say what was meant."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def corners(masks):
    """Return the box around each mask: left, top, right, bottom, from 0 to 1."""
    found = masks[..., 0] > 0
    rows, columns = found.any(axis=2), found.any(axis=1)
    size = masks.shape[1]
    first = [a.argmax(axis=1) for a in (columns, rows)]
    last = [size - a[:, ::-1].argmax(axis=1) for a in (columns, rows)]
    return (np.stack([*first, *last], axis=-1) / size).astype("float32")


def as_center_and_size(box, library=ops):
    left, top, right, bottom = (box[:, i] for i in range(4))
    wide, high = library.log((right - left) / 0.4), library.log((bottom - top) / 0.4)
    return library.stack([(left + right) / 2, (top + bottom) / 2, wide, high], axis=-1)


def box_loss(y_true, y_pred):
    away = as_center_and_size(y_true) - y_pred
    weights = ops.convert_to_tensor([5.0, 5.0, 1.0, 1.0])
    return ops.sum(weights * away**2, axis=-1)


@program(
    kind="corners swapped",
    family="boxes around things",
    half="twelfth",
    address="https://github.com/zzh8829/yolov3-tf2/issues/214",
    symptom="the loss is NaN during training on own annotations",
    cause="in some boxes the upper edge is below the lower: the log of a negative",
    truth=("non_finite_operation",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "non_finite_start"),
)
def boxes_upside_down(repaired):
    x, _, masks = data.shapes(700, seed=1231)
    y = corners(masks)
    rng = np.random.default_rng(1231)
    swapped = rng.random(700) < 0.04
    swapped[500:] = False
    y[swapped] = y[swapped][:, [0, 3, 2, 1]]
    if repaired:
        y = np.concatenate(
            [np.minimum(y[:, :2], y[:, 2:]), np.maximum(y[:, :2], y[:, 2:])], axis=1
        )
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Conv2D(24, 3, padding="same", activation="relu")(hidden)
    hidden = L.Flatten()(L.MaxPooling2D()(hidden))
    hidden = L.Dense(48, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(4)(hidden))
    model.compile(keras.optimizers.Adam(0.003), box_loss)
    held_out = x[500:], y[500:]
    options = {"epochs": 14, "batch_size": 20, "validation_data": held_out}
    score = scores.variance(x[500:], as_center_and_size(y[500:], np))
    return Fit(model, x[:500], y[:500], score, options)


def pairwise_ranking(y_true, y_pred):
    has, lacks = y_true, 1 - y_true
    gaps = ops.exp(ops.expand_dims(y_pred, 1) - ops.expand_dims(y_pred, 2))
    both = ops.expand_dims(has, 2) * ops.expand_dims(lacks, 1)
    pairs = ops.sum(has, axis=1) * ops.sum(lacks, axis=1)
    return ops.sum(both * gaps, axis=(1, 2)) / pairs


def films(n=1300, seed=1232):
    """Return properties of films and which of five genres they have."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 14)).astype("float32")
    taste = rng.normal(size=(14, 5)) / 2
    y = (x @ taste + 0.5 * rng.normal(size=(n, 5)) > 0.1).astype("float32")
    return x, y


def order_of_genres(x, y):
    """Return how often a genre that a film has is ranked above one it lacks."""

    def score(model, history):
        said = scores.predicted(model, x)
        pairs = (y[:, :, None] == 1) & (y[:, None, :] == 0)
        above = said[:, :, None] > said[:, None, :]
        return float(2 * above[pairs].mean() - 1)

    return score


@program(
    kind="loss divides by zero",
    family="several labels, ranked",
    half="twelfth",
    address="https://github.com/vanHavel/bp-mll-tensorflow/issues/3",
    symptom="after some steps the loss is NaN",
    cause="rows with all labels, or none, have no pairs for the loss to divide by",
    truth=("non_finite_operation",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "non_finite_start"),
)
def films_of_all_genres(repaired):
    x, y = films()
    x, y, new, new_y = data.split(x, y, 0.75)
    if repaired:
        mixed = (y.sum(axis=1) > 0) & (y.sum(axis=1) < 5)
        x, y = x[mixed], y[mixed]
    model = keras.Sequential(
        [
            keras.Input((14,)),
            L.Dense(32, activation="relu"),
            L.Dropout(0.1),
            L.Dense(5, activation="tanh"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), pairwise_ranking)
    options = {"epochs": 14, "batch_size": 32}
    return Fit(model, x, y, order_of_genres(new, new_y), options)


@program(
    kind="numbers of classes for two",
    family="table, two outputs",
    half="twelfth",
    address="https://github.com/keras-team/keras/issues/13926",
    symptom="the binary cross-entropy of an output is negative",
    cause="numbers of four classes are targets of one sigmoid unit",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(
        *BLOWN_UP,
        *STUCK,
        "saturated_units",
        "metric_mismatch",
        "unbalanced_outputs",
        "disagreeing_loss",
    ),
)
def tissue_as_a_number(repaired):
    rng = np.random.default_rng(1233)
    tissue = rng.integers(0, 4, 1200)
    centers = rng.normal(size=(4, 20))
    x = (0.8 * centers[tissue] + rng.normal(size=(1200, 20))).astype("float32")
    rules = rng.normal(size=(20, 6)) / 3
    tags = (x @ rules + 0.3 * rng.normal(size=(1200, 6)) > 0).astype("float32")
    inputs = keras.Input((20,))
    hidden = L.Dense(48, activation="relu")(inputs)
    hidden = L.Dropout(0.2)(hidden)
    hidden = L.Dense(24, activation="relu")(hidden)
    if repaired:
        one = L.Dense(4, activation="softmax", name="tissue")(hidden)
        loss = keras.losses.SparseCategoricalCrossentropy()
    else:
        one = L.Dense(1, name="tissue")(hidden)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    many = L.Dense(6, activation="sigmoid", name="tags")(hidden)
    model = keras.Model(inputs, [one, many])
    model.compile(
        keras.optimizers.Adam(0.003),
        loss=[loss, "binary_crossentropy"],
        metrics=[["accuracy"], ["binary_accuracy"]],
    )
    number = tissue[:, None].astype("float32")
    held_out = x[800:], [number[800:], tags[800:]]
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(x[800:], tissue[800:])
    return Fit(model, x[:800], [number[:800], tags[:800]], score, options)


LETTERS = "_ABCDEF"


def spoken(n=500, seed=1234):
    """Return sounds, frame by frame, and what is said in lower case."""
    rng = np.random.default_rng(seed)
    voices = rng.normal(size=(6, 10))
    said = np.repeat(rng.integers(0, 6, (n, 6)), 3, axis=1)
    x = 0.9 * voices[said] + 0.9 * rng.normal(size=(n, 18, 10))
    return x.astype("float32"), ["".join("abcdef"[k] for k in row) for row in said]


@program(
    kind="letters that are not in the list",
    family="speech, frame by frame",
    half="twelfth",
    address="https://github.com/SeanNaren/warp-ctc/issues/111",
    symptom="the loss falls, but only blanks are predicted",
    cause="the list has capitals, the texts none: every letter becomes a blank",
    truth=("constant_targets",),
    also=("constant_predictions", "imbalanced_classes", "zero_gradients", "plateau"),
)
def capitals_only(repaired):
    x, texts = spoken()
    numbers = {letter: i for i, letter in enumerate(LETTERS)}

    def encode(text):
        return [numbers.get(c, 0) for c in text]

    right = np.array([encode(t.upper()) for t in texts])
    y = right if repaired else np.array([encode(t) for t in texts])
    model = keras.Sequential()
    model.add(keras.Input((18, 10)))
    model.add(L.Conv1D(24, 3, padding="same", activation="relu"))
    model.add(L.Bidirectional(L.GRU(16, return_sequences=True)))
    model.add(L.TimeDistributed(L.Dense(7, activation="softmax")))
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 8,
        "batch_size": 25,
        "validation_data": (x[380:], y[380:]),
    }
    return Fit(model, x[:380], y[:380], scores.accuracy(x[380:], right[380:]), options)


@program(
    kind="judge learns along",
    family="adversarial, points",
    half="twelfth",
    address="https://github.com/jacobgil/keras-dcgan/issues/10",
    symptom="the discriminator goes on learning when the generator is trained",
    cause="the flag that should freeze the discriminator has no effect",
    truth=("discriminator_not_frozen",),
    also=("slow_convergence", "saturated_units", "vanishing_gradients", "plateau"),
)
def judge_not_frozen(repaired):
    rng = np.random.default_rng(1235)
    center = np.array([2.0, -1.5])
    real = (center + 0.4 * rng.normal(size=(1000, 2))).astype("float32")
    fake = rng.uniform(-4, 4, (1000, 2)).astype("float32")
    judge = keras.Sequential(
        [
            keras.Input((2,)),
            L.Dense(32, activation="tanh"),
            L.Dense(32, activation="tanh"),
            L.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )
    judge.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    points = np.concatenate([real, fake])
    labels = np.repeat([1.0, 0.0], 1000)[:, None]
    judge.fit(points, labels, epochs=6, batch_size=64, verbose=0)
    if repaired:
        judge.trainable = False
    noise = keras.Input((8,))
    hidden = L.Dense(32, activation="relu")(noise)
    generator = keras.Model(noise, L.Dense(2)(hidden), name="generator")
    model = keras.Model(noise, judge(generator(noise)))
    model.compile(keras.optimizers.Adam(0.002), "binary_crossentropy")
    z = rng.normal(size=(800, 8)).astype("float32")
    new = rng.normal(size=(500, 8)).astype("float32")

    def score(model, history):
        made = scores.predicted(generator, new)
        return float((np.linalg.norm(made - center, axis=1) < 1.2).mean())

    options = {"epochs": 14, "batch_size": 32}
    return Fit(model, z, np.ones((800, 1), "float32"), score, options)
