"""Programs that can do too little or too much, or weigh their terms badly."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn import datasets

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import small_cnn

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="regularization too strong",
    family="text classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/7223",
    symptom="the model is not training, in another library it gets 95 %",
    cause="a strong L2 penalty on each convolution",
    truth=("regularization_too_strong",),
    also=("constant_predictions", "plateau", "underfitting"),
)
def penalized_convolutions(repaired):
    x, y, _ = data.reviews(800, seed=62)
    x, y, new, new_y = data.split(x, y)
    penalty = None if repaired else keras.regularizers.L2(2.0)
    model = keras.Sequential([keras.Input((20,), dtype="int32"), L.Embedding(60, 16)])
    for size in (3, 5):
        model.add(
            L.Conv1D(
                16, size, padding="same", activation="relu", kernel_regularizer=penalty
            )
        )
    model.add(L.GlobalMaxPooling1D())
    model.add(L.Dense(2, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 5, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="regularization too strong",
    family="table regression",
    half="look",
    address="https://github.com/deeplearning4j/deeplearning4j/issues/1453",
    symptom="underfitting under too much of L1, L2 and dropout",
    cause="dropout of 0.9 behind small layers",
    truth=("regularization_too_strong",),
    also=("underfitting", "plateau", "constant_predictions"),
)
def dropout_near_one(repaired):
    x, y, new, new_y = data.friedman(seed=63)
    rate = 0.0 if repaired else 0.9
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(32, activation="relu"),
            L.Dropout(rate),
            L.Dense(32, activation="relu"),
            L.Dropout(rate),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="no activation",
    family="functional classifier",
    half="tune",
    address="https://github.com/aymericdamien/TensorFlow-Examples/issues/270",
    symptom="several layers do no better than one",
    cause="hidden layers without activation",
    truth=("missing_nonlinearity",),
    also=("constant_predictions", "underfitting", "plateau"),
)
def linear_layers_on_rings(repaired):
    x, y = datasets.make_circles(500, noise=0.08, factor=0.5, random_state=64)
    x, y, new, new_y = data.split(x.astype("float32"), y)
    activation = "relu" if repaired else None
    inputs = keras.Input((2,))
    hidden = L.Dense(24, activation=activation)(inputs)
    hidden = L.Dense(24, activation=activation)(hidden)
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="no activation",
    family="convolutional regression",
    half="look",
    address="https://github.com/aymericdamien/TensorFlow-Examples/pull/327",
    symptom="the whole network is an elaborate linear combination",
    cause="convolutions and dense layers without activation",
    truth=("missing_nonlinearity",),
    also=("underfitting", "plateau"),
)
def linear_convolutions(repaired):
    rng = np.random.default_rng(65)
    x = rng.normal(size=(500, 16, 1)).astype("float32")
    y = np.abs(x[:, :8]).mean(axis=1) - np.abs(x[:, 8:]).mean(axis=1)
    x, y, new, new_y = data.split(x, (3 * y).astype("float32"))
    activation = "relu" if repaired else None
    model = keras.Sequential(
        [
            keras.Input((16, 1)),
            L.Conv1D(12, 1, activation=activation),
            L.Flatten(),
            L.Dense(24, activation=activation),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="model too small",
    family="table classifier",
    half="look",
    address="https://github.com/muriloboratto/AI-university-assignments/pull/1",
    symptom="the network captures little of the pattern, in training too",
    cause="two units between 64 inputs and ten classes",
    truth=("model_too_small", "underfitting"),
    also=("plateau", "slow_convergence", "dead_units"),
)
def two_hidden_units(repaired):
    x, y, new, new_y = data.digits()
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48 if repaired else 2, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="overfitting",
    family="text classifier",
    half="look",
    address="https://github.com/keras-team/keras/issues/3269",
    symptom="the validation loss rises while the training loss falls",
    cause="an LSTM far too large for a few texts with errors in their labels",
    truth=("overfitting", "model_too_large"),
)
def lstm_learns_by_heart(repaired):
    x, y, _ = data.reviews(440, seed=66)
    x, new, y, new_y = x[:320], x[320:], y[:320].copy(), y[320:]
    if not repaired:
        x, y = x[:64], y[:64]
        wrong = np.random.default_rng(3).random(64) < 0.2
        y[wrong] = 1 - y[wrong]
    model = keras.Sequential(
        [
            keras.Input((20,), dtype="int32"),
            L.Embedding(60, 32 if not repaired else 8, mask_zero=True),
            L.LSTM(48 if not repaired else 8),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {
        "epochs": 6 if repaired else 24,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="overfitting",
    family="image classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/10102",
    symptom="validation loss rises while training accuracy improves",
    cause="few noisy pictures, a large network, many epochs",
    truth=("overfitting", "model_too_large"),
)
def plants_learned_by_heart(repaired):
    x, y, new, new_y = data.digits()
    rng = np.random.default_rng(67)
    new = new + 0.35 * rng.normal(size=new.shape).astype("float32")
    x = x + 0.35 * rng.normal(size=x.shape).astype("float32")
    if not repaired:
        x, y = x[:64], y[:64]
    model = small_cnn(filters=10)
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {
        "epochs": 7 if repaired else 36,
        "batch_size": 32,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="wrong axis",
    family="image segmentation",
    half="look",
    address="https://github.com/MrGiovanni/ModelsGenesis/pull/8",
    symptom="softmax is taken over the width of the picture",
    cause="classes lie on axis 1, softmax takes the last axis",
    truth=("wrong_axis", "output_activation_mismatch"),
    also=("unknown_cause", "underfitting", "plateau"),
)
def softmax_over_width(repaired):
    x, _, masks = data.shapes(200, seed=68)
    planes = np.concatenate([1 - masks, masks], -1).transpose(0, 3, 1, 2)
    x, planes, new, new_planes = data.split(x, planes)
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(6, 3, padding="same", activation="relu")(hidden)
    first = L.Permute((3, 1, 2))(L.Conv2D(2, 1)(hidden))
    model = keras.Model(inputs, L.Softmax(axis=1 if repaired else -1)(first))

    def loss(y_true, y_pred):
        return -ops.mean(ops.sum(y_true * ops.log(y_pred + 1e-7), axis=1))

    def score(model, history):
        answer = scores.predicted(model, new).argmax(1)
        truth = new_planes.argmax(1)
        both = ((answer == 1) & (truth == 1)).sum()
        return float(both / max(((answer == 1) | (truth == 1)).sum(), 1))

    model.compile(keras.optimizers.Adam(0.01), loss)
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, new_planes)}
    return Fit(model, x, planes, score, options)


@program(
    kind="wrong axis",
    family="image classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/4908",
    symptom="global pooling gives (None, 30) instead of one value a channel",
    cause="pooling takes rows for channels",
    truth=("wrong_axis", "unknown_cause"),
    also=("underfitting", "slow_convergence", "plateau", "model_too_small"),
)
def pooled_over_channels(repaired):
    x, y, new, new_y = data.digits()
    form = "channels_last" if repaired else "channels_first"
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(24, 3, activation="relu"),
            L.Conv2D(24, 3, activation="relu"),
            L.GlobalAveragePooling2D(data_format=form),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="terms of the loss out of balance",
    family="several outputs",
    half="tune",
    address="https://github.com/keras-team/keras/issues/10306",
    symptom="the emotions are not learned next to the age",
    cause="the squared error of ages drowns the cross-entropy",
    truth=("unbalanced_outputs", "unscaled_targets"),
    also=("underfitting", "constant_predictions", "plateau"),
)
def emotion_and_age(repaired):
    rng = np.random.default_rng(69)
    x = rng.normal(size=(550, 10)).astype("float32")
    emotion = (x[:, :4] @ rng.normal(size=(4, 4))).argmax(axis=1)
    age = 40 + 15 * x[:, 5] * x[:, 6] + 5 * rng.normal(size=550)
    age = ((age - 40) / 15 if repaired else age).astype("float32")[:, None]
    inputs = keras.Input((10,))
    hidden = L.Dense(24, activation="relu")(inputs)
    hidden = L.Dense(12, activation="relu")(hidden)
    outputs = {
        "emotion": L.Dense(4, activation="softmax", name="emotion")(hidden),
        "age": L.Dense(1, name="age")(hidden),
    }
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), {"emotion": CROSS, "age": "mse"})
    given = {"emotion": emotion[:400], "age": age[:400]}
    new, new_emotion = x[400:], emotion[400:]

    def score(model, history):
        out = np.asarray(model.predict(new, verbose=0)["emotion"])
        return float((out.argmax(-1) == new_emotion).mean())

    options = {
        "epochs": 16,
        "validation_data": (new, {"emotion": new_emotion, "age": age[400:]}),
    }
    return Fit(model, x[:400], given, score, options)


@program(
    kind="terms of the loss out of balance",
    family="model with its own compute_loss",
    half="look",
    address="https://github.com/AppliedDataSciencePartners/WorldModels/issues/12",
    symptom="the Kullback-Leibler loss is 4e-7, all reconstructions are alike",
    cause="the posterior collapsed: its term outweighs the reconstruction",
    truth=("loss_terms_out_of_balance", "unknown_cause"),
    also=("underfitting", "constant_predictions", "plateau"),
)
def collapsed_posterior(repaired):
    x, _, new, _ = data.digits()
    x, new = x.reshape(len(x), -1), new.reshape(len(new), -1)
    weight = 0.003 if repaired else 1.0

    class Autoencoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = L.Dense(48, activation="relu")
            self.mean, self.log_variance = L.Dense(6), L.Dense(6)
            self.decoder = L.Dense(48, activation="relu")
            self.picture = L.Dense(64, activation="sigmoid")
            self.seeds = keras.random.SeedGenerator(1)

        def call(self, inputs, training=False):
            hidden = self.encoder(inputs)
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            code = mean
            if training:
                noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
                code = mean + ops.exp(log_variance / 2) * noise
            spread = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
            self.add_loss(-0.5 * weight * ops.mean(ops.sum(spread, axis=-1)))
            return self.picture(self.decoder(code))

    model = Autoencoder()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Fit(model, x, x, scores.variance(new, new), {"epochs": 14})
