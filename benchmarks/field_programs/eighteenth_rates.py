"""Eighteenth half: programs that step too far, too little, or are held back."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def squares(n, seed):
    """Return pictures of a bright square, and where it is, from -1 to 1."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 20, 20, 1), "float32")
    at = rng.integers(0, 15, (n, 2))
    for i, (r, c) in enumerate(at):
        x[i, r : r + 6, c : c + 6] = 1
    return x, (at / 7 - 1).astype("float32")


@program(
    kind="first rate too high for a deep regression",
    family="where a square is, strides",
    half="eighteenth",
    address="https://stats.stackexchange.com/questions/261704/training-a-neural-network-for-regression-always-predicts-the-mean",
    symptom="the position is always foretold to be the center of the picture",
    cause="Adam with too high a rate: the first steps throw the weights far off",
    truth=("learning_rate_too_high", "dead_units"),
    also=(*STUCK, *BLOWN_UP, "zero_gradients", "vanishing_gradients"),
)
def eighteenth_square_at_the_center(repaired):
    x, y = squares(600, 1831)
    new, new_y = squares(300, 1832)
    model = keras.Sequential([keras.Input((20, 20, 1))])
    for filters in (32, 64, 128):
        model.add(L.Conv2D(filters, 5, strides=2, padding="same", activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dense(100, activation="relu"))
    model.add(L.Dense(2, activation="linear"))
    rate = 0.0005 if repaired else 0.1
    adam = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    model.compile(adam, "mean_squared_error")
    options = {
        "batch_size": 32,
        "epochs": 10,
        "shuffle": True,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rate too low for plain descent",
    family="digits, linear encoder and decoder",
    half="eighteenth",
    address="https://github.com/keras-team/keras/issues/1604",
    symptom="the loss of an autoencoder stays the same to the fourth decimal",
    cause="gradient descent at a rate of 0.001, with next to no momentum",
    truth=("learning_rate_too_low",),
    also=(*STUCK, "too_few_updates", "vanishing_gradients"),
)
def eighteenth_autoencoder_that_stays(repaired):
    x, _, new, _ = data.digits(1200)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    encoder = keras.Sequential([keras.Input((64,)), L.Dense(30)], name="encoder")
    decoder = keras.Sequential([keras.Input((30,)), L.Dense(64)], name="decoder")
    autoencoder = keras.Sequential([encoder, decoder])
    if repaired:
        optimizer = keras.optimizers.Adam(0.003)
    else:
        optimizer = keras.optimizers.SGD(0.001, momentum=0.1)
    autoencoder.compile(optimizer, "mse")
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new)}
    return Fit(autoencoder, x, x, scores.variance(new, new), options)


def simple_net(decay, dropped):
    """Return a plain network of convolutions with decay and dropout throughout."""
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for i, filters in enumerate((16, 16, 32)):
        model.add(
            L.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_regularizer=keras.regularizers.L2(decay),
            )
        )
        if i:
            model.add(L.MaxPooling2D())
            model.add(L.Dropout(dropped))
    model.add(L.Flatten())
    dense = L.Dense(10, "softmax", kernel_regularizer=keras.regularizers.L2(decay))
    model.add(dense)
    return model


@program(
    kind="decay and dropout of another framework",
    family="digits, a simple network ported",
    half="eighteenth",
    address="https://github.com/Coderx7/SimpleNet_Pytorch/issues/2",
    symptom="with the weight decay and dropout of the original the port underfits",
    cause="the penalty of the original is far too strong in the port",
    truth=("regularization_too_strong",),
    also=(*STUCK, "dead_units", "vanishing_gradients", "zero_gradients"),
)
def eighteenth_penalty_of_the_original(repaired):
    x, y, new, new_y = data.digits(1000)
    decay, dropped = (0.0005, 0.15) if repaired else (0.06, 0.5)
    model = simple_net(decay, dropped)
    model.compile(
        keras.optimizers.Adam(0.002),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def base_of_digits(x, y):
    """Return convolutions that have learned to tell the first digits."""
    base = keras.Sequential([keras.Input((8, 8, 1))], name="base")
    for filters in (16, 24, 32):
        base.add(L.Conv2D(filters, 3, padding="same", activation="relu"))
    base.add(L.MaxPooling2D())
    base.add(L.Flatten())
    whole = keras.Sequential([base, L.Dense(6, activation="softmax")])
    whole.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    whole.fit(x, y, epochs=5, batch_size=32, verbose=0)
    return base


@program(
    kind="learned base smashed by large steps",
    family="last four digits by a base that knows six",
    half="eighteenth",
    address="https://thecodeforge.io/ml-ai/tensorflow-transfer-learning/",
    symptom="after fine-tuning the validation accuracy is no better than a guess",
    cause="all of the base is tuned at once, at a rate meant for a new head",
    truth=("learning_rate_too_high",),
    also=(*STUCK, *BLOWN_UP, "dead_units", "overfitting", "zero_gradients"),
)
def eighteenth_base_smashed(repaired):
    x, y, new, new_y = data.digits(1200)
    base = base_of_digits(x[y < 6], y[y < 6])
    x, y = x[y > 5][:200], y[y > 5][:200] - 6
    new, new_y = new[new_y > 5], new_y[new_y > 5] - 6
    base.trainable = not repaired
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dense(32, activation="relu")(base(inputs))
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003 if repaired else 0.03),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 12, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
