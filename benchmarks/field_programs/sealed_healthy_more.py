"""Further sealed programs without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy
from field_programs.sealed_layers import textures

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class SetNetwork(keras.Model):
    """Look at each point, add up those that are there, look at the sum."""

    def __init__(self, width=24, **kwargs):
        super().__init__(**kwargs)
        self.each = [L.Dense(width, activation="relu") for _ in range(2)]
        self.all = L.Dense(width, activation="relu")
        self.dropout = L.Dropout(0.1)
        self.out = L.Dense(3, activation="softmax")

    def call(self, inputs, training=False):
        h = inputs["points"]
        for layer in self.each:
            h = layer(h)
        there = inputs["there"][..., None]
        h = ops.sum(h * there, axis=1) / ops.sum(there, axis=1)
        return self.out(self.dropout(self.all(h), training=training))


@healthy(family="classifier of point clouds", half="sealed")
def rings_and_clouds():
    rng = np.random.default_rng(1091)
    n, most = 640, 20
    kind = rng.integers(0, 3, n)
    turn = rng.uniform(0, 6.28, (n, most))
    far = np.where(kind[:, None] == 0, 1.0, abs(rng.normal(size=(n, most))))
    points = np.stack([np.cos(turn), np.sin(turn)], -1) * far[..., None]
    line = np.stack([rng.normal(size=(n, most)), np.zeros((n, most))], -1)
    points = np.where((kind == 2)[:, None, None], line, points)
    points = (points + 0.15 * rng.normal(size=points.shape)).astype("float32")
    there = np.arange(most)[None] < rng.integers(8, most + 1, n)[:, None]
    there = there.astype("float32")
    points = points * there[..., None]
    x, new = (
        {"points": points[s], "there": there[s]} for s in (slice(450), slice(450, n))
    )
    model = SetNetwork()
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 24, "batch_size": 32, "validation_data": (new, kind[450:])}
    score = scores.accuracy(new, kind[450:])
    return Fit(model, x, kind[:450], score, options)


@healthy(family="one cycle of the rate", half="sealed")
def up_and_down_again():
    x, y, new, new_y = data.digits(900)
    epochs = 16

    def one_cycle(epoch, rate):
        rise = 5
        if epoch < rise:
            return 0.01 + 0.05 * epoch / rise
        left = (epochs - epoch) / (epochs - rise)
        return 0.06 * left**2 + 0.0005

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.Conv2D(12, 3, activation="relu"),
            L.Flatten(),
            L.Dropout(0.3),
            L.Dense(10, activation="softmax"),
        ]
    )
    sgd = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(sgd, CROSS, metrics=["accuracy"])
    options = {
        "epochs": epochs,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [keras.callbacks.LearningRateScheduler(one_cycle)],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def where_known(y_true, y_pred):
    """Return the cross-entropy of what was measured: -1 stands for what was not."""
    known = ops.cast(ops.greater_equal(y_true, 0), y_pred.dtype)
    y = ops.cast(ops.maximum(y_true, 0), y_pred.dtype)
    p = ops.clip(y_pred, 1e-6, 1 - 1e-6)
    each = -(y * ops.log(p) + (1 - y) * ops.log(1 - p))
    return ops.sum(known * each, axis=-1) / ops.maximum(ops.sum(known, axis=-1), 1)


@healthy(family="labels that are missing", half="sealed")
def assays_not_all_done():
    rng = np.random.default_rng(1092)
    n = 900
    x = rng.normal(size=(n, 16)).astype("float32")
    shared = np.tanh(x @ rng.normal(size=(16, 6)) / 2)
    y = (shared @ rng.normal(size=(6, 4)) + 0.3 * rng.normal(size=(n, 4)) > 0) * 1.0
    y = y.astype("float32")
    seen = np.where(rng.random((n, 4)) < 0.45, y, -1).astype("float32")
    cut = 640
    model = keras.Sequential([keras.Input((16,))])
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(4, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.004), where_known)
    held = (x[cut:], seen[cut:])
    options = {"epochs": 22, "batch_size": 32, "validation_data": held}

    def score(model, history):
        found = model.predict(x[cut:], verbose=0) > 0.5
        return float(2 * (found == (y[cut:] > 0.5)).mean() - 1)

    return Fit(model, x[:cut], seen[:cut], score, options)


@healthy(family="low-rank fine-tuning", half="sealed")
def few_weights_adapted():
    x, y, new, new_y = data.digits(900)
    first, first_y = x[:450], y[:450]
    source = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(64, activation="relu", name="low"),
            L.Dense(64, activation="relu", name="high"),
        ],
        name="source",
    )
    training = keras.Sequential([source, L.Dense(10, activation="softmax")])
    training.compile(keras.optimizers.Adam(0.003), CROSS)
    training.fit(first, first_y, epochs=10, batch_size=32, verbose=0)
    for name in ("low", "high"):
        source.get_layer(name).enable_lora(4)
    turned, new = 1 - x[450:], 1 - new  # as on a blackboard
    inputs = keras.Input((8, 8, 1))
    outputs = L.Dense(10, activation="softmax")(source(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, turned, y[450:], scores.accuracy(new, new_y), options)


@healthy(family="translator", half="sealed")
def words_backwards():
    rng = np.random.default_rng(1093)
    n, length, letters = 1000, 4, 8
    word = rng.integers(2, letters + 2, (n, length))
    back = word[:, ::-1].copy()
    told = np.concatenate([np.ones((n, 1), int), back[:, :-1]], 1)  # 1: begin
    cut = 750
    table = {"word": word.astype("int32"), "told": told.astype("int32")}
    x, new = ({k: v[s] for k, v in table.items()} for s in (slice(cut), slice(cut, n)))
    word_in = keras.Input((length,), dtype="int32", name="word")
    told_in = keras.Input((length,), dtype="int32", name="told")
    letter = L.Embedding(letters + 2, 12)
    seen, state = L.GRU(32, return_sequences=True, return_state=True)(letter(word_in))
    h = L.GRU(32, return_sequences=True)(letter(told_in), initial_state=state)
    h = L.Concatenate()([h, L.Attention()([h, seen])])
    outputs = L.Dense(letters + 2)(h)
    model = keras.Model({"word": word_in, "told": told_in}, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam(0.01, clipnorm=1.0)
    model.compile(adam, loss, metrics=["accuracy"])
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, back[cut:])}
    return Fit(model, x, back[:cut], scores.accuracy(new, back[cut:]), options)


def dice(y_true, y_pred):
    """Return one less the overlap of each picture, plus the cross-entropy."""
    both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    sizes = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
    cross = ops.mean(ops.binary_crossentropy(y_true, y_pred), axis=(1, 2, 3))
    return 1 - (2 * both + 1) / (sizes + 1) + cross


@healthy(family="segmentation with Dice of one's own", half="sealed")
def rough_patches():
    x, masks = textures(480, seed=1094)
    inputs = keras.Input((16, 16, 1))
    h = inputs
    for filters in (12, 12):
        h = L.Conv2D(filters, 3, padding="same")(h)
        h = L.GroupNormalization(4)(h)
        h = L.PReLU(shared_axes=[1, 2])(h)
    h = L.Conv2D(12, 5, padding="same", activation="relu")(h)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.006), dice)
    held = (x[340:], masks[340:])
    options = {"epochs": 16, "batch_size": 16, "validation_data": held}
    return Fit(model, x[:340], masks[:340], scores.overlap(*held), options)
