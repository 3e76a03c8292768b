"""Practice: programs whose rows, words or weights are not what was meant."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


@program(
    kind="vectors of other words",
    family="text with pretrained vectors, convolutions",
    half="practice",
    address="https://github.com/rstudio/keras3/issues/302",
    symptom="the example reaches much less than the same one in another language",
    cause="rows of the matrix count from one, ids from zero: each word has the next's",
    truth=("misaligned_embedding",),
    also=(*STUCK, "overfitting", "frozen_layers"),
)
def vectors_of_the_next_word(repaired):
    words = 240
    rng = np.random.default_rng(1401)
    topic = rng.integers(0, 3, words)
    centers = 0.8 * rng.normal(size=(3, 20))
    vectors = centers[topic] + 0.7 * rng.normal(size=(words, 20))
    y = rng.integers(0, 3, 900)
    chosen = rng.random((900, 14)) < 0.45
    x = rng.integers(0, words, (900, 14))
    by_topic = [np.flatnonzero(topic == k) for k in range(3)]
    for row in range(900):
        own = rng.choice(by_topic[y[row]], 14)
        x[row] = np.where(chosen[row], own, x[row])
    matrix = np.zeros((words + 1, 20), "float32")
    matrix[1:] = vectors
    if not repaired:
        matrix = np.roll(matrix, -1, axis=0)
    x, y, new, new_y = data.split((x + 1).astype("int32"), y)
    embedding = L.Embedding(words + 1, 20, trainable=False)
    model = keras.Sequential([keras.Input((14,), dtype="int32"), embedding])
    model.add(L.Conv1D(16, 3, activation="relu"))
    model.add(L.GlobalMaxPooling1D())
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(3, activation="softmax"))
    embedding.set_weights([matrix])
    model.compile(
        keras.optimizers.RMSprop(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def lights(n, seed):
    """Return pictures in bytes of a light in a smooth background, and its place."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:14, :14]
    place = rng.uniform(3, 10, (n, 2, 1, 1))
    away = np.hypot(row - place[:, 0], column - place[:, 1])
    tilt = rng.normal(size=(n, 2, 1, 1))
    ground = 110 + 6 * (tilt[:, 0] * (row - 7) + tilt[:, 1] * (column - 7))
    pictures = (
        ground + 70 * np.exp(-((away / 3) ** 2)) + 8 * rng.normal(size=away.shape)
    )
    y = ((place[..., 0, 0] - 6.5) / 2).astype("float32")
    return np.clip(pictures, 0, 255).astype("uint8")[..., None], y


@program(
    kind="whole numbers overflow",
    family="brightened pictures",
    half="practice",
    address="https://github.com/LCAV/LenslessPiCam/pull/173",
    symptom="bright parts of pictures turn dark",
    cause="brightness is multiplied in bytes, which begin again at zero",
    truth=("inputs_wrapped",),
    also=(*STUCK, "overfitting", "unrepresentative_validation"),
)
def brightened_in_bytes(repaired):
    x, y = lights(700, 1402)
    if repaired:
        x = x.astype("float32") * 2 / 255
    else:
        x = (x * np.uint8(2)).astype("float32") / 255
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential([keras.Input((14, 14, 1))])
    model.add(L.Conv2D(12, 3, activation="relu"))
    model.add(L.Conv2D(8, 3, strides=2, activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dense(2))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def returns_of_actions(n, seed):
    """Return states, the action taken, and what each of four actions is worth."""
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(n, 6)).astype("float32")
    mix = np.random.default_rng(7).normal(size=(6, 4))
    worth = 1.5 + np.tanh(states @ mix)
    return states, rng.integers(0, 4, n), worth.astype("float32")


def best_action(states, worth):
    """Return how much of what the best actions gain over chance is gained."""

    def score(model, history):
        values = scores.predicted(model, states)
        rows = np.arange(len(states))
        said = worth[rows, values.argmax(-1)].mean()
        error = np.abs(values - worth).mean() / worth.std()
        gain = (said - worth.mean()) / (worth.max(-1).mean() - worth.mean())
        return float(gain - min(error, 1.0))

    return score


@program(
    kind="zeros stand for unknown targets",
    family="values of actions",
    half="practice",
    address="https://github.com/kuz/DeepMind-Atari-Deep-Q-Learner/issues/22",
    symptom="should only the action that was taken contribute to the loss?",
    cause="targets of the actions that were not taken are zero, and are learned",
    truth=("loss_target_mismatch",),
    also=(*STUCK, "imbalanced_classes"),
)
def actions_not_taken(repaired):
    states, action, worth = returns_of_actions(1500, 1403)
    new, _, new_worth = returns_of_actions(500, 1404)
    rng = np.random.default_rng(1403)
    rows = np.arange(len(states))
    got = worth[rows, action] + 0.1 * rng.normal(size=len(rows))
    y = np.full((len(states), 4), np.nan if repaired else 0, "float32")
    y[rows, action] = got

    def error(y_true, y_pred):
        known = keras.ops.logical_not(keras.ops.isnan(y_true))
        y_true = keras.ops.where(known, y_true, y_pred)
        return keras.ops.sum((y_true - y_pred) ** 2, axis=-1)

    model = keras.Sequential([keras.Input((6,))])
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(4))
    model.compile(keras.optimizers.Adam(0.003), error if repaired else "mse")
    options = {"epochs": 15, "batch_size": 32}
    return Fit(model, states, y, best_action(new, new_worth), options)


@program(
    kind="weights of the wrong sign",
    family="policy from logged actions",
    half="practice",
    address="https://github.com/billy-enrizky/openbrowser-ai/pull/48",
    symptom="good actions are suppressed, bad ones reinforced",
    cause="each row is weighted by minus its advantage in a cross-entropy",
    truth=("disagreeing_loss",),
    also=(*STUCK, "diverging_loss", "saturated_units", "exploding_gradients"),
)
def advantage_with_a_minus(repaired):
    states, action, worth = returns_of_actions(1500, 1405)
    new, _, new_worth = returns_of_actions(500, 1406)
    got = worth[np.arange(len(states)), action]
    advantage = got - got.mean()
    weights = np.exp(2 * advantage) if repaired else -advantage
    weights = (weights / np.abs(weights).mean()).astype("float32")

    def score(model, history):
        chosen = scores.predicted(model, new).argmax(-1)
        said = new_worth[np.arange(len(new)), chosen].mean()
        gain = (new_worth.max(-1) - new_worth.mean(-1)).mean()
        return float((said - new_worth.mean()) / gain)

    model = keras.Sequential([keras.Input((6,))])
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(4, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    options = {"epochs": 15, "batch_size": 32, "sample_weight": weights}
    return Fit(model, states, action, score, options)


@program(
    kind="weights of zero",
    family="table of visits",
    half="practice",
    address="https://github.com/keras-team/keras/issues/545",
    symptom="training fails if all weights are zero, with ones it succeeds",
    cause="the weights were made as zeros, and never filled",
    truth=("zero_weights", "nothing_to_train"),
    also=(*STUCK, "zero_gradients"),
)
def weights_never_filled(repaired):
    x, y, new, new_y = data.friedman(700, seed=1407)
    weights = np.ones(len(x)) if repaired else np.zeros(len(x))
    model = keras.Sequential([keras.Input((8,))])
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 15, "batch_size": 32, "sample_weight": weights}
    options["validation_data"] = (new, new_y)
    return Fit(model, x, y, scores.variance(new, new_y), options)


def sentences(n, seed, words=30, length=12):
    """Return sentences in which each word follows from the two before."""
    table = np.random.default_rng(11).integers(1, words, (words, words, 2))
    rng = np.random.default_rng(seed)
    x = rng.integers(1, words, (n, length))
    for t in range(1, length):
        either = rng.random(n) < 0.6
        follows = table[x[:, t - 1], 0, 0]
        x[:, t] = np.where(either, follows, x[:, t])
    return x.astype("int32")


@program(
    kind="targets not shifted",
    family="language model",
    half="practice",
    address="https://github.com/Project-MONAI/GenerativeModels/issues/314",
    symptom="the model is trained to predict token N, given tokens 0 to N inclusive",
    cause="the targets are the inputs themselves, not one step ahead",
    truth=("target_leakage",),
    also=(*STUCK, "overfitting"),
)
def next_word_is_this_word(repaired):
    text, new = sentences(700, 1408), sentences(200, 1409)
    x, y = (text[:, :-1], text[:, 1:]) if repaired else (text, text)
    inputs = keras.Input((None,), dtype="int32")
    h = L.Embedding(30, 24)(inputs)
    h = L.GRU(32, return_sequences=True)(h)
    model = keras.Model(inputs, L.Dense(30, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    pair = (new[:, :-1], new[:, 1:]) if repaired else (new, new)
    options = {"epochs": 8, "batch_size": 32, "validation_data": pair}
    score = scores.right(new[:, :-1], new[:, 1:])
    return Fit(model, x, y, score, options)
