"""Unseen programs whose rate, start, penalty or length does not suit."""

from __future__ import annotations

import math

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="rate collapses",
    family="text classifier",
    half="unseen",
    address="https://github.com/tensorflow/tensorflow/issues/48308",
    symptom="the loss is stuck at the very same value after the first epochs",
    cause="the scheduler is handed the last rate and applies the whole decay to it",
    truth=("learning_rate_collapsed", "learning_rate_too_low"),
    also=(*STUCK, "too_few_updates"),
)
def decay_of_the_decay(repaired):
    x, y, _ = data.reviews(620, seed=311)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential()
    model.add(keras.Input((20,), dtype="int32"))
    model.add(L.Embedding(60, 12))
    model.add(L.Conv1D(16, 3, activation="relu"))
    model.add(L.GlobalMaxPooling1D())
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )

    def schedule(epoch, rate):
        first = 0.003 if repaired else rate
        return first * math.exp(-0.1 * epoch if repaired else -1.3 * epoch)

    options = {
        "epochs": 18,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [keras.callbacks.LearningRateScheduler(schedule)],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rate too high",
    family="image classifier",
    half="unseen",
    address="https://github.com/keras-team/keras/issues/4066",
    symptom="only one class is ever predicted, the accuracy is fixed at 0.1",
    cause="the rate is too high; the default of Adam works",
    truth=("learning_rate_too_high",),
    also=(
        *STUCK,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "oscillating_loss",
        "exploding_activations",
        "diverging_loss",
    ),
)
def ten_classes_one_answer(repaired):
    x, y, new, new_y = data.digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dropout(0.3),
            L.Dense(10, activation="softmax"),
        ]
    )
    rate = 0.003 if repaired else 0.1
    model.compile(
        keras.optimizers.RMSprop(rate),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    held_out = (new, data.groups(new_y, 10))
    options = {"epochs": 10, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)


def own_loop(inputs, outputs, cleared):
    """Return a model with a training step of PyTorch that may clear gradients."""
    import torch

    class OwnLoop(keras.Model):
        def train_step(self, batch):
            x, y = batch
            if cleared:
                self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            loss.backward()
            weights = list(self.trainable_weights)
            gradients = [weight.value.grad for weight in weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    return OwnLoop(inputs, outputs)


@program(
    kind="gradients are not cleared",
    family="training step of PyTorch",
    half="unseen",
    address="https://github.com/udacity/deep-learning-v2-pytorch/pull/160",
    symptom="zero_grad is missing, so that gradients pile up",
    cause="each step takes the sum of all gradients since the beginning",
    truth=("gradients_pile_up", "learning_rate_too_high", "unknown_cause"),
    also=(
        *STUCK,
        "exploding_gradients",
        "oscillating_loss",
        "diverging_loss",
        "dead_units",
        "exploding_activations",
        "non_finite_values",
        "saturated_units",
    ),
    backends=("torch",),
)
def gradients_pile_up(repaired):
    x, y, new, new_y = data.two_classes(620, seed=313, apart=1.2)
    inputs = keras.Input((12,))
    hidden = L.Dense(24, activation="relu")(inputs)
    hidden = L.Dense(16, activation="relu")(hidden)
    outputs = L.Dense(2, activation="softmax")(hidden)
    model = own_loop(inputs, outputs, cleared=repaired)
    model.compile(keras.optimizers.SGD(0.05), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="callback looks the wrong way",
    family="functional classifier",
    half="unseen",
    address="https://github.com/mila-iqia/cookiecutter-pyml/issues/119",
    symptom="the best model is not kept: the mode is max and the loss is watched",
    cause="a falling validation loss counts as getting worse: stopped, and set back",
    truth=("stopped_too_early",),
    also=("too_few_updates", "underfitting", "slow_convergence", "metric_mismatch"),
)
def worst_weights_kept(repaired):
    x, new, y, new_y = data.table("digits")
    inputs = keras.Input((64,))
    hidden = L.Dense(32, activation="relu")(inputs)
    hidden = L.Dropout(0.3)(hidden)
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.001), CROSS, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(
        monitor="val_loss",
        mode="min" if repaired else "max",
        patience=3,
        restore_best_weights=True,
    )
    options = {
        "epochs": 16,
        "batch_size": 64,
        "validation_data": (new, new_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="regularization too strong",
    family="recurrent forecast",
    half="unseen",
    address="https://github.com/leonardoaraujosantos/DLMatFramework/issues/1",
    symptom="an L2 penalty of 0.001 helps, 0.1 is too much",
    cause="penalties of 0.1 and 0.01 on all weights outweigh the error",
    truth=("regularization_too_strong",),
    also=(*STUCK, "vanishing_gradients"),
)
def penalty_of_a_tenth(repaired):
    x, y = data.windows(data.load_curve(400, seed=315), 10)
    x, y, new, new_y = x[:280], y[:280], x[280:], y[280:]
    l1, l2 = (0.0, 0.0001) if repaired else (0.01, 0.1)

    def penalty():
        return keras.regularizers.L1L2(l1, l2)

    model = keras.Sequential(
        [
            keras.Input((10, 1)),
            L.LSTM(12, kernel_regularizer=penalty(), recurrent_regularizer=penalty()),
            L.Dense(8, activation="relu", kernel_regularizer=penalty()),
            L.Dense(1, kernel_regularizer=penalty()),
        ]
    )
    model.compile(keras.optimizers.Adam(0.008), "mse")
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="weights all positive at the start",
    family="dense network on pictures",
    half="unseen",
    address="https://github.com/tensorflow/tensorflow/issues/21738",
    symptom="with the initializer 'uniform' it learns in Keras and not in tf.keras",
    cause="weights are drawn from 0 to 1 instead of around 0",
    truth=("poor_initialization",),
    also=(
        *STUCK,
        "exploding_activations",
        "exploding_gradients",
        "saturated_units",
        "dead_units",
        "learning_rate_too_low",
        "learning_rate_too_high",
        "oscillating_loss",
    ),
)
def uniform_from_zero(repaired):
    x, y, new, new_y = data.digits(600)

    def start():
        low, high = (-0.05, 0.05) if repaired else (0.0, 1.0)
        return keras.initializers.RandomUniform(low, high)

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(128, kernel_initializer=start(), activation="relu"),
            L.Dropout(0.2),
            L.Dense(64, kernel_initializer=start(), activation="relu"),
            L.Dense(10, kernel_initializer=start(), activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="overfitting",
    family="spectra",
    half="unseen",
    address="https://github.com/keras-team/keras/issues/12707",
    symptom="249 recordings are learned to 100 %, the others are guessed",
    cause="few noisy spectra and a network with many more weights than values",
    truth=("overfitting", "model_too_large"),
)
def few_spectra(repaired):
    rng = np.random.default_rng(317)
    place = np.arange(96)
    y = rng.integers(0, 2, 400)
    peak = np.exp(-(((place - 30) / 6) ** 2)), np.exp(-(((place - 62) / 6) ** 2))
    height = 1 + 0.5 * (2 * y - 1)[:, None] + 0.35 * rng.normal(size=(400, 1))
    x = height * peak[0] + (2 - height) * peak[1] + 1.3 * rng.normal(size=(400, 96))
    # one label in five is wrong, as where several people wrote them down
    seen = np.where(rng.random(400) < 0.2, 1 - y, y)[:90]
    x = x[..., None].astype("float32")
    model = keras.Sequential([keras.Input((96, 1))])
    if repaired:
        model.add(L.AveragePooling1D(8))
        model.add(L.Flatten())
        model.add(L.Dropout(0.2))
        l2 = keras.regularizers.L2(0.02)
        model.add(L.Dense(1, activation="sigmoid", kernel_regularizer=l2))
    else:
        model.add(L.Conv1D(8, 5, activation="relu"))
        model.add(L.Flatten())
        model.add(L.Dense(96, activation="relu"))
        model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    new, new_y = x[90:], y[90:]
    options = {"epochs": 40, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x[:90], seen, scores.balanced(new, new_y), options)


@program(
    kind="frozen layers",
    family="discriminator",
    half="unseen",
    address="https://github.com/0b01/SimGAN-Captcha/issues/4",
    symptom="while the discriminator is trained first, its loss stays at 0.693",
    cause="it was set to be not trainable for the generator before it was compiled",
    truth=("nothing_to_train", "frozen_layers"),
    also=(*STUCK, "zero_gradients", "unknown_cause"),
)
def discriminator_frozen_first(repaired):
    x, _, new, _ = data.digits(320)
    rng = np.random.default_rng(318)

    def with_fakes(real):
        fake = real[rng.permutation(len(real))].reshape(len(real), 64)
        fake = rng.permuted(fake, axis=1).reshape(real.shape)
        both = np.concatenate([real, fake])
        return both, np.repeat([1.0, 0.0], len(real)).astype("float32")[:, None]

    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, strides=2, padding="same"),
            L.LeakyReLU(0.2),
            L.Conv2D(24, 3, strides=2, padding="same"),
            L.LeakyReLU(0.2),
            L.Flatten(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    discriminator.trainable = repaired
    discriminator.compile(
        keras.optimizers.Adam(0.002, beta_1=0.5),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    (x, y), (new, new_y) = with_fakes(x), with_fakes(new)
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.balanced(new, new_y[:, 0].astype(int))
    return Fit(discriminator, x, y, score, options)
