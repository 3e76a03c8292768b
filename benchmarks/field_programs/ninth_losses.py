"""Ninth half: programs with a loss or an operation of their own that misleads."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class SquaredError(keras.losses.Loss):
    """The mean squared error, as one writes it down."""

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))


@program(
    kind="loss broadcasts",
    family="dense regression",
    half="ninth",
    address="https://github.com/pytorch/pytorch/issues/16045",
    symptom="the loss fails to come near the optimum of a simple regression",
    cause="targets (n,) minus outputs (n, 1): every target against every output",
    truth=("disagreeing_loss", "loss_target_mismatch", "rows_mixed"),
    also=(*STUCK, "unrelated_targets"),
)
def flat_targets(repaired):
    x, y, new, new_y = data.friedman(700, seed=911)
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), SquaredError(), metrics=["mae"])
    y_fit, y_val = (y, new_y) if repaired else (y[:, 0], new_y[:, 0])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, y_val)}
    return Fit(model, x, y_fit, scores.variance(new, new_y), options)


def packed_loss(by_column):
    """Return a loss for 8 numbers and a decision packed into a row."""

    def halves(rows):
        return (rows[:, :8], rows[:, 8:]) if by_column else (rows[0], rows[1])

    def ae_gan_loss(y_true, y_pred):
        ay_true, dy_true = halves(y_true)
        ay_pred, dy_pred = halves(y_pred)
        loss = ops.mean(keras.losses.mean_squared_error(ay_true, ay_pred))
        return loss + ops.mean(
            keras.losses.binary_crossentropy(dy_true, ops.sigmoid(dy_pred))
        )

    return ae_gan_loss


def last_column(x, y):
    """Return how much better than chance the last of several outputs decides."""

    def score(model, history):
        said = scores.predicted(model, x)[:, -1] > 0
        return float(np.mean([(said[y == k] == k).mean() for k in (0, 1)]) * 2 - 1)

    return score


@program(
    kind="loss takes rows for outputs",
    family="autoencoder with a decision",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/6476",
    symptom="binary cross-entropy plus mean squared error is negative",
    cause="y_true[0] and y_true[1] are the first two rows, not the two outputs",
    truth=("disagreeing_loss", "wrong_axis", "rows_mixed", "loss_target_mismatch"),
    also=(*STUCK, *BLOWN_UP, "output_activation_mismatch"),
    backends=("jax", "tensorflow"),
)
def two_targets_in_a_row(repaired):
    rng = np.random.default_rng(912)
    fault = rng.integers(0, 2, 800)
    hidden = rng.normal(size=(800, 3))
    clean = np.tanh(hidden @ rng.normal(size=(3, 8)))
    x = clean + 0.2 * rng.normal(size=clean.shape)
    x[:, 2] += fault * np.sign(clean[:, 5])
    y = np.concatenate([clean, fault[:, None]], 1).astype("float32")
    x, y, new, new_y = data.split(x.astype("float32"), y)
    inputs = keras.Input((8,))
    hidden = L.Dense(48, activation="relu")(inputs)
    code = L.Dense(24, activation="relu")(hidden)
    outputs = L.Concatenate()([L.Dense(8)(code), L.Dense(1)(code)])
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), packed_loss(by_column=repaired))
    options = {"epochs": 30, "batch_size": 28, "validation_data": (new, new_y)}
    return Fit(model, x, y, last_column(new, new_y[:, 8]), options)


class Energy(L.Layer):
    """The length of pairs of feature maps."""

    def __init__(self, least):
        super().__init__()
        self.least = least

    def call(self, inputs):
        first, second = ops.split(inputs, 2, axis=-1)
        return ops.sqrt(first * first + second * second + self.least)


@program(
    kind="root of zero",
    family="wave classifier",
    half="ninth",
    address="https://github.com/keras-team/keras/issues/13203",
    symptom="the loss is nan, and a number without the line with sqrt",
    cause="the slope of the root is infinite in the zeros after a recording ends",
    truth=("non_finite_operation",),
    also=(*BLOWN_UP, *STUCK, "non_finite_weights", "dead_units"),
)
def energy_of_filters(repaired):
    x, y = data.gestures(480, seed=913, noise=0.5)
    ends = np.random.default_rng(913).integers(14, 25, 480)
    x[np.arange(24) >= ends[:, None]] = 0
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((24, 3)),
            L.Conv1D(24, 5, use_bias=False, padding="same"),
            Energy(1e-4 if repaired else 0.0),
            L.GlobalAveragePooling1D(),
            L.Dense(24, activation="relu"),
            L.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def hardest_triplets(y_true, y_pred):
    """Return the triplet loss of the hardest rows of a batch, with a soft margin."""
    labels = ops.reshape(y_true, (-1, 1))
    same = ops.cast(ops.equal(labels, ops.transpose(labels)), "float32")
    apart = y_pred[:, None] - y_pred[None]
    away = ops.sqrt(ops.sum(ops.square(apart), -1) + 1e-8)
    farthest = ops.max(away * same, axis=1)
    nearest = ops.min(away + 1e3 * same, axis=1)
    return ops.softplus(farthest - nearest)


def neighbors(x, y, new, new_y):
    """Return how often the nearest row in the space of outputs has the same class."""

    def score(model, history):
        known, asked = scores.predicted(model, x), scores.predicted(model, new)
        away = ((asked[:, None] - known[None]) ** 2).sum(-1)
        return float((y[away.argmin(1)] == new_y).mean())

    return score


@program(
    kind="embeddings collapse",
    family="metric learning",
    half="ninth",
    address="https://github.com/VisualComputingInstitute/triplet-reid/issues/30",
    symptom="the loss does not go below 0.7",
    cause="all embeddings are the same point, the soft margin leaves ln 2",
    truth=("collapsed_embeddings", "learning_rate_too_high"),
    also=(*STUCK, "dead_units", "zero_gradients", "vanishing_gradients"),
)
def stuck_at_the_margin(repaired):
    x, y, new, new_y = data.digits(640)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, activation="relu", padding="same"),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(8),
        ]
    )
    rate = 0.002 if repaired else 0.03
    model.compile(keras.optimizers.Adam(rate), hardest_triplets)
    options = {"epochs": 15, "batch_size": 40, "validation_data": (new, new_y)}
    return Fit(model, x, y, neighbors(x, y, new, new_y), options)


class Sampling(L.Layer):
    """Draw around the mean while training, and ask to be near the standard normal."""

    def __init__(self):
        super().__init__()
        self.dice = keras.random.SeedGenerator(914)

    def call(self, mean, log_var, training=None):
        distance = 1 + log_var - ops.square(mean) - ops.exp(log_var)
        self.add_loss(-0.5 * ops.mean(ops.sum(distance, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.dice)
        return mean + ops.exp(0.5 * log_var) * noise


@program(
    kind="terms out of balance",
    family="variational autoencoder",
    half="ninth",
    address="https://github.com/yzwxx/vae-celebA/issues/4",
    symptom="the reconstructions all look the same",
    cause="the error is a mean over pixels and the divergence a sum: it wins",
    truth=("loss_terms_out_of_balance", "collapsed_embeddings"),
    also=(*STUCK, "regularization_too_strong", "disagreeing_loss"),
)
def same_face_every_time(repaired):
    x, _, new, _ = data.digits(900)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    inputs = keras.Input((64,))
    hidden = L.Dense(64, activation="relu")(inputs)
    code = Sampling()(L.Dense(8)(hidden), L.Dense(8)(hidden))
    hidden = L.Dense(64, activation="relu")(code)
    model = keras.Model(inputs, L.Dense(64, activation="sigmoid")(hidden))

    def reconstruction(y_true, y_pred):
        error = keras.losses.binary_crossentropy(y_true, y_pred)
        return 64 * error if repaired else error

    model.compile(keras.optimizers.Adam(0.004), reconstruction)
    options = {"epochs": 20, "batch_size": 50, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="rate too high",
    family="dense regression",
    half="ninth",
    address="https://datascience.stackexchange.com/questions/15962/why-is-learning-rate-causing-my-neural-networks-weights-to-skyrocket",
    symptom="the loss jumps from thousands to a trillion and then to nan",
    cause="a step of gradient descent ten times too long for an error that is summed",
    truth=("learning_rate_too_high",),
    also=(*BLOWN_UP, *STUCK, "exploding_activations", "non_finite_weights"),
)
def weights_skyrocket(repaired):
    x, y, new, new_y = data.friedman(700, seed=915)

    class Regressor(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [L.Dense(32, activation="relu") for _ in range(3)]
            self.out = L.Dense(1)

        def call(self, inputs):
            for layer in self.hidden:
                inputs = layer(inputs)
            return self.out(inputs)

    model = Regressor()
    rate = 0.0005 if repaired else 0.04
    loss = keras.losses.MeanSquaredError(reduction="sum")
    model.compile(keras.optimizers.SGD(rate), loss)
    options = {"epochs": 25, "validation_data": (new, new_y)}
    batches = Batches(x, y, 35)
    return Fit(model, batches, None, scores.variance(new, new_y), options)


@program(
    kind="nearly everything is background",
    family="segmentation",
    half="ninth",
    address="https://github.com/open-mmlab/mmsegmentation/issues/2579",
    symptom="the model always predicts the same label for every pixel",
    cause="most pictures have no spot at all: to say background is a good strategy",
    truth=("imbalanced_classes",),
    also=(*STUCK, "metric_mismatch", "too_few_updates"),
)
def pictures_without_spots(repaired):
    rng = np.random.default_rng(916)
    x = 0.3 * rng.normal(size=(1000, 12, 12, 1))
    masks = np.zeros_like(x)
    spotted = np.arange(1000) % 10 == 0
    spotted[850:] = True
    for i in np.flatnonzero(spotted):
        r, c = rng.integers(0, 8, 2)
        masks[i, r : r + 4, c : c + 4] = 1
    x = (x + 0.26 * masks).astype("float32")
    masks = masks.astype("float32")
    new, new_y = x[850:], masks[850:]
    keep = spotted[:850] if repaired else slice(850)
    x, y = x[:850][keep], masks[:850][keep]
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            L.Conv2D(16, 5, activation="relu", padding="same"),
            L.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "batch_size": 16, "validation_split": 0.2}
    return Fit(model, x, y, scores.overlap(new, new_y), options)
