"""Programs of the eighth half whose last layer, loss or targets do not fit."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="softmax over a single unit",
    family="recurrent classifier",
    half="eighth",
    address="https://stackguides.com/questions/46620813",
    symptom="the accuracy is the same in every epoch, all predictions are equal",
    cause="a softmax over one unit is 1 for every input",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "zero_gradients", "vanishing_gradients", "saturated_units"),
)
def next_bit_of_a_sequence(repaired):
    rng = np.random.default_rng(801)
    bits = list(rng.integers(0, 2, 3))
    for _ in range(900):
        wanted = bits[-3] ^ bits[-1]
        bits.append(wanted if rng.random() < 0.95 else 1 - wanted)
    bits = np.array(bits)
    x = np.stack([bits[i : i + 3] for i in range(900)])[..., None].astype("float32")
    y = bits[3:].astype("float32")[:, None]
    model = keras.Sequential()
    model.add(keras.Input((3, 1)))
    model.add(L.LSTM(12))
    model.add(L.Dense(1, activation="sigmoid" if repaired else "softmax"))
    rate = keras.optimizers.Adam(0.02)
    model.compile(rate, "binary_crossentropy", metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 32}
    score = scores.balanced(x[700:], y[700:, 0].astype(int))
    return Fit(model, x[:700], y[:700], score, options)


@program(
    kind="sigmoid for targets beyond one",
    family="autoencoder",
    half="eighth",
    address="https://stackoverflow.com/questions/44601367",
    symptom="the output should be the input and is 0.8, 0.9, 0.9 for all rows",
    cause="a sigmoid cannot reach inputs of 1 to 3",
    truth=("output_activation_mismatch", "unscaled_targets"),
    also=(*STUCK, "saturated_units", "vanishing_gradients", "unscaled_inputs"),
)
def autoencoder_of_small_counts(repaired):
    rng = np.random.default_rng(803)
    hidden = rng.normal(size=(900, 2))
    mix = rng.normal(size=(2, 6))
    x = 2 + 0.7 * np.tanh(hidden @ mix) + 0.05 * rng.normal(size=(900, 6))
    x = x.astype("float32")
    inputs = keras.Input((6,))
    code = L.Dense(16, activation="relu")(inputs)
    code = L.Dense(3, activation="linear")(code)
    back = L.Dense(16, activation="relu")(code)
    outputs = L.Dense(6, activation="linear" if repaired else "sigmoid")(back)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), "mse")
    new = x[650:]
    options = {"epochs": 40, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x[:650], x[:650], scores.variance(new, new), options)


@program(
    kind="no softmax before the loss",
    family="text classifier",
    half="eighth",
    address="https://github.com/keras-team/keras-hub/pull/1008",
    symptom="a classifier that yields logits, compiled as usual, will not converge",
    cause="the last layer has no softmax and the loss is not told so",
    truth=("output_activation_mismatch",),
    also=(
        *STUCK,
        "oscillating_loss",
        "diverging_loss",
        "zero_gradients",
        "vanishing_gradients",
        "dead_units",
        "non_finite_values",
    ),
)
def four_topics_without_softmax(repaired):
    rng = np.random.default_rng(804)
    y = rng.integers(0, 4, 1000)
    own = 1 + y[:, None] * 8 + rng.integers(0, 8, (1000, 16))
    other = rng.integers(33, 80, (1000, 16))
    x = np.where(rng.random((1000, 16)) < 0.25, own, other).astype("int32")
    model = keras.Sequential(
        [
            keras.Input((16,), dtype="int32"),
            L.Embedding(80, 12),
            L.Dropout(0.2),
            L.GlobalAveragePooling1D(),
            L.Dropout(0.2),
            L.Dense(4),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=repaired)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    held_out = x[700:], y[700:]
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x[:700], y[:700], scores.balanced(*held_out), options)


@program(
    kind="masks of 0 and 255",
    family="segmentation",
    half="eighth",
    address="https://github.com/hlamba28/UNET-TGS/issues/8",
    symptom="fit shows negative values of the binary cross-entropy",
    cause="masks are read as 0 and 255 where the loss expects 0 and 1",
    truth=("loss_target_mismatch", "unscaled_targets", "output_activation_mismatch"),
    also=(
        *STUCK,
        "diverging_loss",
        "exploding_gradients",
        "exploding_activations",
        "saturated_units",
        "oscillating_loss",
        "metric_mismatch",
        "imbalanced_classes",
    ),
    backends=("jax", "tensorflow"),  # the loss of torch refuses such targets
)
def masks_as_read_from_files(repaired):
    x, _, masks = data.shapes(420, seed=807)
    y = masks if repaired else masks * 255
    inputs = keras.Input((16, 16, 1))
    down = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    low = L.MaxPooling2D()(down)
    low = L.Conv2D(16, 3, padding="same", activation="relu")(low)
    up = L.Concatenate()([L.UpSampling2D()(low), down])
    up = L.Conv2D(12, 3, padding="same", activation="relu")(up)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(up))

    def dice(truth, answer):
        both = keras.ops.sum(truth * answer)
        return 2 * both / (keras.ops.sum(truth) + keras.ops.sum(answer) + 1e-6)

    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=[dice])
    held_out = x[300:], y[300:]
    options = {"epochs": 12, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:300], y[:300], scores.overlap(x[300:], masks[300:]), options)


@program(
    kind="tanh for targets beyond one",
    family="table",
    half="eighth",
    address="http://ansaurus.com/question/3644795-neural-network-python",
    symptom="the error stays large when values of 1 to 4 are to be fitted",
    cause="the last layer is a tanh, between -1 and 1",
    truth=("output_activation_mismatch", "unscaled_targets"),
    also=(*STUCK, "saturated_units", "vanishing_gradients", "zero_gradients"),
)
def values_up_to_four(repaired):
    rng = np.random.default_rng(806)
    x = rng.uniform(-1, 1, (800, 3)).astype("float32")
    y = 2.5 + np.sin(3 * x[:, 0]) * x[:, 1] + 0.5 * x[:, 2]
    y = (y + 0.05 * rng.normal(size=800)).astype("float32")[:, None]
    inputs = keras.Input((3,))
    hidden = L.Dense(24, activation="tanh")(inputs)
    hidden = L.Dense(12, activation="tanh")(hidden)
    outputs = L.Dense(1, activation=None if repaired else "tanh")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 40, "batch_size": 32, "validation_split": 0.2}
    score = scores.variance(x[560:], y[560:])
    return Fit(model, x[:560], y[:560], score, options)


@program(
    kind="softmax twice",
    family="picture classifier, subclassed",
    half="eighth",
    address="https://github.com/PacktPublishing/Tensorflow-2.0-Computer-Vision-Cookbook/issues/1",
    symptom="the classifier has a softmax and its loss from_logits=True",
    cause="the loss takes the softmax of probabilities: hardly any gradient",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "too_few_updates", "vanishing_gradients", "learning_rate_too_low"),
    # tensorflow finds the values before the softmax by itself
    backends=("torch", "jax"),
)
def classifier_softmax_twice(repaired):
    x, y, new, new_y = data.digits(600)
    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(8, 3, padding="same"))
    model.add(L.ReLU())
    model.add(L.Dropout(0.3))
    model.add(L.Flatten())
    model.add(L.Dense(24))
    model.add(L.ReLU())
    model.add(L.Dropout(0.3))
    model.add(L.Dense(10))
    if not repaired:
        model.add(L.Softmax())
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=["accuracy"])
    held_out = new, data.groups(new_y, 10)
    options = {"epochs": 20, "batch_size": 32, "validation_data": held_out}
    score = scores.balanced(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)
