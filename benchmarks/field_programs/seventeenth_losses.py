"""Seventeenth half: programs whose loss leaves out what it should compare."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers


def turns(n, seed):
    """Return states of a crossing, and the reward of each of three signals."""
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(n, 5))
    rewards = np.stack(
        [
            states[:, 0] + 0.5 * states[:, 1] ** 2,
            1.2 * states[:, 2] - 0.4 * states[:, 0],
            0.6 + states[:, 3] * states[:, 4],
        ],
        axis=-1,
    )
    return states.astype("float32"), rewards


def earnings(states, rewards, sharp=1.0):
    """Return how much a policy earns: 1 is all, 0 what signals at random do."""

    def score(model, history):
        logits = sharp * scores.predicted(model, states).reshape(-1, 3)
        chances = np.exp(logits - logits.max(-1, keepdims=True))
        chances /= chances.sum(-1, keepdims=True)
        earned = (chances * rewards).sum(-1).mean()
        random, best = rewards.mean(), rewards.max(-1).mean()
        return float((earned - random) / (best - random))

    return score


class Episodes(keras.utils.PyDataset):
    """One episode as a batch: states, and actions with their advantages."""

    def __init__(self, states, actions, advantages, length, **kwargs):
        super().__init__(**kwargs)
        shape = (-1, 1, length)
        self.states = states.reshape(*shape, states.shape[-1])
        pairs = np.stack([actions, advantages], axis=-1).astype("float32")
        self.pairs = pairs.reshape(*shape, 2)

    def __len__(self):
        return len(self.states)

    def __getitem__(self, index):
        return self.states[index], self.pairs[index]


def policy_gradient(axes):
    """Return a loss that normalizes advantages over some axes."""

    def loss(y_true, y_pred):
        action, advantage = ops.cast(y_true[..., 0], "int32"), y_true[..., 1]
        advantage = advantage - ops.mean(advantage, axis=axes, keepdims=True)
        advantage = advantage / (ops.std(advantage, axis=axes, keepdims=True) + 1e-8)
        log = ops.log_softmax(y_pred, axis=-1)
        return -ops.sum(ops.one_hot(action, 3) * log, axis=-1) * advantage

    return loss


@program(
    kind="advantages normalized away",
    family="signals at a crossing, one episode a batch",
    half="seventeenth",
    address="https://github.com/tensorflow/agents/issues/651",
    symptom="with batches of one episode the agent does not learn",
    cause="advantages are normalized over an axis of length one: all of them are 0",
    truth=("zero_gradients", "disagreeing_loss"),
    also=(*STUCK, "batch_size_too_small"),
)
def seventeenth_one_episode(repaired):
    states, rewards = turns(2000, 1711)
    rng = np.random.default_rng(1712)
    actions = rng.integers(0, 3, 2000)
    earned = rewards[np.arange(2000), actions] + 0.2 * rng.normal(size=2000)
    episodes = Episodes(states, actions, earned, 40)
    model = keras.Sequential(
        [
            keras.Input((40, 5)),
            L.Dense(48, activation="tanh"),
            L.Dense(48, activation="tanh"),
            L.Dense(3),
        ]
    )
    loss = policy_gradient((0, 1) if repaired else (0,))
    model.compile(keras.optimizers.Adam(0.003), loss)
    new, new_rewards = turns(600, 1713)
    score = earnings(new.reshape(-1, 40, 5), new_rewards)
    return Fit(model, episodes, None, score, {"epochs": 14})


class Proximal(keras.Model):
    """An actor and a critic with a clipped objective."""

    def __init__(self, with_actor, **kwargs):
        super().__init__(**kwargs)
        self.with_actor = with_actor
        self.actor = keras.Sequential([L.Dense(32, activation="tanh"), L.Dense(3)])
        self.critic = keras.Sequential([L.Dense(32, activation="tanh"), L.Dense(1)])

    def call(self, states):
        return self.actor(states), self.critic(states)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        logits, value = y_pred
        action, advantage = ops.cast(y[:, 0], "int32"), y[:, 1]
        log = ops.log_softmax(logits, axis=-1)
        log = ops.sum(ops.one_hot(action, 3) * log, axis=-1)
        ratio = ops.exp(log - y[:, 3])
        clipped = ops.clip(ratio, 0.8, 1.2)
        gain = ops.mean(ops.minimum(ratio * advantage, clipped * advantage))
        total = 0.5 * ops.mean(ops.square(value[:, 0] - y[:, 2]))
        if self.with_actor:
            total = total - gain
        return total


@program(
    kind="part of the loss is left out",
    family="positions of a portfolio, clipped objective",
    half="seventeenth",
    address="https://github.com/jsboige/CoursIA/issues/3326",
    symptom="the agent is no better than a random policy, whatever the seed",
    cause="the gain of the actor never enters the total: it stays as initialized",
    truth=("zero_gradients", "unused_layers", "frozen_layers"),
    also=STUCK,
)
def seventeenth_actor_at_rest(repaired):
    states, rewards = turns(1800, 1714)
    rng = np.random.default_rng(1715)
    actions = rng.integers(0, 3, 1800)
    returns = rewards[np.arange(1800), actions] + 0.3 * rng.normal(size=1800)
    advantage = (returns - returns.mean()) / returns.std()
    columns = [actions, advantage, returns, np.full(1800, np.log(1 / 3))]
    y = np.stack(columns, axis=-1).astype("float32")
    model = Proximal(with_actor=repaired)
    model.compile(keras.optimizers.Adam(0.003))
    new, new_rewards = turns(600, 1716)
    options = {"epochs": 15, "batch_size": 32}
    return Fit(model, states, y, earnings(new, new_rewards, sharp=9.0), options)


def partial_likelihood(y_true, y_pred):
    """Return the negative partial likelihood of a batch, per event."""
    time, event, risk = y_true[:, 0], y_true[:, 1], y_pred[:, 0]
    later = ops.cast(time[None, :] >= time[:, None], "float32")
    total = ops.logsumexp(risk[None, :] - 1e9 * (1.0 - later), axis=1)
    return -ops.sum(event * (risk - total)) / (ops.sum(event) + 1e-8)


def lifetimes(risk, seed):
    """Return times and whether they end with an event: about two thirds do."""
    rng = np.random.default_rng(seed)
    time, left = rng.exponential(np.exp(-risk)), rng.exponential(2.0, len(risk))
    pair = np.stack([np.minimum(time, left), time <= left], axis=-1)
    return pair.astype("float32")


def concordance(x, y):
    """Return how often the one of higher risk is the first, scaled: 0 is chance."""
    first = (y[:, None, 0] < y[None, :, 0]) & (y[:, None, 1] > 0)

    def score(model, history):
        risk = scores.predicted(model, x)[:, 0]
        right = np.sign(risk[:, None] - risk[None, :])[first]
        return float(right.mean())

    return score


@program(
    kind="rate too low",
    family="hazards of patients and a treatment",
    half="seventeenth",
    address="https://github.com/jaredleekatzman/DeepSurv/issues/12",
    symptom="the concordance is 0.48, the likelihood is a flat line",
    cause="the rate of 1e-5 is far too low for plain gradient descent",
    truth=("learning_rate_too_low", "too_few_updates"),
    also=STUCK,
)
def seventeenth_flat_hazards(repaired):
    rng = np.random.default_rng(1717)
    x = rng.uniform(-1.7, 1.7, (2000, 9))
    treated = rng.choice([-1.0, 1.0], 2000)
    risk = 1.2 * x[:, 0] - 0.9 * x[:, 1] + 0.7 * treated * x[:, 2]
    x = np.column_stack([x, treated]).astype("float32")
    x, y, new, new_y = data.split(x, lifetimes(risk, 1718))
    model = keras.Sequential(
        [
            keras.Input((10,)),
            L.Dense(10, activation="relu"),
            L.Dense(10, activation="relu"),
            L.Dense(1),
        ]
    )
    rate = 0.01 if repaired else 1e-5
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), partial_likelihood)
    options = {"epochs": 15, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x, y, concordance(new, new_y), options)


@program(
    kind="one row a batch",
    family="hazards from scans, partial likelihood",
    half="seventeenth",
    address="https://github.com/Novartis/torchsurv/issues/35",
    symptom="the loss is 0 at every step with the only batch size that fits",
    cause="a partial likelihood compares the rows of a batch, of which there is one",
    truth=("batch_size_too_small", "zero_gradients"),
    also=(*STUCK, "disagreeing_loss", "constant_targets"),
)
def seventeenth_alone_in_a_batch(repaired):
    rng = np.random.default_rng(1719)
    row, column = np.mgrid[:12, :12]
    size, dense = rng.uniform(1, 4, 480), rng.uniform(0.4, 1.4, 480)
    place = rng.uniform(4, 8, (480, 2, 1, 1))
    far = np.hypot(row - place[:, 0], column - place[:, 1])
    x = dense[:, None, None] * np.exp(-((far / size[:, None, None]) ** 2))
    x = x + 0.1 * rng.normal(size=x.shape)
    x = ((x - x.mean()) / x.std())[..., None].astype("float32")
    y = lifetimes(1.5 * (size - 2.5) * dense, 1720)
    x, y, new, new_y = data.split(x, y, share=0.4)
    inputs = keras.Input((12, 12, 1))
    hidden = L.Conv2D(8, 3, strides=2, activation="relu")(inputs)
    hidden = L.Conv2D(12, 3, activation="relu")(hidden)
    hidden = L.Dense(16, activation="relu")(L.Flatten()(hidden))
    model = keras.Model(inputs, L.Dense(1, use_bias=False)(hidden))
    model.compile(keras.optimizers.Adam(0.001), partial_likelihood)
    options = {"epochs": 5, "batch_size": 1}
    if repaired:
        options = {"epochs": 12, "batch_size": 24}
    return Fit(model, x, y, concordance(new, new_y), options)
