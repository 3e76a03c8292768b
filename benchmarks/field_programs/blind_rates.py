"""Blind programs whose rate, penalty, size or length does not suit."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="rate too high",
    family="language model",
    half="blind",
    address="https://github.com/rajveermalviya/language-modeling/issues/3",
    symptom="the loss does not really go down even after many epochs",
    cause="the rate of Adam is 1.0, with its default the training is much better",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "saturated_units",
        "exploding_activations",
        "vanishing_gradients",
        "zero_gradients",
        "collapsed_embeddings",
    ),
)
def adam_at_one(repaired):
    rng = np.random.default_rng(1261)
    start, step = rng.integers(0, 15, 520), rng.integers(1, 4, 520)
    words = (start[:, None] + step[:, None] * np.arange(11)) % 15
    slips = rng.random(words.shape) < 0.03
    words = np.where(slips, rng.integers(0, 15, words.shape), words).astype("int32")
    x, y, new, new_y = data.split(words[:, :-1], words[:, 1:])
    inputs = keras.Input((10,), dtype="int32")
    h = L.Embedding(15, 16)(inputs)
    h = L.LSTM(32, return_sequences=True)(h)
    model = keras.Model(inputs, L.Dense(15, activation="softmax")(h))
    optimizer = keras.optimizers.Adam(0.01 if repaired else 1.0)
    model.compile(optimizer, CROSS, metrics=["accuracy"])

    def score(model, history):
        answer = scores.predicted(model, new).argmax(-1)
        return float((answer == new_y)[:, 2:].mean())

    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class PictureCode(keras.Model):
    """A convolutional autoencoder."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoder = keras.Sequential(
            [
                L.Conv2D(12, 3, strides=2, padding="same", activation="relu"),
                L.Flatten(),
                L.Dense(24, activation="relu"),
            ]
        )
        self.decoder = keras.Sequential(
            [
                L.Dense(4 * 4 * 12, activation="relu"),
                L.Reshape((4, 4, 12)),
                L.Conv2DTranspose(12, 3, strides=2, padding="same", activation="relu"),
                L.Conv2D(1, 3, padding="same", activation="sigmoid"),
            ]
        )

    def call(self, x):
        return self.decoder(self.encoder(x))


@program(
    kind="rate too low",
    family="convolutional autoencoder",
    half="blind",
    address="https://github.com/DmitryUlyanov/AGE/issues/2",
    symptom="the reconstructions are blank pictures",
    cause="the rate is too low, a much higher one gives decent pictures",
    truth=("learning_rate_too_low",),
    also=(*STUCK, "too_few_updates"),
)
def blank_reconstructions(repaired):
    x, _, new, _ = data.digits(640)
    model = PictureCode()
    rate = 5e-3 if repaired else 2e-5
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="rate collapses",
    family="PyDataset",
    half="blind",
    address="https://github.com/ScrollPrize/villa/pull/1495",
    symptom="the multiplier of the rate is zero at epoch 4 of 1000",
    cause="the schedule counts steps, and is given the number of epochs",
    truth=("learning_rate_collapsed",),
    also=(*STUCK, "learning_rate_too_low", "too_few_updates"),
)
def horizon_in_epochs(repaired):
    x, y, new, new_y = data.digits(640)
    epochs, steps = 12, 20
    length = epochs * steps if repaired else epochs
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=int(0.9 * length),
        alpha=0.0,
        warmup_target=0.006,
        warmup_steps=int(0.1 * length),
    )
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    h = L.SeparableConv2D(24, 3, activation="relu")(h)
    h = L.GlobalMaxPooling2D()(h)
    h = L.Dropout(0.1)(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    model.compile(keras.optimizers.AdamW(rate), CROSS, metrics=["accuracy"])
    rng = np.random.default_rng(1263)

    def jitter(x, y, index):
        return x + 0.03 * rng.normal(size=x.shape).astype("float32"), y

    batches = Batches(x, y, 32, jitter)
    options = {"epochs": epochs, "validation_data": Batches(new, new_y, 32)}
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


@program(
    kind="regularization too strong",
    family="image classifier",
    half="blind",
    address="https://datascience.stackexchange.com/questions/124728/what-may-cause-the-cnn-layer-weight-regularizer-to-reduce-the-model-accuracy",
    symptom="with a kernel regularizer at all layers the accuracy is lower, or stuck",
    cause="the penalty on the weights outweighs the cross-entropy",
    truth=("regularization_too_strong",),
    also=(*STUCK, "vanishing_gradients", "dead_units", "normalization_lag"),
)
def penalty_at_all_layers(repaired):
    x, y, new, new_y = data.digits(700)

    def l2():
        return keras.regularizers.L2(2e-4 if repaired else 0.2)

    model = keras.Sequential([keras.Input((8, 8, 1))])
    for filters in (12, 16):
        model.add(L.Conv2D(filters, 3, padding="same", kernel_regularizer=l2()))
        model.add(L.Activation("relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(48, activation="relu", kernel_regularizer=l2()))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(10, activation="softmax", kernel_regularizer=l2()))
    model.compile(
        keras.optimizers.Adam(0.003), "categorical_crossentropy", metrics=["accuracy"]
    )
    labels, held_out = data.groups(y, 10), (new, data.groups(new_y, 10))
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x, labels, scores.accuracy(new, new_y), options)


@program(
    kind="overfitting",
    family="tweets",
    half="blind",
    address="https://stats.stackexchange.com/questions/204745/preventing-overfitting-of-lstm-on-small-dataset",
    symptom="after one epoch the validation accuracy declines, that of training climbs",
    cause="the LSTM has far more weights than there are tweets to learn from",
    truth=("overfitting", "model_too_large"),
)
def tweets_by_heart(repaired):
    rng = np.random.default_rng(1265)
    mood = rng.integers(0, 3, 1100)
    x = rng.integers(31, 200, (1100, 14))
    loud = rng.random(x.shape) < 0.2
    about = np.where(rng.random(x.shape) < 0.8, mood[:, None], rng.integers(0, 3))
    x[loud] = (10 * about + rng.integers(1, 11, x.shape))[loud]
    x = x.astype("int32")
    # people do not agree on every tweet
    seen = np.where(rng.random(1100) < 0.1, rng.integers(0, 3, 1100), mood)
    train, check, new = slice(0, 240), slice(240, 500), slice(500, 1100)
    inputs = keras.Input((14,), dtype="int32")
    if repaired:
        l2 = keras.regularizers.L2(3e-3)
        h = L.Embedding(200, 6, embeddings_regularizer=l2)(inputs)
        h = L.GlobalAveragePooling1D()(h)
        h = L.Dropout(0.4)(h)
    else:
        h = L.Embedding(200, 80)(inputs)
        h = L.LSTM(96)(h)
        h = L.Dropout(0.1)(h)
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    options = {
        "epochs": 30 if repaired else 16,
        "batch_size": 16,
        "validation_data": (x[check], seen[check]),
        "callbacks": [stop] if repaired else [],
    }
    return Fit(
        model, x[train], seen[train], scores.accuracy(x[new], mood[new]), options
    )
