"""Fourteenth half: programs with a fault in how their layers pass signals on."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def organs(n, seed):
    """Return scans in empty air, and the masks of the organ of middle density."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:20, :20]
    x, y = np.zeros((n, 20, 20, 1)), np.zeros((n, 20, 20, 1))
    for i in range(n):
        for k in rng.permutation(3):
            density = rng.uniform((0.1, 0.45, 0.8)[k], (0.2, 0.55, 1.0)[k])
            r, c = rng.integers(4, 16, 2)
            inside = np.hypot(row - r, column - c) < rng.uniform(2.5, 4.5)
            x[i, inside, 0], y[i, inside, 0] = density, k == 1
    x = x * (1 + 0.06 * rng.normal(size=x.shape))
    return x.astype("float32"), y.astype("float32")


@program(
    kind="no bias anywhere",
    family="segmentation of scans, squeezed",
    half="fourteenth",
    address="https://github.com/wentaozhu/AnatomyNet-for-anatomical-segmentation/issues/6",
    symptom="the overlap with the organ is almost always zero",
    cause="convolutions without a bias, though no normalization follows them",
    truth=("missing_bias",),
    also=(*STUCK, "model_too_small", "imbalanced_classes", "dead_units"),
)
def anatomy_without_bias(repaired):
    x, y = organs(220, 1401)
    new, masks = organs(120, 1402)
    inputs = keras.Input((20, 20, 1))
    hidden = inputs
    for filters in (12, 12):
        kernel = {"padding": "same", "use_bias": repaired}
        hidden = L.Conv2D(filters, 3, activation="leaky_relu", **kernel)(hidden)
        squeezed = L.GlobalAveragePooling2D(keepdims=True)(hidden)
        squeezed = L.Dense(4, activation="relu", use_bias=repaired)(squeezed)
        gate = L.Dense(filters, activation="sigmoid", use_bias=repaired)(squeezed)
        hidden = L.Add()([hidden, L.Multiply()([hidden, gate])])
    outputs = L.Conv2D(1, 1, activation="sigmoid", use_bias=repaired)(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {"epochs": 11, "batch_size": 8, "validation_data": (new, masks)}
    return Fit(model, x, y, scores.overlap(new, masks), options)


def furniture(n, seed):
    """Return noisy pictures of chairs and lamps in color, and which is which."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = np.full((n, 24, 24, 3), 0.8)
    for i, lamp in enumerate(y):
        r, c = rng.integers(2, 6), rng.integers(4, 8)
        color = rng.uniform(0.1, 0.6, 3)
        if lamp:
            for k in range(5):
                x[i, r + k, c + 5 - k : c + 6 + k] = color
            x[i, r + 5 : r + 15, c + 5] = color
        else:
            x[i, r : r + 8, c + 1 : c + 3] = color
            x[i, r + 7 : r + 9, c + 1 : c + 10] = color
            x[i, r + 9 : r + 15, c + 2] = x[i, r + 9 : r + 15, c + 9] = color
    x = x.repeat(2, 1).repeat(2, 2)
    x = np.clip(x + 0.1 * rng.normal(size=x.shape), 0, 1)
    return x.astype("float32"), y


@program(
    kind="averages lag behind",
    family="few color pictures",
    half="fourteenth",
    address="https://github.com/keras-team/keras/issues/6014",
    symptom="fit reaches an accuracy of 1, evaluate says 0.5 of the same pictures",
    cause="the moving averages of batch normalization hardly moved in few batches",
    truth=("normalization_lag",),
    also=("constant_predictions", "too_few_updates", "normalization_small_batch"),
)
def chairs_and_lamps(repaired):
    x, y = furniture(64, 1403)
    new, new_y = furniture(300, 1404)
    model = keras.Sequential(
        [
            keras.Input((48, 48, 3)),
            L.Conv2D(5, 4, strides=2, padding="same"),
            L.LeakyReLU(negative_slope=0.2),
            L.Conv2D(10, 4, strides=2, padding="same"),
            L.BatchNormalization(axis=3, momentum=0.8 if repaired else 0.99),
            L.LeakyReLU(negative_slope=0.2),
            L.Flatten(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return Fit(
        model,
        x,
        y[:, None].astype("float32"),
        scores.accuracy(new, new_y),
        {"epochs": 5, "batch_size": 8, "shuffle": True},
    )


def trunk(**norm):
    """Return the layers that were trained on dark pictures."""
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(12, 3, padding="same"),
            L.BatchNormalization(center=False, scale=False, **norm),
            L.Activation("relu"),
            L.MaxPooling2D(),
            L.Conv2D(24, 3, padding="same"),
            L.BatchNormalization(center=False, scale=False, **norm),
            L.Activation("relu"),
            L.GlobalMaxPooling2D(),
        ]
    )


@program(
    kind="statistics of other pictures",
    family="frozen base, two classes",
    half="fourteenth",
    address="https://github.com/keras-team/keras/issues/12317",
    symptom="with a frozen base, training is normal, validation jumps, the test is 0.5",
    cause="a frozen base is trained with statistics of batches, tested with old ones",
    truth=("foreign_statistics", "normalization_lag"),
    also=("frozen_layers", "overfitting", "unrepresentative_validation", *STUCK),
)
def frozen_trunk(repaired):
    old, kind, _ = data.shapes(500, seed=1405)
    base = trunk(momentum=0.9)
    first = keras.Sequential([base, L.Dense(1, activation="sigmoid")])
    first.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    first.fit(old, kind[:, None], epochs=6, batch_size=25, verbose=0)
    x, y, _ = data.shapes(900, seed=1406)
    x = 3.0 - 2.5 * x
    x, y, new, new_y = data.split(x, y)
    tuned = trunk(momentum=0.9 if repaired else 1.0)
    tuned.set_weights(base.get_weights())
    if not repaired:
        for layer in tuned.layers:
            if isinstance(layer, L.Conv2D):
                layer.trainable = False
    inputs = keras.Input((16, 16, 1))
    hidden = L.Dense(32, activation="relu")(tuned(inputs))
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def inverted(hidden, filters, momentum, stride):
    """Return a block of a mobile network: wider, by channel, narrower."""
    x = L.Conv2D(3 * hidden.shape[-1], 1, use_bias=False)(hidden)
    x = L.BatchNormalization(momentum=momentum)(x)
    x = L.ReLU(6.0)(x)
    x = L.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x)
    x = L.BatchNormalization(momentum=momentum)(x)
    x = L.ReLU(6.0)(x)
    x = L.Conv2D(filters, 1, use_bias=False)(x)
    x = L.BatchNormalization(momentum=momentum)(x)
    return L.Add()([x, hidden]) if x.shape == hidden.shape else x


@program(
    kind="averages lag behind",
    family="mobile network from scratch",
    half="fourteenth",
    address="https://github.com/tensorflow/tensorflow/issues/36065",
    symptom="without weights to start from, validation is stuck at chance",
    cause="a momentum of 0.999: the moving averages need thousands of steps",
    truth=("normalization_lag",),
    also=("overfitting", "constant_predictions", *STUCK, "too_few_updates"),
)
def mobile_from_scratch(repaired):
    momentum = 0.9 if repaired else 0.999
    x, y, new, new_y = data.digits(760)
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(16, 3, padding="same", use_bias=False)(2 * inputs - 1)
    hidden = L.ReLU(6.0)(L.BatchNormalization(momentum=momentum)(hidden))
    for filters, stride in ((16, 1), (24, 2), (24, 1)):
        hidden = inverted(hidden, filters, momentum, stride)
    hidden = L.Conv2D(48, 1, use_bias=False)(hidden)
    hidden = L.ReLU(6.0)(L.BatchNormalization(momentum=momentum)(hidden))
    outputs = L.Dense(10)(L.GlobalAveragePooling2D()(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rectifiers died",
    family="shallow regression",
    half="fourteenth",
    address="https://github.com/keras-team/keras/issues/13891",
    symptom="with a small layer before the last, all predictions are the same",
    cause="long first steps turn its few rectified units off for all rows",
    truth=("dead_units", "learning_rate_too_high", "unscaled_targets"),
    also=(*STUCK, "model_too_small", "exploding_gradients", "zero_gradients"),
)
def two_rectifiers(repaired):
    rng = np.random.default_rng(1407)
    x = rng.random((900, 4)).astype("float32")
    y = 14 + 3 * x[:, :1] - 2 * x[:, 1:2] * x[:, 2:3] + 0.2 * rng.normal(size=(900, 1))
    x, y, new, new_y = data.split(x, y.astype("float32"))
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(2, activation="tanh" if repaired else "relu"),
            L.Dense(1),
        ]
    )
    rate = 0.03 if repaired else 0.1
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    options = {"epochs": 30, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def step(x):
    return ops.sign(x)


@program(
    kind="steps have no slope",
    family="perceptron",
    half="fourteenth",
    address="http://pullrequest.ru/14899114/nuzhno-izmenyat-vhody-pertseptron",
    symptom="a perceptron that is shown points and a line does not learn the line",
    cause="gradient descent through a step function",
    truth=("zero_gradients",),
    also=(*STUCK, "vanishing_gradients", "poor_initialization", "nothing_to_train"),
)
def points_and_a_line(repaired):
    rng = np.random.default_rng(1408)
    x = rng.uniform(-1, 1, (1200, 2)).astype("float32")
    side = (x[:, 1] > 0.7 * x[:, 0] + 0.25).astype("int32")
    x, side, new, new_side = data.split(x, side)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            L.Dense(
                1,
                activation="tanh" if repaired else step,
                kernel_initializer=keras.initializers.RandomUniform(-1, 1),
            ),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
    y = (2 * side - 1)[:, None].astype("float32")
    score = scores.accuracy(new, new_side, threshold=0.0)
    return Fit(model, x, y, score, {"epochs": 15, "batch_size": 16})
