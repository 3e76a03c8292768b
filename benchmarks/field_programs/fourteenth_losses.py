"""Fourteenth half: programs that minimize something else than what is wanted."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


class Sampled(L.Layer):
    """A draw from a normal distribution, and what it costs."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(1421)

    def call(self, inputs, training=False):
        mean, log_var = inputs
        cost = ops.square(mean) + ops.exp(log_var) - log_var - 1
        self.add_loss(ops.mean(0.5 * ops.sum(cost, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_var) * noise


def pixels_added_up(y_true, y_pred):
    return 64 * keras.losses.binary_crossentropy(y_true, y_pred)


@program(
    kind="one term drowns the other",
    family="variational autoencoder",
    half="fourteenth",
    address="https://github.com/keras-team/keras/issues/3373",
    symptom="all places of the latent space produce the same picture",
    cause="the mean over the pixels is tiny beside the sum over the latent space",
    truth=("loss_terms_out_of_balance",),
    also=(*STUCK, "random_at_inference", "collapsed_embeddings"),
)
def places_all_alike(repaired):
    x, _, new, _ = data.digits(1200)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    inputs = keras.Input((64,))
    hidden = L.Dense(64, activation="relu")(inputs)
    code = Sampled()([L.Dense(6)(hidden), L.Dense(6)(hidden)])
    hidden = L.Dense(64, activation="relu")(code)
    model = keras.Model(inputs, L.Dense(64, activation="sigmoid")(hidden))
    loss = pixels_added_up if repaired else "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.004), loss)
    options = {"epochs": 17, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


def root_mean_squared_error(y_true, y_pred):
    return ops.sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1))


def root_and_a_little(y_true, y_pred):
    return ops.sqrt(ops.mean(ops.square(y_pred - y_true), axis=-1) + 1e-6)


@program(
    kind="root of nothing",
    family="rain at four stations",
    half="fourteenth",
    address="https://github.com/keras-team/keras/issues/6644",
    symptom="with the root of the mean square, the loss is NaN after some steps",
    cause="the root of 0 has no slope: days on which no station works are exact",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights"),
)
def rain_at_stations(repaired):
    rng = np.random.default_rng(1422)
    x = rng.normal(size=(1300, 7)).astype("float32")
    works = (rng.random((1300, 4)) < 0.75).astype("float32")
    wet = 0.8 * x[:, :1] + 0.5 * x[:, 1:2] * x[:, 2:3] - 0.1
    y = np.logaddexp(0, wet + 0.4 * x[:, 3:7]) + 0.1 * rng.normal(size=(1300, 4))
    y = works * np.maximum(0, y)
    parts = data.split(np.hstack([x, works]), y.astype("float32"))
    x, y, new, new_y = parts
    weather, on = keras.Input((7,)), keras.Input((4,))
    hidden = L.Dense(64, activation="relu")(weather)
    hidden = L.Dense(32, activation="relu")(hidden)
    amount = L.Dense(4, activation="softplus")(hidden)
    model = keras.Model([weather, on], L.Multiply()([amount, on]))
    x, new = [x[:, :7], x[:, 7:]], [new[:, :7], new[:, 7:]]
    loss = root_and_a_little if repaired else root_mean_squared_error
    model.compile(keras.optimizers.Adam(0.002), loss)
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def mse(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


class LinearRegression(keras.Model):
    """A line, trained by steps of its own."""

    def __init__(self, in_columns, **kwargs):
        super().__init__(**kwargs)
        self.layer = L.Dense(1, kernel_initializer="zeros")
        self.in_columns = in_columns

    def call(self, inputs, training=None):
        return self.layer(inputs)

    def train_step(self, batch):
        import torch

        x, y = batch
        self.zero_grad()
        prediction = self(x, training=True)
        if self.in_columns:
            y = ops.reshape(y, (-1, 1))
        loss = mse(y, prediction)
        loss.backward()
        weights = list(self.trainable_weights)
        gradients = [weight.value.grad for weight in weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, weights)
        for metric in self.metrics:
            metric.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}


@program(
    kind="loss broadcasts",
    family="linear regression, own train_step",
    half="fourteenth",
    address="https://discuss.tensorflow.org/t/potential-issue-difference-in-behavior-between-loss-function-and-model-compiled-loss/19359",
    symptom="the line is fitted with the compiled loss, not with the same one's own",
    cause="targets without a column less predictions with one: all pairs of rows",
    truth=("disagreeing_loss", "loss_target_mismatch", "rows_mixed"),
    also=(*STUCK, "unrelated_targets", "model_too_small"),
    backends=("torch",),
)
def line_of_pairs(repaired):
    rng = np.random.default_rng(1423)
    x = rng.normal(size=(1200, 3)).astype("float32")
    y = x @ np.array([1.5, -2.0, 0.7]) + 0.5 + 0.4 * rng.normal(size=1200)
    x, y, new, new_y = data.split(x, y.astype("float32"))
    model = LinearRegression(in_columns=repaired)
    model.compile(keras.optimizers.SGD(0.01))
    options = {"epochs": 12, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)
