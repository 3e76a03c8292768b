"""Ninth half: programs whose rate, start, size or length does not suit."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="rate too low",
    family="picture classifier with AdaDelta",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/13047",
    symptom="the same network learns in Keras and hardly in tf.keras",
    cause="the default rate of Adadelta is 0.001, with 1.0 it works",
    truth=("learning_rate_too_low",),
    also=(*STUCK, "too_few_updates"),
)
def adadelta_by_default(repaired):
    x, y, new, new_y = data.digits(640)
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    hidden = L.Flatten()(hidden)
    hidden = L.Dense(48, activation="relu")(hidden)
    hidden = L.Dropout(0.25)(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    if repaired:
        optimizer = keras.optimizers.Adadelta(1.0)
    else:
        optimizer = keras.optimizers.Adadelta()
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    held_out = (new, data.groups(new_y, 10))
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)


@program(
    kind="clipping too tight",
    family="dense regression of fields",
    half="ninth",
    address="https://github.com/wandb/senpai/pull/978",
    symptom="every batch is clipped, the steps are twenty times shorter than meant",
    cause="the norm of the gradients is clipped far below what it usually is",
    truth=("clipping_too_tight",),
    also=(*STUCK, "learning_rate_too_low", "too_few_updates"),
)
def every_batch_clipped(repaired):
    x, y, new, new_y = data.friedman(700, seed=942)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(32, activation="gelu"),
            L.Dense(32, activation="gelu"),
            L.Dense(1),
        ]
    )
    most = 5.0 if repaired else 0.02
    sgd = keras.optimizers.SGD(0.02, momentum=0.9, global_clipnorm=most)
    model.compile(sgd, "mse", metrics=["mae"])
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class LayerDecay(keras.callbacks.Callback):
    """Multiply the rate by a factor: at the beginning, or at every step."""

    def __init__(self, factor, every_step):
        super().__init__()
        self.factor, self.every_step = factor, every_step

    def decay(self):
        optimizer = self.model.optimizer
        optimizer.learning_rate = float(optimizer.learning_rate) * self.factor

    def on_train_begin(self, logs=None):
        self.decay()

    def on_train_batch_end(self, batch, logs=None):
        if self.every_step:
            self.decay()


@program(
    kind="rate collapses",
    family="positions in pictures",
    half="ninth",
    address="https://github.com/jaehyunnn/ViTPose_pytorch/issues/20",
    symptom="the learning rate quickly becomes 0 while the training goes on",
    cause="the decay meant for the beginning is applied at every step",
    truth=("learning_rate_collapsed", "learning_rate_too_low"),
    also=(*STUCK, "too_few_updates"),
)
def decay_at_every_step(repaired):
    x, _, masks = data.shapes(420, seed=943)
    grid = np.mgrid[:16, :16].transpose(1, 2, 0)
    weight = masks / masks.sum(axis=(1, 2), keepdims=True)
    y = (weight * grid).sum(axis=(1, 2)) / 8 - 1
    x, y, new, new_y = data.split(x, y.astype("float32"))
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 1)))
    model.add(L.Conv2D(8, 3, strides=2, activation="relu", padding="same"))
    model.add(L.Conv2D(8, 3, strides=2, activation="relu", padding="same"))
    model.add(L.Flatten())
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(2))
    model.compile(keras.optimizers.AdamW(0.005), "mse")
    decay = LayerDecay(0.75, every_step=not repaired)
    options = {
        "epochs": 16,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [decay],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="stopped at the first pause",
    family="dense classifier with dropout",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/17305",
    symptom="training always stops early",
    cause="EarlyStopping with its default patience of 0",
    truth=("stopped_too_early",),
    also=("too_few_updates", "underfitting", "slow_convergence"),
)
def stopped_by_default(repaired):
    x, y, new, new_y = data.two_classes(900, columns=16, seed=944, apart=0.9)
    model = keras.Sequential(
        [
            keras.Input((16,)),
            L.GaussianNoise(0.4),
            L.Dense(32, activation="relu"),
            L.Dropout(0.4),
            L.Dense(32, activation="relu"),
            L.Dropout(0.4),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.002), "binary_crossentropy", metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping(
        monitor="accuracy", patience=8 if repaired else 0
    )
    options = {
        "epochs": 30,
        "batch_size": 48,
        "validation_data": (new, new_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="weights too large at the start",
    family="dense network on pictures",
    half="ninth",
    address="https://github.com/MichalDanielDobrzanski/DeepLearningPython/issues/13",
    symptom="relu instead of sigmoid: the accuracy stays at 0.095",
    cause="weights drawn with a deviation of 1, a tenth of it works",
    truth=("poor_initialization",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "exploding_activations",
        "dead_units",
        "learning_rate_too_high",
        "saturated_units",
        "zero_gradients",
        "non_finite_weights",
    ),
)
def relu_for_sigmoid(repaired):
    x, y, new, new_y = data.digits(800)

    def start():
        return keras.initializers.RandomNormal(stddev=0.1 if repaired else 1.0)

    model = keras.Sequential([keras.Input((8, 8, 1)), L.Flatten()])
    for units in (64, 48):
        layer = L.Dense(
            units, "relu", kernel_initializer=start(), bias_initializer=start()
        )
        model.add(layer)
    model.add(L.Dense(10, "softmax", kernel_initializer=start()))
    model.compile(keras.optimizers.SGD(0.1), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="overfitting",
    family="classifier of a small set of pictures",
    half="ninth",
    address="https://github.com/anujshah1003/own_data_cnn_implementation_keras/issues/7",
    symptom="the accuracy is 93 % in training and not even 60 % in the test",
    cause="a large dense network behind the filters, for a few hundred pictures",
    truth=("overfitting", "model_too_large"),
)
def own_small_set(repaired):
    x, y, _ = data.shapes(500, seed=946)
    rng = np.random.default_rng(946)
    x = (x - 0.3 + 0.38 * rng.normal(size=x.shape)).astype("float32")
    new, new_y, x, y = x[140:], y[140:], x[:140], y[:140]
    model = keras.Sequential([keras.Input((16, 16, 1))])
    if repaired:
        model.add(L.Conv2D(8, 5, activation="relu", padding="same"))
        model.add(L.GlobalMaxPooling2D())
    else:
        model.add(L.Conv2D(16, 3, activation="relu", padding="same"))
        model.add(L.Conv2D(16, 3, activation="relu"))
        model.add(L.Flatten())
        model.add(L.Dense(128, activation="relu"))
    model.add(L.Dense(2, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.005 if repaired else 0.002), CROSS, metrics=["accuracy"]
    )
    options = {"epochs": 25, "batch_size": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
