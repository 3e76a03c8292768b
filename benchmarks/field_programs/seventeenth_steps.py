"""Seventeenth half: programs that train by steps or losses of their own."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.practice_steps import OWN_STEP, update
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def hides(n, kinds, seed, bright, contrast):
    """Return pictures of hides with stripes of some direction, and of which."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, kinds, n)
    row, column = np.mgrid[:14, :14]
    turn = (y / kinds * np.pi + rng.normal(0, 0.12, n))[:, None, None]
    wave = np.cos(turn) * row + np.sin(turn) * column
    wave = np.sin(
        rng.uniform(0.8, 1.3, (n, 1, 1)) * wave + rng.uniform(0, 6, (n, 1, 1))
    )
    x = bright + contrast * (wave + 0.7 * rng.normal(size=wave.shape))
    return x[..., None].astype("float32"), y


def pretrained():
    """Return convolutions that know the directions of stripes by daylight."""
    base = keras.Sequential([keras.Input((14, 14, 1))])
    for filters in (12, 16, 24):
        base.add(L.Conv2D(filters, 3, padding="same", use_bias=False))
        base.add(L.BatchNormalization(momentum=0.9))
        base.add(L.ReLU())
        base.add(L.MaxPooling2D(2))
    base.add(L.GlobalAveragePooling2D())
    whole = keras.Sequential([base, L.Dense(5, activation="softmax")])
    whole.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    whole.fit(*hides(500, 5, 1701, 0.0, 0.6), epochs=4, batch_size=32, verbose=0)
    return base


class Tuned(keras.Model):
    """A known base under a new head, trained by a loop of its own."""

    def __init__(self, base, training, **kwargs):
        super().__init__(**kwargs)
        self.base, self.as_training = base, training
        self.head = L.Dense(3, activation="softmax")

    def call(self, x, training=None):
        return self.head(self.base(x, training=training))

    def train_step(self, batch):
        x, y = batch

        def loss_of():
            y_pred = self(x, training=self.as_training)
            return self.compute_loss(x=x, y=y, y_pred=y_pred)

        loss = update(self.optimizer, loss_of, self)
        self._loss_tracker.update_state(loss)
        return {"loss": self._loss_tracker.result()}


@program(
    kind="training without its flag",
    family="hides by night, known base, GradientTape",
    half="seventeenth",
    address="https://github.com/tensorflow/tensorflow/issues/31184",
    symptom="the same transfer is worse by a loop of one's own than by fit",
    cause="the loop calls the model as if it predicted: other pictures' statistics",
    truth=("foreign_statistics", "normalization_lag"),
    also=(*STUCK, "dead_units", "unscaled_inputs", "saturated_units"),
    backends=OWN_STEP,
)
def seventeenth_hides_by_night(repaired):
    x, y = hides(700, 3, 1702, 1.2, 0.08)
    new, new_y = hides(400, 3, 1703, 1.2, 0.08)
    model = Tuned(pretrained(), training=repaired)
    model.compile(keras.optimizers.Adam(0.0005), "sparse_categorical_crossentropy")
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Looped(keras.Model):
    """A network whose loop subtracts what the loader gives from what comes out."""

    def __init__(self, columns, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns
        self.layers_of = [L.Dense(24, activation="tanh"), L.Dense(24, "tanh")]
        self.out = L.Dense(1)
        self.mean = keras.metrics.Mean(name="loss")

    def call(self, x):
        for layer in self.layers_of:
            x = layer(x)
        return self.out(x)

    def train_step(self, batch):
        x, y = batch
        if self.columns:
            y = ops.expand_dims(y, 1)
        loss = update(self.optimizer, lambda: ops.mean(ops.square(self(x) - y)), self)
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}


@program(
    kind="loss broadcasts",
    family="wear of a tool from four gauges, GradientTape",
    half="seventeenth",
    address="https://github.com/tensorflow/tensorflow/issues/46782",
    symptom="fit finds the weights, a loop with the same loss does not",
    cause="outputs with a column less targets without: every row against all others",
    truth=("disagreeing_loss", "loss_target_mismatch", "rows_mixed"),
    also=(*STUCK, "unrelated_targets", "model_too_small"),
    backends=OWN_STEP,
)
def seventeenth_wear_of_tools(repaired):
    rng = np.random.default_rng(1704)
    x = rng.uniform(-1.7, 1.7, (1300, 4))
    y = 0.8 * x[:, 0] + 0.5 * x[:, 1] * x[:, 2] - np.maximum(0, x[:, 3])
    y = (y + 0.15 * rng.normal(size=1300)).astype("float32")
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = Looped(columns=repaired)
    model.compile(keras.optimizers.Adam(0.005))
    options = {"epochs": 14, "batch_size": 32}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class Field(keras.Model):
    """The field u(x, t) as a network of two numbers."""

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return ops.mean(ops.square(y_pred - y))


@program(
    kind="loss broadcasts",
    family="field over place and time, compute_loss",
    half="seventeenth",
    address="https://github.com/tensorflow/tensorflow/issues/40323",
    symptom="the compiled fit is exact, the own loss finds a flat curve",
    cause="u of the network has a column, u of the data has none",
    truth=("disagreeing_loss", "loss_target_mismatch", "rows_mixed"),
    also=(*STUCK, "unrelated_targets", "model_too_small"),
)
def seventeenth_field_of_pairs(repaired):
    rng = np.random.default_rng(1705)
    place, time = rng.uniform(-np.pi, np.pi, 1500), rng.uniform(0, 2, 1500)
    u = np.sin(1.5 * place) * np.exp(-time) + 0.4 * np.cos(place)
    x = np.column_stack([place / 1.8, (time - 1) / 0.6]).astype("float32")
    u = (u + 0.03 * rng.normal(size=1500)).astype("float32")
    x, u, new, new_u = data.split(x, u[:, None] if repaired else u)
    inputs = keras.Input((2,))
    hidden = L.Dense(64, activation="relu")(inputs)
    hidden = L.Dense(64, activation="relu")(hidden)
    model = Field(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.003))
    options = {"epochs": 18, "batch_size": 32}
    return Fit(model, x, u, scores.variance(new, new_u), options)


def bare_root(square):
    return ops.sqrt(square)


def root_of_more(square):
    return ops.sqrt(square + 1e-10)


class Penalized(keras.Model):
    """A maker of points against a critic whose slopes are to be one."""

    def __init__(self, root, **kwargs):
        super().__init__(**kwargs)
        self.root = root
        self.maker = keras.Sequential(
            [L.Dense(24, activation="relu"), L.Dense(24, activation="relu"), L.Dense(2)]
        )
        self.critic = keras.Sequential(
            [
                L.Dense(32, activation="relu"),
                L.Dropout(0.2),
                L.Dense(12, activation="relu"),
                L.Dropout(0.2),
                L.Dense(1),
            ]
        )
        self.critic_optimizer = keras.optimizers.Adam(0.003, beta_1=0.5)
        self.trackers = [keras.metrics.Mean(name=n) for n in ("d_loss", "g_loss")]

    def call(self, noise):
        return self.maker(noise)

    def judged(self, real, fake):
        import torch

        share = torch.rand(len(real), 1)
        mixed = (share * real + (1 - share) * fake).requires_grad_()
        said = self.critic(mixed, training=True).sum()
        slopes = torch.autograd.grad(said, mixed, create_graph=True)[0]
        norm = self.root(ops.sum(ops.square(slopes), axis=1))
        cost = ops.mean(self.critic(fake, training=True))
        cost = cost - ops.mean(self.critic(real, training=True))
        return cost + 3.0 * ops.mean(ops.square(norm - 1.0))

    def train_step(self, batch):
        import torch

        real = batch[0] if isinstance(batch, (tuple, list)) else batch
        for _ in range(2):
            fake = self.maker(torch.randn(len(real), 2)).detach()
            judged = update(
                self.critic_optimizer,
                lambda fake=fake: self.judged(real, fake),
                self.critic,
            )
        made = update(
            self.optimizer,
            lambda: -ops.mean(self.critic(self.maker(torch.randn(len(real), 2)))),
            self.maker,
        )
        for tracker, loss in zip(self.trackers, (judged, made), strict=True):
            tracker.update_state(loss)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def apart(a, b):
    """Return the energy distance of two clouds of points."""
    mean = [
        np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1)).mean()
        for p, q in ((a, b), (a, a), (b, b))
    ]
    return 2 * mean[0] - mean[1] - mean[2]


@program(
    kind="root of nothing",
    family="points from noise, WGAN with a gradient penalty",
    half="seventeenth",
    address="https://github.com/keras-team/keras-io/issues/910",
    symptom="after some batches both losses are NaN and stay so",
    cause="the root of a squared slope has no slope where the critic is flat",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights"),
    backends=("torch",),
)
def seventeenth_flat_critic(repaired):
    rng = np.random.default_rng(1706)
    turn = np.array([[1.1, 0.6], [-0.3, 0.5]])
    points = rng.normal(size=(1400, 2)) @ turn + [1.8, -1.2]
    x, new = points[:900].astype("float32"), points[900:]
    model = Penalized(root_of_more if repaired else bare_root)
    model.compile(keras.optimizers.Adam(0.002, beta_1=0.5))
    noise = rng.normal(size=(500, 2)).astype("float32")

    def score(model, history):
        made = scores.predicted(model, noise)
        if not np.isfinite(made).all():
            return -1.0
        return float(max(-1.0, 1 - apart(made, new) / apart(noise, new)))

    return Fit(model, x, None, score, {"epochs": 14, "batch_size": 64})
