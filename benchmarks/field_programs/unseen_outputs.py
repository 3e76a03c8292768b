"""Unseen programs whose output, loss or metric does not fit the targets."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.outputs import MISMATCH
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def topics(n=560, length=14, seed=301):
    """Return ids of words (n, length) and which of four topics they are about."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    own = 1 + 12 * y[:, None] + rng.integers(0, 12, (n, length))
    any_word = rng.integers(1, 60, (n, length))
    x = np.where(rng.random((n, length)) < 0.35, own, any_word)
    return x.astype("int32"), y


@program(
    kind="ReLU before the loss",
    family="image classifier",
    half="unseen",
    address="https://github.com/keras-team/keras/issues/12096",
    symptom="a simple network does not learn at all: the loss stays at 5.37",
    cause="the last layer has a ReLU where the cross-entropy wants a softmax",
    truth=MISMATCH,
    also=(
        *STUCK,
        "dead_units",
        "zero_gradients",
        "non_finite_operation",
        "non_finite_start",
        "non_finite_values",
        "non_finite_weights",
        "disagreeing_loss",
    ),
)
def cats_and_dogs_by_relu(repaired):
    x, y, new, new_y = data.digits(600)
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(10, activation="softmax" if repaired else "relu"))
    model.compile(
        optimizer=keras.optimizers.Adam(0.005),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    y = keras.utils.to_categorical(y, 10)
    options = {"epochs": 12, "validation_split": 0.2}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="logits taken for probabilities",
    family="text classifier",
    half="unseen",
    address="https://github.com/tensorflow/docs/pull/2102",
    symptom="with four topics instead of two the accuracy is about 0.3",
    cause="no softmax, and a loss that does not expect logits",
    truth=MISMATCH,
    also=(*STUCK, "disagreeing_loss"),
)
def four_topics(repaired):
    x, y = topics()
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((14,), dtype="int32"),
            L.Embedding(61, 16),
            L.Dropout(0.1),
            L.GlobalAveragePooling1D(),
            L.Dropout(0.1),
            L.Dense(4),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=repaired)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="term of the likelihood forgotten",
    family="probabilistic regression",
    half="unseen",
    address="https://github.com/piEsposito/blitz-bayesian-deep-learning/pull/15",
    symptom="the logarithm of sigma has to be taken in the likelihood",
    cause="without that term a huge deviation makes every error cheap",
    truth=("disagreeing_loss", "loss_target_mismatch", "unknown_cause"),
    also=(*STUCK, "vanishing_gradients", "zero_gradients", "exploding_activations"),
)
def deviation_for_free(repaired):
    x, y, new, new_y = data.friedman(560, seed=304)

    def likelihood(y_true, y_pred):
        mean, spread = y_pred[:, :1], y_pred[:, 1:]
        error = 0.5 * ops.square((y_true - mean) * ops.exp(-spread))
        return ops.mean(error + spread if repaired else error, axis=-1)

    inputs = keras.Input((8,))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = L.Dense(16, activation="relu")(hidden)
    out = L.Concatenate()([L.Dense(1)(hidden), L.Dense(1)(hidden)])
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.005), likelihood)

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], new_y)

    options = {"epochs": 22, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class LinearThenSoftmax(keras.Model):
    """Two layers and the logarithm of a softmax over an axis, as in a course."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis
        self.flat = L.Flatten()
        self.first = L.Dense(48, activation="relu")
        self.second = L.Dense(10)

    def call(self, x):
        return ops.log_softmax(self.second(self.first(self.flat(x))), axis=self.axis)


@program(
    kind="softmax over the batch",
    family="subclassed classifier",
    half="unseen",
    address="https://github.com/MicrosoftDocs/pytorchfundamentals/issues/4",
    symptom="why is the axis of the softmax 0 and not 1?",
    cause="the softmax runs over the rows of the batch instead of the classes",
    truth=("wrong_axis", *MISMATCH),
    also=(*STUCK, "unknown_cause", "disagreeing_loss"),
)
def softmax_over_rows(repaired):
    x, y, new, new_y = data.digits(600)

    def surprise(y_true, y_pred):
        picked = ops.one_hot(ops.cast(y_true, "int32"), 10)
        return -ops.sum(picked * y_pred, axis=-1)

    model = LinearThenSoftmax(1 if repaired else 0)
    model.compile(
        keras.optimizers.SGD(0.05),
        surprise,
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )
    options = {"epochs": 12, "batch_size": 16, "validation_data": (new, new_y)}
    order = np.argsort(new_y, kind="stable")
    score = scores.accuracy(new[order], new_y[order])
    return Fit(model, x, y, score, options)


@program(
    kind="dropout behind the output",
    family="recurrent regression",
    half="unseen",
    address="https://github.com/deepchem/deepchem/issues/303",
    symptom="does dropout belong behind the weights of the output of a regression?",
    cause="the forecast itself is dropped at random, so it learns to be too low",
    truth=("misplaced_dropout", "regularization_too_strong"),
    also=(*STUCK, "oscillating_loss"),
)
def forecast_dropped(repaired):
    series = data.load_curve(360, seed=306)
    series = (series - series.min()) / (series.max() - series.min())
    x, y = data.windows(series, 12)
    x, y, new, new_y = x[:250], y[:250], x[250:], y[250:]
    model = keras.Sequential()
    model.add(keras.Input((12, 1)))
    model.add(L.GRU(20))
    if repaired:
        model.add(L.Dropout(0.1))
    model.add(L.Dense(1))
    if not repaired:
        model.add(L.Dropout(0.4))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 12, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="metric wants numbers of classes",
    family="image segmentation",
    half="unseen",
    address="https://github.com/tensorflow/tensorflow/issues/39173",
    symptom="MeanIoU stays at one number while the loss falls",
    cause="it rounds probabilities down to class 0, and the run is stopped by it",
    truth=("metric_mismatch", "stopped_too_early"),
    also=("too_few_updates", "underfitting", "imbalanced_classes", "slow_convergence"),
)
def overlap_of_nothing(repaired):
    x, _, masks = data.shapes(200, size=10, seed=307)
    noise = np.random.default_rng(307).normal(size=x.shape)
    x = (x + 0.15 * noise).astype("float32")
    x, masks, new, new_masks = x[:104], masks[:104], x[104:], masks[104:]
    if repaired:
        overlap = keras.metrics.BinaryIoU([0, 1], threshold=0.5, name="iou")
    else:
        overlap = keras.metrics.MeanIoU(num_classes=2, name="iou")
    model = keras.Sequential(
        [
            keras.Input((10, 10, 1)),
            L.Conv2D(6, 3, padding="same", activation="relu"),
            L.Conv2D(6, 3, padding="same", activation="relu"),
            L.Conv2D(1, 1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.012), "binary_crossentropy", metrics=[overlap]
    )
    stop = keras.callbacks.EarlyStopping(
        monitor="val_iou", mode="max", patience=5, restore_best_weights=True
    )
    options = {
        "epochs": 11,
        "batch_size": 8,
        "validation_data": (new[:26], new_masks[:26]),
        "callbacks": [stop],
    }
    return Fit(model, x, masks, scores.overlap(new, new_masks), options)
