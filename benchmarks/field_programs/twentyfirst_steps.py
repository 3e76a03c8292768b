"""Twenty-first half: programs on faces, codes and spectra, with steps of their own."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.practice_steps import OWN_STEP, update
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def ores(n, seed):
    """Return spectra of ores, and which of sixteen they are."""
    rng = np.random.default_rng(seed)
    kinds = np.random.default_rng(2120).uniform(4, 60, (16, 3))
    y = rng.integers(0, 16, n)
    at = np.arange(64)
    place = kinds[y][:, :, None] + rng.normal(0, 0.7, (n, 3, 1))
    lines = np.exp(-0.5 * ((at - place) / 2) ** 2) * rng.uniform(0.4, 1.2, (n, 3, 1))
    x = lines.sum(1) + 0.12 * rng.normal(size=(n, 64))
    return x.astype("float32"), y


class LowLevel(keras.Model):
    """Two layers and a step that counts the loss with a function of low level."""

    def __init__(self, from_logits, **kwargs):
        super().__init__(**kwargs)
        self.from_logits = from_logits
        self.hidden = L.Dense(48, activation="relu")
        self.out = L.Dense(16, activation="softmax")

    def call(self, x):
        return self.out(self.hidden(x))

    def train_step(self, batch):
        x, y = batch

        def loss_of():
            found = self(x, training=True)
            return ops.mean(
                ops.categorical_crossentropy(y, found, from_logits=self.from_logits)
            )

        self._loss_tracker.update_state(update(self.optimizer, loss_of, self))
        return {"loss": self._loss_tracker.result()}


@program(
    kind="probabilities as logits",
    family="ores by spectrum, low-level loop",
    half="twentyfirst",
    address="https://newbe.dev/training-a-tf-keras-model-with-a-basic-low-level-tensorflow-training-loop-doesn-t-work",
    symptom="by fit the network learns, by a loop of low level it does not",
    cause="the loss of the loop takes logits, the output is a softmax already",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=("disagreeing_loss", "vanishing_gradients", *STUCK),
    backends=OWN_STEP,
)
def twentyfirst_ores_by_spectrum(repaired):
    x, y = ores(1400, 2121)
    new, new_y = ores(500, 2122)
    model = LowLevel(from_logits=not repaired)
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 16), data.groups(new_y, 16)
    options = {"epochs": 15, "batch_size": 25, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def numerals():
    """Return flat pictures of numerals and their number, and new ones."""
    x, y, new, new_y = data.digits(1200)
    return x.reshape(len(x), 64), y, new.reshape(len(new), 64), new_y


def both_losses(y_true, logits):
    """Return what a student loses to the labels, and to a warm teacher."""
    label, soft = y_true[:, :10], y_true[:, 10:]
    hard = ops.categorical_crossentropy(label, logits, from_logits=True)
    warm = ops.categorical_crossentropy(soft, logits / 3, from_logits=True)
    return hard + warm


@program(
    kind="student with a tiny rate",
    family="numerals taught by a larger network, soft marks",
    half="twentyfirst",
    address="https://github.com/a7b23/Distilling-the-knowledge-in-neural-network/issues/1",
    symptom="the student stays below what it reaches without a teacher",
    cause="the learning rate of the student is too small",
    truth=("learning_rate_too_low",),
    also=("too_few_updates", *STUCK),
)
def twentyfirst_numerals_taught(repaired):
    x, y, new, new_y = numerals()
    score = scores.accuracy(new, new_y)
    teacher = keras.Sequential([keras.Input((64,)), L.Dense(96, "relu"), L.Dense(10)])
    teacher.compile(
        keras.optimizers.Adam(0.005),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    teacher.fit(x, y, epochs=5, batch_size=40, verbose=0)

    def marks(rows, labels):
        warm = np.exp(teacher.predict(rows, verbose=0) / 3)
        warm = warm / warm.sum(axis=1, keepdims=True)
        return np.concatenate([data.groups(labels, 10), warm], 1).astype("float32")

    y, new_y = marks(x, y), marks(new, new_y)
    inputs = keras.Input((64,))
    hidden = L.Dense(20, activation="relu")(inputs)
    student = keras.Model(inputs, L.Dense(10)(hidden))
    student.compile(keras.optimizers.SGD(0.1 if repaired else 0.0005), both_losses)
    options = {"epochs": 12, "batch_size": 40, "validation_data": (new, new_y)}
    return Fit(student, x, y, score, options)


def portraits(n, seed):
    """Return measures of portraits, and which of twelve persons they show."""
    people = np.random.default_rng(2123).normal(size=(12, 8))
    turned = np.random.default_rng(2124).normal(size=(11, 30)) / 3
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 12, n)
    hidden = people[y] + 0.35 * rng.normal(size=(n, 8))
    pose = rng.normal(size=(n, 3))
    x = np.tanh(np.concatenate([hidden, pose], 1) @ turned)
    return (2 * x + 0.15 * rng.normal(size=x.shape)).astype("float32"), y


class Cosines(L.Layer):
    """The cosine of the angle between an embedding and each class."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, shape):
        self.centers = self.add_weight(
            shape=(shape[-1], self.classes), initializer="glorot_uniform"
        )

    def call(self, x):
        return ops.matmul(
            ops.normalize(x, axis=-1), ops.normalize(self.centers, axis=0)
        )

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.classes)


def additive_margin(y_true, cosines, margin=0.5, scale=30.0):
    angle = ops.arccos(ops.clip(cosines, -0.999, 0.999))
    wider = ops.cos(ops.minimum(angle + margin, 3.14159))
    logits = scale * ops.where(y_true > 0, wider, cosines)
    return ops.categorical_crossentropy(y_true, logits, from_logits=True)


@program(
    kind="rate of an angular margin",
    family="persons in portraits, angles with a margin",
    half="twentyfirst",
    address="https://github.com/auroua/InsightFace_TF/issues/42",
    symptom="with the angular loss the network does not converge, with softmax it does",
    cause="the learning rate is too high for the small batches",
    truth=("learning_rate_too_high",),
    also=(*BLOWN_UP, *STUCK, "dead_units", "saturated_units", "zero_gradients"),
)
def twentyfirst_persons_in_portraits(repaired):
    x, y = portraits(1300, 2125)
    new, new_y = portraits(500, 2126)
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 12), data.groups(new_y, 12)
    model = keras.Sequential()
    model.add(keras.Input((30,)))
    model.add(L.Dense(64, activation="relu"))
    model.add(L.Dense(64, activation="relu"))
    model.add(L.Dense(16))
    model.add(Cosines(12))
    sgd = keras.optimizers.SGD(0.01 if repaired else 2.0, momentum=0.9)
    model.compile(sgd, additive_margin, metrics=["accuracy"])
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def codes(n, pictures, numbers, seed):
    """Return strips of three digits with lines across, and the three numbers."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(pictures), (n, 3))
    x = np.concatenate([pictures[rows[:, k]] for k in range(3)], axis=2)
    x[np.arange(n), rng.integers(0, 8, n)] += 0.3
    return x, [numbers[rows[:, k]] for k in range(3)]


@program(
    kind="rate of three heads",
    family="codes of three digits, a head for each",
    half="twentyfirst",
    address="https://github.com/scnuhealthy/cnn_keras_captcha/issues/8",
    symptom="the same code is predicted for every picture, the loss stays near 15",
    cause="the learning rate is too high",
    truth=("learning_rate_too_high",),
    also=(*BLOWN_UP, *STUCK, "dead_units", "saturated_units", "zero_gradients"),
)
def twentyfirst_codes_of_three(repaired):
    pictures, numbers, new_pictures, new_numbers = data.digits(1200)
    x, y = codes(1200, pictures, numbers, 2127)
    new, new_y = codes(400, new_pictures, new_numbers, 2128)
    inputs = keras.Input((8, 24, 1))
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    hidden = L.Flatten()(L.MaxPooling2D(2)(hidden))
    hidden = L.Dropout(0.2)(L.Dense(96, activation="relu")(hidden))
    heads = [L.Dense(10, activation="softmax", name=f"place{k}")(hidden) for k in "123"]
    model = keras.Model(inputs, heads)
    model.compile(
        keras.optimizers.Adam(0.003 if repaired else 0.2),
        ["sparse_categorical_crossentropy"] * 3,
        metrics=[["accuracy"]] * 3,
    )

    def score(model, history):
        found = model.predict(new, verbose=0)
        right = [(f.argmax(-1) == y).mean() for f, y in zip(found, new_y, strict=True)]
        return float((np.mean(right) - 0.1) / 0.9)

    options = {"epochs": 9, "batch_size": 40, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def grains(n, seed):
    """Return measures of grains under the lens, and which of six sorts they are."""
    sorts = np.random.default_rng(2160).normal(size=(6, 3, 12))
    rng = np.random.default_rng(seed)
    y, form = rng.integers(0, 6, n), rng.integers(0, 3, n)
    x = sorts[y, form] + 0.45 * rng.normal(size=(n, 12))
    return x.astype("float32"), y


class Distiller(keras.Model):
    """A student that learns from labels and from a teacher that is not trained."""

    def __init__(self, student, teacher, **kwargs):
        super().__init__(**kwargs)
        self.student, self.teacher = student, teacher

    def call(self, x, training=None):
        return self.student(x, training=training)

    def train_step(self, batch):
        x, y = batch
        taught = ops.stop_gradient(ops.softmax(self.teacher(x, training=False) / 2))

        def loss_of():
            found = self.student(x, training=True)
            hard = self.compute_loss(x=x, y=y, y_pred=found)
            soft = ops.categorical_crossentropy(taught, found / 2, from_logits=True)
            return hard + 0.3 * ops.mean(soft)

        loss = update(self.optimizer, loss_of, self.student)
        self._loss_tracker.update_state(loss)
        return {"loss": self._loss_tracker.result()}


@program(
    kind="teacher and student exchanged",
    family="sorts of grains, student and teacher in one model",
    half="twentyfirst",
    address="https://github.com/keras-team/keras-io/issues/257",
    symptom="the student that is kept has not learned",
    cause="the student stands in the place of the teacher, so the teacher is trained",
    truth=("wrong_network_trained", "zero_gradients", "frozen_layers"),
    also=("unused_layers", "random_at_inference"),
    backends=OWN_STEP,
)
def twentyfirst_sorts_of_grains(repaired):
    x, y = grains(1200, 2161)
    new, new_y = grains(500, 2162)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    large = [L.Dense(96, activation="relu"), L.Dense(96, activation="relu")]
    teacher = keras.Sequential([keras.Input((12,)), *large, L.Dense(6)])
    teacher.compile(keras.optimizers.Adam(0.002), loss)
    teacher.fit(x, y, epochs=3, batch_size=40, verbose=0)
    small = [L.Dense(16, activation="relu")]
    student = keras.Sequential([keras.Input((12,)), *small, L.Dense(6)])
    whole = (student, teacher) if repaired else (teacher, student)
    model = Distiller(*whole)
    model.compile(keras.optimizers.Adam(0.005), loss)
    right = scores.accuracy(new, new_y)
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, lambda model, history: right(student, history), options)
