"""Healthy programs on pictures, series and texts."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.numerics import contrastive, near_pairs, paired
from field_programs.outputs import small_unet
from field_programs.rates import small_transformer
from field_programs.registry import Fit, healthy
from field_programs.splits import Batches, small_cnn

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@healthy(family="image classifier", half="tune")
def digits_convolved():
    x, y, new, new_y = data.digits()
    model = small_cnn()
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="dense network on pictures", half="look")
def digits_by_sgd():
    x, y, new, new_y = data.digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "validation_split": 0.2}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="batch normalization", half="tune")
def normalized_convolutions():
    x, y, new, new_y = data.digits()
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for _ in range(2):
        model.add(L.Conv2D(12, 3, use_bias=False))
        model.add(L.BatchNormalization(momentum=0.9))
        model.add(L.Activation("relu"))
    model.add(L.GlobalAveragePooling2D())
    model.add(L.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    options = {"epochs": 9, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="residual network", half="look")
def residual_blocks():
    x, y, new, new_y = data.digits()
    inputs = keras.Input((8, 8, 1))
    hidden = L.Conv2D(10, 3, padding="same")(inputs)
    for _ in range(2):
        inner = L.Conv2D(10, 3, padding="same", activation="relu")(
            L.LayerNormalization()(hidden)
        )
        hidden = L.Add()([hidden, inner])
    out = L.Dense(10, activation="softmax")(L.Flatten()(L.MaxPooling2D()(hidden)))
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 6, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="fine-tuning", half="tune")
def head_on_trained_base():
    x, y, new, new_y = data.digits()
    base = small_cnn()
    base.compile(keras.optimizers.Adam(0.004), CROSS)
    base.fit(x, y // 2, epochs=8, verbose=0)
    body = keras.Model(base.inputs, base.layers[-2].output)
    body.trainable = False
    inputs = keras.Input((8, 8, 1))
    hidden = body(inputs, training=False)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="PyDataset", half="look")
def augmented_batches():
    x, y, new, new_y = data.digits()
    order = np.random.default_rng(0)

    def shift(x, y, index):
        return np.roll(x, order.integers(-1, 2), axis=2), y

    model = small_cnn()
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "validation_data": Batches(new, new_y, 64)}
    batches = Batches(x, y, 32, shift)
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


@healthy(family="tf.data", half="tune", backends=("tensorflow",))
def shuffled_pipeline():
    import tensorflow as tf

    x, y, new, new_y = data.digits()
    rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(32)
    held_out = tf.data.Dataset.from_tensor_slices((new, new_y)).batch(64)
    model = small_cnn()
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "validation_data": held_out}
    return Fit(model, rows, None, scores.accuracy(new, new_y), options)


@healthy(family="DataLoader", half="look", backends=("torch",))
def loader_of_torch():
    import torch

    x, y, new, new_y = data.digits()
    pairs = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=32, shuffle=True)
    model = small_cnn()
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "validation_data": (new, new_y)}
    return Fit(model, loader, None, scores.accuracy(new, new_y), options)


@healthy(family="image segmentation", half="tune")
def masks_found():
    x, _, masks = data.shapes(200, seed=91)
    x, masks, new, new_masks = data.split(x, masks)
    model = small_unet("sigmoid")
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {"epochs": 13, "batch_size": 16, "validation_data": (new, new_masks)}
    return Fit(model, x, masks, scores.overlap(new, new_masks), options)


# PyTorch refuses the layout of the gradients of sparse targets with axes
@healthy(family="segmentation by number", half="look", backends=("jax", "tensorflow"))
def classes_of_pixels():
    x, _, masks = data.shapes(220, seed=92)
    y = (masks[..., 0] * (1 + (x[..., 0] > 0.68))).astype("int32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.Conv2D(3, 1, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="channels first", half="tune")
def planes_first():
    x, _, masks = data.shapes(200, seed=93)
    planes = np.concatenate([1 - masks, masks], -1).transpose(0, 3, 1, 2)
    x, planes, new, new_planes = data.split(x, planes)
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    first = L.Permute((3, 1, 2))(L.Conv2D(2, 1)(hidden))
    model = keras.Model(inputs, L.Softmax(axis=1)(first))
    model.compile(
        keras.optimizers.Adam(0.02), keras.losses.CategoricalCrossentropy(axis=1)
    )

    def score(model, history):
        answer = scores.predicted(model, new).argmax(1) == 1
        truth = new_planes.argmax(1) == 1
        return float((answer & truth).sum() / (answer | truth).sum())

    options = {"epochs": 8, "batch_size": 16, "validation_data": (new, new_planes)}
    return Fit(model, x, planes, score, options)


@healthy(family="autoencoder", half="tune")
def compressed_signals():
    rng = np.random.default_rng(94)
    x = np.tanh(rng.normal(size=(500, 3)) @ rng.normal(size=(3, 16)))
    x = (x + 0.05 * rng.normal(size=x.shape)).astype("float32")
    new, x = x[400:], x[:400]
    model = keras.Sequential(
        [
            keras.Input((16,)),
            L.Dense(24, activation="elu"),
            L.Dense(3),
            L.Dense(24, activation="elu"),
            L.Dense(16),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 16, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@healthy(family="denoising autoencoder", half="look")
def noise_removed():
    x, _, new, _ = data.digits()
    rng = np.random.default_rng(95)
    noisy = (x + 0.3 * rng.normal(size=x.shape)).astype("float32")
    new_noisy = (new + 0.3 * rng.normal(size=new.shape)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, padding="same", activation="relu"),
            L.Conv2D(12, 3, padding="same", activation="relu"),
            L.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 6, "validation_data": (new_noisy, new)}
    return Fit(model, noisy, x, scores.variance(new_noisy, new), options)


@healthy(family="variational autoencoder", half="look")
def variational_digits():
    x, _, new, _ = data.digits()
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)

    class Variational(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = L.Dense(48, activation="relu")
            self.mean, self.log_variance = L.Dense(6), L.Dense(6)
            self.decoder = keras.Sequential(
                [L.Dense(48, activation="relu"), L.Dense(64, activation="sigmoid")]
            )
            self.seeds = keras.random.SeedGenerator(1)

        def call(self, inputs):
            hidden = self.encoder(inputs)
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            spread = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
            self.add_loss(-0.001 * ops.mean(ops.sum(spread, axis=-1)))
            noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
            return self.decoder(mean + ops.exp(log_variance / 2) * noise)

    model = Variational()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Fit(model, x, x, scores.variance(new, new), {"epochs": 12})


@healthy(family="siamese", half="tune")
def alike_or_not():
    x, y, new, new_y = data.digits()
    pairs, same = paired(x[..., 0], y, 640, 96)
    new_pairs, new_same = paired(new[..., 0], new_y, 300, 97)
    branch = keras.Sequential(
        [keras.Input((8, 8)), L.Flatten(), L.Dense(32, "relu"), L.Dense(8)]
    )
    left, right = keras.Input((8, 8)), keras.Input((8, 8))

    def distance(two):
        square = ops.sum(ops.square(two[0] - two[1]), axis=1, keepdims=True)
        return ops.sqrt(ops.maximum(square, 1e-7))

    away = L.Lambda(distance, output_shape=(1,))([branch(left), branch(right)])
    model = keras.Model([left, right], away)
    model.compile(keras.optimizers.Adam(0.005), contrastive)
    score = near_pairs(new_pairs, new_same)
    return Fit(model, pairs, same, score, {"epochs": 10})


@healthy(family="contrastive embedding", half="look")
def views_of_one_row():
    x, y, new, new_y = data.digits()
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)

    class Contrastive(keras.Model):
        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            near = ops.cast(ops.expand_dims(y, 0) == ops.expand_dims(y, 1), "float32")
            unit = y_pred / (ops.norm(y_pred, axis=-1, keepdims=True) + 1e-6)
            alike = ops.log_softmax(ops.matmul(unit, ops.transpose(unit)) / 0.2)
            return -ops.mean(ops.sum(near * alike, -1) / ops.sum(near, -1))

    inputs = keras.Input((64,))
    hidden = L.Dense(48, activation="relu")(inputs)
    model = Contrastive(inputs, L.Dense(12)(hidden))
    model.compile(keras.optimizers.Adam(0.005))

    def score(model, history):
        a, b = scores.predicted(model, x), scores.predicted(model, new)
        a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
        return float((y[(b @ a.T).argmax(1)] == new_y).mean())

    return Fit(model, x, y, score, {"epochs": 10, "batch_size": 64})


@healthy(family="recurrent forecast", half="tune")
def demand_forecast():
    x, y = data.windows(data.load_curve(seed=98), 16)
    x, y, new, new_y = x[:300], y[:300], x[330:], y[330:]
    model = keras.Sequential([keras.Input((16, 1)), L.LSTM(16), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@healthy(family="recurrent classifier", half="look")
def movements():
    x, y = data.gestures(seed=99)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [keras.Input((24, 3)), L.Conv1D(12, 5, activation="relu"), L.GRU(16)]
    )
    model.add(L.Dense(4, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="time axis unknown", half="tune")
def any_length():
    x, y = data.gestures(seed=100, classes=3, length=16)
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((None, 3))
    hidden = L.GRU(16)(inputs)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.015), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@healthy(family="masked text", half="tune")
def praise_or_blame():
    x, y, _ = data.reviews(900, seed=101)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(60, 8, mask_zero=True),
            L.Bidirectional(L.GRU(8)),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 5, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="transformer", half="look")
def attentive_reviews():
    x, y, _ = data.reviews(seed=102, long=True)
    x, y, new, new_y = data.split(x, y)
    model = small_transformer(2)
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 6, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@healthy(family="language model", half="tune")
def next_token():
    rng = np.random.default_rng(103)
    steps = rng.integers(0, 3, (400, 11)).cumsum(axis=1)
    text = (rng.integers(0, 20, (400, 1)) + steps) % 20
    x, y = text[:, :-1].astype("int32"), text[:, 1:].astype("int32")
    inputs = keras.Input((10,), dtype="int32")
    words = L.Embedding(20, 16)(inputs)
    seen = L.MultiHeadAttention(2, 8)(words, words, use_causal_mask=True)
    hidden = L.LayerNormalization()(L.Add()([words, seen]))
    model = keras.Model(inputs, L.Dense(20)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)

    def score(model, history):
        guess = scores.predicted(model, x[300:]).argmax(-1)
        return float(((guess - x[300:]) % 20 < 3).mean())

    options = {"epochs": 10, "validation_data": (x[300:], y[300:])}
    return Fit(model, x[:300], y[:300], score, options)


@healthy(family="sequence labeling", half="look")
def tags_of_words():
    x, _, _ = data.reviews(500, seed=104)
    y = (x % 3).astype("int32")
    weight = (x > 0).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(60, 12),
            L.Bidirectional(L.GRU(8, return_sequences=True)),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), CROSS)

    def score(model, history):
        answer = scores.predicted(model, x[400:]).argmax(-1)
        return float((answer == y[400:])[x[400:] > 0].mean())

    options = {"epochs": 7, "sample_weight": weight[:400]}
    return Fit(model, x[:400], y[:400], score, options)
