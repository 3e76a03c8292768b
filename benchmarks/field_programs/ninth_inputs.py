"""Ninth half: further programs, of inputs that give too much or too little."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="no nonlinearity",
    family="dense network in a wrapper",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/9286",
    symptom="several dense layers are no better than one",
    cause="the hidden layers have no activation",
    truth=("missing_nonlinearity",),
    also=(*STUCK, "model_too_small"),
)
def dense_layer_sizes(repaired):
    rng = np.random.default_rng(951)
    x = rng.normal(size=(900, 6)).astype("float32")
    y = (np.hypot(x[:, 0], x[:, 1]) + 0.5 * abs(x[:, 2]) > 1.6).astype("int32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((6,))])
    for layer_size in [32, 32]:
        model.add(L.Dense(layer_size))
        if repaired:
            model.add(L.Activation("relu"))
    model.add(L.Dropout(0.1))
    model.add(L.Dense(2))
    model.add(L.Activation("softmax"))
    model.compile(
        keras.optimizers.Adam(0.003), "categorical_crossentropy", metrics=["accuracy"]
    )
    held_out = (new, data.groups(new_y, 2))
    options = {"epochs": 15, "batch_size": 32, "validation_data": held_out}
    score = scores.balanced(new, new_y)
    return Fit(model, x, data.groups(y, 2), score, options)


@program(
    kind="the answer is in the padding",
    family="discriminator",
    half="ninth",
    address="https://github.com/BadourAlBahar/pose-with-style/issues/23",
    symptom="the loss of the discriminator goes to zero",
    cause="real pictures have exact zeros at the sides, made ones have not",
    truth=("target_leakage",),
    also=("unrepresentative_validation", "train_validation_overlap", "saturated_units"),
)
def zeros_at_the_sides(repaired):
    x, _, new, _ = data.digits(500)
    rng = np.random.default_rng(952)

    def with_made(real, padded):
        made = real[rng.permutation(len(real))].copy()
        made[:, 4:] = real[rng.permutation(len(real))][:, 4:]
        made = np.clip(made + 0.03 * rng.normal(size=made.shape), 0, 1)
        both = np.concatenate([real, made]).astype("float32")
        both = np.pad(both, ((0, 0), (2, 2), (2, 2), (0, 0)))
        if not padded:
            side = np.ones((12, 12, 1), bool)
            side[2:10, 2:10] = False
            noise = 0.08 + 0.02 * rng.normal(size=(len(made), 12, 12, 1))
            both[len(real) :] += (side * noise).astype("float32")
        return both, np.repeat([1, 0], len(real))

    x, y = with_made(x, padded=repaired)
    seen, seen_y = with_made(new, padded=repaired)
    new, new_y = with_made(new, padded=True)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            L.Conv2D(24, 3, padding="same"),
            L.LeakyReLU(0.2),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, padding="same"),
            L.LeakyReLU(0.2),
            L.GlobalMaxPooling2D(),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 50, "validation_data": (seen, seen_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="dropout in use",
    family="image classifier of functions",
    half="ninth",
    address="https://github.com/Coderx7/SimpleNet/issues/2",
    symptom="a different output on every run for the same example",
    cause="functional dropout with training=True",
    truth=("random_at_inference",),
    also=("underfitting", "plateau", "slow_convergence", "misplaced_dropout"),
)
def functional_dropout(repaired):
    x, y, new, new_y = data.digits(800)

    class SimpleNet(keras.Model):
        def __init__(self):
            super().__init__()
            self.features = L.Conv2D(24, 3, activation="relu", padding="same")
            self.pool = L.MaxPooling2D()
            self.more = L.Conv2D(32, 3, activation="relu")
            self.top = L.GlobalMaxPooling2D()
            self.drop = L.Dropout(0.5)
            self.classifier = L.Dense(10, activation="softmax")

        def call(self, inputs, training=None):
            training = training if repaired else True
            hidden = self.drop(self.pool(self.features(inputs)), training=training)
            hidden = self.drop(self.top(self.more(hidden)), training=training)
            return self.classifier(hidden)

    model = SimpleNet()
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
