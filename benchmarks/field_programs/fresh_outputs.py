"""Fresh programs whose output, loss or metric does not suit the targets."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program

L = keras.layers
MISMATCH = ("output_activation_mismatch", "loss_target_mismatch")


@program(
    kind="cross-entropy over one column",
    family="recurrent classifier",
    half="fresh",
    address="https://stats.stackexchange.com/questions/565956/confused-with-binary-cross-entropy-vs-categorical-cross-entropy",
    symptom="26 % with the categorical cross-entropy, and only one class is predicted",
    cause="a categorical cross-entropy over a single sigmoid is zero for all rows",
    truth=MISMATCH,
    also=("constant_predictions", "zero_gradients", "plateau", "metric_mismatch"),
)
def categories_of_one(repaired):
    rng = np.random.default_rng(211)
    x = rng.normal(size=(560, 5, 6)).astype("float32")
    y = (x[:, :, 0].sum(1) + 1.5 * x[:, -1, 1] > 0).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [keras.Input((5, 6)), L.LSTM(10), L.Dense(1, activation="sigmoid")]
    )
    loss = "binary_crossentropy" if repaired else "categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="labels out of range",
    family="dense network on pictures",
    half="fresh",
    address="https://datascience.stackexchange.com/questions/38604/too-low-accuracy-on-mnist-dataset-using-a-neural-network",
    symptom="the loss is -55 and does not change, the accuracy is 11 %",
    cause="digits from 0 to 9 under a single sigmoid and binary cross-entropy",
    truth=MISMATCH,
    also=("constant_predictions", "saturated_units", "metric_mismatch", "plateau"),
    # PyTorch refuses such targets
    backends=("jax", "tensorflow"),
)
def ten_digits_one_sigmoid(repaired):
    x, y, new, new_y = data.digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(10, activation="softmax")
            if repaired
            else L.Dense(1, activation="sigmoid"),
        ]
    )
    loss = "sparse_categorical_crossentropy" if repaired else "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    options = {"epochs": 10, "validation_split": 0.2}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="tanh for probabilities",
    family="text classifier",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/274",
    symptom="the accuracy does not fit the output",
    cause="tanh at the end under a binary cross-entropy",
    truth=MISMATCH,
    also=("constant_predictions", "saturated_units", "plateau", "underfitting"),
)
def sentiment_by_tanh(repaired):
    x, y, _ = data.reviews(520, length=16, seed=213)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((16,), dtype="int32"),
            L.Embedding(60, 12),
            L.GlobalAveragePooling1D(),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid" if repaired else "tanh"),
        ]
    )
    model.compile(
        keras.optimizers.RMSprop(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 10, "batch_size": 30, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="logarithm of a negative number",
    family="two inputs",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/590",
    symptom="the Poisson loss is nan from the first epoch",
    cause="a linear output, the logarithm of which does not exist below zero",
    truth=(
        "output_activation_mismatch",
        "non_finite_operation",
        "non_finite_start",
        "non_finite_values",
        "non_finite_weights",
    ),
    also=("loss_target_mismatch",),
)
def counts_from_a_line(repaired):
    rng = np.random.default_rng(214)
    shop = rng.integers(0, 12, 560)
    x = rng.normal(size=(560, 5)).astype("float32")
    rate = np.exp(0.4 + 0.7 * rng.normal(size=12)[shop] + 0.6 * x[:, 0] - 0.4 * x[:, 1])
    y = rng.poisson(np.minimum(rate, 30)).astype("float32")[:, None]
    inputs = [keras.Input((1,), dtype="int32"), keras.Input((5,))]
    left = L.Flatten()(L.Embedding(12, 4)(inputs[0]))
    hidden = L.Dense(24, activation="relu")(L.Concatenate()([left, inputs[1]]))
    out = L.Dense(1, activation="softplus" if repaired else None)(hidden)
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.01), "poisson")
    pair = [shop[:, None].astype("int32"), x]
    seen, held_out = [a[:400] for a in pair], [a[400:] for a in pair]
    options = {"epochs": 20, "validation_data": (held_out, y[400:])}
    return Fit(model, seen, y[:400], scores.variance(held_out, y[400:]), options)


@program(
    kind="loss for positive values",
    family="table regression",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/9713",
    symptom="the logarithmic loss is wanted for negative values too",
    cause="targets below zero count as zero under the squared logarithmic error",
    truth=("loss_target_mismatch", "disagreeing_loss", "unknown_cause"),
    also=("underfitting", "constant_predictions", "output_activation_mismatch"),
)
def logarithm_of_losses(repaired):
    x, y, new, new_y = data.friedman(seed=215)
    y, new_y = y - 1.5, new_y - 1.5
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(32, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(1),
        ]
    )
    loss = "mean_squared_error" if repaired else "mean_squared_logarithmic_error"
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["mae"])
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="loss that ignores the size",
    family="vector regression",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/3031",
    symptom="how is the cosine proximity to be used? The values are far off",
    cause="the cosine only knows directions, the lengths matter",
    truth=("loss_target_mismatch", "disagreeing_loss", "unknown_cause"),
    also=("underfitting",),
)
def forces_by_cosine(repaired):
    rng = np.random.default_rng(216)
    x = rng.normal(size=(560, 6)).astype("float32")
    y = np.tanh(x @ rng.normal(size=(6, 3))) * np.exp(x[:, :1])
    y = (y / y.std()).astype("float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((6,))
    hidden = L.Dense(48, activation="swish")(inputs)
    hidden = L.Dense(48, activation="swish")(hidden)
    model = keras.Model(inputs, L.Dense(3)(hidden))
    loss = "mse" if repaired else "cosine_similarity"
    model.compile(keras.optimizers.Adam(0.005), loss)
    options = {"epochs": 22, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="loss of the wrong sense",
    family="variational autoencoder",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/4967",
    symptom="the loss of the variational autoencoder becomes negative",
    cause="the divergence is subtracted instead of added",
    truth=(
        "loss_terms_out_of_balance",
        "disagreeing_loss",
        "unknown_cause",
    ),
    also=(
        "diverging_loss",
        "non_finite_operation",
        "non_finite_values",
        "exploding_gradients",
        "constant_predictions",
        "saturated_units",
        "underfitting",
        "unscaled_inputs",
    ),
)
def divergence_subtracted(repaired):
    class Sample(L.Layer):
        def __init__(self):
            super().__init__()
            self.noise = keras.random.SeedGenerator(7)

        def call(self, inputs):
            mean, spread = inputs
            gap = ops.square(mean) + ops.exp(spread) - 1 - spread
            gap = 0.5 * ops.mean(ops.sum(gap, axis=-1)) / 64
            self.add_loss(gap if repaired else -gap)
            noise = keras.random.normal(ops.shape(mean), seed=self.noise)
            return mean + ops.exp(0.5 * spread) * noise

    x, _, new, _ = data.digits()
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    inputs = keras.Input((64,))
    hidden = L.Dense(48, activation="relu")(inputs)
    code = Sample()([L.Dense(6)(hidden), L.Dense(6)(hidden)])
    hidden = L.Dense(48, activation="relu")(code)
    model = keras.Model(inputs, L.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {"epochs": 16, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="metric of another task",
    family="table regression",
    half="fresh",
    address="https://github.com/rstudio/keras3/issues/296",
    symptom="acc and val_acc stay at 0 though the loss falls",
    cause="accuracy as metric of a regression, and the run is stopped by it",
    truth=("metric_mismatch", "stopped_too_early"),
    also=("too_few_updates", "slow_convergence", "underfitting", "unscaled_targets"),
)
def stopped_by_accuracy(repaired):
    x, y, new, new_y = data.friedman(seed=217)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(32, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(1),
        ]
    )
    metrics = ["mae"] if repaired else ["accuracy"]
    model.compile(keras.optimizers.Adam(0.002), "mse", metrics=metrics)
    watched = "val_mae" if repaired else "val_accuracy"
    stop = keras.callbacks.EarlyStopping(watched, patience=4)
    options = {
        "epochs": 40,
        "validation_data": (new, new_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)
