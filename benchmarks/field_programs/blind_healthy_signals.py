"""Blind healthy programs on pictures, texts and series."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy
from field_programs.splits import Batches

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class Patches(L.Layer):
    """Cut pictures of 8 x 8 into 16 pieces, embedded with their place."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.project = L.Conv2D(width, 2, strides=2)
        self.flat = L.Reshape((16, width))
        self.places = L.Embedding(16, width)

    def call(self, x):
        return self.flat(self.project(x)) + self.places(ops.arange(16))


class EncoderBlock(L.Layer):
    """A block of a transformer that normalizes first."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.norms = [L.LayerNormalization() for _ in range(2)]
        self.attention = L.MultiHeadAttention(2, width // 2, dropout=0.1)
        self.inner = L.Dense(2 * width, activation="gelu")
        self.outer = L.Dense(width)

    def call(self, x, training=False):
        h = self.norms[0](x)
        x = x + self.attention(h, h, training=training)
        return x + self.outer(self.inner(self.norms[1](x)))


@healthy(family="vision transformer", half="blind")
def digits_in_patches():
    x, y, new, new_y = data.digits(800)
    inputs = keras.Input((8, 8, 1))
    h = Patches(24)(inputs)
    for _ in range(2):
        h = EncoderBlock(24)(h)
    h = L.LayerNormalization()(h)
    h = L.GlobalAveragePooling1D()(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    steps = 12 * 25
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - 30, alpha=0.02, warmup_target=0.006, warmup_steps=30
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=1.0)
    model.compile(optimizer, CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="sequence to sequence", half="blind")
def answer_backwards():
    rng = np.random.default_rng(1292)
    source = rng.integers(1, 7, (1200, 4)).astype("int32")
    target = source[:, ::-1].copy()
    before = np.concatenate([np.zeros((1200, 1), "int32"), target[:, :-1]], 1)
    read = keras.Input((4,), dtype="int32", name="source")
    given = keras.Input((4,), dtype="int32", name="before")
    states, state = L.GRU(48, return_sequences=True, return_state=True)(
        L.Embedding(7, 16)(read)
    )
    h = L.GRU(48, return_sequences=True)(L.Embedding(7, 16)(given), initial_state=state)
    h = L.Concatenate()([h, L.Attention()([h, states])])
    model = keras.Model([read, given], L.Dense(7, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.008), CROSS, metrics=["accuracy"])
    new = [source[900:], before[900:]]

    def score(model, history):
        answer = scores.predicted(model, new).argmax(-1)
        return float((answer == target[900:]).mean())

    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, target[900:])}
    return Fit(model, [source[:900], before[:900]], target[:900], score, options)


def soft_overlap(y_true, y_pred):
    """Return a cross-entropy plus one minus the dice coefficient of each picture."""
    axes = (1, 2, 3)
    both = ops.sum(y_true * y_pred, axis=axes)
    each = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes)
    cross = keras.losses.binary_crossentropy(y_true, y_pred)
    return 1 - (2 * both + 1) / (each + 1) + ops.mean(cross, axis=(1, 2))


@healthy(family="small objects outlined", half="blind")
def outlines_by_overlap():
    x, _, masks = data.shapes(300, size=12, seed=1293)
    rng = np.random.default_rng(1293)

    def flipped(x, y, index):
        across = rng.random() < 0.5
        return (x[:, :, ::-1], y[:, :, ::-1]) if across else (x, y)

    inputs = keras.Input((12, 12, 1))
    left = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    h = L.Conv2D(16, 3, strides=2, padding="same", activation="relu")(left)
    h = L.GroupNormalization(4)(h)
    h = L.Conv2DTranspose(8, 2, strides=2, activation="relu")(h)
    h = L.Concatenate()([left, h])
    h = L.Conv2D(8, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.004),
        soft_overlap,
        metrics=[keras.metrics.BinaryIoU(target_class_ids=[1], name="iou")],
    )
    new, new_y = x[220:], masks[220:]
    batches = Batches(x[:220], masks[:220], 20, flipped)
    options = {"epochs": 8, "validation_data": (new, new_y)}
    return Fit(model, batches, None, scores.overlap(new, new_y), options)


@healthy(family="fine-tuned with frozen statistics", half="blind")
def upper_layers_thawed():
    x, y, new, new_y = data.digits(1200)
    base = keras.Sequential([keras.Input((8, 8, 1))])
    for filters in (16, 24):
        base.add(L.Conv2D(filters, 3, use_bias=False))
        base.add(L.BatchNormalization(momentum=0.9))
        base.add(L.Activation("relu"))
    base.add(L.GlobalMaxPooling2D())
    first = keras.Sequential([base, L.Dense(5, activation="softmax")])
    first.compile(keras.optimizers.Adam(0.005), CROSS)
    first.fit(x[y < 5], y[y < 5], epochs=8, batch_size=32, verbose=0)
    for layer in base.layers:
        frozen = isinstance(layer, L.BatchNormalization) or layer is base.layers[0]
        layer.trainable = not frozen
    x, y, new, new_y = x[y > 4], y[y > 4] - 5, new[new_y > 4], new_y[new_y > 4] - 5
    inputs = keras.Input((8, 8, 1))
    h = L.Dropout(0.2)(base(inputs, training=False))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="half precision", half="blind")
def brain_floats():
    x, y, new, new_y = data.digits(700)
    half = "mixed_bfloat16"
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(16, 3, activation="relu", dtype=half)(inputs)
    h = L.Conv2D(24, 3, activation="relu", dtype=half)(h)
    h = L.Flatten(dtype=half)(h)
    h = L.Dense(48, activation="relu", dtype=half)(h)
    h = L.Dense(10, dtype=half)(h)
    outputs = L.Activation("softmax", dtype="float32")(h)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class NearItsCenter(keras.Model):
    """A classifier that also draws the codes of a class together."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.body = [
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(24, activation="relu"),
        ]
        self.head = L.Dense(classes)
        self.centers = L.Embedding(classes, 24)

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return ops.concatenate([self.head(x), x], axis=-1)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        logits, code = y_pred[:, :10], y_pred[:, 10:]
        label = ops.cast(ops.reshape(y, (-1,)), "int32")
        cross = keras.losses.sparse_categorical_crossentropy(label, logits, True)
        away = ops.sum((code - self.centers(label)) ** 2, axis=-1)
        return ops.mean(cross) + 0.005 * ops.mean(away)


@healthy(family="center loss", half="blind")
def near_their_centers():
    x, y, new, new_y = data.digits(700)
    model = NearItsCenter(10)
    model.compile(keras.optimizers.Adam(0.003))
    model.centers.build(None)

    def score(model, history):
        answer = scores.predicted(model, new)[:, :10].argmax(-1)
        return float((answer == new_y).mean())

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@healthy(family="sequence autoencoder", half="blind")
def waves_remembered():
    rng = np.random.default_rng(1297)
    t = np.arange(16)
    pace, phase = rng.uniform(0.2, 0.5, (640, 1)), rng.uniform(0, 6.28, (640, 1))
    height = rng.uniform(0.6, 1.4, (640, 1))
    x = height * np.sin(pace * t + phase) + 0.05 * rng.normal(size=(640, 16))
    x = x[..., None].astype("float32")
    x, new = x[:480], x[480:]
    inputs = keras.Input((16, 1))
    code = L.GRU(32)(inputs)
    h = L.RepeatVector(16)(L.Dense(8)(code))
    h = L.GRU(32, return_sequences=True)(h)
    model = keras.Model(inputs, L.TimeDistributed(L.Dense(1))(h))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


class Experts(L.Layer):
    """Some networks, mixed by a gate."""

    def __init__(self, experts, width, **kwargs):
        super().__init__(**kwargs)
        self.experts = [L.Dense(width, activation="relu") for _ in range(experts)]
        self.gate = L.Dense(experts, activation="softmax")

    def call(self, x):
        weights = self.gate(x)
        found = ops.stack([expert(x) for expert in self.experts], axis=1)
        return ops.sum(weights[..., None] * found, axis=1)


@healthy(family="mixture of experts", half="blind")
def each_to_its_expert():
    x, y, new, new_y = data.friedman(760, seed=1298)
    inputs = keras.Input((8,))
    h = Experts(3, 24)(inputs)
    h = L.Dense(12, activation="relu")(h)
    outputs = {
        "value": L.Dense(1, name="value")(h),
        "high": L.Dense(1, activation="sigmoid", name="high")(h),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.006),
        loss={"value": "mse", "high": "binary_crossentropy"},
        loss_weights={"value": 1.0, "high": 0.5},
        metrics={"high": ["accuracy"]},
    )

    def both(y):
        return {"value": y, "high": (y > 0.5).astype("float32")}

    def score(model, history):
        return scores.explained(model.predict(new, verbose=0)["value"], new_y)

    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, both(new_y))}
    return Fit(model, x, both(y), score, options)
