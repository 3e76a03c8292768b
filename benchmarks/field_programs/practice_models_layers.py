"""Practice: layers and architectures that keep a model from learning."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"
SATURATED = (
    "attention_saturated",
    "saturated_units",
    "exploding_activations",
    "vanishing_gradients",
)


class Block(L.Layer):
    """Self-attention with a feed-forward part, as the papers have it."""

    def __init__(self, width, scale):
        super().__init__()
        self.parts = [L.Dense(width) for _ in range(3)]
        self.scale = scale
        self.after = L.LayerNormalization()
        self.feed = L.Dense(width, activation="relu")

    def call(self, x):
        query, key, value = (part(x) for part in self.parts)
        energy = ops.matmul(query, ops.transpose(key, (0, 2, 1))) * self.scale
        x = self.after(x + ops.matmul(ops.softmax(energy, axis=-1), value))
        return x + self.feed(x)


class Places(L.Layer):
    """Add a vector for each place."""

    def __init__(self, length, width):
        super().__init__()
        self.places = self.add_weight((length, width), "random_normal")

    def call(self, x):
        return x + 20 * self.places


def copied(n, seed):
    """Return texts with a mark, and the word that stands at the mark."""
    rng = np.random.default_rng(seed)
    x = rng.integers(2, 22, (n, 16))
    at = rng.integers(0, 15, n)
    x[np.arange(n), at] = 1
    return x.astype("int32"), x[np.arange(n), at + 1] - 2


def with_attention(scale):
    x, y, new, new_y = data.split(*copied(1300, seed=1201))
    inputs = keras.Input((16,), dtype="int32")
    large = keras.initializers.RandomNormal(stddev=1.0)
    hidden = L.Embedding(22, 64, embeddings_initializer=large)(inputs)
    hidden = Places(16, 64)(hidden)
    hidden = Block(64, scale)(hidden)
    hidden = Block(64, scale)(hidden)
    outputs = L.Dense(20, activation="softmax")(hidden[:, 0])
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="attention not scaled",
    family="tiny transformer",
    half="practice",
    address="https://github.com/PAIR-code/tiny-transformers/issues/71",
    symptom="the losses of tiny models peak during training",
    cause="the raw attention is not divided by the root of the width",
    truth=SATURATED,
    also=(*STUCK, *BLOWN_UP, "overfitting", "poor_initialization"),
)
def raw_attention(repaired):
    return with_attention(64**-0.5 if repaired else 1.0)


@program(
    kind="attention scaled the wrong way",
    family="tiny transformer",
    half="practice",
    address="https://github.com/AI-Hypercomputer/maxtext/issues/1370",
    symptom="training is not stable",
    cause="scores are multiplied by the root of the width",
    truth=SATURATED,
    also=(*STUCK, *BLOWN_UP, "overfitting", "poor_initialization"),
)
def reversed_scale(repaired):
    return with_attention(64**-0.5 if repaired else 64**0.5)


@program(
    kind="batch normalization after the output",
    family="several values from curves",
    half="practice",
    address="https://discuss.tensorflow.org/t/applying-batch-normalization-on-the-output-layer-in-a-regression-problem/14056",
    symptom="predictions are five times worse",
    cause="the output is normalized by batch",
    truth=(
        "normalization_lag",
        "normalization_small_batch",
        "output_activation_mismatch",
    ),
    also=(*STUCK, *BLOWN_UP, "overfitting", "unscaled_targets"),
)
def output_normalized(repaired):
    rng = np.random.default_rng(1204)
    about = rng.normal(size=(800, 3))
    t = np.linspace(0, 3, 24)
    a, b, c = (about[:, i : i + 1] for i in range(3))
    x = (
        a * np.sin(t)
        + b * t / 3
        + c * np.cos(2 * t)
        + 0.05 * rng.normal(size=(800, 24))
    )
    y = np.concatenate([3 + a, b - 4, 2 * c + 8], axis=1)
    x, y, new, new_y = data.split(x.astype("float32"), y.astype("float32"))
    model = keras.Sequential([keras.Input((24,))])
    for _ in range(2):
        model.add(L.Dense(48, activation="relu"))
        model.add(L.BatchNormalization())
    model.add(L.Dense(3))
    if not repaired:
        model.add(L.BatchNormalization())
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 25, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="no way around the blocks",
    family="deep convolutions",
    half="practice",
    address="https://github.com/znxlwm/UGATIT-pytorch/issues/32",
    symptom="a residual block that is none",
    cause="the input of the block is not added to its output",
    truth=(
        "vanishing_gradients",
        "poor_initialization",
        "exploding_activations",
        "saturating_activations",
    ),
    also=(*STUCK, "dead_units", "zero_gradients", "slow_convergence"),
)
def blocks_without_way_around(repaired):
    x, y, new, new_y = data.digits(700)

    class Residual(L.Layer):
        def __init__(self, filters):
            super().__init__()
            self.first = L.Conv2D(filters, 3, padding="same", activation="relu")
            self.second = L.Conv2D(filters, 3, padding="same", activation="relu")

        def call(self, inputs):
            hidden = self.second(self.first(inputs))
            return inputs + 0.3 * hidden if repaired else hidden

    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    for _ in range(12):
        hidden = Residual(8)(hidden)
    hidden = L.Flatten()(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.SGD(0.02, 0.9), CROSS, metrics=["accuracy"])
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="layers hidden by a flag",
    family="segmentation, subclassed",
    half="practice",
    address="https://github.com/mlcommons/GaNDLF/issues/142",
    symptom="the residual U-Net is like the plain one",
    cause="the flag does not reach the modules",
    truth=("unused_layers",),
    also=(*STUCK, "overfitting", "model_too_small", "imbalanced_classes"),
)
def flag_not_passed(repaired):
    x, _, masks = data.shapes(360, seed=1206)
    n = 260

    class Net(keras.Model):
        def __init__(self, residual=False):
            super().__init__()
            self.residual = residual
            conv = lambda n: L.Conv2D(n, 3, padding="same", activation="relu")  # noqa: E731
            self.first, self.deep, self.deeper = conv(8), conv(16), conv(16)
            self.pool, self.up = L.MaxPooling2D(4), L.UpSampling2D(4)
            self.around = L.Conv2D(16, 1)
            self.mix = conv(8)
            self.out = L.Conv2D(1, 1, activation="sigmoid")

        def call(self, pictures):
            first = self.first(pictures)
            deep = self.up(self.deeper(self.deep(self.pool(first))))
            if self.residual:
                deep = deep + self.around(first)
            return self.out(self.mix(deep))

    model = Net(residual=True) if repaired else Net()
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    held_out = x[n:], masks[n:]
    options = {"epochs": 10, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:n], masks[:n], scores.overlap(*held_out), options)


class Wrapped(L.Layer):
    """A layer that makes another one each time it is called."""

    def __init__(self, units, repaired):
        super().__init__()
        self.units = units
        self.kept = self.make() if repaired else None

    def make(self):
        return L.Dense(self.units, activation="relu")

    def call(self, x):
        return (self.kept or self.make())(x)


@program(
    kind="layer made in call",
    family="table, layer of one's own",
    half="practice",
    address="https://github.com/keras-team/keras/issues/11736",
    symptom="the Dense layer in the custom layer is not trained",
    cause="it is created inside of call",
    truth=("unused_layers", "frozen_layers", "nothing_to_train", "random_at_inference"),
    also=(*STUCK, "rows_mixed", "oscillating_loss", "overfitting"),
    backends=("torch",),
)
def made_in_call(repaired):
    x, y, new, new_y = data.two_classes(700, columns=12, seed=1207)
    model = keras.Sequential([keras.Input((12,)), Wrapped(24, repaired)])
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="no activations",
    family="segmentation",
    half="practice",
    address="https://github.com/divamgupta/image-segmentation-keras/issues/136",
    symptom="layers without an activation",
    cause="relu was left out of the convolutions",
    truth=("missing_nonlinearity",),
    also=(*STUCK, "model_too_small", "imbalanced_classes", "overfitting"),
)
def linear_segmentation(repaired):
    x, _, masks = data.shapes(400, seed=1208)
    x = x * np.random.default_rng(1208).choice([-1, 1], (400, 1, 1, 1))
    n = 300
    act = "relu" if repaired else None
    inputs = keras.Input((16, 16, 1))
    first = L.Conv2D(8, 3, padding="same", activation=act)(inputs)
    hidden = L.AveragePooling2D(2)(first)
    hidden = L.Conv2D(16, 3, padding="same", activation=act)(hidden)
    hidden = L.Concatenate()([first, L.UpSampling2D()(hidden)])
    hidden = L.Conv2D(8, 3, padding="same", activation=act)(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    held_out = x[n:], masks[n:]
    options = {"epochs": 14, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:n], masks[:n], scores.overlap(*held_out), options)
