"""Programs whose loss or gradient is not finite, or zero."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program

L = keras.layers
NOT_FINITE = (
    "non_finite_operation",
    "non_finite_start",
    "non_finite_values",
    "non_finite_weights",
)


@program(
    kind="gradient not finite",
    family="siamese",
    half="tune",
    address="https://github.com/sounakdey/SigNet/issues/1",
    symptom="the loss turns to NaN in the first epoch",
    cause="the root of a distance that is zero has an infinite slope",
    truth=NOT_FINITE,
)
def signatures(repaired):
    x, y, new, new_y = data.digits()
    x, y, new, new_y = x[:, ..., 0], y, new[:, ..., 0], new_y
    pairs, same = paired(x, y, 700, 21)
    new_pairs, new_same = paired(new, new_y, 300, 22)
    branch = keras.Sequential(
        [keras.Input((8, 8)), L.Flatten(), L.Dense(32, "relu"), L.Dense(8)]
    )
    left, right = keras.Input((8, 8)), keras.Input((8, 8))

    def distance(two):
        square = ops.sum(ops.square(two[0] - two[1]), axis=1, keepdims=True)
        return ops.sqrt(ops.maximum(square, 1e-7) if repaired else square)

    away = L.Lambda(distance, output_shape=(1,))([branch(left), branch(right)])
    model = keras.Model([left, right], away)
    model.compile(keras.optimizers.Adam(0.003), contrastive)
    options = {"epochs": 10}
    return Fit(model, pairs, same, near_pairs(new_pairs, new_same), options)


def paired(x, y, n, seed):
    """Return pairs of pictures, a few of them of one and the same, and if alike."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, len(x), (2, n))
    alike = rng.random(n) < 0.5
    for i in np.flatnonzero(alike):
        two[i] = rng.choice(np.flatnonzero(y == y[one[i]]))
    two[:6] = one[:6]
    same = (y[one] == y[two]).astype("float32")[:, None]
    return [x[one], x[two]], same


def contrastive(y_true, y_pred):
    """Pull pairs together that are alike, push others a unit apart."""
    apart = ops.maximum(1 - y_pred, 0)
    return ops.mean(y_true * ops.square(y_pred) + (1 - y_true) * ops.square(apart))


def near_pairs(pairs, same):
    """Return how much better than chance near pairs are alike."""

    def score(model, history):
        away = scores.predicted(model, pairs)[:, 0]
        if not np.isfinite(away).all():
            return -1.0
        near = away < np.median(away)
        return float(2 * (near == (same[:, 0] > 0.5)).mean() - 1)

    return score


@program(
    kind="logarithm of zero",
    family="image classifier",
    half="look",
    address="https://github.com/mkocabas/focal-loss-keras/issues/17",
    symptom="the focal loss becomes NaN while training goes well",
    cause="the logarithm of a probability that has become zero",
    truth=NOT_FINITE,
)
def focal_loss(repaired):
    x, y, _ = data.shapes(seed=23)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])
    guard = 1e-7 if repaired else 0.0

    def focal(y_true, y_pred):
        p = ops.clip(y_pred, guard, 1 - guard)
        positive = y_true * ops.square(1 - p) * ops.log(p)
        negative = (1 - y_true) * ops.square(p) * ops.log(1 - p)
        return -ops.mean(positive + negative)

    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Rescaling(255.0),
            L.Conv2D(8, 3, strides=2, activation="relu"),
            L.Flatten(),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    if repaired:
        model.layers[0].scale = 1.0
    model.compile(keras.optimizers.Adam(0.003), focal)
    options = {"epochs": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y[:, 0]), options)


@program(
    kind="logarithm of zero",
    family="probabilistic regression",
    half="tune",
    address="https://github.com/keras-team/keras/issues/1061",
    symptom="the likelihood is infinite, then NaN",
    cause="the deviation of the mixture may be negative or zero",
    truth=NOT_FINITE,
    also=("output_activation_mismatch",),
)
def density_network(repaired):
    x, y, new, new_y = data.friedman(seed=24)

    def likelihood(y_true, out):
        mean, raw = out[:, :1], out[:, 1:]
        deviation = ops.softplus(raw) + 0.01 if repaired else raw
        square = ops.square((y_true - mean) / deviation)
        return ops.mean(ops.log(deviation) + square / 2)

    inputs = keras.Input((8,))
    hidden = L.Dense(32, activation="tanh")(inputs)
    out = L.Concatenate()([L.Dense(1)(hidden), L.Dense(1)(hidden)])
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.01), likelihood)
    options = {"epochs": 15, "validation_data": (new, new_y)}

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], new_y)

    return Fit(model, x, y, score, options)


@program(
    kind="missing values",
    family="table regression",
    half="tune",
    address="https://github.com/radiasoft/sirepo/issues/2983",
    symptom="the loss is NaN from the first epoch",
    cause="two entries of the table are missing",
    truth=("non_finite_data",),
    also=NOT_FINITE,
)
def fuel_table(repaired):
    x, new, y, new_y = data.table("diabetes")
    y, new_y = y[:, None] / 100, new_y[:, None] / 100
    if not repaired:
        x[[17, 120], [2, 5]] = np.nan
    model = keras.Sequential([keras.Input((10,)), L.Dense(16, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="missing values",
    family="recurrent forecast",
    half="look",
    address="https://github.com/Nixtla/neuralforecast/issues/186",
    symptom="the loss becomes NaN and it is hard to see that the data are to blame",
    cause="a gap in the series",
    truth=("non_finite_data",),
    also=NOT_FINITE,
)
def gap_in_series(repaired):
    series = data.load_curve(460)
    if not repaired:
        series[70:73] = np.nan
    x, y = data.windows(series, 16)
    x, y, new, new_y = x[:300], y[:300], x[330:], y[330:]
    model = keras.Sequential([keras.Input((16, 1)), L.GRU(12), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mae")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="half precision",
    family="functional classifier",
    half="look",
    address="https://github.com/keras-team/keras/issues/11860",
    symptom="Adam gives NaN with float16, SGD does not",
    cause="an epsilon of 1e-7 is zero in float16",
    truth=("epsilon_too_small", *NOT_FINITE),
    backends=("jax",),
)
def adam_in_half_precision(repaired):
    x, new, y, new_y = data.table("wine")
    dtype = "float16"
    inputs = keras.Input((13,), dtype=dtype)
    hidden = L.Dense(24, activation="relu", dtype=dtype)(inputs)
    out = L.Dense(3, activation="softmax", dtype=dtype)(hidden)
    model = keras.Model(inputs, out)
    rate = keras.optimizers.Adam(0.01, epsilon=1e-3 if repaired else 1e-7)
    model.compile(rate, "sparse_categorical_crossentropy")
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="recurrent ReLU",
    family="recurrent classifier",
    half="tune",
    address="https://github.com/AlexanderVNikitin/tsgm/issues/59",
    symptom="the loss suddenly explodes to very high numbers",
    cause="an LSTM with ReLU for its activation over long sequences",
    truth=("exploding_activations", "exploding_gradients"),
    also=(*NOT_FINITE, "diverging_loss", "oscillating_loss", "dead_units"),
)
def relu_in_lstm(repaired):
    x, y = data.gestures(300, length=40, classes=3)
    x, y, new, new_y = data.split(5 * x + 5, y)
    model = keras.Sequential(
        [
            keras.Input((40, 3)),
            L.LSTM(32, activation="tanh" if repaired else "relu"),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    options = {"epochs": 8, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="weights of zero",
    family="table classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/1875",
    symptom="with class weights one class is never predicted any more",
    cause="a whole-number division made the weight of a class zero",
    truth=("zero_weights",),
    also=("constant_predictions",),
)
def weights_from_counts(repaired):
    x, y, new, new_y = data.two_classes(share=0.3, seed=25)
    few, many = y.sum(), (1 - y).sum()
    ratio = few / many if repaired else few // many
    model = keras.Sequential(
        [keras.Input((12,)), L.Dense(24, "relu"), L.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {"epochs": 15, "class_weight": {0: float(ratio), 1: 1.0}}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="weights of zero",
    family="sequence labeling",
    half="look",
    address="https://github.com/keras-team/keras/issues/7917",
    symptom="the loss is zero and nothing is learned",
    cause="a mask turned around: only padding has a weight",
    truth=("zero_weights", "zero_gradients"),
    also=("unknown_cause", "underfitting"),
)
def mask_turned_around(repaired):
    x, _, _ = data.reviews(500, seed=26)
    y = (x % 3).astype("int32")
    mask = (x > 0).astype("float32")
    weight = mask if repaired else 1 - mask
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(60, 12),
            L.Bidirectional(L.GRU(8, return_sequences=True)),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    used = x[400:] > 0

    def score(model, history):
        answer = scores.predicted(model, x[400:]).argmax(-1)
        return float((answer == y[400:])[used].mean())

    options = {"epochs": 10, "sample_weight": weight[:400]}
    return Fit(model, x[:400], y[:400], score, options)


@program(
    kind="no gradient",
    family="functional classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/4175",
    symptom="with a loss of your own on rounded answers nothing is learned",
    cause="rounding has no slope",
    truth=("zero_gradients", "unknown_cause", "loss_target_mismatch"),
    also=("plateau", "underfitting", "too_few_updates"),
    backends=("torch", "jax"),  # TensorFlow raises
)
def loss_of_rounded_answers(repaired):
    x, y, new, new_y = data.two_classes(seed=27)

    def mistakes(y_true, y_pred):
        answer = y_pred if repaired else ops.round(y_pred)
        return ops.mean(ops.abs(y_true - answer), axis=-1)

    inputs = keras.Input((12,))
    hidden = L.Dense(24, activation="relu")(inputs)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), mistakes)
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
