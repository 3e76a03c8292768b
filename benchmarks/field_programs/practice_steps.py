"""Practice: programs that train by steps of their own, or compare pairs of rows."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
OWN_STEP = ("torch", "tensorflow")
"""On JAX a step of one's own looks quite otherwise."""


def update(optimizer, loss_of, owner):
    """Make a step on the weights of a model; return the loss."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = loss_of()
        weights = list(owner.trainable_weights)
        found = tape.gradient(loss, [w.value for w in weights])
        optimizer.apply_gradients(zip(found, weights, strict=True))
        return loss
    import torch

    owner.zero_grad()
    loss = loss_of()
    loss.backward()
    weights = list(owner.trainable_weights)
    with torch.no_grad():
        optimizer.apply([weight.value.grad for weight in weights], weights)
    return loss.detach()


class OwnStep(keras.Model):
    """A small network that is trained by a step of its own.

    Args:
        loss: Given targets and outputs, the loss.
        flat: Whether the output lacks its last axis.
    """

    def __init__(self, loss, flat=False):
        super().__init__()
        self.loss_of, self.flat = loss, flat
        self.first = L.Dense(32, activation="relu")
        self.second = L.Dense(32, activation="relu")
        self.last = L.Dense(1)
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        out = self.last(self.second(self.first(x)))
        return ops.squeeze(out, -1) if self.flat else out

    def train_step(self, batch):
        x, y = batch
        loss = update(
            self.optimizer, lambda: self.loss_of(y, self(x, training=True)), self
        )
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


@program(
    kind="loss broadcasts",
    family="table regression, own train_step",
    half="practice",
    address="https://github.com/keras-team/keras/issues/16836",
    symptom="the loss is much worse than with the same loss passed to compile",
    cause="targets without a column less outputs with one: all pairs of rows",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "unrelated_targets", "model_too_small"),
    backends=OWN_STEP,
)
def loss_in_train_step(repaired):
    x, y, new, new_y = data.friedman(900)
    y, new_y = np.ravel(y), np.ravel(new_y)

    def absolute(y_true, y_pred):
        if repaired:
            y_true = ops.expand_dims(y_true, -1)
        return ops.mean(ops.abs(y_true - y_pred))

    model = OwnStep(absolute)
    model.compile(keras.optimizers.Adam(0.005))
    options = {"epochs": 25, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="loss broadcasts",
    family="critic of returns, own train_step",
    half="practice",
    address="https://github.com/RLinf/RLinf/issues/1568",
    symptom="predictions collapse toward the central return of a batch",
    cause="returns with a column less values without one: all pairs of rows",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "unrelated_targets", "model_too_small"),
    backends=OWN_STEP,
)
def critic_of_all_returns(repaired):
    rng = np.random.default_rng(1521)
    x = rng.normal(size=(1100, 6)).astype("float32")
    y = np.tanh(x[:, :2]).sum(1) + 0.5 * x[:, 2] * x[:, 3] + 0.3 * rng.normal(size=1100)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None])

    def clipped_squares(returns, values):
        if repaired:
            returns = ops.squeeze(returns, -1)
        error = ops.clip(returns - values, -5, 5)
        return 0.5 * ops.mean(ops.square(error))

    model = OwnStep(clipped_squares, flat=True)
    model.compile(keras.optimizers.Adam(0.003))
    options = {"epochs": 25, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y[:, 0]), options)


def pairs_of_digits(n, seed):
    """Return pairs of digits, and whether they are of one class."""
    rng = np.random.default_rng(seed)
    x, y, _, _ = data.digits(900)
    first = rng.integers(0, len(x), n)
    alike = rng.random(n) < 0.5
    second = [
        rng.choice(np.flatnonzero((y == y[i]) == same))
        for i, same in zip(first, alike, strict=True)
    ]
    return [x[first], x[second]], alike.astype("float32")[:, None]


@program(
    kind="labels of pairs the other way round",
    family="Siamese network of digits",
    half="practice",
    address="https://github.com/keras-team/keras/issues/16935",
    symptom="is the contrastive loss of the example right?",
    cause="in the paper 0 is alike, in the pairs 1 is",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "collapsed_embeddings", "overfitting"),
)
def digits_of_a_kind_apart(repaired):
    (a, b), y = pairs_of_digits(900, 1522)
    new, new_y = pairs_of_digits(300, 1523)
    encoder = keras.Sequential([keras.Input((8, 8, 1))])
    encoder.add(L.Conv2D(16, 3, activation="relu"))
    encoder.add(L.Flatten())
    encoder.add(L.Dense(32, activation="relu"))
    encoder.add(L.Dense(10))
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    gap = L.Lambda(
        lambda p: ops.sqrt(
            ops.maximum(ops.sum((p[0] - p[1]) ** 2, -1, keepdims=True), 1e-7)
        ),
        output_shape=(1,),
    )
    model = keras.Model([left, right], gap([encoder(left), encoder(right)]))

    def contrastive(y_true, distance):
        apart = 1 - y_true if repaired else y_true
        far = ops.square(ops.maximum(1 - distance, 0))
        return ops.mean((1 - apart) * ops.square(distance) + apart * far)

    model.compile(keras.optimizers.Adam(0.002), contrastive)

    def score(model, history):
        out = scores.predicted(model, new)[:, 0]
        same = new_y[:, 0] > 0.5
        return float(2 * (out[same][:, None] < out[~same]).mean() - 1)

    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, [a, b], y, score, options)


class Adversaries(keras.Model):
    """A generator and its critic, trained in turn by a step of its own."""

    def __init__(self, sign, columns):
        super().__init__()
        self.sign = sign
        self.maker = keras.Sequential(
            [keras.Input((4,)), L.Dense(32, activation="relu"), L.Dense(columns)]
        )
        self.judge = keras.Sequential(
            [keras.Input((columns,)), L.Dense(32, activation="relu"), L.Dense(1)]
        )
        self.seeds = keras.random.SeedGenerator(1524)
        self.made = keras.metrics.Mean(name="g_loss")
        self.judged = keras.metrics.Mean(name="d_loss")

    def compile(self, rate):
        super().compile()
        self.maker_optimizer = keras.optimizers.Adam(rate, beta_1=0.5)
        self.judge_optimizer = keras.optimizers.Adam(rate, beta_1=0.5)
        self.maker_optimizer.build(self.maker.trainable_variables)
        self.judge_optimizer.build(self.judge.trainable_variables)

    def call(self, noise):
        return self.maker(noise)

    def train_step(self, batch):
        real = batch[0] if isinstance(batch, tuple) else batch
        noise = keras.random.normal((ops.shape(real)[0], 4), seed=self.seeds)

        def judged():
            fake = ops.stop_gradient(self.maker(noise))
            return ops.mean(ops.softplus(-self.judge(real))) + ops.mean(
                ops.softplus(self.judge(fake))
            )

        def made():
            scored = self.judge(self.maker(noise))
            return ops.mean(ops.softplus(-self.sign * scored))

        self.judged.update_state(update(self.judge_optimizer, judged, self.judge))
        self.made.update_state(update(self.maker_optimizer, made, self.maker))
        return {"g_loss": self.made.result(), "d_loss": self.judged.result()}


def clouds(n, seed):
    """Return points of two clouds in four columns."""
    rng = np.random.default_rng(seed)
    side = rng.choice([-1, 1], n)[:, None]
    x = 1.5 * side * np.array([1, -1, 0.5, 0]) + 0.4 * rng.normal(size=(n, 4))
    return (x + np.array([1.0, 0.5, 0.0, 2.0])).astype("float32")


def nearness(real):
    """Return the score of a generator: how near its mean is to that of the rows."""

    def score(model, history):
        noise = np.random.default_rng(1).normal(size=(400, 4)).astype("float32")
        made = ops.convert_to_numpy(model.maker(noise))
        gap = np.abs(made.mean(0) - real.mean(0)).mean() / real.std(0).mean()
        return float(max(-1.0, 1 - gap))

    return score


@program(
    kind="generator trained downwards",
    family="GAN, own train_step",
    half="practice",
    address="https://github.com/Zeleni9/pytorch-wgan/pull/53",
    symptom="the generator is trained in the wrong direction",
    cause="it minimizes what the critic says of its pictures",
    truth=("disagreeing_loss",),
    also=(*STUCK, *BLOWN_UP, "exploding_activations", "learning_rate_too_high"),
    backends=OWN_STEP,
)
def generator_away_from_its_judge(repaired):
    x = clouds(800, 1525)
    model = Adversaries(1.0 if repaired else -1.0, 4)
    model.compile(0.002)
    return Fit(model, x, None, nearness(x), {"epochs": 20, "batch_size": 32})


class Curves(keras.Model):
    """A variational autoencoder, whose mean and variance may be positive only."""

    def __init__(self, activation):
        super().__init__()
        self.encode = L.Dense(48, activation="relu")
        self.mean = L.Dense(3, activation=activation)
        self.log_variance = L.Dense(3, activation=activation)
        self.decode = L.Dense(48, activation="relu")
        self.out = L.Dense(12)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x, training=None):
        hidden = self.encode(x)
        mean, log = self.mean(hidden), self.log_variance(hidden)
        away = 1 + log - ops.square(mean) - ops.exp(log)
        self.add_loss(-0.02 * ops.mean(ops.sum(away, axis=-1)))
        if training:
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            mean = mean + ops.exp(0.5 * log) * noise
        return self.out(self.decode(mean))


@program(
    kind="relu before a log variance",
    family="variational autoencoder of curves",
    half="practice",
    address="https://github.com/shekkizh/TensorflowProjects/pull/1",
    symptom="mean and log variance cannot become negative",
    cause="the layers of the mean and of the log variance apply ReLU",
    truth=("output_activation_mismatch", "dead_units", "zero_gradients"),
    also=(*STUCK, "loss_terms_out_of_balance", "random_at_inference"),
    margin=0.05,
)
def mean_and_variance_above_zero(repaired):
    from field_programs.practice_signals_losses import curves

    x, new = curves(900, 1526), curves(300, 1527)
    model = Curves(None if repaired else "relu")
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@healthy(family="ranking of pairs, own train_step", half="practice", backends=OWN_STEP)
def ranked_in_its_own_step():
    x, y, new, new_y = data.friedman(900)
    y, new_y = np.ravel(y), np.ravel(new_y)

    def ranked(y_true, y_pred):
        order = y_true[:, None] - y_true[None, :]
        gap = y_pred - ops.transpose(y_pred)
        above = ops.cast(order > 0, "float32")
        missed = ops.softplus(-gap) * above
        near = ops.mean(ops.square(y_true - y_pred[:, 0]))
        return ops.sum(missed) / (ops.sum(above) + 1) + 0.1 * near

    model = OwnStep(ranked)
    model.compile(keras.optimizers.Adam(0.005))
    options = {"epochs": 25, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)
