"""Twenty-first half: programs that take logarithms, of sizes, times and pixels."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
NOT_FINITE = ("non_finite_values", "non_finite_weights", "non_finite_start")


def lines_of_print(n, seed, careless):
    """Return strips with a line of print, its middle, and its annotated height."""
    rng = np.random.default_rng(seed)
    height, middle = rng.uniform(3, 14, n), rng.uniform(9, 15, n)
    row = np.arange(24)[None, :, None]
    inside = np.abs(row - middle[:, None, None]) < height[:, None, None] / 2
    ink = inside * (rng.random((n, 24, 16)) < 0.6)
    x = 0.9 - 0.7 * ink + 0.08 * rng.normal(size=ink.shape)
    noted = np.where(rng.random(n) < careless, 0.0, np.round(height, 1))
    return x[..., None].astype("float32"), middle, noted


@program(
    kind="boxes without height",
    family="line of print in a strip, offsets from an anchor",
    half="twentyfirst",
    address="https://github.com/xuannianz/keras-ctpn/issues/1",
    symptom="a warning of division by zero in a logarithm, then the loss is nan",
    cause="some boxes have a height of 0, whose logarithm is minus infinity",
    truth=("non_finite_data",),
    also=(*BLOWN_UP, *STUCK, *NOT_FINITE, "non_finite_operation"),
)
def twentyfirst_lines_of_print(repaired):
    anchor = 8.0

    def targets(middle, height):
        with np.errstate(divide="ignore"):
            found = [(middle - 12) / anchor, np.log(height / anchor)]
        return np.stack(found, -1).astype("float32")

    x, middle, height = lines_of_print(900, 2101, careless=0.01)
    new, new_middle, new_height = lines_of_print(300, 2102, careless=0)
    if repaired:
        keep = height > 0
        x, middle, height = x[keep], middle[keep], height[keep]
    inputs = keras.Input((24, 16, 1))
    hidden = L.Conv2D(12, 3, activation="relu", padding="same")(inputs)
    hidden = L.AveragePooling2D((1, 4))(hidden)
    hidden = L.Conv2D(12, (5, 3), activation="relu", padding="same")(hidden)
    hidden = L.Flatten()(L.AveragePooling2D((2, 4))(hidden))
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(2, name="regression")(hidden))
    model.compile(keras.optimizers.Adam(0.003), keras.losses.Huber())
    y, new_y = targets(middle, height), targets(new_middle, new_height)
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def machines(n, seed):
    """Return what was measured of machines, and when they failed or were last seen."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 10, 3)).cumsum(1) * 0.3 + rng.normal(size=(n, 1, 3))
    scale = np.exp(4.6 + 0.8 * x[:, -1, 0] - 0.6 * np.abs(x[:, :, 1]).mean(1))
    fails = scale * rng.weibull(4.0, n)
    seen = rng.integers(0, 400, n)
    y = np.stack([np.minimum(fails, seen).astype(int), fails < seen], -1)
    return x.astype("float32"), y.astype("float32"), fails


def surprise_of_failure(small):
    """Return minus the likelihood of whole times under a Weibull curve."""

    def loss(y_true, y_pred):
        time, failed = y_true[:, 0], y_true[:, 1]
        scale, shape = y_pred[:, 0], y_pred[:, 1]
        before = ops.power((time + 1e-7) / scale, shape)
        after = ops.power((time + 1.0) / scale, shape)
        inside = ops.log(ops.exp(ops.minimum(after - before, 20.0)) - 1.0 + small)
        return ops.minimum(after, 50.0) - failed * inside

    return loss


def scale_and_shape(found):
    scale = ops.exp(4.0 + ops.clip(found[:, :1], -4, 4))
    return ops.concatenate([scale, 0.5 + ops.softplus(found[:, 1:])], axis=-1)


@program(
    kind="logarithm of what cancels",
    family="failures of machines in whole hours, Weibull, recurrent",
    half="twentyfirst",
    address="https://github.com/ragulpr/wtte-rnn/issues/39",
    symptom="the loss is nan after some steps",
    cause="two hazards are so near that their difference is 0, in a logarithm",
    truth=("non_finite_operation",),
    also=(*BLOWN_UP, *STUCK, *NOT_FINITE),
)
def twentyfirst_failures_in_hours(repaired):
    x, y, _ = machines(1100, 2103)
    new, new_y, fails = machines(400, 2104)
    model = keras.Sequential()
    model.add(keras.Input((10, 3)))
    model.add(L.GRU(16))
    model.add(L.Dense(2))
    model.add(L.Lambda(scale_and_shape, output_shape=(2,)))
    small = 1e-6 if repaired else 0.0
    model.compile(keras.optimizers.Adam(0.01), surprise_of_failure(small))

    def score(model, history):
        found = scores.predicted(model, new)[:, 0]
        if not np.isfinite(found).all():
            return -1.0
        return float(np.corrcoef(np.log(found), np.log(fails + 1))[0, 1])

    options = {"epochs": 12, "batch_size": 50, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def dials(n, seed):
    """Return drawn dials with two hands, black on white or white on black."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[-5:6, -5:6]
    turn = rng.uniform(0, 6.283, (n, 2, 1, 1))
    along = np.cos(turn) * row + np.sin(turn) * column
    across = np.abs(np.cos(turn) * column - np.sin(turn) * row)
    long = np.array([5.5, 3.5]).reshape(1, 2, 1, 1)
    hands = ((across < 0.9) & (along > -0.5) & (along < long)).any(1)
    rim = np.abs(np.hypot(row, column) - 5) < 0.6
    return (hands | rim).reshape(n, 121).astype("float32")


class Around(L.Layer):
    """Draws around the means in training, and adds what that costs."""

    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.seed = keras.random.SeedGenerator(5)

    def call(self, parts, training=None):
        mean, log_var = parts
        cost = 1 + log_var - ops.square(mean) - ops.exp(log_var)
        self.add_loss(-0.5 * self.weight * ops.mean(ops.sum(cost, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return mean + ops.exp(0.5 * log_var) * noise


def surprise_of_pixels(y_true, y_pred):
    on = y_true * ops.log(1e-6 + y_pred)
    off = (1 - y_true) * ops.log(1e-6 + 1 - y_pred)
    return -ops.sum(on + off, axis=-1)


@program(
    kind="hyperbolic tangent in a logarithm",
    family="drawn dials, variational, functional",
    half="twentyfirst",
    address="https://github.com/pkmital/tensorflow_tutorials/issues/23",
    symptom="the costs are nan",
    cause="the last activation gives negative values, whose logarithm is taken",
    truth=(
        "output_activation_mismatch",
        "non_finite_operation",
        "loss_target_mismatch",
    ),
    also=(*BLOWN_UP, *STUCK, *NOT_FINITE),
)
def twentyfirst_drawn_dials(repaired):
    x, new = dials(1000, 2105), dials(300, 2106)
    inputs = keras.Input((121,))
    hidden = L.Dense(64, activation="relu")(inputs)
    parts = [L.Dense(6)(hidden), L.Dense(6)(hidden)]
    code = Around(weight=1.0)(parts)
    hidden = L.Dense(64, activation="relu")(code)
    last = "sigmoid" if repaired else "tanh"
    model = keras.Model(inputs, L.Dense(121, activation=last)(hidden))
    model.compile(keras.optimizers.Adam(0.003), surprise_of_pixels)
    options = {"epochs": 18, "batch_size": 50, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


def seals(n, seed):
    """Return pictures of a seal in a thick frame, with a sign of four within."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 12, 12))
    x[:, :2], x[:, -2:], x[:, :, :2], x[:, :, -2:] = 1, 1, 1, 1
    for i in range(n):
        r, c = rng.integers(3, 6, 2)
        high, wide = rng.integers(2, 5, 2)
        x[i, r : r + high, c : c + wide] = 1
        if rng.random() < 0.5:
            x[i, 8:10, 3:9] = 1
    return x.reshape(n, 144).astype("float32")


class Seals(keras.Model):
    """An encoder and a decoder of seals, which counts its loss itself."""

    def __init__(self, small, **kwargs):
        super().__init__(**kwargs)
        self.small = small
        self.hidden = L.Dense(64, activation="relu")
        self.mean, self.log_var = L.Dense(5), L.Dense(5)
        self.back = L.Dense(96, activation="relu")
        self.out = L.Dense(144, activation="sigmoid")
        self.seed = keras.random.SeedGenerator(6)

    def call(self, x, training=None):
        hidden = self.hidden(x)
        code, log_var = self.mean(hidden), ops.clip(self.log_var(hidden), -8, 4)
        cost = 1 + log_var - ops.square(code) - ops.exp(log_var)
        self.add_loss(-0.5 * ops.mean(ops.sum(cost, axis=-1)))
        if training:
            noise = keras.random.normal(ops.shape(code), seed=self.seed)
            code = code + ops.exp(0.5 * log_var) * noise
        return self.out(self.back(code))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        on = x * ops.log(self.small + y_pred)
        off = (1 - x) * ops.log(self.small + 1 - y_pred)
        return -ops.mean(ops.sum(on + off, axis=-1)) + sum(self.losses)


@program(
    kind="constant lost in rounding",
    family="seals in frames, variational, compute_loss",
    half="twentyfirst",
    address="https://github.com/kvfrans/variational-autoencoder/issues/5",
    symptom="the loss goes well for long, then is nan",
    cause="1e-8 is lost beside 1, so a pixel of exactly 1 gives a logarithm of 0",
    truth=("non_finite_operation",),
    also=(*BLOWN_UP, *STUCK, *NOT_FINITE, "saturated_units"),
)
def twentyfirst_seals_in_frames(repaired):
    x, new = seals(1200, 2107), seals(300, 2108)
    model = Seals(small=1e-6 if repaired else 1e-8)
    model.compile(keras.optimizers.Adam(0.005))
    options = {"epochs": 15, "batch_size": 40, "validation_data": (new, new)}

    def score(model, history):
        moving = new.var(axis=0) > 0.01
        out = scores.predicted(model, new)
        return scores.explained(out[:, moving], new[:, moving])

    return Fit(model, x, x, score, options)
