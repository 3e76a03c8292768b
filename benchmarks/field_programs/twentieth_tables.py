"""Twentieth half: programs on tables, tastes and moves."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def engines(n, seed):
    """Return power and consumption of engines, in hundreds, and whether they sell."""
    rng = np.random.default_rng(seed)
    power = rng.normal(190, 55, n)
    weight = 900 + 3 * power + rng.normal(0, 150, n)
    sells = 0.05 * (power - 190) - 0.012 * (weight - 1470) + rng.logistic(size=n) / 3
    x = np.column_stack([power, weight]).astype("float32")
    return x, (sells > 0).astype("float32")[:, None]


@program(
    kind="inputs in the hundreds",
    family="engines that sell, one sigmoid and no more",
    half="twentieth",
    address="https://stackguides.com/questions/46385797/neural-network-no-hidden-layers-vs-logistic-regression",
    symptom="one sigmoid unit is much less accurate than logistic regression",
    cause="columns in the hundreds and thousands go into the unit as they are",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "learning_rate_too_high",
        "saturated_units",
        "model_too_small",
    ),
)
def twentieth_engines_that_sell(repaired):
    x, y = engines(800, 2030)
    new, new_y = engines(400, 2031)
    if repaired:
        x, new = data.standard(x, new)
    model = keras.Sequential()
    model.add(keras.Input((2,)))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.SGD(0.05), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def blossoms(n, seed):
    """Return four sizes of blossoms, standardized, and which of three species."""
    made = np.random.default_rng(2032)
    center, turn = made.normal(size=(6, 4)), made.normal(size=(6, 4, 4))
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, n)
    x = rng.normal(size=(n, 1, 4)) @ turn[group]
    x = 1.9 * center[group] + 0.22 * x[:, 0]
    return x.astype("float32"), group % 3


@program(
    kind="a single epoch",
    family="blossoms of three species, epochs left out",
    half="twentieth",
    address="https://55276.net/qa/?qa=864276%2F&show=864277",
    symptom="nearest neighbors are far more accurate than the network",
    cause="without the number of epochs there is one, of a few updates",
    truth=("too_few_updates",),
    also=(*STUCK, "learning_rate_too_low", "stopped_too_early"),
)
def twentieth_blossoms_seen_once(repaired):
    x, y = blossoms(600, 2033)
    new, new_y = blossoms(400, 2034)
    x, new = data.standard(x, new)
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dense(3, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    score = scores.accuracy(new, new_y)
    options = {"validation_data": (new, data.groups(new_y, 3))}
    if repaired:
        options |= {"epochs": 30}
    return Fit(model, x, data.groups(y, 3), score, options)


class TwoTowers(keras.Model):
    """A user's vector times those of all items, of ids and of features."""

    def __init__(self, items, users, size, penalty, **kwargs):
        super().__init__(**kwargs)
        self.items = items
        l2 = keras.regularizers.L2(penalty)
        self.user_ids = L.Embedding(users, size, embeddings_regularizer=l2)
        self.item_ids = L.Embedding(len(items), size, embeddings_regularizer=l2)
        self.user_tower = keras.Sequential(
            [L.Dense(size, activation="relu"), L.Dense(16)]
        )
        self.item_tower = keras.Sequential(
            [L.Dense(size, activation="relu"), L.Dense(16)]
        )

    def call(self, inputs):
        ids = self.user_ids(ops.cast(inputs["id"], "int32"))
        user = self.user_tower(ops.concatenate([ids, inputs["features"]], axis=-1))
        ids = self.item_ids(ops.arange(len(self.items)))
        features = ops.convert_to_tensor(self.items)
        item = self.item_tower(ops.concatenate([ids, features], axis=-1))
        return ops.matmul(user, ops.transpose(item))


def purchases(n, seed):
    """Return users' ids and features, which of 80 items they took; the items."""
    made = np.random.default_rng(2035)
    users, items = made.normal(size=(300, 4)), made.normal(size=(80, 4))
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 300, n)
    taste = 1.3 * users[who] @ items.T + rng.gumbel(size=(n, 80))
    seen = users + 0.3 * made.normal(size=users.shape)
    known = items + 0.3 * made.normal(size=items.shape)
    x = {"id": who.astype("int32"), "features": seen[who].astype("float32")}
    return x, taste.argmax(1), known.astype("float32")


@program(
    kind="wide vectors for few purchases",
    family="retrieval by two towers, ids and features, all items scored",
    half="twentieth",
    address="https://github.com/gauravchak/two_tower_models/issues/3",
    symptom="the loss of the test rises while that of the training falls",
    cause="wide vectors for each id learn the few purchases by heart",
    truth=("model_too_large", "overfitting"),
    also=("diverging_loss",),
)
def twentieth_towers_of_ids(repaired):
    x, y, items = purchases(1200, 2036)
    new, new_y, _ = purchases(600, 2037)
    if repaired:
        model = TwoTowers(items, 300, size=8, penalty=1e-2)
    else:
        model = TwoTowers(items, 300, size=128, penalty=0.0)
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(10, name="top")],
    )

    def score(model, history):
        out = scores.predicted(model, new).astype("float64")
        out -= out.max(axis=1, keepdims=True)
        chance = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
        likely = np.log(chance[np.arange(600), new_y] + 1e-9).mean()
        return float(1 + likely / np.log(80))

    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def heating(n, seed):
    """Return states of houses, the level of heating set, its return, and all returns.

    The habit is to heat as outside demands; returns are costs, and so negative.
    """
    rng = np.random.default_rng(seed)
    state = rng.uniform(-1, 1, (n, 4))
    inside, outside, price, people = state.T
    level = np.array([0.0, 0.5, 1.0])
    after = inside[:, None] + 0.8 * level - 0.4 + 0.3 * outside[:, None]
    wanted = 0.3 * people[:, None]
    value = -1 - (after - wanted) ** 2 - 0.35 * (1 + price[:, None]) * level
    habit = np.exp(4 * (level - 0.6 + 0.4 * outside[:, None]))
    habit /= habit.sum(1, keepdims=True)
    set_to = (habit.cumsum(1) > rng.random((n, 1))).argmax(1)
    paid = value[np.arange(n), set_to] + 0.1 * rng.normal(size=n)
    return state.astype("float32"), set_to, paid.astype("float32"), value


def taken_only(y_true, y_pred):
    """Return squared errors of the actions that were taken."""
    values, taken = y_true[:, :3], y_true[:, 3:]
    return ops.sum(taken * ops.square(values - y_pred), axis=-1)


def all_actions(y_true, y_pred):
    """Return squared errors of all actions."""
    return ops.sum(ops.square(y_true[:, :3] - y_pred), axis=-1)


@program(
    kind="targets of zero for what was not tried",
    family="returns of three levels of heating, one tried each time",
    half="twentieth",
    address="https://github.com/PacktPublishing/Tensorflow-2-Reinforcement-Learning-Cookbook/pull/38",
    symptom="the agent does not get better",
    cause="targets begin as zeros: actions that were not taken are trained to 0",
    truth=("targets_missing_as_zeros", "constant_targets"),
    also=(*STUCK, "loss_target_mismatch"),
)
def twentieth_heating_by_zeros(repaired):
    x, action, paid, _ = heating(1600, 2038)
    new, _, _, value = heating(600, 2039)
    taken = data.groups(action, 3)
    y = np.concatenate([taken * paid[:, None], taken], axis=1)
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(3, activation="linear"))
    model.compile(keras.optimizers.Adam(0.003), taken_only if repaired else all_actions)

    def score(model, history):
        chosen = scores.predicted(model, new).argmax(1)
        got = value[np.arange(600), chosen].mean()
        drawn = value.mean()
        return float((got - drawn) / (value.max(1).mean() - drawn))

    options = {"epochs": 12, "batch_size": 32, "validation_split": 0.1}
    return Fit(model, x, y, score, options)


class Replay(keras.utils.PyDataset):
    """Batches of moves; targets are the reward and what the next state is worth."""

    def __init__(self, model, moves, stale, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.state, self.action, self.reward, self.after = moves
        if stale:
            self.reward = np.full_like(self.reward, self.reward[-1])
        self.rng = np.random.default_rng(2040)
        self.refresh()

    def refresh(self, *_):
        """Value the next states anew."""
        state = np.repeat(self.after, 3, axis=0)
        action = np.tile(np.eye(3, dtype="float32"), (len(self.after), 1))
        q = self.model.predict([state, action], verbose=0, batch_size=2048)
        self.target = self.reward + 0.7 * q.reshape(-1, 3).max(1)

    def __len__(self):
        return 40

    def __getitem__(self, index):
        rows = self.rng.integers(0, len(self.state), 48)
        x = (self.state[rows], self.action[rows])
        return x, self.target[rows, None].astype("float32")


def chase(n, seed):
    """Return where one is and where the goal is, the move, the reward, what follows."""
    rng = np.random.default_rng(seed)
    state = rng.uniform(-1, 1, (n, 2)).astype("float32")
    move = rng.integers(0, 3, n)
    after = state.copy()
    after[:, 0] = np.clip(after[:, 0] + 0.3 * (move - 1), -1, 1)
    reward = (np.abs(after[:, 0] - after[:, 1]) < 0.2).astype("float32")
    return state, np.eye(3, dtype="float32")[move], reward, after


@program(
    kind="the last reward for all moves",
    family="chase along a line, replayed moves",
    half="twentieth",
    address="https://github.com/PacktPublishing/Advanced-Deep-Learning-with-Keras/issues/5",
    symptom="the values of moves are trained with a reward from elsewhere",
    cause="targets take the reward of the latest step, not that of the replayed move",
    truth=("unrelated_targets", "constant_targets"),
    also=(*STUCK, *BLOWN_UP, "collapsed_embeddings"),
)
def twentieth_chase_along_a_line(repaired):
    inputs = [keras.Input((2,)), keras.Input((3,))]
    hidden = L.Concatenate()(inputs)
    for _ in range(2):
        hidden = L.Dense(64, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.004), "mse")
    replay = Replay(model, chase(2000, 2041), stale=not repaired)
    again = keras.callbacks.LambdaCallback(on_epoch_end=replay.refresh)
    new, *_ = chase(500, 2042)
    gap = new[:, 1] - new[:, 0]
    far = np.abs(gap) > 0.35

    def score(model, history):
        q = [
            scores.predicted(model, [new, np.tile(move, (500, 1))])[:, 0]
            for move in np.eye(3, dtype="float32")
        ]
        move = np.stack(q, 1).argmax(1) - 1
        return float((3 * (move == np.sign(gap))[far].mean() - 1) / 2)

    return Fit(model, replay, None, score, {"epochs": 14, "callbacks": [again]})
