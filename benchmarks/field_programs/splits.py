"""Programs whose rows are in order, out of step, shared or split badly."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.outputs import small_unet
from field_programs.registry import Fit, program

L = keras.layers


def small_cnn(classes=10, size=8, filters=12):
    """Return two convolutions and a softmax, for small pictures."""
    return keras.Sequential(
        [
            keras.Input((size, size, 1)),
            L.Conv2D(filters, 3, activation="relu"),
            L.Conv2D(filters, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(classes, activation="softmax"),
        ]
    )


class Batches(keras.utils.PyDataset):
    """Serve arrays in batches, changed by a function of your own."""

    def __init__(self, x, y, size=32, change=None):
        super().__init__()
        self.x, self.y, self.size = x, y, size
        self.change = change or (lambda x, y, index: (x, y))

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return self.change(self.x[rows], self.y[rows], index)


@program(
    kind="sorted validation split",
    family="image classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/8346",
    symptom="the validation accuracy is zero",
    cause="validation_split takes the last rows: all of the last classes",
    truth=("unrepresentative_validation", "rows_in_order"),
    also=("overfitting",),
)
def last_class_held_out(repaired):
    x, y, new, new_y = data.digits()
    x, y = x[:600], y[:600]
    if not repaired:
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    model = small_cnn()
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 9, "validation_split": 0.2}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="the same rows again",
    family="generator",
    half="tune",
    address="https://github.com/keras-team/keras/issues/3985",
    symptom="with a generator the accuracy drops from 98 to 72 %",
    cause="the generator starts at the first row at every batch",
    truth=("repeated_batches", "overfitting"),
    also=("unknown_cause", "model_too_large", "train_validation_overlap"),
)
def generator_from_the_start(repaired):
    x, y, new, new_y = data.digits()
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)

    def batches():
        i = 0
        while True:
            if not repaired:
                i = 0
            yield x[i : i + 64], y[i : i + 64]
            i = (i + 64) % (len(x) - 64)

    model = keras.Sequential(
        [keras.Input((64,)), L.Dense(64, "relu"), L.Dense(10, "softmax")]
    )
    model.compile(
        keras.optimizers.Adam(0.005),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 12,
        "steps_per_epoch": 9,
        "validation_data": (new, new_y),
    }
    return Fit(model, batches(), None, scores.accuracy(new, new_y), options)


@program(
    kind="rows in order",
    family="PyDataset",
    half="tune",
    address="https://github.com/epfml/disco/issues/288",
    symptom="strange oscillations when the data are not shuffled",
    cause="batches hold one class, and come in the order of the classes",
    truth=("rows_in_order",),
    also=("oscillating_loss", "learning_rate_too_high"),
)
def batches_of_one_class(repaired):
    x, y, new, new_y = data.digits()
    x, y = x[:640], y[:640]
    if not repaired:
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    model = small_cnn()
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 8,
        "shuffle": False,
        "validation_data": Batches(new, new_y, 64),
    }
    return Fit(model, Batches(x, y), None, scores.accuracy(new, new_y), options)


@program(
    kind="rows in order",
    family="tf.data",
    half="look",
    address="https://github.com/IBM/graph2tac/pull/95",
    symptom="by the end of an epoch the network has forgotten its beginning",
    cause="a shuffle buffer far smaller than the data, which are sorted",
    truth=("rows_in_order",),
    also=("oscillating_loss", "learning_rate_too_high"),
    backends=("tensorflow",),
)
def small_shuffle_buffer(repaired):
    import tensorflow as tf

    x, y, new, new_y = data.digits()
    order = np.argsort(y, kind="stable")
    rows = tf.data.Dataset.from_tensor_slices((x[order], y[order]))
    rows = rows.shuffle(len(x) if repaired else 20).batch(32)
    model = small_cnn()
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    held_out = tf.data.Dataset.from_tensor_slices((new, new_y)).batch(64)
    options = {"epochs": 6, "validation_data": held_out}
    return Fit(model, rows, None, scores.accuracy(new, new_y), options)


@program(
    kind="rows in order",
    family="recurrent classifier",
    half="look",
    address="https://github.com/MAC-AutoML/rethinking_performance_estimation_in_NAS/issues/17",
    symptom="the accuracy is below the published one; shuffle=True repairs it",
    cause="sorted rows with shuffle=False",
    truth=("rows_in_order",),
    also=("oscillating_loss", "learning_rate_too_high", "plateau"),
)
def shuffle_switched_off(repaired):
    x, y = data.gestures(360, classes=5, noise=0.4, seed=41)
    x, y, new, new_y = data.split(x, y)
    order = np.argsort(y, kind="stable")
    model = keras.Sequential(
        [keras.Input((24, 3)), L.GRU(16), L.Dense(5, activation="softmax")]
    )
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 10,
        "batch_size": 16,
        "shuffle": repaired,
        "validation_data": (new, new_y),
    }
    return Fit(model, x[order], y[order], scores.accuracy(new, new_y), options)


@program(
    kind="inputs and targets out of step",
    family="text classifier",
    half="tune",
    address="https://github.com/DrexelChatbotGroup/DrexelChatbot/issues/15",
    symptom="the classifier is no better than chance",
    cause="x was shuffled, y was not",
    truth=("unrelated_targets", "unknown_cause"),
    also=("overfitting", "slow_convergence", "plateau", "underfitting"),
)
def shuffled_questions(repaired):
    x, y, _ = data.reviews(seed=42)
    x, y, new, new_y = data.split(x, y)
    if not repaired:
        x = np.random.default_rng(1).permutation(x)
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(60, 8),
            L.GlobalAveragePooling1D(),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="inputs and targets out of step",
    family="image segmentation",
    half="look",
    address="https://github.com/keras-team/keras-preprocessing/issues/236",
    symptom="sometimes the picture is flipped and its mask is not",
    cause="picture and mask are augmented independently",
    truth=("unrelated_targets", "unknown_cause", "unrepresentative_validation"),
    also=("underfitting",),
)
def flipped_without_mask(repaired):
    x, _, masks = data.shapes(200, seed=43)
    x, masks, new, new_masks = data.split(x, masks)
    rng = np.random.default_rng(2)

    def flip(x, y, index):
        turns = rng.integers(0, 4, 2)
        if repaired:
            turns[1] = turns[0]
        return tuple(np.rot90(a, k, (1, 2)) for a, k in zip((x, y), turns, strict=True))

    model = small_unet("sigmoid")
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    options = {"epochs": 12, "validation_data": Batches(new, new_masks)}
    batches = Batches(x, masks, 16, flip)
    return Fit(model, batches, None, scores.overlap(new, new_masks), options)


@program(
    kind="validation scaled differently",
    family="PyDataset",
    half="tune",
    address="https://github.com/keras-team/keras/issues/7187",
    symptom="training goes well, the validation accuracy is that of guessing",
    cause="only the training generator rescales its pictures",
    truth=("unrepresentative_validation",),
    also=("overfitting",),
)
def rescaled_in_training_only(repaired):
    x, y, new, new_y = data.digits()
    raw, raw_new = x[:640] * 255, (1 - new) * 255 if not repaired else new * 255

    def rescale(x, y, index):
        return x / 255, y

    model = small_cnn()
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    held_out = Batches(raw_new, new_y, 64, rescale if repaired else None)

    def score(model, history):
        return history.history["val_accuracy"][-1]

    options = {"epochs": 8, "validation_data": held_out}
    return Fit(model, Batches(raw, y[:640], 32, rescale), None, score, options)


@program(
    kind="validation scaled differently",
    family="table regression",
    half="look",
    address="https://github.com/statsmaths/kerasR/issues/21",
    symptom="the predictions for the test set are far off",
    cause="the test set is normalized a second time",
    truth=("unrepresentative_validation",),
    also=("overfitting",),
)
def normalized_twice(repaired):
    x, new, y, new_y = data.table("diabetes", scaled=False)
    scale = x.std(axis=0), x.mean(axis=0)
    x, new = (x - scale[1]) / scale[0], (new - scale[1]) / scale[0]
    if not repaired:
        new = (new - scale[1]) / scale[0]
    y, new_y = y[:, None] / 100, new_y[:, None] / 100
    model = keras.Sequential([keras.Input((10,)), L.Dense(16, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="validation labeled differently",
    family="image classifier",
    half="look",
    address="https://github.com/keras-team/keras/issues/11211",
    symptom="the validation accuracy stays at 1/120 while training goes well",
    cause="the two directories number the breeds differently",
    truth=("unrepresentative_validation",),
    also=("overfitting",),
)
def breeds_numbered_anew(repaired):
    x, y, new, new_y = data.digits()
    x, y = x[:640], y[:640]
    given = new_y if repaired else (3 * new_y + 1) % 10
    model = small_cnn()
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )

    def score(model, history):
        return history.history["val_accuracy"][-1]

    options = {"epochs": 8, "validation_data": (new, given)}
    return Fit(model, x, y, score, options)
