"""Eleventh half: programs whose loss, or its balance, is not what was meant."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


class SumOfSines(keras.Model):
    """One hidden layer, trained by the mean squared error."""

    def __init__(self):
        super().__init__()
        self.hidden = L.Dense(64, activation="relu")
        self.out = L.Dense(1)

    def call(self, inputs):
        return self.out(self.hidden(inputs))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        return ops.mean((y_pred - y) ** 2)


@program(
    kind="loss broadcasts",
    family="subclassed regression",
    half="eleventh",
    address="https://discuss.pytorch.org/t/400-higher-error-with-pytorch-compared-with-identical-keras-model-with-adam-optimizer/160720",
    symptom="the error is five times that of the same model in another library",
    cause="outputs of a column less targets without one: a square of differences",
    truth=("disagreeing_loss", "loss_target_mismatch", "rows_mixed"),
    also=(*STUCK, "unrelated_targets"),
)
def sum_of_ten_sines(repaired):
    rng = np.random.default_rng(1111)
    x = rng.normal(size=(1800, 10)).astype("float32")
    y = np.sin(x).sum(axis=1)
    y = ((y - y.min()) / (y.max() - y.min())).astype("float32")
    x, y, new, new_y = data.split(x, y)
    if repaired:
        y, new_y = y[:, None], new_y[:, None]
    model = SumOfSines()
    model.compile(keras.optimizers.Adam(0.003))
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def dice_loss(y_true, y_pred, smooth=1e-6):
    y_true = ops.cast(y_true, "float32")
    y_pred = ops.sigmoid(y_pred)
    numerator = 2 * ops.sum(y_true * y_pred) + smooth
    denominator = ops.sum(y_true + y_pred) + smooth
    return 1 - numerator / denominator


def generalized_dice_loss(y_true, y_pred, smooth=1.0):
    y_true = ops.one_hot(ops.cast(y_true[..., 0], "int32"), 3)
    y_true, y_pred = y_true[..., 1:], y_pred[..., 1:]
    both = ops.sum(y_true * y_pred, axis=(0, 1, 2))
    sizes = ops.sum(y_true + y_pred, axis=(0, 1, 2))
    return 1 - ops.mean((2 * both + smooth) / (sizes + smooth))


def overlap_of_classes(x, classes):
    """Return the mean intersection over union of the classes but the background."""

    def score(model, history):
        said, true = scores.predicted(model, x).argmax(-1), classes[..., 0]
        both = [((said == k) & (true == k)).sum() for k in (1, 2)]
        either = [((said == k) | (true == k)).sum() for k in (1, 2)]
        return float(np.mean(np.array(both) / np.maximum(either, 1)))

    return score


@program(
    kind="loss of class numbers",
    family="image segmentation",
    half="eleventh",
    address="https://developerload.com/implementing-multiclass-dice-loss-function",
    symptom="the loss increases with a Dice loss, with cross-entropy it learns",
    cause="a Dice loss for masks is given the numbers of the classes",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "output_activation_mismatch", "saturated_units", "diverging_loss"),
)
def dice_of_three_classes(repaired):
    x, kind, masks = data.shapes(460, seed=1112)
    y = (masks * (1 + kind[:, None, None, None])).astype("int32")
    inputs = keras.Input((16, 16, 1))
    first = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    low = L.Conv2D(20, 3, padding="same", activation="relu")(L.MaxPooling2D()(first))
    low = L.Conv2D(20, 3, padding="same", activation="relu")(low)
    up = L.Concatenate()([L.UpSampling2D()(low), first])
    up = L.Conv2D(16, 3, padding="same", activation="relu")(up)
    kind_of_output = "softmax" if repaired else "sigmoid"
    model = keras.Model(inputs, L.Conv2D(3, 1, activation=kind_of_output)(up))
    loss = generalized_dice_loss if repaired else dice_loss
    model.compile(keras.optimizers.Adam(0.005), loss)
    held_out = x[340:], y[340:]
    options = {"epochs": 14, "batch_size": 20, "validation_data": held_out}
    score = overlap_of_classes(*held_out)
    return Fit(model, x[:340], y[:340], score, options)


class Actor(keras.Model):
    """Choose actions that a critic, which is trained already, finds good."""

    def __init__(self, critic, sign):
        super().__init__()
        self.critic, self.sign = critic, sign
        self.first = L.Dense(32, activation="relu")
        self.second = L.Dense(32, activation="relu")
        self.action = L.Dense(2, activation="tanh")

    def call(self, states):
        return self.action(self.second(self.first(states)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        q_values = self.critic(ops.concatenate([x, y_pred], axis=-1))
        return self.sign * ops.mean(q_values)


def rewards(states, actions):
    """Return rewards: the closer to the best action, the higher."""
    best = np.stack(
        [0.7 * np.tanh(states[:, 0] - states[:, 1]), 0.7 * np.sin(states[:, 2])], -1
    )
    return (1 - ((actions - best) ** 2).sum(-1)).astype("float32")


@program(
    kind="sign of the loss",
    family="actor and critic",
    half="eleventh",
    address="https://github.com/KanishJebaMathewM/Truxify/pull/11885",
    symptom="the policy is minimized instead of maximized",
    cause="the loss of the actor is the mean value, without a minus",
    truth=("disagreeing_loss",),
    also=(*STUCK, "saturated_units", "diverging_loss", "vanishing_gradients"),
)
def actor_of_a_critic(repaired):
    rng = np.random.default_rng(1113)
    states = rng.normal(size=(1600, 4)).astype("float32")
    tried = rng.uniform(-1, 1, (1600, 2)).astype("float32")
    critic = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(48, activation="relu"),
            L.Dense(48, activation="relu"),
            L.Dense(1),
        ]
    )
    critic.compile(keras.optimizers.Adam(0.005), "mse")
    seen = np.concatenate([states, tried], axis=-1)
    critic.fit(seen, rewards(states, tried), epochs=12, batch_size=64, verbose=0)
    critic.trainable = False
    new = rng.normal(size=(500, 4)).astype("float32")

    def score(model, history):
        got = rewards(new, scores.predicted(model, new)).mean()
        guessed = rewards(new, 0 * new[:, :2]).mean()
        return float(max(-1.0, (got - guessed) / (1 - guessed)))

    model = Actor(critic, -1.0 if repaired else 1.0)
    model.compile(keras.optimizers.Adam(0.003))
    options = {"epochs": 15, "batch_size": 64}
    return Fit(model, states, None, score, options)


class GraphConvolution(L.Layer):
    """Mix the neighbors of each node, with a penalty on the weights."""

    def __init__(self, units, decay, activation=None):
        super().__init__()
        l2 = keras.regularizers.L2(decay)
        self.dense = L.Dense(units, activation, kernel_regularizer=l2)

    def call(self, nodes, links):
        return self.dense(ops.matmul(links, nodes))


@program(
    kind="decay ten times too strong",
    family="graphs with labels of nodes",
    half="eleventh",
    address="https://github.com/OpenXAIProject/GNNExplainer-Tutorial/issues/1",
    symptom="the accuracy is half of that of the tutorial it was copied from",
    cause="a weight decay that was copied with the wrong exponent",
    truth=("regularization_too_strong",),
    also=(*STUCK, "vanishing_gradients", "dead_units"),
)
def decay_copied_wrong(repaired):
    rng = np.random.default_rng(1114)
    y = np.sort(rng.integers(0, 3, (420, 12)), axis=1)
    same = y[:, :, None] == y[:, None, :]
    links = rng.random((420, 12, 12)) < np.where(same, 0.6, 0.1)
    links = links | links.transpose(0, 2, 1) | np.eye(12, dtype=bool)
    links = (links / links.sum(-1, keepdims=True)).astype("float32")
    centers = rng.normal(size=(3, 16))
    x = (0.5 * centers[y] + 0.9 * rng.normal(size=(420, 12, 16))).astype("float32")
    decay = 0.0005 if repaired else 0.3
    nodes, edges = keras.Input((12, 16)), keras.Input((12, 12))
    hidden = GraphConvolution(16, decay, "relu")(nodes, edges)
    hidden = L.Dropout(0.3)(hidden)
    hidden = GraphConvolution(3, decay, "softmax")(hidden, edges)
    model = keras.Model([nodes, edges], hidden)
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    new, new_y = [x[300:], links[300:]], y[300:]
    options = {"epochs": 15, "batch_size": 20, "validation_data": (new, new_y)}
    train = [x[:300], links[:300]]
    return Fit(model, train, y[:300], scores.accuracy(new, new_y), options)
