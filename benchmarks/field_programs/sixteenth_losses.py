"""Sixteenth half: programs whose loss or last layer does not fit the task."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def boards(n, seed):
    """Return what a snake sees and where it heads, and the values of three turns."""
    rng = np.random.default_rng(seed)
    blocked = rng.random((n, 5, 5)) < 0.35
    blocked[:, 2, 2] = False
    heading = rng.integers(0, 4, n)
    steps = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
    values = np.zeros((n, 3))
    for action, turn in enumerate((-1, 1, 0)):
        way = steps[(heading + turn) % 4]
        near = blocked[np.arange(n), 2 + way[:, 0], 2 + way[:, 1]]
        far = blocked[np.arange(n), 2 + 2 * way[:, 0], 2 + 2 * way[:, 1]]
        values[:, action] = np.where(near, -5, np.where(far, 1, 3))
    x = np.hstack([blocked.reshape(n, -1), np.eye(4)[heading]])
    values += 0.3 * rng.normal(size=values.shape)
    return x.astype("float32"), values.astype("float32")


@program(
    kind="softmax of values",
    family="deep Q-learning, snake",
    half="sixteenth",
    address="https://kiwix.lema.org/stackoverflow.com_en_all_2023-11/questions/66072364/why-does-my-dqn-model-makes-obviously-wrong-decisions",
    symptom="it is sure of decisions that lead to death at once",
    cause="values from -5 to 3 are to be predicted by a softmax",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "unscaled_targets", "loss_target_mismatch", "saturated_units"),
)
def snake_of_softmax(repaired):
    x, y = boards(1900, 1611)
    new, new_y = boards(500, 1612)
    model = keras.Sequential()
    model.add(keras.Input((29,)))
    model.add(L.Dense(128, activation="relu"))
    model.add(L.Dense(128, activation="relu"))
    model.add(L.Dense(3, activation="linear" if repaired else "softmax"))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.001))
    options = {"epochs": 14, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Replay(keras.utils.PyDataset):
    """Transitions drawn at random from a memory: states, and actions and returns."""

    def __init__(self, states, actions, returns, **kwargs):
        super().__init__(**kwargs)
        self.states = states
        self.targets = np.column_stack([actions, returns]).astype("float32")
        self.rng = np.random.default_rng(1613)

    def __len__(self):
        return 50

    def __getitem__(self, index):
        rows = self.rng.choice(len(self.states), 32, replace=False)
        return self.states[rows], self.targets[rows]


class Net(keras.Model):
    """Values of two actions, perhaps as probabilities."""

    def __init__(self, softmax_output, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [L.Dense(64, activation="relu") for _ in range(2)]
        self.head = L.Dense(2)
        self.softmax_output = softmax_output

    def call(self, states):
        for layer in self.hidden:
            states = layer(states)
        values = self.head(states)
        return ops.softmax(values) if self.softmax_output else values


def error_of_chosen(y_true, y_pred):
    chosen = ops.one_hot(ops.cast(y_true[:, 0], "int32"), 2)
    return ops.square(ops.sum(chosen * y_pred, axis=-1) - y_true[:, 1])


@program(
    kind="softmax of values",
    family="deep Q-learning, cart, subclassed",
    half="sixteenth",
    address="https://github.com/thu-ml/tianshou/issues/725",
    symptom="with softmax_output=True the loss hardly changes, the agent is poor",
    cause="a softmax keeps values between 0 and 1 and takes the gradient away",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "unscaled_targets", "loss_target_mismatch", "zero_gradients"),
)
def cart_of_softmax(repaired):
    rng = np.random.default_rng(1614)
    states = rng.normal(size=(2000, 3)).astype("float32")
    place, speed, wind = states.T

    def value(action):
        faster = speed + 0.7 * (2 * action - 1) + 0.3 * wind
        return 3 - 1.2 * (place + 0.8 * faster) ** 2 - 0.3 * faster**2

    both = np.stack([value(0), value(1)], -1)
    both = np.maximum(both, -6)
    actions = rng.integers(0, 2, 2000)
    returns = both[np.arange(2000), actions] + 0.3 * rng.normal(size=2000)
    memory = Replay(states[:1600], actions[:1600], returns[:1600])
    model = Net(softmax_output=not repaired)
    model.compile(keras.optimizers.Adam(0.003), error_of_chosen)
    score = scores.variance(states[1600:], both[1600:])
    return Fit(model, memory, None, score, {"epochs": 12})


def commands(n, seed):
    """Return cepstra of four commands and of other words, and which of them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, n)
    t, band = np.arange(18)[:, None], np.arange(10)[None]
    x = np.zeros((n, 18, 10))
    for i, kind in enumerate(y):
        begin, wide = rng.uniform(3, 7), rng.uniform(1.5, 2.5)
        if kind < 4:
            low, glide = (2, 2, 6, 6)[kind], (0.35, -0.2, 0.25, -0.45)[kind]
        else:
            low, glide = rng.uniform(1, 8), rng.uniform(-0.6, 0.6)
        pitch = low + rng.normal(0, 0.4) + glide * (t - begin)
        sound = np.exp(-(((band - pitch) / wide) ** 2))
        x[i] = sound * ((t > begin) & (t < begin + 9))
    x = x * rng.uniform(0.8, 1.6, (n, 1, 1)) + 0.2 * rng.normal(size=x.shape)
    return ((x - 0.2) / 0.4)[..., None].astype("float32"), y


@program(
    kind="no softmax",
    family="spoken commands",
    half="sixteenth",
    address="https://github.com/castorini/honkling/pull/11",
    symptom="the accuracy is wrong and the loss is high",
    cause="a cross-entropy that expects a softmax gets the bare last layer",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, "zero_gradients", "dead_units"),
)
def commands_without_softmax(repaired):
    x, y = commands(900, 1615)
    new, new_y = commands(400, 1616)
    model = keras.Sequential()
    model.add(keras.Input((18, 10, 1)))
    model.add(L.Conv2D(12, (5, 3), activation="relu"))
    model.add(L.MaxPooling2D(2))
    model.add(L.Conv2D(16, (3, 2), activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(5))
    if repaired:
        model.add(L.Softmax())
    model.compile(
        keras.optimizers.Adam(0.002), "categorical_crossentropy", metrics=["accuracy"]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = data.groups(y, 5), data.groups(new_y, 5)
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def persons(n, seed, pose=1.2):
    """Return measures of faces: who it is, and light and pose, which matter more."""
    fixed = np.random.default_rng(1617)
    who, how = fixed.normal(size=(12, 24)), pose * fixed.normal(size=(5, 24))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 12, n)
    x = np.tanh(0.45 * (who[y] + rng.normal(size=(n, 5)) @ how))
    return (x + 0.05 * rng.normal(size=x.shape)).astype("float32"), y


def distances(embeddings):
    """Return the distances of all pairs."""
    dot = ops.matmul(embeddings, ops.transpose(embeddings))
    square = ops.sum(ops.square(embeddings), axis=-1)
    apart = square[:, None] - 2 * dot + square[None, :]
    return ops.sqrt(ops.maximum(apart, 0.0) + 1e-6)


def batch_all(labels, embeddings):
    """Return the triplet loss of all valid triplets of a batch."""
    apart = distances(embeddings)
    loss = ops.relu(ops.expand_dims(apart, 2) - ops.expand_dims(apart, 1) + 0.5)
    equal = ops.equal(ops.expand_dims(labels, 0), ops.expand_dims(labels, 1))
    positive, negative = ops.expand_dims(equal, 2), ops.expand_dims(equal, 1)
    valid = ops.logical_and(positive, ops.logical_not(negative))
    loss = ops.cast(valid, "float32") * loss
    return ops.sum(loss) / (ops.sum(ops.cast(loss > 1e-6, "float32")) + 1e-6)


def batch_all_flat(labels, embeddings):
    return batch_all(ops.reshape(labels, (-1,)), embeddings)


def neighbors(x, y, new, new_y):
    """Return how often the nearest of other rows is of the same class, scaled."""

    def score(model, history):
        a, b = scores.predicted(model, new), scores.predicted(model, x)
        apart = ((a[:, None] - b[None]) ** 2).sum(-1)
        same = (y[apart.argmin(1)] == new_y).mean()
        return float((same - 1 / 12) / (1 - 1 / 12))

    return score


@program(
    kind="labels have a column",
    family="triplet embedding, all of a batch",
    half="sixteenth",
    address="https://github.com/omoindrot/tensorflow-triplet-loss/issues/51",
    symptom="the loss oscillates around the margin, all triplets stay positive",
    cause="labels with a column make the mask pick other triplets than meant",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "collapsed_embeddings", "oscillating_loss", "unrelated_targets"),
)
def triplets_by_column(repaired):
    x, y = persons(900, 1618)
    new, new_y = persons(400, 1619)
    model = keras.Sequential(
        [
            keras.Input((24,)),
            L.Dense(48, activation="relu"),
            L.Dense(48, activation="relu"),
            L.Dense(8),
        ]
    )
    loss = batch_all_flat if repaired else batch_all
    model.compile(keras.optimizers.Adam(0.002), loss)
    score = neighbors(x, y, new, new_y)
    y = y[:, None].astype("int32")
    return Fit(model, x, y, score, {"epochs": 10, "batch_size": 32})
