"""Nineteenth half: programs that learn what to do, and what it is worth."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def laps(n, seed):
    """Return what a car measures, and how it is to steer and to accelerate."""
    rng = np.random.default_rng(seed)
    unit = rng.uniform(-1, 1, (n, 7))
    angle, place, speed, turns, front, left, right = unit.T
    steer = np.tanh(2 * (0.9 * angle - 0.7 * place + 0.5 * left * right))
    throttle = 1 / (1 + np.exp(-4 * (front - 0.8 * speed + 0.3 * turns * angle)))
    lowest = np.array([-180, -5, 0, 0, 0, 0, 0])
    highest = np.array([180, 5, 220, 9000, 200, 200, 200])
    x = lowest + (unit + 1) / 2 * (highest - lowest)
    y = np.column_stack([steer, throttle]) + 0.04 * rng.normal(size=(n, 2))
    return x.astype("float32"), y.astype("float32")


@program(
    kind="states in their own units",
    family="driver of a car, two bounded actions",
    half="nineteenth",
    address="https://github.com/ZhihanLee/DDPG_Learning/issues/2",
    symptom="actions soon are at their limits and stay there",
    cause="angles, speeds and turns of the engine are not brought to one scale",
    truth=("unscaled_inputs",),
    also=(*STUCK, *BLOWN_UP, "saturated_units", "zero_gradients", "dead_units"),
)
def nineteenth_driver_at_its_limits(repaired):
    x, y = laps(1600, 1910)
    new, new_y = laps(500, 1911)
    if repaired:
        lowest, highest = x.min(0), x.max(0)
        x, new = (
            np.clip(2 * (a - lowest) / (highest - lowest) - 1, -1, 1).astype("float32")
            for a in (x, new)
        )
    state = keras.Input((7,))
    hidden = L.Dense(64, activation="relu")(state)
    hidden = L.Dense(48, activation="relu")(hidden)
    steer = L.Dense(1, activation="tanh")(hidden)
    throttle = L.Dense(1, activation="sigmoid")(hidden)
    actor = keras.Model(state, L.Concatenate()([steer, throttle]))
    actor.compile(keras.optimizers.Adam(0.002), "mse")
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(actor, x, y, scores.variance(new, new_y), options)


GAMMA = 0.95


def walks(n, seed):
    """Return views of places and of the next ones, rewards, and the true values."""
    world = np.random.default_rng(1912)
    looks = world.normal(size=(12, 10))
    gains = world.normal(size=12)
    gains -= gains.mean()
    moves = 0.2 * np.roll(np.eye(12), 1, axis=1) + 0.8 / 12
    values = np.linalg.solve(np.eye(12) - GAMMA * moves, gains)
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 12, n)
    after = np.array([rng.choice(12, p=moves[p]) for p in place])
    views = [looks[p] + 0.1 * rng.normal(size=(n, 10)) for p in (place, after)]
    rewards = gains[place] + 0.2 * rng.normal(size=n)
    views = [v.astype("float32") for v in views]
    return views, rewards[:, None].astype("float32"), values[place, None]


def fixed_target(rewards, both):
    target = rewards + GAMMA * ops.stop_gradient(both[:, 1:])
    return ops.mean(ops.square(target - both[:, :1]), axis=-1)


def advantage_squared(rewards, both):
    advantage = rewards + GAMMA * both[:, 1:] - both[:, :1]
    return ops.mean(ops.square(advantage), axis=-1)


@program(
    kind="gradient through the target",
    family="critic of places, bootstrapped returns",
    half="nineteenth",
    address="https://github.com/Farama-Foundation/Gymnasium/issues/1494",
    symptom="values of the critic are wrong, the agent does not get better",
    cause="the advantage is squared with gradients through the value that comes after",
    truth=("gradients_through_targets", "disagreeing_loss"),
    also=(*STUCK, "loss_target_mismatch", "unrelated_targets"),
)
def nineteenth_critic_of_places(repaired):
    x, y, _ = walks(2000, 1913)
    new, _, values = walks(400, 1914)
    critic = keras.Sequential(
        [keras.Input((10,)), L.Dense(48, activation="relu"), L.Dense(1)]
    )
    now, after = keras.Input((10,)), keras.Input((10,))
    model = keras.Model([now, after], L.Concatenate()([critic(now), critic(after)]))
    model.compile(
        keras.optimizers.Adam(0.003), fixed_target if repaired else advantage_squared
    )

    def score(model, history):
        return scores.explained(scores.predicted(model, new)[:, :1], values)

    return Fit(model, x, y, score, {"epochs": 10, "batch_size": 32})


def worth(states):
    """Return what four actions are worth in states."""
    a, b, c, d, e = states.T
    columns = [a + np.sin(2 * b), -a + c * d, np.cos(2 * e) + b, d - c + 0.5 * a * e]
    return (9 + 2.5 * np.stack(columns, -1)).astype("float32")


def memory(seed):
    """Yield states, with an action in each and what came of it."""
    rng = np.random.default_rng(seed)
    while True:
        states = rng.normal(size=(32, 5)).astype("float32")
        actions = rng.integers(0, 4, 32)
        returns = worth(states)[np.arange(32), actions] + 0.5 * rng.normal(size=32)
        yield states, np.column_stack([actions, returns]).astype("float32")


def difference(y_true, values):
    chosen = ops.one_hot(ops.cast(y_true[:, 0], "int32"), 4)
    return y_true[:, 1] - ops.sum(chosen * values, axis=-1)


def clipped_square(y_true, values):
    return ops.square(ops.clip(difference(y_true, values), -1.0, 1.0))


def clipped_slope(y_true, values):
    size = ops.abs(difference(y_true, values))
    return ops.where(size < 1, 0.5 * ops.square(size), size - 0.5)


@program(
    kind="errors clipped in the loss",
    family="dueling network, generator of a memory",
    half="nineteenth",
    address="https://github.com/devsisters/DQN-tensorflow/issues/16",
    symptom="large errors in the values of actions are not corrected",
    cause="an error is clipped before it is squared: beyond 1 there is no gradient",
    truth=("zero_gradients", "disagreeing_loss"),
    also=(*STUCK, "unscaled_targets", "vanishing_gradients", "loss_target_mismatch"),
)
def nineteenth_errors_clipped(repaired):
    states = keras.Input((5,))
    hidden = L.Dense(64, activation="relu")(states)
    hidden = L.Dense(64, activation="relu")(hidden)
    value, gain = L.Dense(1)(hidden), L.Dense(4)(hidden)
    mean = L.Lambda(lambda g: ops.mean(g, axis=-1, keepdims=True))(gain)
    model = keras.Model(states, L.Add()([value, L.Subtract()([gain, mean])]))
    model.compile(
        keras.optimizers.Adam(0.005), clipped_slope if repaired else clipped_square
    )
    new = np.random.default_rng(1915).normal(size=(500, 5)).astype("float32")
    score = scores.variance(new, worth(new))
    options = {"epochs": 10, "steps_per_epoch": 60}
    return Fit(model, memory(1916), None, score, options)


SPREAD = 0.3


def density(actions, means):
    return ops.exp(-ops.square((actions - means) / SPREAD) / 2) / (SPREAD * 2.5066)


def surrogate(tiny):
    """Return the loss of a policy, compared with the policy that acted."""

    def loss(y_true, shift):
        action, old_mean, advantage = (y_true[:, k : k + 1] for k in range(3))
        old = density(action, old_mean)
        ratio = density(action, old_mean + shift) / (old + tiny)
        change = ops.square(shift / SPREAD) / 2
        return ops.mean(0.4 * change - ratio * advantage, axis=-1)

    return loss


@program(
    kind="division by a chance of zero",
    family="arm that reaches, ratio of two policies",
    half="nineteenth",
    address="https://github.com/MorvanZhou/Reinforcement-learning-with-tensorflow/issues/163",
    symptom="after some updates the loss is nan, and so are all actions",
    cause="the chance of an action under the old policy can be zero in the divisor",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights"),
)
def nineteenth_ratio_of_policies(repaired):
    rng = np.random.default_rng(1917)
    states = rng.normal(size=(2200, 4)).astype("float32")
    best = 0.5 * np.tanh(states[:, 0]) - 0.4 * np.sin(states[:, 1])
    old = 0.3 * np.tanh(states[:, 2])
    noise = SPREAD * rng.normal(size=2200)
    pushed = rng.random(2200) < 0.02
    actions = old + np.where(pushed, rng.choice([-6, 6], 2200), noise)
    advantage = -np.square(actions - best) / 0.3
    advantage = np.clip(advantage - np.median(advantage), -3, 3)
    y = np.column_stack([actions, old, advantage]).astype("float32")
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(L.Dense(48, activation="tanh"))
    model.add(L.Dense(1, kernel_initializer=keras.initializers.RandomNormal(0, 0.01)))
    model.compile(keras.optimizers.Adam(0.003), surrogate(1e-5 if repaired else 0.0))
    new, new_old, new_best = states[1700:], old[1700:], best[1700:]

    def score(model, history):
        shift = scores.predicted(model, new)[:, 0]
        if not np.isfinite(shift).all():
            return -1.0
        left = np.square(new_old + shift - new_best).mean()
        return float(1 - left / np.square(new_old - new_best).mean())

    return Fit(model, states[:1700], y[:1700], score, {"epochs": 12, "batch_size": 32})
