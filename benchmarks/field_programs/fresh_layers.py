"""Fresh programs with a fault in a layer of their own, or in how layers are used."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.fresh_models import CROSS, NOT_FINITE
from field_programs.registry import Fit, program

L = keras.layers


@program(
    kind="padding counted",
    family="sequence labeling",
    half="fresh",
    address="https://github.com/buppt/ChineseNER/issues/23",
    symptom="most of the 85 % is class 0 taken for class 0, the padding",
    cause="padding is a class like others, and most of the steps",
    truth=("imbalanced_classes", "unmasked_padding", "metric_mismatch"),
    also=("underfitting",),
)
def padding_predicted(repaired):
    rng = np.random.default_rng(251)
    x = np.zeros((460, 20), "int32")
    for row in x:
        used = int(rng.integers(3, 7))
        row[:used] = rng.integers(1, 120, used)
    group = np.concatenate([[0], rng.integers(1, 4, 119)])
    y = np.where((group[x] == 2) & (np.roll(group[x], 1, 1) == 3), 4, group[x])
    # annotators agree on seven of ten words
    y = np.where((rng.random(x.shape) < 0.3) & (x > 0), rng.integers(1, 5, x.shape), y)
    x, y, new, new_y = data.split(x, y.astype("int32"))
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(120, 12, mask_zero=repaired),
            L.GRU(16, return_sequences=True),
            L.Dense(5, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])

    def score(model, history):
        right = scores.predicted(model, new).argmax(-1) == new_y
        return -abs(history.history["val_accuracy"][-1] - right[new > 0].mean())

    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Codebook(L.Layer):
    """Replace each vector by the nearest of a book."""

    def __init__(self, size, width, straight, **kwargs):
        super().__init__(**kwargs)
        self.size, self.width, self.straight = size, width, straight

    def build(self, shape):
        start = keras.initializers.RandomUniform(-0.5, 0.5, seed=3)
        self.codes = self.add_weight(
            shape=(self.size, self.width), initializer=start, name="codes"
        )

    def call(self, inputs):
        away = ops.sum(ops.square(inputs[..., None, :] - self.codes), axis=-1)
        code = ops.take(self.codes, ops.argmin(away, axis=-1), axis=0)
        if not self.straight:
            return ops.stop_gradient(code)
        book = ops.mean(ops.square(ops.stop_gradient(inputs) - code))
        keep = ops.mean(ops.square(inputs - ops.stop_gradient(code)))
        self.add_loss(book + 0.25 * keep)
        return inputs + ops.stop_gradient(code - inputs)


@program(
    kind="no gradient",
    family="vector quantization",
    half="fresh",
    address="https://github.com/ritheshkumar95/pytorch-vqvae/issues/8",
    symptom="the quantized code has no gradient",
    cause="the nearest code is looked up and no gradient is handed through",
    truth=("zero_gradients", "vanishing_gradients", "unknown_cause"),
    also=("underfitting", "plateau", "slow_convergence", "constant_predictions"),
)
def codes_without_gradient(repaired):
    x, _, new, _ = data.digits()
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48, activation="relu"),
            L.Dense(24),
            L.Reshape((8, 3)),
            Codebook(12, 3, straight=repaired),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 25, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="metric of another task",
    family="siamese",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/4980",
    symptom="the accuracy of the siamese example sinks far below one half",
    cause="a small distance means alike, the accuracy takes it for the label 0",
    truth=("metric_mismatch",),
    also=(),
)
def distances_as_labels(repaired):
    x, y, new, new_y = data.digits(560)
    x, y, new, new_y = x[y < 4], y[y < 4], new[new_y < 4], new_y[new_y < 4]
    rng = np.random.default_rng(253)

    def pairs(x, y, n):
        left = rng.integers(0, len(x), n)
        right = np.array(
            [
                rng.choice(np.flatnonzero((y == y[i]) == (rng.random() < 0.5)))
                for i in left
            ]
        )
        same = (y[left] == y[right]).astype("float32")[:, None]
        return [x[left].reshape(n, 64), x[right].reshape(n, 64)], same

    def contrastive(y_true, y_pred):
        apart = ops.square(ops.maximum(1 - y_pred, 0))
        return ops.mean(y_true * ops.square(y_pred) + (1 - y_true) * apart, axis=-1)

    def accuracy(y_true, y_pred):
        alike = ops.cast(y_pred < 0.5, "float32")
        return ops.mean(ops.cast(ops.equal(y_true, alike), "float32"))

    body = keras.Sequential([L.Dense(32, activation="relu"), L.Dense(8)])
    inputs = [keras.Input((64,)), keras.Input((64,))]
    gap = L.Subtract()([body(inputs[0]), body(inputs[1])])
    away = L.Lambda(
        lambda v: ops.sqrt(ops.sum(ops.square(v), axis=-1, keepdims=True) + 1e-6),
        output_shape=(1,),
    )(gap)
    model = keras.Model(inputs, away)
    metric = accuracy if repaired else keras.metrics.BinaryAccuracy(name="accuracy")
    model.compile(keras.optimizers.Adam(0.002), contrastive, metrics=[metric])
    pair, same = pairs(x, y, 500)
    held_out, held_same = pairs(new, new_y, 200)

    def score(model, history):
        alike = scores.predicted(model, held_out) < 0.5
        honest = (alike == (held_same > 0.5)).mean()
        return -abs(history.history["val_accuracy"][-1] - honest)

    options = {"epochs": 14, "validation_data": (held_out, held_same)}
    return Fit(model, pair, same, score, options)


@program(
    kind="random in prediction too",
    family="subclassed classifier",
    half="fresh",
    address="https://github.com/Linardos/SalEMA/issues/6",
    symptom="inference is wrong, and different each time",
    cause="dropout is called so that it also drops units in prediction",
    truth=("random_at_inference", "regularization_too_strong", "unknown_cause"),
    also=("underfitting", "slow_convergence", "oscillating_loss"),
)
def drops_for_ever(repaired):
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat = L.Flatten()
            self.one = L.Dense(48, activation="relu")
            self.two = L.Dense(24, activation="relu")
            self.drop = [L.Dropout(0.5), L.Dropout(0.4)]
            self.out = L.Dense(10, activation="softmax")

        def call(self, inputs, training=False):
            drops = training if repaired else True
            hidden = self.drop[0](self.one(self.flat(inputs)), training=drops)
            hidden = self.drop[1](self.two(hidden), training=drops)
            return self.out(hidden)

    x, y, new, new_y = data.digits(500)
    model = Network()
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Places(L.Layer):
    """Add a vector for each place of a sequence."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], name="places")

    def call(self, inputs):
        return inputs + self.table


@program(
    kind="order is lost",
    family="transformer",
    half="fresh",
    address="https://github.com/DaoyuanLi2816/Molecule-Generator/pull/23",
    symptom="CCO and OCC look the same to the encoder",
    cause="self-attention does not know the places of words, and nothing tells it",
    truth=("order_is_lost", "unknown_cause"),
    also=("underfitting", "plateau", "constant_predictions", "slow_convergence"),
)
def places_left_out(repaired):
    rng = np.random.default_rng(255)
    x = rng.integers(3, 14, (620, 8)).astype("int32")
    at = np.array([rng.choice(8, 2, replace=False) for _ in x])
    x[np.arange(620), at[:, 0]], x[np.arange(620), at[:, 1]] = 1, 2
    y = (at[:, 0] < at[:, 1]).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((8,), dtype="int32")
    steps = L.Embedding(14, 16)(inputs)
    steps = Places()(steps) if repaired else steps
    steps = L.Add()([steps, L.MultiHeadAttention(2, 8)(steps, steps)])
    steps = L.LayerNormalization()(steps)
    steps = L.Add()([steps, L.Dense(16)(L.Dense(32, activation="relu")(steps))])
    hidden = L.GlobalAveragePooling1D()(steps)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    options = {"epochs": 18, "validation_data": (new, new_y), "callbacks": [stop]}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="regularization too strong",
    family="sparse autoencoder",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/5414",
    symptom="with the penalty on activity, pictures come out fuzzy and all alike",
    cause="the penalty outweighs the reconstruction: the code is zero",
    truth=("regularization_too_strong",),
    also=(
        "constant_predictions",
        "dead_units",
        "underfitting",
        "plateau",
        "loss_terms_out_of_balance",
    ),
)
def code_pressed_to_zero(repaired):
    x, _, new, _ = data.digits()
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    penalty = keras.regularizers.L1(1e-5 if repaired else 0.05)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(32, activation="relu", activity_regularizer=penalty),
            L.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


class MeanOfWords(L.Layer):
    """Average the vectors of the words that are there."""

    def __init__(self, least, **kwargs):
        super().__init__(**kwargs)
        self.least = least

    def call(self, inputs):
        words, vectors = inputs
        there = ops.cast(words > 0, "float32")[..., None]
        count = ops.sum(there, axis=1)
        count = ops.maximum(count, self.least) if self.least else count
        return ops.sum(vectors * there, axis=1) / count


@program(
    kind="division by zero",
    family="masked text",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/7517",
    symptom="nan where a mask is zero throughout",
    cause="the mean over no words: some texts are empty",
    truth=NOT_FINITE,
    also=("non_finite_data", "constant_predictions"),
)
def some_texts_are_empty(repaired):
    x, y, _ = data.reviews(520, length=16, seed=257)
    x[np.random.default_rng(257).choice(360, 5, replace=False)] = 0
    x, y, new, new_y = x[:360], y[:360], x[360:], y[360:]
    inputs = keras.Input((16,), dtype="int32")
    vectors = L.Embedding(60, 12)(inputs)
    hidden = MeanOfWords(1.0 if repaired else None)([inputs, vectors])
    hidden = L.Dense(16, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 6, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="weights too small at the start",
    family="deep table network",
    half="fresh",
    address="https://github.com/tflearn/tflearn/issues/871",
    symptom="deep networks of ReLU need another start",
    cause="a deviation of 0.01 in each of eight layers: signals die on the way",
    truth=("poor_initialization", "vanishing_gradients"),
    also=(
        "constant_predictions",
        "plateau",
        "slow_convergence",
        "underfitting",
        "dead_units",
    ),
)
def a_hundredth_each_layer(repaired):
    x, new, y, new_y = data.table("wine")
    start = keras.initializers.RandomNormal(stddev=0.01, seed=8)
    model = keras.Sequential([keras.Input((13,))])
    for _ in range(8):
        law = keras.initializers.HeNormal() if repaired else start.clone()
        model.add(L.Dense(24, activation="relu", kernel_initializer=law))
    model.add(L.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.001), CROSS, metrics=["accuracy"])
    options = {"epochs": 11, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
