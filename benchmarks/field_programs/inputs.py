"""Programs whose inputs or targets are of the wrong size, constant or padded."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program

L = keras.layers
SCALE = ("unscaled_inputs", "unscaled_targets")


@program(
    kind="inputs not scaled",
    family="recurrent regression",
    half="look",
    address="https://github.com/austineaero/Remaining-Useful-Life-RUL-Estimation/issues/19",
    symptom="the loss of the LSTM goes to NaN, or nothing is learned",
    cause="sensors in their own units, of thousands",
    truth=("unscaled_inputs",),
    also=("saturated_units", "constant_predictions", "underfitting"),
)
def engine_life(repaired):
    rng = np.random.default_rng(51)
    wear = rng.uniform(0.2, 1, (400, 1)) * np.linspace(0.5, 1, 12)
    units = np.array([8000.0, 520.0, 1400.0])
    x = units * (1 + 0.2 * wear[..., None] * [1, -1, 0.5])
    x += 0.01 * units * rng.normal(size=x.shape)
    y = (2 * (1 - wear[:, -1:]) + 0.02 * rng.normal(size=(400, 1))).astype("float32")
    if repaired:
        x = (x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))
    x, y, new, new_y = data.split(x.astype("float32"), y)
    model = keras.Sequential([keras.Input((12, 3)), L.LSTM(24), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="inputs not scaled",
    family="autoencoder",
    half="tune",
    address="https://github.com/keras-team/keras/issues/3642",
    symptom="the reconstructions are far worse than those of the tutorial",
    cause="whole numbers from 0 to 255 were not scaled to 0 to 1",
    truth=(*SCALE, "output_activation_mismatch", "loss_target_mismatch"),
    also=("saturated_units",),
    backends=("jax", "tensorflow"),  # PyTorch refuses such targets
)
def tutorial_without_scaling(repaired):
    x, _, new, _ = data.digits()
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)
    if not repaired:
        x, new = np.round(x * 255), np.round(new * 255)
    inputs = keras.Input((64,))
    code = L.Dense(24, activation="relu")(inputs)
    model = keras.Model(inputs, L.Dense(64, activation="sigmoid")(code))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    options = {"epochs": 10, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="inputs not scaled",
    family="two inputs",
    half="tune",
    address="https://github.com/ageron/handson-ml3/pull/20",
    symptom="the wide and deep network does worse than it should",
    cause="its inputs are not normalized",
    truth=("unscaled_inputs",),
    also=("dead_units", "underfitting", "oscillating_loss"),
)
def wide_and_deep(repaired):
    x, y, new, new_y = data.friedman(seed=52)
    if not repaired:
        units = np.array([3, 4000, 40, 900, 2, 30000, 8, 100], "float32")
        x, new = x * units + 2 * units, new * units + 2 * units
    wide, deep = keras.Input((5,)), keras.Input((6,))
    hidden = L.Dense(24, activation="relu")(L.Dense(24, activation="relu")(deep))
    model = keras.Model([wide, deep], L.Dense(1)(L.Concatenate()([wide, hidden])))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    pair, new_pair = [x[:, :5], x[:, 2:]], [new[:, :5], new[:, 2:]]
    options = {"epochs": 16, "validation_data": (new_pair, new_y)}
    return Fit(model, pair, y, scores.variance(new_pair, new_y), options)


@program(
    kind="targets not scaled",
    family="recurrent forecast",
    half="tune",
    address="https://github.com/keras-team/keras/issues/9889",
    symptom="the stacked LSTM predicts 47.96572 for every input",
    cause="targets in the hundreds, which the last layer cannot reach in time",
    truth=("unscaled_targets",),
    also=("constant_predictions", "slow_convergence", "learning_rate_too_low"),
)
def same_forecast(repaired):
    x, y = data.windows(data.load_curve(), 16)
    x, y, new, new_y = x[:300], y[:300], x[330:], y[330:]
    if not repaired:
        y, new_y = 400 + 150 * y, 400 + 150 * new_y
    model = keras.Sequential(
        [
            keras.Input((16, 1)),
            L.LSTM(16, return_sequences=True),
            L.LSTM(16),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="targets not scaled",
    family="linear regression",
    half="look",
    address="https://github.com/keras-team/keras/issues/2576",
    symptom="predictions span -70 to 70, the targets -2000 to 2000",
    cause="weights of hundreds cannot be reached at this rate in ten epochs",
    truth=("unscaled_targets", "learning_rate_too_low", "too_few_updates"),
    also=("slow_convergence", "underfitting"),
)
def no_hidden_layer(repaired):
    rng = np.random.default_rng(53)
    x = rng.normal(size=(700, 20)).astype("float32")
    y = (x @ rng.normal(size=(20, 1)) * 120 + 20 * rng.normal(size=(700, 1))).astype(
        "float32"
    )
    if repaired:
        y = y / y.std()
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((20,)), L.Dense(1)])
    model.compile(keras.optimizers.RMSprop(0.005 if repaired else 0.001), "mse")
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="constant inputs",
    family="image classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/828",
    symptom="the network learns nothing at all",
    cause="all inputs are zero: whole-number division of pixels",
    truth=("constant_inputs",),
    also=("constant_predictions", "plateau", "dead_units", "underfitting"),
)
def divided_to_zero(repaired):
    x, y, new, new_y = data.digits()
    raw, raw_new = (np.round(a * 254).astype("uint8") for a in (x, new))
    x, new = (raw / 255, raw_new / 255) if repaired else (raw // 255, raw_new // 255)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 7, "validation_data": (new.astype("float32"), new_y)}
    new = new.astype("float32")
    return Fit(model, x.astype("float32"), y, scores.accuracy(new, new_y), options)


@program(
    kind="words beyond the vocabulary",
    family="text classifier",
    half="look",
    address="https://github.com/keras-team/keras/issues/10694",
    symptom="no error, but the loss goes to NaN",
    cause="ids larger than the embedding has rows",
    truth=("token_ids_out_of_range", "non_finite_start", "non_finite_values"),
    also=("non_finite_weights", "unknown_cause"),
    backends=("jax",),  # the others refuse such ids on a CPU
)
def embedding_too_small(repaired):
    x, y, _ = data.reviews(seed=54)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(60 if repaired else 15, 8),
            L.GlobalAveragePooling1D(),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="padding not masked",
    family="recurrent classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/1855",
    symptom="the model is not learning at all, the loss remains the same",
    cause="short texts padded with zeros at the end, and no mask",
    truth=("unmasked_padding",),
    also=("constant_predictions", "plateau", "unknown_cause", "underfitting"),
)
def padded_texts(repaired):
    short, y, _ = data.reviews(seed=55)
    x = np.zeros((len(short), 60), "int32")
    x[:, :20] = short
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((60,), dtype="int32"),
            L.Embedding(60, 8, mask_zero=repaired),
            L.LSTM(12),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 8, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
