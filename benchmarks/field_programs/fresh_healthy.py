"""Fresh healthy programs on tables, texts and pairs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import datasets

from field_programs import data, scores
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="raw units adapted", half="fresh")
def units_adapted():
    x, new, y, new_y = data.table("wine", scaled=False)
    adapted = L.Normalization()
    adapted.adapt(x)
    model = keras.Sequential(
        [
            keras.Input((13,)),
            adapted,
            L.Dense(16, activation="relu"),
            L.Dropout(0.2),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="rate reduced on plateaus", half="fresh")
def diabetes_with_callbacks():
    x, new, y, new_y = data.table("diabetes")
    mean, spread = y.mean(), y.std()
    y, new_y = ((a - mean) / spread for a in (y, new_y))
    inputs = keras.Input((10,))
    l2 = keras.regularizers.L2(1e-3)
    hidden = L.Dense(12, activation="relu", kernel_regularizer=l2)(inputs)
    model = keras.Model(inputs, L.Dense(1, kernel_regularizer=l2)(hidden))
    model.compile(keras.optimizers.RMSprop(0.005), "mse", metrics=["mae"])
    options = {
        "epochs": 30,
        "validation_data": (new, new_y),
        "callbacks": [
            keras.callbacks.ReduceLROnPlateau(patience=4, factor=0.5, min_lr=1e-4),
            keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True),
        ],
    }
    return Fit(model, x, y, scores.variance(new, new_y[:, None]), options)


@healthy(family="rare class and own focal loss", half="fresh")
def focal_for_the_rare():
    x, y, new, new_y = data.two_classes(900, share=0.2, seed=261, apart=1.6)

    def focal(y_true, y_pred):
        right = ops.where(y_true > 0.5, y_pred, 1 - y_pred)
        share = ops.where(y_true > 0.5, 0.75, 0.25)
        surprise = -ops.log(ops.clip(right, 1e-6, 1.0))
        return ops.mean(share * ops.square(1 - right) * surprise, axis=-1)

    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), focal, metrics=[keras.metrics.AUC()])
    options = {"epochs": 20, "validation_data": (new, new_y[:, None])}
    score = scores.balanced(new, new_y)
    return Fit(model, x, y[:, None].astype("float32"), score, options)


@healthy(family="dictionary of inputs", half="fresh")
def passengers():
    rng = np.random.default_rng(262)
    n = 620
    age, fare = rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    deck, port = rng.integers(0, 6, (n, 1)), rng.integers(0, 3, (n, 1))
    merit = 1.2 * fare - 0.8 * age + np.array([1, 0.5, 0, -0.5, -1, 1.5])[deck]
    merit += np.array([0.7, -0.7, 0])[port] + 0.5 * rng.normal(size=(n, 1))
    y = (merit > 0).astype("float32")
    columns = {
        "age": age.astype("float32"),
        "fare": fare.astype("float32"),
        "deck": deck.astype("int32"),
        "port": port.astype("int32"),
    }
    inputs = {
        name: keras.Input((1,), dtype=str(column.dtype), name=name)
        for name, column in columns.items()
    }
    parts = [
        inputs["age"],
        inputs["fare"],
        L.Flatten()(L.Embedding(6, 3)(inputs["deck"])),
        L.Flatten()(L.Embedding(3, 2)(inputs["port"])),
    ]
    hidden = L.Dense(16, activation="relu")(L.Concatenate()(parts))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    seen = {name: column[:430] for name, column in columns.items()}
    held_out = {name: column[430:] for name, column in columns.items()}
    options = {"epochs": 20, "validation_data": (held_out, y[430:])}
    return Fit(model, seen, y[:430], scores.balanced(held_out, y[430:]), options)


@healthy(family="ordered classes", half="fresh")
def grades_in_order():
    x, y, new, new_y = data.friedman(700, seed=263)
    cuts = np.array([-0.7, 0.0, 0.7])
    steps, new_steps = (y > cuts).astype("float32"), (new_y > cuts).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(24, activation="relu"),
            L.Dense(3, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")

    def score(model, history):
        grade = (scores.predicted(model, new) > 0.5).sum(-1)
        true = new_steps.sum(-1)
        return 1 - ((grade - true) ** 2).mean() / true.var()

    options = {"epochs": 20, "validation_data": (new, new_steps)}
    return Fit(model, x, steps, score, options)


@healthy(family="counts with exposure", half="fresh")
def claims_per_year():
    rng = np.random.default_rng(264)
    x = rng.normal(size=(700, 5)).astype("float32")
    years = rng.uniform(0.3, 3, (700, 1)).astype("float32")
    rate = np.exp(0.3 + 0.5 * x[:, :1] - 0.5 * x[:, 1:2] + 0.3 * x[:, 2:3])
    y = rng.poisson(rate * years).astype("float32")
    inputs = [keras.Input((5,)), keras.Input((1,))]
    hidden = L.Dense(16, activation="tanh")(inputs[0])
    out = L.Multiply()([L.Dense(1, activation="exponential")(hidden), inputs[1]])
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.005), "poisson")
    seen, held_out = [x[:500], years[:500]], [x[500:], years[500:]]
    options = {"epochs": 20, "validation_data": (held_out, y[500:])}
    return Fit(model, seen, y[:500], scores.variance(held_out, y[500:]), options)


@healthy(family="robust regression", half="fresh")
def outliers_borne():
    x, y, new, new_y = data.friedman(650, seed=265)
    rng = np.random.default_rng(265)
    y = y + np.where(rng.random(y.shape) < 0.04, 6 * rng.normal(size=y.shape), 0)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(32, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), keras.losses.Huber(0.8))
    options = {"epochs": 18, "validation_data": (new, new_y)}
    score = scores.variance(new, new_y)
    return Fit(model, x, y.astype("float32"), score, options)


@healthy(family="average of weights", half="fresh")
def moving_average_kept():
    x, y, new, new_y = data.digits(640)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48, activation="relu"),
            L.Dropout(0.3),
            L.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.AdamW(0.005, use_ema=True, ema_momentum=0.95)
    model.compile(rate, CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="random features", half="fresh")
def random_waves():
    x, y, new, new_y = data.friedman(650, seed=267)
    start = keras.initializers.RandomNormal(stddev=0.35, seed=4)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(96, activation=ops.sin, kernel_initializer=start, trainable=False),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 30, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="labels with errors", half="fresh")
def one_label_in_six_wrong():
    x, y, new, new_y = data.two_classes(900, seed=268, apart=1.6)
    rng = np.random.default_rng(268)
    y = np.where(rng.random(len(y)) < 0.16, 1 - y, y)
    noisy = np.where(rng.random(len(new_y)) < 0.16, 1 - new_y, new_y)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(12, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    smooth = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.Adam(0.004), smooth, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    options = {"epochs": 18, "validation_data": (new, noisy), "callbacks": [stop]}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="ranking of pairs", half="fresh")
def which_is_better():
    x, _, new, _ = data.friedman(700, seed=269)
    rng = np.random.default_rng(269)
    worth = rng.normal(size=8)

    def pairs(x, n):
        left, right = rng.integers(0, len(x), (2, n))
        value = np.tanh(x @ worth) + 0.5 * x[:, 0]
        first = (value[left] > value[right]).astype("float32")[:, None]
        return [x[left], x[right]], first

    body = keras.Sequential([L.Dense(24, activation="relu"), L.Dense(1)])
    inputs = [keras.Input((8,)), keras.Input((8,))]
    out = L.Subtract()([body(inputs[0]), body(inputs[1])])
    model = keras.Model(inputs, out)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(0.004),
        loss,
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    pair, first = pairs(x, 600)
    held_out, held_first = pairs(new, 250)
    options = {"epochs": 16, "validation_data": (held_out, held_first)}
    score = scores.balanced(held_out, held_first, threshold=0.0)
    return Fit(model, pair, first, score, options)


@healthy(family="soft targets", half="fresh")
def taught_by_a_teacher():
    from sklearn.linear_model import LogisticRegression

    x, new, y, new_y = data.table("wine")
    teacher = LogisticRegression(C=0.3, max_iter=500).fit(x, y)
    soft = teacher.predict_proba(x).astype("float32")
    new_soft = teacher.predict_proba(new).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((13,)),
            L.Dense(12, activation="relu"),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "kl_divergence")
    options = {"epochs": 25, "batch_size": 16, "validation_data": (new, new_soft)}
    return Fit(model, x, soft, scores.accuracy(new, new_y), options)


@healthy(family="bag of words", half="fresh")
def words_counted():
    ids, y, _ = data.reviews(700, seed=271)
    x = np.stack([np.bincount(row, minlength=60) for row in ids])[:, 1:]
    rarity = np.log(len(x) / (1 + (x > 0).sum(0)))
    x = (x * rarity).astype("float32")
    x /= np.linalg.norm(x, axis=1, keepdims=True) + 1e-9
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((59,)), L.Dense(1, activation="sigmoid")])
    model.compile(
        keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="two moons", half="fresh")
def moons_apart():
    x, y = datasets.make_moons(620, noise=0.18, random_state=272)
    x, y, new, new_y = data.split(x.astype("float32"), y)

    class Moons(keras.Model):
        def __init__(self):
            super().__init__()
            self.steps = [L.Dense(16, activation="tanh") for _ in range(2)]
            self.out = L.Dense(2)

        def call(self, inputs):
            for step in self.steps:
                inputs = step(inputs)
            return self.out(inputs)

    model = Moons()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        loss,
        metrics=["accuracy"],
    )
    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
