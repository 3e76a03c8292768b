"""Programs of the eighth half whose rate, start or depth does not suit."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="rate too high",
    family="linear regression",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/3040",
    symptom="weights become nan within a few steps, even for y = 2 x",
    cause="the rate is too high for numbers of this size",
    truth=("learning_rate_too_high",),
    also=(
        "unscaled_inputs",
        *BLOWN_UP,
        *STUCK,
        "non_finite_weights",
        "unscaled_targets",
    ),
)
def twice_a_number(repaired):
    rng = np.random.default_rng(841)
    x = rng.permutation(np.arange(600) % 20).astype("float32")[:, None]
    y = (2 * x + rng.normal(size=x.shape)).astype("float32")
    model = keras.Sequential()
    model.add(keras.Input((1,)))
    model.add(L.Dense(1))
    rate = keras.optimizers.SGD(0.001 if repaired else 0.05)
    model.compile(rate, "mean_squared_error")
    score = scores.variance(x[450:], y[450:])
    return Fit(model, x[:450], y[:450], score, {"epochs": 12, "batch_size": 10})


@program(
    kind="rate too high",
    family="translation word by word",
    half="eighth",
    address="https://github.com/OpenNMT/OpenNMT-py/issues/805",
    symptom="with Adam the perplexity stays high and the accuracy is erratic",
    cause="the rate of 1 that suits plain gradient descent is left to Adam",
    truth=("learning_rate_too_high",),
    also=(
        *BLOWN_UP,
        *STUCK,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "exploding_activations",
        "saturated_units",
        "non_finite_weights",
    ),
)
def translation_with_adam_at_one(repaired):
    rng = np.random.default_rng(842)
    other = rng.permutation(30)
    x = rng.integers(0, 30, (600, 10)).astype("int32")
    y = other[x]
    # after an even word comes the word's second form
    y[:, 1:] = np.where(x[:, :-1] % 2 == 0, y[:, 1:], (y[:, 1:] + 7) % 30)
    inputs = keras.Input((10,), dtype="int32")
    hidden = L.Embedding(30, 24)(inputs)
    hidden = L.Conv1D(64, 2, padding="causal", activation="relu")(hidden)
    hidden = L.Dense(48, activation="relu")(hidden)
    hidden = L.Dropout(0.1)(hidden)
    model = keras.Model(inputs, L.Dense(30, activation="softmax")(hidden))
    rate = keras.optimizers.Adam(0.005 if repaired else 1.0)
    model.compile(rate, CROSS, metrics=["accuracy"])
    held_out = x[420:], y[420:]
    options = {"epochs": 18, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:420], y[:420], scores.balanced(*held_out), options)


@program(
    kind="rate too low",
    family="dense network on pictures",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/2711",
    symptom="the loss does not change in training",
    cause="the rate is too small, a larger one helps",
    truth=("learning_rate_too_low", "too_few_updates"),
    also=STUCK,
)
def pictures_at_a_tiny_rate(repaired):
    x, y, new, new_y = data.digits(800)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dropout(0.1),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.SGD(0.05 if repaired else 0.00005, momentum=0.9)
    model.compile(rate, "categorical_crossentropy", metrics=["accuracy"])
    held_out = new, data.groups(new_y, 10)
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    score = scores.balanced(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)


@program(
    kind="rate too low",
    family="exclusive or",
    half="eighth",
    address="https://github.com/keras-team/keras/issues/1295",
    symptom="the loss is dropping, but the answers are never right",
    cause="plain gradient descent at its default rate needs far more steps",
    truth=("learning_rate_too_low", "too_few_updates"),
    also=(*STUCK, "saturating_activations", "vanishing_gradients"),
)
def exclusive_or_by_default(repaired):
    rng = np.random.default_rng(844)
    corner = rng.integers(0, 2, (640, 2))
    x = (corner + 0.12 * rng.normal(size=corner.shape)).astype("float32")
    y = (corner[:, 0] ^ corner[:, 1]).astype("int32")
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    model.add(L.Dense(8))
    model.add(L.Activation("sigmoid"))
    model.add(L.Dense(1))
    model.add(L.Activation("sigmoid"))
    descent = keras.optimizers.SGD(0.01)
    if repaired:
        descent = keras.optimizers.SGD(0.5, momentum=0.9, nesterov=True)
    model.compile(descent, "binary_crossentropy", metrics=["accuracy"])
    options = {"epochs": 40, "batch_size": 16, "validation_split": 0.15}
    score = scores.balanced(x[420:], y[420:])
    return Fit(model, x[:420], y[:420], score, options)


@program(
    kind="weights too large at the start",
    family="network of one hidden layer",
    half="eighth",
    address="https://github.com/MichalDanielDobrzanski/DeepLearningPython/issues/13",
    symptom="sigmoid replaced by relu: the accuracy is 0.095 in all epochs",
    cause="for a relu, weights of size 1 and the rate are too large",
    truth=("poor_initialization", "learning_rate_too_high"),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "exploding_activations",
        "saturated_units",
    ),
)
def relu_from_unit_weights(repaired):
    x, y, new, new_y = data.digits(600)

    def start():
        return keras.initializers.RandomNormal(0, 0.1 if repaired else 1.0)

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(30, "relu", kernel_initializer=start(), bias_initializer=start()),
            L.Dense(30, "relu", kernel_initializer=start(), bias_initializer=start()),
            L.Dense(10, kernel_initializer=start(), bias_initializer=start()),
            L.Softmax(),
        ]
    )
    rate = keras.optimizers.SGD(0.05 if repaired else 0.5)
    model.compile(rate, CROSS, metrics=["accuracy"])
    options = {"epochs": 16, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="many layers of sigmoids",
    family="deep network on a table",
    half="eighth",
    address="https://github.com/aymericdamien/TensorFlow-Examples/pull/146",
    symptom="layers of sigmoids learn slowly or not at all, relu is best practice",
    cause="the gradient shrinks in each layer of sigmoids",
    truth=("vanishing_gradients", "saturating_activations"),
    also=(*STUCK, "too_few_updates", "learning_rate_too_low"),
)
def seven_layers_of_sigmoids(repaired):
    x, new, y, new_y = data.table("digits")
    activation = "relu" if repaired else "sigmoid"
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(7):
        model.add(L.Dense(32, activation=activation))
    model.add(L.Dense(10, activation="softmax"))
    rate = keras.optimizers.SGD(0.03, momentum=0.9)
    model.compile(rate, CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
