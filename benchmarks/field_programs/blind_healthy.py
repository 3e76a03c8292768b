"""Blind healthy programs on tables, counts, sets and times."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="houses with districts", half="blind")
def houses_with_gaps():
    rng = np.random.default_rng(1281)
    n = 900
    area = np.exp(rng.normal(4.6, 0.4, n))
    age = rng.integers(0, 90, n).astype(float)
    district, kind = rng.integers(0, 15, n), rng.integers(0, 4, n)
    level, extra = rng.normal(0, 0.3, 15), rng.normal(0, 0.15, 4)
    price = np.log(area) - 0.004 * age + level[district] + extra[kind]
    y = price + 0.12 * rng.normal(size=n)
    y = ((y - y[:650].mean()) / y[:650].std()).astype("float32")[:, None]
    gaps = rng.random(n) < 0.15
    age[gaps] = np.median(age[~gaps])
    numbers = np.stack([area, age], -1).astype("float32")
    x = {
        "numbers": numbers,
        "gap": gaps.astype("float32")[:, None],
        "district": district.astype("int32")[:, None],
        "kind": kind.astype("int32")[:, None],
    }
    scale = L.Normalization()
    scale.adapt(numbers[:650])
    inputs = {
        "numbers": keras.Input((2,), name="numbers"),
        "gap": keras.Input((1,), name="gap"),
        "district": keras.Input((1,), dtype="int32", name="district"),
        "kind": keras.Input((1,), dtype="int32", name="kind"),
    }
    parts = [
        scale(inputs["numbers"]),
        inputs["gap"],
        L.Flatten()(L.Embedding(15, 4)(inputs["district"])),
        L.Flatten()(L.Embedding(4, 2)(inputs["kind"])),
    ]
    h = L.Dense(32, activation="gelu")(L.Concatenate()(parts))
    h = L.Dropout(0.05)(h)
    h = L.Dense(16, activation="gelu")(h)
    model = keras.Model(inputs, L.Dense(1)(h))
    model.compile(keras.optimizers.Adam(0.004), keras.losses.Huber(1.0))
    train, new = ({k: v[s] for k, v in x.items()} for s in SPLIT)
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, y[650:])}
    return Fit(model, train, y[:650], scores.variance(new, y[650:]), options)


SPLIT = slice(0, 650), slice(650, None)


class DeepSet(keras.Model):
    """A sum over what is known of each element, whatever their order."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.each = [L.Dense(32, activation="relu"), L.Dense(24, activation="relu")]
        self.all = [L.Dense(24, activation="relu"), L.Dense(1)]

    def call(self, x):
        for layer in self.each:
            x = layer(x)
        x = ops.mean(x, axis=1)
        for layer in self.all:
            x = layer(x)
        return x


@healthy(family="sets of points", half="blind")
def spread_of_a_cloud():
    rng = np.random.default_rng(1282)
    scale = rng.uniform(0.3, 1.6, (640, 1, 2))
    x = (scale * rng.normal(size=(640, 24, 2))).astype("float32")
    y = np.log(x.std(axis=1)).sum(-1, keepdims=True)
    y = ((y - y.mean()) / y.std()).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = DeepSet()
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="survival in intervals", half="blind")
def hazard_by_interval():
    rng = np.random.default_rng(1283)
    x = rng.normal(size=(1000, 6)).astype("float32")
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.5 * abs(x[:, 2])
    time = rng.exponential(4 * np.exp(-risk))
    end = rng.uniform(1, 9, 1000)
    stop = np.minimum(np.minimum(time, end), 7.99).astype(int)
    event = (time <= end) & (time < 8)
    at_risk = np.arange(8) <= stop[:, None]
    died = (np.arange(8) == stop[:, None]) & event[:, None]
    y = np.concatenate([died, at_risk], -1).astype("float32")
    x, y, new, new_y = data.split(x, y)

    def logistic_hazard(y_true, y_pred):
        died, at_risk = y_true[:, :8], y_true[:, 8:]
        each = ops.softplus(y_pred) - died * y_pred
        return ops.sum(at_risk * each, -1) / 8

    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.1),
            L.Dense(8),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), logistic_hazard)

    def score(model, history):
        hazard = 1 / (1 + np.exp(-scores.predicted(model, new)))
        lives = np.cumprod(1 - hazard, -1).sum(-1)
        died, until = new_y[:, :8].any(-1), new_y[:, 8:].sum(-1)
        sooner = (until[:, None] < until) & died[:, None]
        return float(2 * (lives[:, None] < lives)[sooner].mean() - 1)

    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="overdispersed counts", half="blind")
def calls_per_day():
    rng = np.random.default_rng(1284)
    x = rng.normal(size=(900, 5)).astype("float32")
    mean = np.exp(1.2 + 0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * x[:, 2])
    y = rng.poisson(mean * rng.gamma(6, 1 / 6, 900)).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)

    def of_a_fraction(x):
        # lgamma by its series for large numbers, from x + 3
        z = x + 3
        series = (z - 0.5) * ops.log(z) - z + 1 / (12 * z)
        return series - ops.log(x * (x + 1) * (x + 2))

    def negative_binomial(y_true, y_pred):
        rate = ops.exp(y_pred[:, :1])
        size = ops.softplus(y_pred[:, 1:]) + 0.05
        loss = of_a_fraction(size) - of_a_fraction(y_true + size)
        loss -= size * (ops.log(size) - ops.log(size + rate))
        loss -= y_true * (y_pred[:, :1] - ops.log(size + rate))
        return ops.mean(loss, -1)

    model = keras.Sequential(
        [keras.Input((5,)), L.Dense(16, activation="tanh"), L.Dense(2)]
    )
    model.compile(keras.optimizers.Adam(0.01), negative_binomial)

    def score(model, history):
        rate = np.exp(scores.predicted(model, new)[:, :1])
        return scores.explained(rate, new_y)

    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Thresholds(L.Layer):
    """Turn one score to the chances of being above each of some thresholds."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape):
        start = np.linspace(-1.5, 1.5, self.classes - 1)
        self.bias = self.add_weight(
            shape=(self.classes - 1,),
            initializer=lambda shape, dtype: ops.convert_to_tensor(start, dtype),
        )

    def call(self, x):
        return ops.sigmoid(x - self.bias)


@healthy(family="grades by thresholds", half="blind")
def wine_by_grade():
    rng = np.random.default_rng(1285)
    x = rng.normal(size=(900, 8)).astype("float32")
    hidden = x[:, 0] + 0.7 * x[:, 1] * x[:, 2] - 0.5 * x[:, 3]
    hidden = hidden + 0.3 * rng.normal(size=900)
    grade = np.digitize(hidden, [-1.2, -0.3, 0.4, 1.2])
    y = (grade[:, None] > np.arange(4)).astype("float32")
    inputs = keras.Input((8,))
    h = L.Dense(32, activation="relu")(inputs)
    h = L.Dense(16, activation="relu")(h)
    model = keras.Model(inputs, Thresholds(5)(L.Dense(1, use_bias=False)(h)))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    x, y, new, new_y = data.split(x, y)

    def score(model, history):
        found = (scores.predicted(model, new) > 0.5).sum(-1)
        return scores.explained(found, new_y.sum(-1))

    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="few and noisy rows", half="blind")
def progress_of_diabetes():
    x, new, y, new_y = data.table("diabetes")
    mean, std = y.mean(), y.std()
    y, new_y = (((a - mean) / std).astype("float32")[:, None] for a in (y, new_y))
    l2 = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(12, activation="tanh", kernel_regularizer=l2),
            L.Dropout(0.1),
            L.Dense(1, kernel_regularizer=l2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    stop = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    options = {
        "epochs": 40,
        "batch_size": 16,
        "validation_split": 0.2,
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="rare class with a first bias", half="blind")
def fraud_with_a_first_bias():
    x, y, new, new_y = data.two_classes(2200, share=0.05, seed=1287, apart=2.0)
    x, new = data.standard(x, new)
    share = float(y.mean())
    bias = keras.initializers.Constant(np.log(share / (1 - share)))
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid", bias_initializer=bias),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(curve="PR", name="prc"), keras.metrics.Recall()],
    )
    options = {
        "epochs": 14,
        "batch_size": 64,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)
