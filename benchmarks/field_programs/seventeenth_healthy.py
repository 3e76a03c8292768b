"""Seventeenth half: programs of tables and lists without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.practice_steps import OWN_STEP, update
from field_programs.registry import Fit, healthy

L = keras.layers


class Weibull(keras.losses.Loss):
    """Surprise at a time that ended, or that is only known to be longer."""

    def call(self, y_true, y_pred):
        time, ended = ops.log(y_true[:, 0]), y_true[:, 1]
        scale, shape = y_pred[:, 0], ops.softplus(y_pred[:, 1]) + 0.1
        power = shape * (time - scale)
        return ops.exp(power) - ended * (ops.log(shape) + power)


@healthy(family="times at a counter, some cut off, Weibull", half="seventeenth")
def seventeenth_times_at_a_counter():
    rng = np.random.default_rng(1761)
    x = rng.normal(size=(1500, 6)).astype("float32")
    scale = 0.7 * x[:, 0] - 0.5 * np.abs(x[:, 1]) + 0.4 * x[:, 2] * x[:, 3]
    time = np.exp(scale) * rng.weibull(1.8, 1500) + 1e-3
    cut = rng.exponential(3.0, 1500) + 0.05
    y = np.stack([np.minimum(time, cut), time <= cut], axis=-1).astype("float32")
    y = np.column_stack([y, scale]).astype("float32")
    x, y, new, new_y = data.split(x, y)
    y, truth = y[:, :2], new_y[:, 2:]
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(32, activation="swish"),
            L.Dense(32, activation="swish"),
            L.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003, clipnorm=5.0), Weibull())

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], truth)

    return Fit(model, x, y, score, {"epochs": 15, "batch_size": 32})


@healthy(family="few samples of soil, stopped early", half="seventeenth")
def seventeenth_few_samples_of_soil():
    rng = np.random.default_rng(1762)
    x = rng.gamma(3.0, [2.0, 0.5, 8.0, 1.0, 30.0, 0.1], (190, 6))
    y = 5.5 + 0.3 * np.log(x[:, 0]) - 0.8 * np.tanh(x[:, 1] - 1.5) + 0.02 * x[:, 2]
    y = (y + 0.25 * rng.normal(size=190)).astype("float32")[:, None]
    x, y, new, new_y = data.split(np.log(x), y)
    x, new = data.standard(x, new)
    y, new_y = data.standard(y, new_y)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(
                16, activation="tanh", kernel_regularizer=keras.regularizers.L2(1e-3)
            ),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    stop = keras.callbacks.EarlyStopping(patience=12, restore_best_weights=True)
    options = {
        "epochs": 60,
        "batch_size": 16,
        "validation_split": 0.2,
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="offers in lists, softmax over the list", half="seventeenth")
def seventeenth_offers_in_lists():
    rng = np.random.default_rng(1763)
    x = rng.normal(size=(1500, 8, 6)).astype("float32")
    worth = 1.5 * x[..., 0] - np.abs(x[..., 1]) + 0.9 * x[..., 2] * x[..., 3]
    chosen = (worth + 0.35 * rng.gumbel(size=worth.shape)).argmax(-1)
    x, chosen, new, new_chosen = data.split(x, chosen)
    offers = keras.Input((8, 6))
    hidden = L.Dense(48, activation="gelu")(offers)
    hidden = L.Dense(24, activation="gelu")(hidden)
    outputs = L.Reshape((8,))(L.Dense(1)(hidden))
    model = keras.Model(offers, outputs)
    model.compile(
        keras.optimizers.AdamW(0.003, weight_decay=0.001),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["categorical_accuracy"],
    )
    score = scores.accuracy(new, new_chosen)
    y, new_y = data.groups(chosen, 8), data.groups(new_chosen, 8)
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Blended(keras.Model):
    """A classifier whose step blends each row with another one."""

    def train_step(self, batch):
        x, y = batch
        share = float(np.random.default_rng().beta(0.3, 0.3))
        x = share * x + (1 - share) * ops.flip(x, axis=0)
        y = share * y + (1 - share) * ops.flip(y, axis=0)

        def loss_of():
            return self.compute_loss(x=x, y=y, y_pred=self(x, training=True))

        self._loss_tracker.update_state(update(self.optimizer, loss_of, self))
        return {"loss": self._loss_tracker.result()}


@healthy(
    family="minerals by spectrum, rows blended in a step of one's own",
    half="seventeenth",
    backends=OWN_STEP,
)
def seventeenth_blended_minerals():
    rng = np.random.default_rng(1764)
    lines = np.random.default_rng(1765).uniform(4, 44, (4, 3))
    y = rng.integers(0, 4, 1200)
    place = lines[y] + rng.normal(0, 0.7, (1200, 3))
    high = rng.uniform(0.3, 1.3, (1200, 3))
    t = np.arange(48)
    x = (high[..., None] * np.exp(-(((t - place[..., None]) / 2) ** 2))).sum(1)
    x = x + rng.uniform(-0.2, 0.2, (1200, 1)) * t / 24 + 0.2 * rng.normal(size=x.shape)
    x = ((x - x.mean()) / x.std())[..., None].astype("float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((48, 1))
    hidden = L.Conv1D(16, 5, use_bias=False)(inputs)
    hidden = L.ReLU()(L.BatchNormalization(momentum=0.9)(hidden))
    hidden = L.Conv1D(24, 5, strides=2, use_bias=False)(hidden)
    hidden = L.ReLU()(L.BatchNormalization(momentum=0.9)(hidden))
    outputs = L.Dense(4, activation="softmax")(L.Flatten()(hidden))
    model = Blended(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.002), "categorical_crossentropy")
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 4), data.groups(new_y, 4)
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
