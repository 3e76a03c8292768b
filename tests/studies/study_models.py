"""A model and data that spawned processes can import."""

import keras
import numpy as np


def build_model():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="tanh"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse", metrics=["mae"])
    return model


def build_wild_model():
    model = build_model()
    model.optimizer.learning_rate = 1e25
    return model


def data(n=48):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype("float32")
    y = (x @ [1, -2, 0.5, 0] + 0.3 * rng.normal(size=n)).astype("float32")
    return x, y[:, None]
