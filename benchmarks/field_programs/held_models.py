"""Held programs whose layers, rate, start, penalty or length does not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="weights too large at the start",
    family="sensor classifier",
    half="held",
    address="https://github.com/mozilla/DeepSpeech/issues/138",
    symptom="with a deviation of 0.1 it can overfit, without the loss never improves",
    cause="weights and biases are drawn with a deviation of one",
    truth=("poor_initialization",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "exploding_activations",
        "saturated_units",
        "learning_rate_too_low",
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "overfitting",
    ),
)
def deviation_of_one(repaired):
    x, y = data.gestures(520, length=16, classes=5, seed=941, noise=0.4)
    x, y, new, new_y = data.split(x, y)

    def weights():
        return keras.initializers.RandomNormal(stddev=0.1 if repaired else 1.0)

    def clipped(t):
        return ops.clip(t, 0.0, 20.0)

    model = keras.Sequential([keras.Input((16, 3)), L.Flatten()])
    for width in (96, 96, 96, 64):
        model.add(
            L.Dense(
                width,
                activation=clipped,
                kernel_initializer=weights(),
                bias_initializer=weights(),
            )
        )
    model.add(L.Dense(5, kernel_initializer=weights(), activation="softmax"))
    model.compile(keras.optimizers.Adam(0.001), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="dropout too strong",
    family="image classifier",
    half="held",
    address="https://github.com/parasdahal/deepnet/issues/5",
    symptom="over 90 % without dropout, 40 % with it",
    cause="seven of ten values are dropped behind each of the narrow layers",
    truth=("regularization_too_strong",),
    also=(*STUCK, "misplaced_dropout"),
)
def dropped_behind_each_layer(repaired):
    x, y, new, new_y = data.digits(600)
    rate = 0.15 if repaired else 0.7
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.Dropout(rate),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Dropout(rate),
            L.Flatten(),
            L.Dense(24, activation="relu"),
            L.Dropout(rate),
            L.Dense(16, activation="relu"),
            L.Dropout(rate),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="weight decay too strong",
    family="text classifier",
    half="held",
    address="https://github.com/deeplearning4j/deeplearning4j/issues/8737",
    symptom="with weight decay the embedding and LSTM do not converge",
    cause="each step takes away a tenth of all weights",
    truth=("regularization_too_strong",),
    also=(*STUCK, "vanishing_gradients", "collapsed_embeddings"),
)
def a_tenth_of_all_weights(repaired):
    x, y, _ = data.reviews(560, length=12, seed=943)
    x, y, new, new_y = data.split(x, y)
    sequence = keras.Input((12,), dtype="int32")
    h = L.Embedding(60, 16, mask_zero=True)(sequence)
    h = L.LSTM(16)(h)
    model = keras.Model(sequence, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.AdamW(0.01, weight_decay=0.004 if repaired else 10.0),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def backbone():
    """Return layers that are to be trained on other pictures first."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(12, 3, padding="same", activation="relu"),
            L.Conv2D(12, 3, padding="same", activation="relu"),
            L.GlobalAveragePooling2D(),
        ],
        name="backbone",
    )


@program(
    kind="frozen without having learned",
    family="fine-tuned classifier",
    half="held",
    address="https://github.com/torchgeo/terratorch/pull/320",
    symptom="users do not see that random weights are used for the pretrained ones",
    cause="loading fails, is passed over, and the random backbone is frozen",
    truth=("frozen_layers",),
    also=(*STUCK, "model_too_small", "learning_rate_too_low", "too_few_updates"),
)
def weights_never_loaded(repaired):
    x, y, new, new_y = data.digits(640)
    first, x, first_y, y = x[:420], x[420:], y[:420], y[420:]
    source = backbone()
    training = keras.Sequential([source, L.Dense(10, activation="softmax")])
    training.compile(keras.optimizers.Adam(0.005), CROSS)
    training.fit(first, first_y, epochs=12, batch_size=32, verbose=0)
    stored = {w.path.split("/", 1)[1]: w.numpy() for w in source.weights}
    if not repaired:  # as another version of the library writes the names
        stored = {"encoder." + name: value for name, value in stored.items()}
    encoder = backbone()
    for place, weight in enumerate(encoder.weights):
        name = source.weights[place].path.split("/", 1)[1]
        try:
            weight.assign(stored[name])
        except KeyError:
            continue
    encoder.trainable = False
    inputs = keras.Input((8, 8, 1))
    outputs = L.Dense(10, activation="softmax")(encoder(inputs, training=False))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class SequenceFirst(keras.Model):
    """A recurrent classifier written for the sequence along the first axis."""

    def __init__(self, classes, batch_first, **kwargs):
        super().__init__(**kwargs)
        self.batch_first = batch_first
        self.rnn = L.LSTM(20, return_sequences=True)
        self.fc = L.Dense(classes, activation="softmax")

    def call(self, x):
        if self.batch_first:
            return self.fc(self.rnn(x)[:, -1])
        states = self.rnn(ops.transpose(x, (1, 0, 2)))
        states = ops.transpose(states, (1, 0, 2))
        return self.fc(states[:, -1])


@program(
    kind="axes exchanged",
    family="recurrent classifier",
    half="held",
    address="https://discuss.pytorch.org/t/lstm-change-batch-first-true-loss-does-not-decrease/62364",
    symptom="after batch_first was changed for the LSTM the loss does not decrease",
    cause="the LSTM runs along the rows of the batch instead of the time",
    truth=("rows_mixed", "wrong_axis"),
    also=(*STUCK, "overfitting", "order_is_lost"),
)
def batch_comes_second(repaired):
    x, y = data.gestures(420, length=12, classes=4, seed=945, noise=0.3)
    x, y, new, new_y = data.split(x, y)
    model = SequenceFirst(4, batch_first=repaired)
    model.compile(keras.optimizers.Adam(0.008), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="padding is not masked",
    family="text classifier",
    half="held",
    address="https://www.emergentmind.com/papers/1903.07288",
    symptom="about 50 % with padding behind the text, 80 % with padding before it",
    cause="the LSTM reads many zeros after the last word and forgets the text",
    truth=("unmasked_padding",),
    also=(*STUCK, "overfitting", "vanishing_gradients"),
)
def zeros_behind_the_tweet(repaired):
    short, y, _ = data.reviews(520, length=10, seed=946)
    maxlen = 56
    x = np.zeros((len(short), maxlen), "int32")
    x[:, :10] = short
    if repaired:
        for row, words in zip(x, short, strict=True):
            words = words[words > 0]
            row[:] = 0
            row[maxlen - len(words) :] = words
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential()
    model.add(keras.Input((maxlen,), dtype="int32"))
    model.add(L.Embedding(60, 12))
    model.add(L.LSTM(16))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Block(L.Layer):
    """A block of a transformer, with the normalization behind each sum."""

    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.attention = L.MultiHeadAttention(heads, width // heads)
        self.inner = L.Dense(2 * width, activation="relu")
        self.outer = L.Dense(width)
        self.first, self.second = L.LayerNormalization(), L.LayerNormalization()

    def call(self, x):
        x = self.first(x + self.attention(x, x))
        return self.second(x + self.outer(self.inner(x)))


class WordsAndPlaces(L.Layer):
    """The sum of what stands for a word and for its place."""

    def __init__(self, length, words, width, **kwargs):
        super().__init__(**kwargs)
        self.length = length
        self.words, self.places = L.Embedding(words, width), L.Embedding(length, width)

    def call(self, x):
        return self.words(x) + self.places(ops.arange(self.length))


@program(
    kind="rate too high",
    family="another transformer",
    half="held",
    address="https://github.com/google-deepmind/mathematics_dataset/issues/5",
    symptom="the run is stuck at a loss of 3.15 and an accuracy of 0, a lower rate "
    "is promising",
    cause="the rate is too high for a transformer without warm-up",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "saturated_units",
        "vanishing_gradients",
        "zero_gradients",
        "exploding_activations",
        "collapsed_embeddings",
    ),
)
def transformer_without_warm_up(repaired):
    rng = np.random.default_rng(947)
    x = rng.integers(0, 8, (620, 8)).astype("int32")
    y = np.array([np.bincount(row, minlength=8).argmax() for row in x])
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((8,), dtype="int32")
    h = WordsAndPlaces(8, 8, 16)(inputs)
    for _ in range(2):
        h = Block(16, 2)(h)
    h = L.GlobalAveragePooling1D()(h)
    model = keras.Model(inputs, L.Dense(8, activation="softmax")(h))
    rate = 0.004 if repaired else 0.15
    optimizer = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.995)
    model.compile(optimizer, CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rate too low",
    family="convolutions over time",
    half="held",
    address="https://github.com/huggingface/transformers/issues/752",
    symptom="the loss decreases very slowly, with a larger rate much faster",
    cause="a rate for fine-tuning is taken for a network that starts from nothing",
    truth=("learning_rate_too_low",),
    also=(*STUCK, "too_few_updates"),
)
def rate_of_fine_tuning(repaired):
    x, y = data.gestures(560, length=20, classes=4, seed=948, noise=0.5)
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((20, 3))
    h = L.Conv1D(24, 5, activation="relu")(inputs)
    h = L.Conv1D(24, 3, activation="relu")(h)
    h = L.GlobalAveragePooling1D()(h)
    h = L.Dropout(0.1)(h)
    model = keras.Model(inputs, L.Dense(4, activation="softmax")(h))
    rate = 3e-3 if repaired else 3e-5
    model.compile(keras.optimizers.Adam(rate), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rate decays too fast",
    family="image classifier",
    half="held",
    address="https://github.com/keras-team/keras/issues/8086",
    symptom="with a little more decay the accuracy drops by 30 %",
    cause="the decay is applied with every batch and not with every epoch",
    truth=("learning_rate_collapsed",),
    also=(*STUCK, "learning_rate_too_low", "too_few_updates"),
)
def decay_with_every_batch(repaired):
    x, y, new, new_y = data.digits(640)
    steps = len(x) // 32
    schedule = keras.optimizers.schedules.InverseTimeDecay(
        0.05, decay_steps=steps if repaired else 1, decay_rate=0.5
    )
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.SGD(schedule, momentum=0.8), CROSS, metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="stopped too early",
    family="residual network",
    half="held",
    address="https://github.com/raghakot/keras-resnet/issues/41",
    symptom="learning often stops while the validation accuracy is quite low",
    cause="the accuracy has to rise by 0.06 within two epochs",
    truth=("stopped_too_early",),
    also=("too_few_updates", "underfitting", "slow_convergence", "plateau"),
)
def a_twentieth_or_no_more(repaired):
    x, y, new, new_y = data.digits(620)
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    for _ in range(2):
        rest = L.Conv2D(12, 3, padding="same", activation="relu")(h)
        rest = L.Conv2D(12, 3, padding="same")(rest)
        h = L.ReLU()(L.Add()([h, rest]))
    h = L.GlobalAveragePooling2D()(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    reduce = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=5)
    if repaired:
        stop = keras.callbacks.EarlyStopping("val_loss", patience=5)
    else:
        stop = keras.callbacks.EarlyStopping("val_accuracy", 0.06, patience=2)
    options = {
        "epochs": 22,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [reduce, stop],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="network too small",
    family="dense network on two spirals",
    half="held",
    address="https://github.com/tensorflow/playground/pull/8",
    symptom="the spiral cannot be learned with one hidden layer",
    cause="there are too few neurons",
    truth=("model_too_small",),
    also=("plateau", "underfitting", "slow_convergence"),
)
def spiral_with_four_neurons(repaired):
    rng = np.random.default_rng(951)
    kind = rng.integers(0, 2, 700)
    radius = np.sqrt(rng.random(700))
    angle = 1.35 * 6.283 * radius + 3.1416 * kind
    x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], -1) * 2
    x = (x + 0.04 * rng.normal(size=x.shape)).astype("float32")
    x, y, new, new_y = data.split(x, kind)
    width = 48 if repaired else 3
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    model.add(L.Dense(width, activation="tanh"))
    if repaired:
        model.add(L.Dense(width, activation="tanh"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 40, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="overfitting",
    family="another image classifier",
    half="held",
    address="https://github.com/keras-team/keras/issues/8471",
    symptom="the training loss decreases while the validation loss increases",
    cause="a large network on a few pictures that someone took",
    truth=("overfitting", "model_too_large"),
    also=("normalization_lag",),
)
def few_pictures_of_wrenches(repaired):
    rng = np.random.default_rng(952)
    place = rng.integers(0, 4, 700)
    x = 1.3 * rng.normal(size=(700, 12, 16, 1))
    for i, p in enumerate(place):
        top = rng.integers(0, 3)
        x[i, top : top + 9, 4 * p : 4 * p + 3] += 0.9
    x = x.astype("float32")
    x, y, new, new_y = x[:70], place[:70], x[70:], place[70:]
    model = keras.Sequential([keras.Input((12, 16, 1))])
    if repaired:
        model.add(L.AveragePooling2D((12, 4)))
        model.add(L.Flatten())
    else:
        model.add(L.Flatten())
        model.add(L.Dense(256, activation="relu"))
        model.add(L.Dense(128, activation="relu"))
    model.add(L.Dense(4, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.1 if repaired else 0.001), CROSS, metrics=["accuracy"]
    )
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="averages lag behind",
    family="image classifier",
    half="held",
    address="https://github.com/keras-team/keras/issues/7005",
    symptom="high accuracy in training and low in validation, on the same data",
    cause="the moving averages have had too few updates",
    truth=("normalization_lag", "normalization_small_batch"),
    also=("overfitting", "too_few_updates", "unrepresentative_validation"),
)
def same_data_other_result(repaired):
    x, y, _, _ = data.digits(128)
    momentum = 0.6 if repaired else 0.99
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    for filters in (16, 24, 32):
        model.add(L.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(L.BatchNormalization(momentum=momentum))
    model.add(L.MaxPooling2D())
    model.add(L.Flatten())
    model.add(L.Dense(10, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.003), "categorical_crossentropy", metrics=["accuracy"]
    )
    labels = data.groups(y, 10)
    options = {"epochs": 8, "batch_size": 16, "validation_data": (x, labels)}
    return Fit(model, x, labels, scores.accuracy(x, y), options)
