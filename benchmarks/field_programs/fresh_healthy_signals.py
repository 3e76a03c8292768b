"""Fresh healthy programs on pictures, series, sequences and graphs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.fresh_layers import Places
from field_programs.fresh_models import spelling, unit, utterances
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="separable convolutions", half="fresh")
def separable_digits():
    x, y, new, new_y = data.digits(700)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.SeparableConv2D(24, 3, activation="relu"),
            L.SpatialDropout2D(0.1),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 100, 0.8)
    model.compile(
        keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"]
    )
    held_out = (new, data.groups(new_y, 10))
    options = {"epochs": 10, "validation_data": held_out}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)


@healthy(family="bytes rescaled inside", half="fresh")
def bytes_of_pictures():
    x, y, new, new_y = data.digits(640)
    x, new = (np.round(a * 255).astype("uint8") for a in (x, new))
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(16, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="dropout that outweighs", half="fresh")
def worse_in_training():
    x, y, new, new_y = data.digits(700)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.GaussianNoise(0.15),
            L.Flatten(),
            L.Dense(96, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="dilated convolutions", half="fresh")
def dilated_forecast():
    series = data.load_curve(520, seed=281)
    x, y = data.windows(series, 24)
    new, new_y, x, y = x[380:], y[380:], x[:380], y[:380]
    inputs = keras.Input((24, 1))
    hidden = inputs
    for rate in (1, 2, 4):
        hidden = L.Conv1D(
            12, 2, padding="causal", dilation_rate=rate, activation="relu"
        )(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden[:, -1]))
    model.compile(keras.optimizers.Adam(0.004), "mae")
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="recent rows weighted", half="fresh")
def recent_weeks_count_more():
    series = data.load_curve(520, seed=282)
    x, y = data.windows(series, 24)
    x = x[..., 0]
    new, new_y, x, y = x[380:], y[380:], x[:380], y[:380]
    weights = np.linspace(0.4, 1.6, len(x)).astype("float32")
    model = keras.Sequential(
        [keras.Input((24,)), L.Dense(16, activation="elu"), L.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {
        "epochs": 20,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "sample_weight": weights,
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="CTC", half="fresh")
def letters_heard():
    x, y = utterances(460, seed=283)
    x, y, new, new_y = data.split(x, y + 1, 0.75)
    return spelling(32, 16, x, y, new, new_y)


@healthy(family="causal transformer", half="fresh")
def words_in_turn():
    rng = np.random.default_rng(284)
    text = rng.integers(0, 7, (620, 9)).astype("int32")
    for t in range(1, 9):
        likely = (3 * text[:, t - 1] + 2) % 7
        text[:, t] = np.where(rng.random(620) < 0.8, likely, text[:, t])
    x, y = text[:460, :-1], text[:460, 1:]
    new, new_y = text[460:, :-1], text[460:, 1:]
    inputs = keras.Input((8,), dtype="int32")
    steps = Places()(L.Embedding(7, 16)(inputs))
    look = L.MultiHeadAttention(2, 12)(steps, steps, use_causal_mask=True)
    steps = L.LayerNormalization()(L.Add()([steps, look]))
    hidden = L.Dense(48, activation="relu")(steps)
    model = keras.Model(inputs, L.Dense(7, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="read both ways", half="fresh")
def both_ways():
    rng = np.random.default_rng(285)
    x, y = data.gestures(420, length=14, seed=285, noise=0.3)
    for row in x:
        row[int(rng.integers(9, 15)) :] = 0
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((14, 3)),
            L.Masking(),
            L.Bidirectional(L.GRU(10)),
            L.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="triplet embedding", half="fresh")
def triplets_told_apart():
    x, y, new, new_y = data.digits(640)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    rng = np.random.default_rng(286)

    def triples(x, y, n):
        first = rng.integers(0, len(x), n)
        same = np.array([rng.choice(np.flatnonzero(y == y[i])) for i in first])
        other = np.array([rng.choice(np.flatnonzero(y != y[i])) for i in first])
        return np.stack([x[first], x[same], x[other]], 1)

    class Triplet(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = L.Dense(48, activation="relu")
            self.code = L.Dense(12)

        def call(self, inputs):
            return unit(self.code(self.hidden(inputs)))

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            near = ops.sum(ops.square(y_pred[:, 0] - y_pred[:, 1]), axis=-1)
            far = ops.sum(ops.square(y_pred[:, 0] - y_pred[:, 2]), axis=-1)
            return ops.mean(ops.relu(near - far + 0.4))

    model = Triplet()
    model.compile(keras.optimizers.Adam(0.002))

    def score(model, history):
        code = scores.predicted(model, triples(new, new_y, 300))
        near = ((code[:, 0] - code[:, 1]) ** 2).sum(-1)
        far = ((code[:, 0] - code[:, 2]) ** 2).sum(-1)
        return float(2 * (near < far).mean() - 1)

    options = {"epochs": 14, "batch_size": 32}
    return Fit(model, triples(x, y, 640), None, score, options)


@healthy(family="graph", half="fresh")
def neighbors_asked():
    rng = np.random.default_rng(287)
    n, nodes = 420, 8
    links = (rng.random((n, nodes, nodes)) < 0.3).astype("float32")
    links = np.maximum(links, links.transpose(0, 2, 1)) + np.eye(nodes)
    links = (links / links.sum(-1, keepdims=True)).astype("float32")
    x = rng.normal(size=(n, nodes, 3)).astype("float32")
    y = np.tanh(links @ x[..., :1]) + (links @ x[..., 1:2]) ** 2
    y = y.mean(1)
    y = ((y - y.mean()) / y.std()).astype("float32")
    inputs = [keras.Input((nodes, 3)), keras.Input((nodes, nodes))]
    mixed = L.Dot(axes=(2, 1))([inputs[1], inputs[0]])
    hidden = L.Dense(24, activation="relu")(mixed)
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1)(L.GlobalAveragePooling1D()(hidden)))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    seen, held_out = [x[:300], links[:300]], [x[300:], links[300:]]
    options = {"epochs": 20, "validation_data": (held_out, y[300:])}
    return Fit(model, seen, y[:300], scores.variance(held_out, y[300:]), options)


@healthy(family="position and kind", half="fresh")
def where_and_what():
    rng = np.random.default_rng(288)
    x, kind, masks = data.shapes(460, size=12, seed=288)
    grid = np.arange(12) / 5.5 - 1
    weight = masks[..., 0].sum((1, 2))
    place = np.stack(
        [
            (masks[..., 0].sum(1) * grid).sum(-1) / weight,
            (masks[..., 0].sum(2) * grid).sum(-1) / weight,
        ],
        -1,
    ).astype("float32")
    order = rng.permutation(460)
    seen, rest = order[:330], order[330:]
    inputs = keras.Input((12, 12, 1))
    hidden = L.Conv2D(12, 3, activation="relu")(inputs)
    hidden = L.Conv2D(12, 3, activation="relu")(hidden)
    flat = L.Flatten()(hidden)
    outputs = {
        "kind": L.Dense(1, activation="sigmoid")(L.GlobalMaxPooling2D()(hidden)),
        "place": L.Dense(2)(flat),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.004),
        {"kind": "binary_crossentropy", "place": "mse"},
        loss_weights={"kind": 1.0, "place": 2.0},
    )
    y = {"kind": kind[:, None].astype("float32"), "place": place}

    def score(model, history):
        out = model.predict(x[rest], verbose=0)
        return scores.explained(np.asarray(out["place"]), place[rest])

    options = {
        "epochs": 16,
        "batch_size": 32,
        "validation_data": (x[rest], {name: part[rest] for name, part in y.items()}),
    }
    return Fit(model, x[seen], {k: v[seen] for k, v in y.items()}, score, options)
