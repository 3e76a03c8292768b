"""Ninth half: programs whose outputs, targets or loss do not go together."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="output cannot reach the targets",
    family="dense regression",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/4055",
    symptom="no useful output, the targets are floats below and above zero",
    cause="a sigmoid at the end, where the targets go from -2 to 2",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "saturated_units", "saturating_activations", "zero_gradients"),
)
def three_floats_one_float(repaired):
    rng = np.random.default_rng(901)
    x = rng.uniform(-1, 1, (700, 3)).astype("float32")
    y = np.sin(2.5 * x[:, 0]) + x[:, 1] * x[:, 2] - 0.8 * x[:, 1]
    y = (y - y.mean()) / y.std() + 0.15 * rng.normal(size=700)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])
    model = keras.Sequential(
        [
            keras.Input((3,)),
            L.Dense(24, activation="relu"),
            L.Dense(24, activation="relu"),
            L.Dense(1),
            L.Activation("linear" if repaired else "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    options = {"epochs": 30, "batch_size": 61, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="softmax over one number",
    family="residual network for regression",
    half="ninth",
    address="https://github.com/raghakot/keras-resnet/issues/46",
    symptom="the training loss hardly falls, no matter how big the rate is",
    cause="the residual network ends in a softmax, here over a single output",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients", "vanishing_gradients", "nothing_to_train"),
)
def residual_regression(repaired):
    x, _, masks = data.shapes(480, seed=902)
    y = masks.sum(axis=(1, 2, 3))
    y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)

    def block(inputs, filters, strides=1):
        hidden = L.Conv2D(filters, 3, strides=strides, padding="same")(inputs)
        hidden = L.Activation("relu")(hidden)
        hidden = L.Conv2D(filters, 3, padding="same")(hidden)
        short = L.Conv2D(filters, 1, strides=strides)(inputs)
        return L.Activation("relu")(L.Add()([hidden, short]))

    inputs = keras.Input((16, 16, 1))
    hidden = block(block(inputs, 8, 2), 16, 2)
    hidden = L.GlobalAveragePooling2D()(hidden)
    activation = None if repaired else "softmax"
    model = keras.Model(inputs, L.Dense(1, activation=activation)(hidden))
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    options = {"epochs": 16, "batch_size": 48, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="dropout after the output",
    family="dense forecast of several values",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/5992",
    symptom="the outputs are nearly the same for every sample",
    cause="half of the outputs themselves are dropped in training",
    truth=("misplaced_dropout",),
    also=("underfitting", "plateau", "slow_convergence", "oscillating_loss"),
    margin=0.08,
)
def dropout_on_the_answer(repaired):
    rng = np.random.default_rng(903)
    x = rng.normal(size=(900, 6)).astype("float32")
    mix = rng.normal(size=(6, 4))
    y = np.tanh(x @ mix) + 0.5 * np.sin(2 * x[:, :4]) + 0.1 * rng.normal(size=(900, 4))
    x, y, new, new_y = data.split(x, (y / y.std()).astype("float32"))
    in_x = keras.Input((6,), name="in_x")
    hidden = L.Dense(48, activation="relu", name="h1")(in_x)
    hidden = L.Dense(32, activation="relu", name="h2")(hidden)
    out = L.Dense(4, name="out")(hidden)
    if not repaired:
        out = L.Dropout(0.5)(out)
    model = keras.Model(in_x, out)
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 25, "batch_size": 48, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="softmax twice",
    family="recurrent convolutional network",
    half="ninth",
    address="https://github.com/doronharitan/human_activity_recognition_LRCN/issues/4",
    symptom="converges slowly",
    cause="a softmax in the model, and another one in the loss",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, "learning_rate_too_low", "too_few_updates", "vanishing_gradients"),
    backends=("torch", "jax"),
)
def activity_from_frames(repaired):
    x, y = data.gestures(700, classes=6, seed=904)
    x, y, new, new_y = data.split(x, y)

    class Lrcn(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = L.Conv1D(16, 3, activation="relu", padding="same")
            self.pool = L.MaxPooling1D(2)
            self.lstm = L.LSTM(24)
            self.out = L.Dense(6)

        def call(self, inputs):
            hidden = self.lstm(self.pool(self.conv(inputs)))
            logits = self.out(hidden)
            return logits if repaired else ops.softmax(logits)

    model = Lrcn()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.15, momentum=0.9), loss, metrics=["accuracy"])
    options = {"epochs": 4, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def tags(x, y):
    """Return how much better than chance each of several tags is told."""

    def score(model, history):
        said = scores.predicted(model, x) > 0.5
        found = [(said[y[:, k] == 1, k]).mean() for k in range(y.shape[1])]
        spared = [(~said[y[:, k] == 0, k]).mean() for k in range(y.shape[1])]
        return float(np.mean(found) + np.mean(spared) - 1)

    return score


@program(
    kind="one answer where several are right",
    family="picture tags",
    half="ninth",
    address="https://github.com/godardt/planet-amazon-deforestation/pull/1",
    symptom="if one label gets 0.6, the others have at most 0.4",
    cause="softmax and categorical cross-entropy for labels that come together",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, "diverging_loss", "metric_mismatch"),
)
def tags_of_a_picture(repaired):
    rng = np.random.default_rng(905)
    y = (rng.random((700, 5)) < 0.45).astype("float32")
    patterns = rng.normal(size=(5, 10, 10, 2))
    x = np.einsum("nk,khwc->nhwc", y, patterns) + 1.2 * rng.normal(
        size=(700, 10, 10, 2)
    )
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential(
        [
            keras.Input((10, 10, 2)),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.3),
            L.Dense(5, activation="sigmoid" if repaired else "softmax"),
        ]
    )
    loss = "binary_crossentropy" if repaired else "categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["binary_accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, tags(new, new_y), options)


@program(
    kind="many classes in a model for two",
    family="recurrent text classifier",
    half="ninth",
    address="https://github.com/ilivans/tf-rnn-attention/issues/10",
    symptom="highly negative loss on each iteration",
    cause="a set with many topics in a model and a loss for two classes",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, *BLOWN_UP, "saturated_units", "exploding_activations"),
    backends=("jax", "tensorflow"),
)
def newswire_in_a_binary_model(repaired):
    rng = np.random.default_rng(906)
    y = rng.integers(0, 6, 560)
    x = rng.integers(61, 120, (560, 18))
    about = rng.random((560, 18)) < 0.3
    x[about] = (1 + 10 * y[:, None] + rng.integers(0, 10, (560, 18)))[about]
    x, y, new, new_y = data.split(x.astype("int32"), y)
    inputs = keras.Input((18,), dtype="int32")
    hidden = L.Embedding(120, 16)(inputs)
    hidden = L.GRU(20, return_sequences=True)(hidden)
    hidden = L.GlobalMaxPooling1D()(hidden)
    if repaired:
        outputs, loss = L.Dense(6, activation="softmax")(hidden), CROSS
    else:
        outputs, loss = L.Dense(1, activation="sigmoid")(hidden), "binary_crossentropy"
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    options = {"epochs": 5, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.right(new, new_y), options)


@program(
    kind="relu before the softmax",
    family="image classifier",
    half="ninth",
    address="https://github.com/martinwicke/tf-dev-summit-tensorboard-tutorial/issues/3",
    symptom="the accuracy could not overcome 65 %, without the relu it is over 99 %",
    cause="a relu on the logits: classes whose logit is below zero get no gradient",
    truth=("output_activation_mismatch", "dead_units"),
    also=(*STUCK, "zero_gradients"),
)
def relu_on_the_logits(repaired):
    x, y, new, new_y = data.digits(700)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu", padding="same"),
            L.MaxPooling2D(),
            L.Conv2D(24, 3, activation="relu", padding="same"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10, activation=None if repaired else "relu"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.004), loss, metrics=["accuracy"])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
