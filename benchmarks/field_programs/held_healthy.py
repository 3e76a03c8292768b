"""Held programs without a fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.held_models import WordsAndPlaces
from field_programs.registry import Fit, healthy

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="text convolution", half="held")
def subjects_of_mails():
    rng = np.random.default_rng(961)
    y = rng.integers(0, 5, 700)
    own = 1 + 15 * y[:, None] + rng.integers(0, 15, (700, 16))
    x = np.where(rng.random((700, 16)) < 0.45, own, rng.integers(1, 90, (700, 16)))
    x[np.arange(16)[None] >= rng.integers(9, 17, 700)[:, None]] = 0
    x, y, new, new_y = data.split(x.astype("int32"), y)
    inputs = keras.Input((None,), dtype="int32")
    h = L.Embedding(90, 24)(inputs)
    h = L.Dropout(0.3)(h)
    h = L.Conv1D(32, 3, padding="same", activation="relu")(h)
    h = L.GlobalMaxPooling1D()(h)
    h = L.Dense(32, activation="relu")(h)
    h = L.Dropout(0.3)(h)
    model = keras.Model(inputs, L.Dense(5, activation="softmax", name="topic")(h))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Moved(keras.utils.PyDataset):
    """Batches of pictures that are moved by up to a pixel, and dimmed."""

    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.rng = np.random.default_rng(962)
        self.on_epoch_end()

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        images = [np.roll(self.x[i], self.rng.integers(-1, 2), 0) for i in rows]
        dimmed = np.stack(images) * self.rng.uniform(0.8, 1.0, (len(rows), 1, 1, 1))
        return dimmed.astype("float32"), self.y[rows]


@healthy(family="augmented pictures", half="held")
def digits_moved_about():
    x, y, new, new_y = data.digits(620)
    inputs = keras.Input((8, 8, 1))
    h = inputs
    for filters in (16, 32):
        h = L.Conv2D(filters, 3, padding="same")(h)
        h = L.BatchNormalization(momentum=0.9)(h)
        h = L.Activation("relu")(h)
        h = L.MaxPooling2D()(h)
    h = L.Flatten()(h)
    h = L.Dropout(0.3)(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, Moved(x, y, 32), None, scores.accuracy(new, new_y), options)


@healthy(family="convolutional autoencoder", half="held")
def shapes_without_noise():
    seen, _, masks = data.shapes(420, seed=963)
    clean = 0.15 + 0.55 * masks
    noisy = seen + 0.15 * np.random.default_rng(963).normal(size=seen.shape)
    noisy = np.clip(noisy, 0, 1).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(12, 3, activation="relu", padding="same"),
            L.MaxPooling2D(2, padding="same"),
            L.Conv2D(12, 3, activation="relu", padding="same"),
            L.Conv2DTranspose(12, 3, strides=2, activation="relu", padding="same"),
            L.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ],
        name="denoiser",
    )
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
    held_out = (noisy[300:], clean[300:])
    options = {"epochs": 15, "batch_size": 32, "validation_data": held_out}
    return Fit(model, noisy[:300], clean[:300], scores.variance(*held_out), options)


@healthy(family="forecast of several hours", half="held")
def next_four_hours():
    curve = data.load_curve(520, seed=964)
    hour = np.arange(520) / 24 * 6.283
    table = np.stack([curve, np.sin(hour), np.cos(hour)], -1)
    table = (table - table[:350].mean(0)) / table[:350].std(0)
    starts = np.arange(520 - 16)
    x = np.stack([table[i : i + 12] for i in starts]).astype("float32")
    y = np.stack([table[i + 12 : i + 16, 0] for i in starts]).astype("float32")
    x, y, new, new_y = x[:350], y[:350], x[366:], y[366:]
    inputs = keras.Input((12, 3))
    h = L.GRU(24)(inputs)
    h = L.Dropout(0.1)(h)
    model = keras.Model(inputs, L.Dense(4)(h))
    model.compile(keras.optimizers.Adam(0.006, clipnorm=1.0), "mse", metrics=["mae"])
    options = {
        "epochs": 20,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=4),
            keras.callbacks.EarlyStopping("val_loss", patience=8),
        ],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="table and categories", half="held")
def wines_and_their_cellars():
    x, new, y, new_y = data.table("wine", scaled=False)
    rng = np.random.default_rng(965)
    cellar, new_cellar = (
        np.where(rng.random(len(a)) < 0.6, a, rng.integers(0, 4, len(a)))[:, None]
        for a in (y, new_y)
    )
    normalize = L.Normalization()
    normalize.adapt(x)
    numbers = keras.Input((13,), name="numbers")
    where = keras.Input((1,), name="cellar", dtype="int32")
    code = L.Flatten()(L.Embedding(4, 3)(where))
    h = L.Concatenate()([normalize(numbers), code])
    h = L.Dense(24, activation="relu", kernel_regularizer="l2")(h)
    h = L.Dropout(0.2)(h)
    model = keras.Model([numbers, where], L.Dense(3, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    x = {"numbers": x, "cellar": cellar.astype("int32")}
    new = {"numbers": new, "cellar": new_cellar.astype("int32")}
    options = {"epochs": 25, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="wide and deep", half="held")
def wide_beside_deep():
    x, y, new, new_y = data.friedman(620, seed=966)
    inputs = keras.Input((8,))
    deep = L.Dense(32, activation="selu", kernel_initializer="lecun_normal")(inputs)
    deep = L.Dense(32, activation="selu", kernel_initializer="lecun_normal")(deep)
    both = L.Concatenate()([inputs, deep])
    model = keras.Model(inputs, L.Dense(1)(both))
    model.compile(
        keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True), "mse", metrics=["mae"]
    )
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="another several outputs", half="held")
def digit_and_its_ink():
    x, y, new, new_y = data.digits(600)
    ink, new_ink = (a.mean((1, 2)) for a in (x, new))
    mean, std = ink.mean(), ink.std()
    ink, new_ink = (ink - mean) / std, (new_ink - mean) / std
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(16, 3, activation="relu")(inputs)
    h = L.Flatten()(h)
    h = L.Dense(48, activation="relu")(h)
    model = keras.Model(
        inputs,
        {
            "digit": L.Dense(10, activation="softmax", name="digit")(h),
            "ink": L.Dense(1, name="ink")(h),
        },
    )
    model.compile(
        keras.optimizers.Adam(0.003),
        loss={"digit": CROSS, "ink": "mse"},
        loss_weights={"digit": 1.0, "ink": 0.5},
        metrics={"digit": ["accuracy"], "ink": ["mae"]},
    )
    held_out = (new, {"digit": new_y, "ink": new_ink})
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, {"digit": y, "ink": ink}, score, options)


class Sampling(L.Layer):
    """Draw from the normal distribution of a mean and a log variance."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(968)

    def call(self, inputs):
        mean, log_var = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return mean + ops.exp(0.5 * log_var) * noise


class DigitVAE(keras.Model):
    """A variational autoencoder with a loss of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = L.Dense(64, activation="relu")
        self.mean, self.log_var = L.Dense(6), L.Dense(6)
        self.sampling = Sampling()
        self.decoder = keras.Sequential(
            [L.Dense(64, activation="relu"), L.Dense(64, activation="sigmoid")]
        )

    def call(self, x, training=False):
        h = self.hidden(x)
        mean, log_var = self.mean(h), self.log_var(h)
        code = self.sampling([mean, log_var]) if training else mean
        divergence = ops.square(mean) + ops.exp(log_var) - log_var - 1
        self.add_loss(0.5 * ops.mean(ops.sum(divergence, axis=-1)))
        return self.decoder(code)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        entropy = keras.losses.binary_crossentropy(y, y_pred)
        return 64 * ops.mean(entropy) + sum(self.losses)


@healthy(family="another variational autoencoder", half="held")
def digits_drawn_anew():
    x, _, new, _ = data.digits(640)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = DigitVAE()
    model.compile(optimizer=keras.optimizers.Adam(0.004))
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@healthy(family="another siamese", half="held")
def same_digit_or_not():
    x, y, new, new_y = data.digits(400)
    rng = np.random.default_rng(969)

    def pairs(images, labels, n):
        first, second = rng.integers(0, len(images), (2, n))
        for i in range(0, n, 2):
            second[i] = rng.choice(np.flatnonzero(labels == labels[first[i]]))
        same = (labels[first] == labels[second]).astype("float32")
        return [images[first], images[second]], same[:, None]

    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
        ],
        name="base",
    )
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    a, b = base(left), base(right)
    h = L.Concatenate()([ops.abs(a - b), a * b])
    h = L.Dense(16, activation="relu")(h)
    model = keras.Model([left, right], L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    x, same = pairs(x, y, 1000)
    new, new_same = pairs(new, new_y, 400)
    options = {"epochs": 10, "batch_size": 64, "validation_data": (new, new_same)}
    score = scores.balanced(new, new_same[:, 0].astype(int))
    return Fit(model, x, same, score, options)


@healthy(family="another image segmentation", half="held")
def shapes_outlined():
    x, _, masks = data.shapes(360, seed=970)
    inputs = keras.Input((16, 16, 1))
    high = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    low = L.MaxPooling2D()(high)
    low = L.Conv2D(16, 3, padding="same", activation="relu")(low)
    up = L.UpSampling2D()(low)
    h = L.Concatenate()([high, up])
    h = L.Conv2D(8, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))

    def entropy_and_dice(y_true, y_pred):
        both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
        sizes = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
        dice = (2 * both + 1) / (sizes + 1)
        entropy = ops.mean(keras.losses.binary_crossentropy(y_true, y_pred))
        return entropy + 1 - ops.mean(dice)

    model.compile(keras.optimizers.Adam(0.004), entropy_and_dice)
    held_out = (x[260:], masks[260:])
    options = {"epochs": 12, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:260], masks[:260], scores.overlap(*held_out), options)


class GentleBlock(L.Layer):
    """A block of a transformer, with the normalization before each part."""

    def __init__(self, width, heads, rate, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.attention = L.MultiHeadAttention(heads, width // heads, dropout=rate)
        self.feed = keras.Sequential(
            [L.Dense(2 * width, activation="gelu"), L.Dense(width), L.Dropout(rate)]
        )
        self.first, self.second = L.LayerNormalization(), L.LayerNormalization()

    def call(self, x, training=None):
        normed = self.first(x)
        x = x + self.attention(normed, normed, training=training)
        return x + self.feed(self.second(x), training=training)


@healthy(family="another transformer", half="held")
def which_came_first():
    rng = np.random.default_rng(971)
    x = rng.integers(3, 20, (520, 10)).astype("int32")
    places = np.stack([rng.choice(10, 2, replace=False) for _ in x])
    rows = np.arange(520)
    x[rows, places[:, 0]], x[rows, places[:, 1]] = 1, 2
    y = (places[:, 0] < places[:, 1]).astype("int32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((10,), dtype="int32")
    h = WordsAndPlaces(10, 20, 16)(inputs)
    h = GentleBlock(16, 2, 0.05)(h)
    h = GentleBlock(16, 2, 0.05)(h)
    h = L.GlobalAveragePooling1D()(L.LayerNormalization()(h))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.AdamW(0.005, weight_decay=0.001),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class GraphConvolution(L.Layer):
    """Average over neighbors, beside the node's own features."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.own, self.others = L.Dense(units), L.Dense(units, use_bias=False)

    def call(self, nodes, adjacency):
        degree = ops.sum(adjacency, axis=-1, keepdims=True)
        mean = ops.matmul(adjacency, nodes) / ops.maximum(degree, 1.0)
        return ops.relu(self.own(nodes) + self.others(mean))


@healthy(family="another graph", half="held")
def molecules_or_not():
    rng = np.random.default_rng(972)
    n, atoms = 520, 9
    kinds = rng.integers(0, 3, (n, atoms))
    bonds = np.triu(rng.random((n, atoms, atoms)) < 0.25, 1)
    bonds = (bonds | bonds.transpose(0, 2, 1)).astype("float32")
    pairs = (kinds == 0)[:, :, None] & (kinds == 1)[:, None, :]
    number = (pairs * bonds).sum((1, 2))
    y = (number > np.median(number)).astype("int32")
    nodes = np.eye(3, dtype="float32")[kinds]
    features, links = keras.Input((atoms, 3)), keras.Input((atoms, atoms))
    h = GraphConvolution(24)(features, links)
    h = GraphConvolution(24)(h, links)
    h = L.GlobalAveragePooling1D()(h)
    h = L.Dense(16, activation="relu")(h)
    model = keras.Model([features, links], L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    new, new_y = [nodes[380:], bonds[380:]], y[380:]
    options = {"epochs": 30, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.balanced(new, new_y)
    return Fit(model, [nodes[:380], bonds[:380]], y[:380], score, options)


@healthy(family="another counts", half="held")
def bicycles_an_hour():
    rng = np.random.default_rng(973)
    hour, warmth = rng.integers(0, 24, 640), rng.normal(15, 8, 640)
    rain = rng.random(640) < 0.25
    busy = np.exp(-(((hour - 8) / 2.5) ** 2)) + np.exp(-(((hour - 17) / 3) ** 2))
    rate = np.exp(1.0 + 1.6 * busy + 0.04 * (warmth - 15) - 0.8 * rain)
    y = rng.poisson(rate).astype("float32")[:, None]
    x = np.column_stack(
        [
            np.sin(hour / 24 * 6.283),
            np.cos(hour / 24 * 6.283),
            np.sin(hour / 12 * 6.283),
            np.cos(hour / 12 * 6.283),
            (warmth - 15) / 8,
            rain,
        ]
    ).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(24, activation="tanh"),
            L.Dense(12, activation="tanh"),
            L.Dense(1, activation="exponential"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "poisson")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="transfer", half="held")
def old_digits_help():
    x, y, new, new_y = data.digits(640)
    first, first_y = x[:400], y[:400]
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same"),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.MaxPooling2D(),
            L.Conv2D(24, 3, padding="same", activation="relu"),
            L.GlobalAveragePooling2D(),
        ],
        name="base",
    )
    source = keras.Sequential([base, L.Dense(10, activation="softmax")])
    source.compile(keras.optimizers.Adam(0.005), CROSS)
    source.fit(first, first_y, epochs=10, batch_size=32, verbose=0)
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    h = base(inputs, training=False)
    h = L.Dropout(0.1)(h)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    odd, new_odd = y[400:] % 2, new_y % 2
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_odd)}
    return Fit(model, x[400:], odd, scores.accuracy(new, new_odd), options)


@healthy(family="rare class weighted", half="held")
def rare_failures_weighted():
    x, y, new, new_y = data.two_classes(1300, columns=12, share=0.08, seed=975)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(24, activation="relu"),
            L.Dropout(0.3),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004),
        keras.losses.BinaryCrossentropy(),
        weighted_metrics=[],
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
    )
    share = y.mean()
    options = {
        "epochs": 14,
        "batch_size": 64,
        "validation_data": (new, new_y),
        "class_weight": {0: 0.5 / (1 - share), 1: 0.5 / share},
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)
