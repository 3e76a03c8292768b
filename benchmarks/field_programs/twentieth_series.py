"""Twentieth half: programs on series of numbers."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def last_three(n, seed, steps):
    """Return random numbers in windows, scaled, and the mean of the last three."""
    numbers = np.random.default_rng(seed).uniform(0, 10, n + 8)
    numbers = (numbers - 5) / 2.89
    ends = np.arange(8, n + 8)
    x = np.stack([numbers[ends - k] for k in range(steps - 1, -1, -1)], 1)
    y = np.mean([numbers[ends - k] for k in range(3)], 0)
    return x[..., None].astype("float32"), y[:, None].astype("float32")


@program(
    kind="windows of one step",
    family="mean of the last three numbers, LSTM of four units",
    half="twentieth",
    address="https://huggingface.co/datasets/nvidia/Nemotron-CC-Math-v1",
    symptom="the error stays far from 0 for a mean of three numbers",
    cause="each row holds only the last number, of three that the target needs",
    truth=("window_too_short",),
    also=(*STUCK, "model_too_small", "order_is_lost"),
)
def twentieth_mean_of_three(repaired):
    steps = 3 if repaired else 1
    x, y = last_three(1000, 2000, steps)
    new, new_y = last_three(400, 2001, steps)
    model = keras.Sequential()
    model.add(keras.Input((steps, 1)))
    model.add(L.LSTM(8))
    model.add(L.Dense(1, activation="linear"))
    model.compile(keras.optimizers.Adam(learning_rate=0.01), "mse")
    options = {"epochs": 12, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def sunspots(n, seed):
    """Return a series with a period near eleven that waxes and wanes."""
    rng = np.random.default_rng(seed)
    phase = np.cumsum(2 * np.pi / 11 + 0.06 * rng.normal(size=n))
    size = 1 + 0.4 * np.sin(np.arange(n) / 17)
    return size * np.sin(phase) + 0.45 * rng.normal(size=n)


@program(
    kind="accuracy of a regression",
    family="sunspots of the next year, dense layers over windows",
    half="twentieth",
    address="https://github.com/keras-team/keras/issues/867",
    symptom="accuracy is 1.0 from the first epoch on while the loss still falls",
    cause="the accuracy of classes is counted for a number",
    truth=("metric_mismatch",),
    also=(),
)
def twentieth_sunspots_always_right(repaired):
    x, y = data.windows(sunspots(1400, 2002), 16)
    x = x[..., 0]
    x, y, new, new_y = x[:1000], y[:1000], x[1020:], y[1020:]
    model = keras.Sequential([keras.Input((16,))])
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dropout(0.1))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(1, activation="linear"))
    kind = keras.metrics.R2Score if repaired else keras.metrics.CategoricalAccuracy
    model.compile(keras.optimizers.Adam(0.002), "mse", metrics=[kind(name="acc")])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.honesty("val_acc", scores.variance(new, new_y))
    return Fit(model, x, y, score, options)


def saws(n, seed):
    """Return two columns of teeth of a saw, of different length, with noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    teeth = np.stack([t % 10, (3 + t) % 7], 1) / 10
    return teeth + 0.03 * rng.normal(size=teeth.shape)


@program(
    kind="softmax of two values",
    family="two saws at once, LSTM",
    half="twentieth",
    address="https://github.com/keras-team/keras/issues/321",
    symptom="the mean squared error is the same at the end of each epoch",
    cause="a softmax over two values that do not add up to one",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "saturated_units", "loss_target_mismatch"),
)
def twentieth_two_saws(repaired):
    series = saws(1300, 2003)
    x = np.stack([series[i : i + 8] for i in range(1292)]).astype("float32")
    y = series[8:].astype("float32")
    x, y, new, new_y = x[:900], y[:900], x[910:], y[910:]
    model = keras.Sequential()
    model.add(keras.Input((8, 2)))
    model.add(L.LSTM(40, return_sequences=False))
    model.add(L.Dense(2))
    model.add(L.Activation("linear" if repaired else "softmax"))
    model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.01))
    options = {"epochs": 18, "batch_size": 32, "validation_split": 0.1}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def shares(n, seed):
    """Return closing prices that have risen for years, in waves."""
    rng = np.random.default_rng(seed)
    change = np.zeros(n)
    for i in range(1, n):
        change[i] = 0.75 * change[i - 1] + 0.002 * rng.normal()
    return 20 * np.exp(np.cumsum(0.0016 + change))


@program(
    kind="prices beyond those of the training",
    family="share of a rising firm, eight days before",
    half="twentieth",
    address="https://datascience.stackexchange.com/questions/108151/",
    symptom="the network underestimates the closing prices of the last years",
    cause="prices of the test lie above all prices that it was trained on",
    truth=("unrepresentative_validation", "no_better_than_last_value"),
    also=("overfitting", "diverging_loss", "saturated_units", "underfitting"),
)
def twentieth_share_that_rises(repaired):
    price = shares(1500, 2004)
    root = np.sqrt(price)
    series = (root - root[:900].mean()) / root[:900].std()
    if repaired:
        move = np.diff(np.log(price), prepend=np.log(price[0]))
        series = (move - move[:900].mean()) / move[:900].std()
    x, y = data.windows(series, 8)
    inputs = keras.Input((8, 1))
    hidden = L.LSTM(24)(inputs)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    last, next_price = price[1107:1499], price[1108:]

    def score(model, history):
        found = scores.predicted(model, x[1100:])[:, 0]
        if repaired:
            found = last * np.exp(found * move[:900].std() + move[:900].mean())
        else:
            found = (found * root[:900].std() + root[:900].mean()) ** 2
        rest = ((found - next_price) ** 2).mean()
        return float(max(-1.0, 1 - rest / ((last - next_price) ** 2).mean()))

    options = {
        "epochs": 15,
        "batch_size": 32,
        "validation_data": (x[900:1100], y[900:1100]),
    }
    return Fit(model, x[:892], y[:892], score, options)


def swings(n, seed):
    """Return three standardized channels and how the first moves three steps on."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n + 3, 3))
    for i in range(1, n + 3):
        a, b, c = x[i - 1]
        x[i] = [0.8 * a + 0.6 * b, 0.8 * b - 0.5 * a + 0.3 * c, 0.5 * c]
        x[i] += [0.1 * rng.normal(), 0.2 * rng.normal(), rng.normal()]
    return (x - x.mean(0)) / x.std(0)


@program(
    kind="sigmoid for standardized targets",
    family="swings three steps ahead, both signs, two LSTMs",
    half="twentieth",
    address="https://wiki.gubat.org/content/stackoverflow.com_en_all_2023-11/questions/60306255/keras-lstm-input-and-output-variable-ranges",
    symptom="all predictions lie between 0 and 1 though half the targets are negative",
    cause="a sigmoid at the output for targets of mean 0 and deviation 1",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "saturated_units", "zero_gradients", "vanishing_gradients"),
)
def twentieth_swings_below_zero(repaired):
    values = swings(1500, 2005)
    x = np.stack([values[i : i + 10] for i in range(1490)]).astype("float32")
    y = values[12:1502, :1].astype("float32")
    x, y, new, new_y = x[:1000], y[:1000], x[1015:], y[1015:]
    model = keras.Sequential()
    model.add(keras.Input((10, 3)))
    model.add(L.LSTM(24, return_sequences=True))
    model.add(L.LSTM(16))
    model.add(L.Dense(1, activation=None if repaired else "sigmoid"))
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
