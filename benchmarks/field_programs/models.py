"""Programs whose architecture, weights or regularization do not suit."""

from __future__ import annotations

import keras

from field_programs import data, scores
from field_programs.outputs import small_unet
from field_programs.registry import Fit, program

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="weights of zero at the start",
    family="subclassed classifier",
    half="tune",
    address="https://github.com/tensorflow/models/issues/1529",
    symptom="all units of a layer do the same",
    cause="weights start at zero instead of at random",
    truth=("poor_initialization",),
    also=("constant_predictions", "plateau", "zero_gradients", "dead_units"),
)
def zeros_for_weights(repaired):
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            start = "glorot_uniform" if repaired else "zeros"
            self.one = L.Dense(24, activation="relu", kernel_initializer=start)
            self.two = L.Dense(24, activation="relu", kernel_initializer=start)
            self.out = L.Dense(3, activation="softmax", kernel_initializer=start)

        def call(self, inputs):
            return self.out(self.two(self.one(inputs)))

    x, new, y, new_y = data.table("wine")
    model = Network()
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 16, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="weights too large at the start",
    family="image classifier",
    half="look",
    address="https://github.com/aiUIUC/pyAIUtils/issues/25",
    symptom="layers start with wrong weights",
    cause="the deviation was given where the initializer takes the mean",
    truth=("poor_initialization",),
    also=("saturated_units", "dead_units", "exploding_activations", "plateau"),
)
def deviation_for_mean(repaired):
    x, y, new, new_y = data.digits()
    law = keras.initializers.RandomNormal
    start = law(stddev=0.05, seed=1) if repaired else law(0.05, 1.0, seed=1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="tanh", kernel_initializer=start),
            L.Conv2D(12, 3, activation="tanh", kernel_initializer=start),
            L.Flatten(),
            L.Dense(48, activation="tanh", kernel_initializer=start),
            L.Dense(10, activation="softmax", kernel_initializer=start),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), CROSS, metrics=["accuracy"])
    options = {"epochs": 8, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="vanishing gradients",
    family="table classifier",
    half="tune",
    address="https://www.mohdvasim.com/blog/deep-learning/03-activations",
    symptom="the loss barely moves for a hundred epochs",
    cause="many layers of sigmoids",
    truth=("saturating_activations", "vanishing_gradients"),
    also=("constant_predictions", "plateau", "slow_convergence"),
)
def tower_of_sigmoids(repaired):
    x, new, y, new_y = data.table("breast_cancer")
    activation = "relu" if repaired else "sigmoid"
    model = keras.Sequential([keras.Input((30,))])
    for _ in range(7):
        model.add(L.Dense(24, activation=activation))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.SGD(0.05), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="vanishing gradients",
    family="recurrent forecast",
    half="look",
    address="https://github.com/keras-team/keras/issues/1727",
    symptom="the stacked LSTM always predicts a constant",
    cause="an extra sigmoid and dropout behind each LSTM",
    truth=("saturating_activations", "vanishing_gradients", "learning_rate_too_low"),
    also=("constant_predictions", "plateau", "too_few_updates", "slow_convergence"),
)
def lstm_behind_sigmoids(repaired):
    x, y = data.windows(data.load_curve(), 16)
    x, y, new, new_y = x[:300], y[:300], x[330:], y[330:]
    model = keras.Sequential([keras.Input((16, 1))])
    for more in (True, True, False):
        model.add(L.LSTM(12, return_sequences=more))
        if not repaired:
            model.add(L.Activation("sigmoid"))
            model.add(L.Dropout(0.2))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.RMSprop(0.01 if repaired else 0.001), "mse")
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="frozen layers",
    family="image classifier",
    half="tune",
    address="https://github.com/ihciah/deep-fashion-retrieval/issues/1",
    symptom="after changing the freezing flag the accuracy improves quickly",
    cause="all convolutions are frozen at random weights",
    truth=("frozen_layers", "nothing_to_train"),
    also=("unknown_cause", "underfitting", "slow_convergence", "too_few_updates"),
)
def frozen_backbone(repaired):
    x, y, new, new_y = data.digits()
    backbone = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.Conv2D(8, 3, activation="relu"),
            L.GlobalMaxPooling2D(),
            L.Dense(8, activation="relu"),
        ]
    )
    backbone.trainable = repaired
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(backbone(inputs)))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="frozen layers",
    family="functional classifier",
    half="look",
    address="https://github.com/GantMan/nsfw_model/issues/33",
    symptom="after fine-tuning the model behaves exactly as before",
    cause="no layer is trainable",
    truth=("nothing_to_train", "frozen_layers"),
    also=("unknown_cause", "plateau", "underfitting", "zero_gradients"),
)
def nothing_thawed(repaired):
    x, new, y, new_y = data.table("wine")
    inputs = keras.Input((13,))
    hidden = L.Dense(24, activation="relu", name="dense_41")(inputs)
    out = L.Dense(3, activation="softmax", name="dense_42")(hidden)
    model = keras.Model(inputs, out)
    thaw = False
    for layer in model.layers:
        thaw = thaw or layer.name == ("dense_41" if repaired else "dense_43")
        layer.trainable = thaw
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="moving statistics lag",
    family="image segmentation",
    half="tune",
    address="https://github.com/keras-team/keras/issues/10666",
    symptom="the validation loss of the U-Net goes up and down by half",
    cause="a momentum of 0.99 in batch normalization, and few updates",
    truth=("normalization_lag",),
    also=("overfitting", "unrepresentative_validation", "normalization_small_batch"),
)
def unet_with_slow_statistics(repaired):
    x, _, masks = data.shapes(200, seed=61)
    x, masks, new, new_masks = data.split(x, masks)
    model = small_unet("sigmoid", True, 0.7 if repaired else 0.995, filters=4)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    options = {"epochs": 9, "batch_size": 16, "validation_data": (new, new_masks)}
    return Fit(model, x, masks, scores.overlap(new, new_masks), options)


@program(
    kind="batch too small for normalization",
    family="image classifier",
    half="look",
    address="https://github.com/microsoft/CNTK/issues/905",
    symptom="with minibatches of one the error stays above 50 %",
    cause="batch normalization over the pixels of a single picture",
    truth=("normalization_small_batch", "batch_size_too_small"),
    also=("normalization_lag", "overfitting", "oscillating_loss"),
)
def normalized_alone(repaired):
    x, y, new, new_y = data.digits(256)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.Flatten(),
            L.Dense(24),
            L.BatchNormalization(momentum=0.9),
            L.Activation("relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {
        "epochs": 14 if repaired else 1,
        "batch_size": 16 if repaired else 1,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
