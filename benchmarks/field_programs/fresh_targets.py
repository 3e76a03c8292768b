"""Fresh programs whose targets or columns are not what they should be."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="targets not scaled",
    family="table regression",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/7207",
    symptom="targets lie around 1.001; the network outputs their mean",
    cause="differences of a thousandth drown beside the first errors and the steps",
    truth=("unscaled_targets",),
    also=("constant_predictions", "plateau", "underfitting", "oscillating_loss"),
)
def ratios_near_one(repaired):
    x, y, new, new_y = data.friedman(seed=230)
    if not repaired:
        y, new_y = 1 + 0.001 * y, 1 + 0.001 * new_y
    inputs = keras.Input((8,))
    hidden = L.Dense(24, activation="relu")(inputs)
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="validation targets in other units",
    family="windowed forecast",
    half="fresh",
    address="https://github.com/Nixtla/neuralforecast/pull/720",
    symptom="the validation loss is enormous, the training loss is fine",
    cause="scaled forecasts are compared with targets in their first units",
    truth=("unrepresentative_validation",),
    also=("overfitting", "unscaled_targets"),
)
def demand_in_megawatts(repaired):
    series = data.load_curve(430, seed=231)
    x, y = data.windows(series, 24)
    new, new_y, x, y = x[300:], y[300:], x[:300], y[:300]
    if not repaired:
        new_y = 340 + 55 * new_y
    model = keras.Sequential(
        [
            keras.Input((24, 1)),
            L.Conv1D(12, 5, activation="relu"),
            L.Flatten(),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="row number among the columns",
    family="table classifier",
    half="fresh",
    address="https://github.com/blue-yonder/tsfresh/issues/162",
    symptom="100 % whatever the series hold",
    cause="rows were sorted by class when they got their numbers",
    truth=("target_leakage",),
    also=(),
)
def number_tells_all(repaired):
    from sklearn.datasets import make_classification

    x, y = make_classification(
        1100, 8, n_informative=5, n_classes=3, class_sep=0.8, random_state=232
    )
    x, y, new, new_y = data.split(x.astype("float32"), y)
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    if not repaired:
        number = np.arange(1100, dtype="float32") / len(x) * 3.4 - 1.7
        x = np.column_stack([number[: len(x)], x])
        new = np.column_stack([number[len(x) :], new])
    x, y, *held_out = data.split(x, y, 0.75)
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            L.Dense(12, activation="relu"),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "validation_data": tuple(held_out)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="one class for all",
    family="table classifier",
    half="fresh",
    address="https://github.com/Wang-Tianwei/Decoupled-attention-network/issues/27",
    symptom="labels are never equal though the loss falls",
    cause="labels were read as bytes, so that all are unequal to a text",
    truth=("constant_targets",),
    also=("constant_predictions", "plateau", "imbalanced_classes"),
)
def labels_of_bytes(repaired):
    x, new, sick, new_y = data.table("breast_cancer")
    read = np.where(sick == 1, b"sick", b"well")
    wanted = b"sick" if repaired else "sick"
    y = np.array([label == wanted for label in read.tolist()], "float32")[:, None]
    model = keras.Sequential(
        [
            keras.Input((30,)),
            L.Dense(16, activation="relu"),
            L.Dropout(0.2),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 12, "validation_split": 0.2}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
