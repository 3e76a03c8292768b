"""Ninth half: programs whose layers do not do what they are there for."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="padding is not masked",
    family="recurrent text classifier",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/20898",
    symptom="the LSTM does not learn with padded sequences",
    cause="zeros after the text are read as words, with mask_zero it learns",
    truth=("unmasked_padding",),
    also=(*STUCK, "vanishing_gradients"),
)
def zeros_after_the_text(repaired):
    rng = np.random.default_rng(931)
    x, y, _ = data.reviews(520, seed=931)
    x = np.concatenate([x, np.zeros((520, 28), "int32")], axis=1)
    longer = rng.random(520) < 0.05
    x[longer, 10:40] = rng.integers(19, 60, (longer.sum(), 30))
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((48,), dtype="int32")
    hidden = L.Embedding(60, 12, mask_zero=repaired)(inputs)
    hidden = L.LSTM(16)(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


def real_words(x, tags):
    """Return the share of words whose tag is right, padding aside."""

    def score(model, history):
        said = scores.predicted(model, x).argmax(-1)
        return float((said == tags)[x > 0].mean())

    return score


@program(
    kind="padding counts as words",
    family="tagger of words",
    half="ninth",
    address="https://github.com/aneesh-joshi/LSTM_POS_Tagger/issues/8",
    symptom="progress comes from guessing where the padding is: 99 % accuracy",
    cause="five sixths of the steps are padding, without a mask",
    truth=("unmasked_padding",),
    also=("imbalanced_classes", "metric_mismatch", "underfitting", "slow_convergence"),
)
def tags_of_the_padding(repaired):
    rng = np.random.default_rng(932)
    x = np.zeros((480, 40), "int32")
    tags = np.zeros((480, 40), "int32")
    for i in range(480):
        used = int(rng.integers(4, 9))
        x[i, :used] = rng.integers(1, 50, used)
        kind = x[i, :used] % 5
        before = np.concatenate([[0], kind[:-1]])
        tags[i, :used] = 1 + np.where(before == 2, (kind + 1) % 5, kind)
    x, y, new, new_y = data.split(x, tags)
    model = keras.Sequential(
        [
            keras.Input((40,), dtype="int32"),
            L.Embedding(50, 16, mask_zero=repaired),
            L.GRU(24, return_sequences=True),
            L.Dense(6, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 7, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, real_words(new, new_y), options)


@program(
    kind="mask hides data",
    family="recurrent regression",
    half="ninth",
    address="https://datascience.stackexchange.com/questions/67599/use-lstm-to-predict-the-proportion-of-steps-with-nonzero-feature-values",
    symptom="every sequence gets almost the same value",
    cause="zeros carry the answer, and Masking(0) skips them",
    truth=("masked_data",),
    also=(*STUCK, "order_is_lost", "unrelated_targets"),
)
def machine_on_and_off(repaired):
    rng = np.random.default_rng(933)
    switches = rng.random((560, 24)) < 0.25
    x = (np.cumsum(switches, axis=1) + rng.integers(0, 2, (560, 1))) % 2
    recent = 0.85 ** np.arange(24)[::-1]
    y = ((2 * x - 1) * recent).sum(axis=1)
    y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
    x, y, new, new_y = data.split(x[..., None].astype("float32"), y)
    model = keras.Sequential()
    model.add(keras.Input((24, 1)))
    model.add(L.Masking(-1.0 if repaired else 0.0))
    model.add(L.LSTM(10))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="prepared unlike the pretrained part",
    family="transfer of an image classifier",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/3622",
    symptom="fine-tuning the pretrained network gives bad accuracy",
    cause="trained on pixels less their mean up to 255, given pixels from 0 to 1",
    truth=("foreign_statistics", "unscaled_inputs"),
    also=(
        *STUCK,
        "frozen_layers",
        "vanishing_gradients",
        "overfitting",
        "zero_gradients",
        "constant_inputs",
    ),
)
def rescaled_for_another_base(repaired):
    x, y, new, new_y = data.digits(1300)
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same"),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.MaxPooling2D(),
            L.Conv2D(24, 3, padding="same"),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.Flatten(),
        ]
    )
    first = y < 5
    start = keras.Sequential([base, L.Dense(5, activation="softmax")])
    start.compile(keras.optimizers.Adam(0.01), CROSS)
    start.fit(255 * (x[first] - x.mean()), y[first], epochs=6, verbose=0)
    base.trainable = False

    def prepared(pixels):
        return 255 * (pixels - x.mean()) if repaired else pixels

    inputs = keras.Input((8, 8, 1))
    hidden = L.Dropout(0.3)(base(inputs, training=False))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    held_out = prepared(new[new_y >= 5]), new_y[new_y >= 5] - 5
    options = {"epochs": 10, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(*held_out)
    return Fit(model, prepared(x[~first]), y[~first] - 5, score, options)


@program(
    kind="statistics lag",
    family="regression over sets",
    half="ninth",
    address="https://github.com/chemprop/chemprop/issues/607",
    symptom="the training loss is much lower than the validation loss",
    cause="the running mean and variance are still biased towards 0 and 1",
    truth=("normalization_lag",),
    also=("overfitting", "too_few_updates", "foreign_statistics"),
)
def sums_over_atoms(repaired):
    rng = np.random.default_rng(936)
    atoms = rng.normal(1.0, 1.0, (760, 20, 5)).astype("float32")
    y = np.sin(atoms[..., 0]).sum(1) + (atoms[..., 1] * (atoms[..., 2] > 1)).sum(1)
    y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
    x, y, new, new_y = data.split(atoms, y)

    class Molecules(keras.Model):
        def __init__(self):
            super().__init__()
            self.messages = L.Dense(32, activation="relu")
            self.norm = L.BatchNormalization(momentum=0.8 if repaired else 0.99)
            self.out = L.Dense(1)

        def call(self, inputs, training=None):
            pooled = ops.sum(self.messages(inputs), axis=1)
            return self.out(self.norm(pooled, training=training))

    model = Molecules()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 15, "batch_size": 50, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="reshaped instead of transposed",
    family="convolution over sensors",
    half="ninth",
    address="https://github.com/weirme/FCSN/issues/12",
    symptom="should it use transpose instead of reshape?",
    cause="a reshape from sensors by time to time by sensors mixes both",
    truth=("wrong_axis", "order_is_lost", "inputs_scrambled"),
    also=(*STUCK, "overfitting", "unrelated_targets", "model_too_large"),
)
def sensors_reshaped(repaired):
    rng = np.random.default_rng(937)
    y = rng.integers(0, 2, 900)
    x = rng.normal(size=(900, 2, 28))
    x[:, 1] = 0.75 * (2 * y - 1)[:, None] * x[:, 0] + 0.66 * x[:, 1]
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential(
        [
            keras.Input((2, 28)),
            L.Permute((2, 1)) if repaired else L.Reshape((28, 2)),
            L.Conv1D(16, 1, activation="relu"),
            L.GlobalAveragePooling1D(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


class Lookup(L.Layer):
    """Attend to the items of a row that match a query."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis
        self.query, self.key = L.Dense(8), L.Dense(8)

    def call(self, query, items):
        query, key = self.query(query)[:, None], self.key(items)
        weights = ops.softmax(ops.sum(query * key, -1), axis=self.axis)
        return ops.sum(weights[..., None] * items, axis=1)


@program(
    kind="softmax along the batch",
    family="attention over items",
    half="ninth",
    address="https://github.com/PetrochukM/PyTorch-NLP/issues/2",
    symptom="with a batch of one, the weights of the attention are always 1",
    cause="the softmax goes along the first axis, the rows of the batch",
    truth=("wrong_axis", "rows_mixed"),
    also=(*STUCK, "overfitting"),
)
def price_of_the_item_asked_for(repaired):
    rng = np.random.default_rng(938)
    names = np.argsort(rng.random((900, 12)), axis=1)[:, :10]
    prices = rng.normal(size=(900, 10, 1))
    asked = rng.integers(0, 10, 900)
    items = np.concatenate([np.eye(12)[names], prices], -1).astype("float32")
    query = np.eye(12, dtype="float32")[names[np.arange(900), asked]]
    y = prices[np.arange(900), asked].astype("float32")
    inputs = [keras.Input((12,)), keras.Input((10, 13))]
    found = Lookup(axis=-1 if repaired else 0)(*inputs)
    hidden = L.Dense(16, activation="relu")(found)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    new, new_y = [query[650:], items[650:]], y[650:]
    options = {"epochs": 12, "batch_size": 25, "validation_data": (new, new_y)}
    x = [query[:650], items[:650]]
    return Fit(model, x, y[:650], scores.variance(new, new_y), options)


@program(
    kind="order cannot be seen",
    family="transformer on time series",
    half="ninth",
    address="https://github.com/keras-team/keras-io/issues/1894",
    symptom="positional encoding is not used though the order matters",
    cause="attention and the mean over time do not know which step came first",
    truth=("order_is_lost",),
    also=(*STUCK, "overfitting", "unrelated_targets"),
)
def rises_before_it_falls(repaired):
    rng = np.random.default_rng(939)
    y = rng.integers(0, 2, 560)
    up, down = np.sort(rng.integers(1, 20, (560, 2)), axis=1).T
    down = np.where(up == down, down + 1, down)
    first, second = np.where(y == 1, up, down), np.where(y == 1, down, up)
    x = 0.25 * rng.normal(size=(560, 22, 1))
    x[np.arange(560), first] += 2
    x[np.arange(560), second] -= 2
    x, y, new, new_y = data.split(x.astype("float32"), y)

    class Position(L.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=shape[1:], initializer="glorot_normal")

        def call(self, inputs):
            return inputs + self.table

    inputs = keras.Input((22, 1))
    hidden = L.Dense(16)(inputs)
    if repaired:
        hidden = Position()(hidden)
    attended = L.MultiHeadAttention(2, 8)(hidden, hidden)
    hidden = L.LayerNormalization()(L.Add()([hidden, attended]))
    hidden = L.Dense(24, activation="relu")(hidden)
    hidden = L.GlobalAveragePooling1D()(hidden)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
