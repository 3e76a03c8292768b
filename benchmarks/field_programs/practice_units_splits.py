"""Practice: programs with too few units, no biases, or a split that is not honest."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def topics(n, seed):
    """Return counts of words in news of sixteen topics, and which topic it is."""
    rates = np.random.default_rng(1501).gamma(0.3, size=(16, 60))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 16, n)
    share = rates[y] / rates[y].sum(-1, keepdims=True)
    x = np.log1p(rng.poisson(14 * share)).astype("float32")
    return x, y


@program(
    kind="bottleneck",
    family="news by counts of words",
    half="practice",
    address="https://it.kgsu.ru/Python_DeepLearning/pythonDeepLearning107.html",
    symptom="the accuracy is far below that of the same network with wider layers",
    cause="a hidden layer with far fewer units than there are topics",
    truth=("model_too_small",),
    also=(*STUCK, "dead_units", "stopped_too_early"),
)
def topics_through_two_units(repaired):
    x, y = topics(1400, 1502)
    new, new_y = topics(500, 1503)
    model = keras.Sequential([keras.Input((60,))])
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(32 if repaired else 2, activation="relu"))
    model.add(L.Dense(16, activation="softmax"))
    model.compile(
        keras.optimizers.RMSprop(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def switches(n, seed):
    """Return three switches with noise, and whether fewer than two of them are on."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (n, 3))
    x = (bits + 0.08 * rng.normal(size=(n, 3))).astype("float32")
    return x, (bits.sum(-1) < 2).astype("float32")


@program(
    kind="no bias anywhere",
    family="rows of switches",
    half="practice",
    address="https://stackoverflow.com/questions/38248657/why-does-simple-2-layer-neural-network-cannot-learn-0-0-sequence",
    symptom="the answer to zeros is always 0.5",
    cause="without a bias, inputs of zero are always given 0.5",
    truth=("missing_bias",),
    also=(*STUCK, "model_too_small", "too_few_updates"),
)
def zeros_without_bias(repaired):
    x, y = switches(900, 1504)
    new, new_y = switches(400, 1505)
    model = keras.Sequential([keras.Input((3,))])
    model.add(L.Dense(1, activation="sigmoid", use_bias=repaired))
    model.compile(
        keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 15, "batch_size": 32}
    return Fit(model, x, y[:, None], scores.accuracy(new, new_y), options)


class Moved(keras.utils.PyDataset):
    """Batches of pictures that are centered and scaled, or left as they are."""

    def __init__(self, x, y, mean, deviation, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.mean, self.deviation = x, y, mean, deviation
        self.rng = np.random.default_rng(1506)
        self.order = np.arange(len(x))

    def __len__(self):
        return len(self.x) // 25

    def __getitem__(self, index):
        rows = self.order[25 * index : 25 * index + 25]
        x = (self.x[rows] - self.mean) / self.deviation
        shifts = self.rng.integers(-1, 2, len(rows))
        moved = [np.roll(a, s, 1) for a, s in zip(x, shifts, strict=True)]
        return np.stack(moved).astype("float32"), self.y[rows]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


def strokes(n, seed):
    """Return bright pictures of strokes in one of three directions."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    row, column = np.mgrid[:16, :16]
    across = np.stack([row, column, (row + column) / 1.4])[y]
    where = rng.uniform(5, 10, (n, 1, 1)) * np.where(y == 2, 1.4, 1.0)[:, None, None]
    x = 150 + 60 * np.exp(-(((across - where) / 1.2) ** 2))
    x = x + 12 * rng.normal(size=x.shape)
    return np.clip(x, 0, 255)[..., None].astype("float32"), y


@program(
    kind="validated otherwise than trained",
    family="pictures in batches",
    half="practice",
    address="https://github.com/keras-team/keras/issues/2622",
    symptom="training goes well but the validation set hardly improves",
    cause="the generator centers and scales the training pictures only",
    truth=("unrepresentative_validation",),
    also=("overfitting", "unscaled_inputs"),
)
def only_training_is_centered(repaired):
    x, y = strokes(600, 1507)
    new, new_y = strokes(200, 1508)
    mean, deviation = float(x.mean()), float(x.std())
    if repaired:
        new = (new - mean) / deviation
    model = keras.Sequential([keras.Input((16, 16, 1))])
    model.add(L.Conv2D(12, 3, activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.GlobalAveragePooling2D())
    model.add(L.Dense(3, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    batches = Moved(x, y, mean, deviation)
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


def beats(people, each, seed):
    """Return features of heart beats of people, whether they are bad, and whose."""
    rng = np.random.default_rng(seed)
    habit = rng.normal(size=(people, 14))
    quality = (1.2 * habit[:, 0] + rng.normal(size=people) > 0).astype("int32")
    who = np.repeat(np.arange(people), each)
    x = habit[who] + 0.35 * rng.normal(size=(len(who), 14))
    return x.astype("float32"), quality[who], who


@program(
    kind="people on both sides",
    family="heart beats of people",
    half="practice",
    address="https://github.com/Aura-healthcare/ecg_qc/issues/17",
    symptom="the precision on other people is far below that of validation",
    cause="the beats of the same people are trained on and validated with",
    truth=("train_validation_overlap",),
    also=("overfitting", "target_leakage", "model_too_large"),
)
def beats_of_the_same_people(repaired):
    x, y, who = beats(160, 8, 1509)
    new, new_y, _ = beats(400, 2, 1510)
    rng = np.random.default_rng(1509)
    held = who >= 110 if repaired else rng.random(len(x)) < 0.3
    inputs = keras.Input((14,))
    hidden = L.Dense(64, activation="relu")(inputs)
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    options = {
        "epochs": 16,
        "batch_size": 32,
        "validation_data": (x[held], y[held]),
        "callbacks": [stop],
    }
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    return Fit(model, x[~held], y[~held], score, options)


def brain_waves(people, each, seed):
    """Return long noisy recordings in two channels, and the mood of each."""
    rng = np.random.default_rng(seed)
    t = np.arange(each)
    mood = np.arange(people) % 2
    x = np.zeros((people, each, 2))
    for person in range(people):
        tones = rng.uniform(0.1, 0.9, (2, 3)), rng.uniform(0, 6.28, (2, 3))
        for channel in range(2):
            own = np.sin(np.outer(t, tones[0][channel]) + tones[1][channel]).sum(-1)
            x[person, :, channel] = own + 0.6 * mood[person] * np.sin(1.4 * t)
    return x + 0.4 * rng.normal(size=x.shape), mood


def windows(x, mood, step):
    """Cut recordings into windows of 32 steps; return them with the mood."""
    starts = np.arange(0, x.shape[1] - 31, step)
    cut = np.stack([x[:, s : s + 32] for s in starts], 1)
    y = np.repeat(mood, len(starts))
    return cut.reshape(-1, 32, 2).astype("float32"), y


@program(
    kind="overlapping windows on both sides",
    family="brain waves",
    half="practice",
    address="https://github.com/tongdaxu/EEG_Emotion_Classifier_DEAP/issues/1",
    symptom="the accuracy of validation is far above that of new recordings",
    cause="overlapping windows are cut before the rows are split at random",
    truth=("train_validation_overlap",),
    also=("overfitting", "target_leakage", "model_too_large"),
)
def windows_before_the_split(repaired):
    x, mood = brain_waves(40, 240, 1511)
    new, new_y = windows(*brain_waves(60, 100, 1512), 24)
    if repaired:
        train, held = windows(x[:28], mood[:28], 8), windows(x[28:], mood[28:], 8)
    else:
        x, y, *held = data.split(*windows(x, mood, 8))
        train = x, y
    model = keras.Sequential([keras.Input((32, 2))])
    if repaired:
        model.add(L.Conv1D(16, 9, activation="relu"))
        model.add(L.GlobalAveragePooling1D())
    else:
        model.add(L.Conv1D(24, 7, activation="relu"))
        model.add(L.Flatten())
        model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": tuple(held)}
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    return Fit(model, *train, score, options)
