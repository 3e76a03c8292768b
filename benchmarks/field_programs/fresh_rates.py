"""Fresh programs whose rate, clipping, batches or length of the run do not suit."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import small_cnn

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="rate too high",
    family="fine-tuning",
    half="fresh",
    address="https://thecodeforge.io/ml-ai/tensorflow-transfer-learning/",
    symptom="after thawing, the validation accuracy falls to that of guessing",
    cause="all layers of a trained base are trained on at a rate fit for none of them",
    truth=("learning_rate_too_high",),
    also=("dead_units", "constant_predictions", "plateau", "oscillating_loss"),
)
def thawed_at_once(repaired):
    x, y, new, new_y = data.digits(1000)
    base = small_cnn(classes=5)
    base.compile(keras.optimizers.Adam(0.004), CROSS)
    base.fit(x[y < 5], y[y < 5], epochs=6, verbose=0)
    body = keras.Model(base.inputs, base.layers[-2].output)
    x, y, new, new_y = x[y > 4], y[y > 4] - 5, new[new_y > 4], new_y[new_y > 4] - 5
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(body(inputs)))
    rate = 0.001 if repaired else 0.2
    model.compile(keras.optimizers.Adam(rate), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rate too low",
    family="image classifier",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/13815",
    symptom="the example promises 99 % and gets 84 %",
    cause="the default rate of Adadelta is 0.001 instead of 1",
    truth=("learning_rate_too_low",),
    also=("slow_convergence", "underfitting", "plateau", "too_few_updates"),
)
def adadelta_as_it_comes(repaired):
    x, y, new, new_y = data.digits()
    model = small_cnn()
    rate = 1.0 if repaired else 0.001
    model.compile(
        keras.optimizers.Adadelta(rate),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    held_out = (new, data.groups(new_y, 10))
    options = {"epochs": 10, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)


@program(
    kind="clipping too tight",
    family="recurrent forecast",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/510",
    symptom="how is clipnorm to be set? With it the loss hardly moves",
    cause="gradients are clipped to a length of 0.001 at an ordinary rate",
    truth=("clipping_too_tight", "learning_rate_too_low"),
    also=("slow_convergence", "underfitting", "plateau", "too_few_updates"),
)
def clipped_to_a_thousandth(repaired):
    x, y = data.windows(data.load_curve(400, seed=201), 12)
    new, new_y, x, y = x[300:], y[300:], x[:300], y[:300]
    model = keras.Sequential([keras.Input((12, 1)), L.GRU(12), L.Dense(1)])
    norm = 1.0 if repaired else 0.001
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9, clipnorm=norm), "mse")
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rate collapses",
    family="recurrent classifier",
    half="fresh",
    address="https://github.com/mindee/doctr/pull/374",
    symptom="the rate has fallen to its end long before the training has",
    cause="the steps of the cosine schedule are counted in epochs",
    truth=("learning_rate_collapsed", "learning_rate_too_low"),
    also=("slow_convergence", "underfitting", "plateau", "too_few_updates"),
)
def cosine_over_epochs(repaired):
    x, y = data.gestures(380, length=16, seed=202)
    x, y, new, new_y = data.split(x, y)
    epochs, steps = 12, -(-len(x) // 16)
    model = keras.Sequential(
        [keras.Input((16, 3)), L.GRU(16), L.Dense(4, activation="softmax")]
    )
    decay = epochs * steps if repaired else epochs
    rate = keras.optimizers.schedules.CosineDecay(0.01, decay)
    model.compile(keras.optimizers.Adam(rate), CROSS, metrics=["accuracy"])
    options = {"epochs": epochs, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="too few updates",
    family="denoising autoencoder",
    half="fresh",
    address="https://github.com/brownvc/ganimorph/issues/13",
    symptom="every picture gets the same picture for its output",
    cause="steps_per_epoch is far smaller than the number of batches",
    truth=("too_few_updates", "learning_rate_too_low"),
    also=("slow_convergence", "underfitting", "constant_predictions", "plateau"),
)
def one_step_an_epoch(repaired):
    x, _, new, _ = data.digits(640)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    rng = np.random.default_rng(203)

    def noisy(x):
        return (x + 0.2 * rng.normal(size=x.shape)).astype("float32")

    def batches():
        while True:
            rows = x[rng.integers(0, len(x), 32)]
            yield noisy(rows), rows

    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48, activation="relu"),
            L.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse")
    seen = noisy(new)
    options = {
        "epochs": 15,
        "steps_per_epoch": len(x) // 32 if repaired else 1,
        "validation_data": (seen, new),
    }
    return Fit(model, batches(), None, scores.variance(seen, new), options)


@program(
    kind="rate rises without end",
    family="dense network on pictures",
    half="fresh",
    address="https://github.com/ageron/handson-ml2/issues/298",
    symptom="an accuracy of 10 % at the end",
    cause="the callback that searched for a rate was left in and multiplies it on",
    truth=("learning_rate_too_high",),
    also=(
        "diverging_loss",
        "oscillating_loss",
        "dead_units",
        "constant_predictions",
        "non_finite_values",
        "exploding_gradients",
    ),
)
def search_left_in(repaired):
    class Faster(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rate = self.model.optimizer.learning_rate
            rate.assign(rate * 1.045)

    x, y, new, new_y = data.digits(600)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    rate = 0.1 if repaired else 0.001
    model.compile(keras.optimizers.SGD(rate), CROSS, metrics=["accuracy"])
    options = {
        "epochs": 12,
        "batch_size": 32,
        "validation_data": (new, new_y),
        "callbacks": [] if repaired else [Faster()],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="batch too small",
    family="table regression",
    half="fresh",
    address="https://github.com/petrosgk/Kaggle-Carvana-Image-Masking-Challenge/issues/4",
    symptom="with batches of one the training is unstable",
    cause="single rows under a rate and a momentum made for larger batches",
    truth=("batch_size_too_small", "learning_rate_too_high"),
    also=("oscillating_loss", "overfitting", "dead_units", "diverging_loss"),
)
def row_by_row(repaired):
    x, y, new, new_y = data.friedman(300, seed=204, noise=2.0)
    model = keras.Sequential(
        [keras.Input((8,)), L.Dense(16, activation="tanh"), L.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    options = {
        "epochs": 8,
        "batch_size": 16 if repaired else 1,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="overfitting",
    family="weather table",
    half="fresh",
    address="https://github.com/bnsreenu/python_for_microscopists/issues/55",
    symptom="the validation loss of an energy forecast rises",
    cause="a wide network, few days, many columns, many epochs",
    truth=("overfitting", "model_too_large"),
    also=(),
)
def energy_learned_by_heart(repaired):
    rng = np.random.default_rng(205)
    x = rng.normal(size=(420, 23)).astype("float32")
    y = x[:, :4] @ np.array([0.6, -0.5, 0.4, 0.3]) + 0.7 * rng.normal(size=420)
    x, y, new, new_y = data.split(x, y.astype("float32")[:, None], 0.36)
    l2 = keras.regularizers.L2(0.03)
    layers = [keras.Input((23,))]
    if repaired:
        layers.append(L.Dense(6, activation="elu", kernel_regularizer=l2))
    else:
        layers += [L.Dense(160, activation="relu") for _ in range(2)]
    model = keras.Sequential([*layers, L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.003), "mse")
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    options = {
        "epochs": 50,
        "batch_size": 16,
        "validation_data": (new, new_y),
        "callbacks": [stop] if repaired else [],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)
