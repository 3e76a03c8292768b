"""Programs whose output or loss does not suit the targets."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program

L = keras.layers
MISMATCH = ("output_activation_mismatch", "loss_target_mismatch")


@program(
    kind="softmax over one unit",
    family="image classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/7023",
    symptom="every picture gets the same class, the accuracy never changes",
    cause="softmax of a single unit is always one",
    truth=MISMATCH,
    also=("constant_predictions",),
)
def hashtag_pictures(repaired):
    x, y, _ = data.shapes()
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(24, activation="relu"),
            L.Dense(1, activation="sigmoid" if repaired else "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"validation_data": (new, new_y), "epochs": 14}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="softmax over one unit",
    family="recurrent regression",
    half="look",
    address="https://github.com/keras-team/keras/issues/500",
    symptom="the network answers 1.0 whatever the sequence",
    cause="softmax of a single unit is always one",
    truth=MISMATCH,
    also=("constant_predictions",),
)
def next_character(repaired):
    rng = np.random.default_rng(11)
    start, step = rng.integers(0, 26, 400), rng.integers(1, 6, 400)
    walk = (start[:, None] + step[:, None] * np.arange(9)) % 26 / 25
    x, y = walk[:, :8, None].astype("float32"), walk[:, 8:].astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((8, 1)),
            L.GRU(24),
            L.Dense(24, activation="relu"),
            L.Dense(1, activation="sigmoid" if repaired else "softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"validation_data": (new, new_y), "epochs": 25}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="labels out of range",
    family="table classifier",
    half="tune",
    address="https://github.com/rstudio/keras3/issues/465",
    symptom="the loss is wrong or NaN with the three species of iris",
    cause="labels go from 1 to 3, the loss counts from 0",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=("non_finite_values", "underfitting"),
    backends=("jax",),  # the others refuse such labels on a CPU
)
def species_from_one(repaired):
    x, new, y, new_y = data.table("iris")
    shift = 0 if repaired else 1
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(16, "relu"), L.Dense(3, "softmax")]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return Fit(
        model,
        x,
        y + shift,
        scores.accuracy(new, new_y),
        {"epochs": 40, "batch_size": 8, "validation_data": (new, new_y + shift)},
    )


@program(
    kind="labels out of range",
    family="image segmentation",
    half="tune",
    address="https://github.com/milesial/Pytorch-UNet/issues/173",
    symptom="the loss is negative and goes on falling",
    cause="masks hold 0 and 255, not 0 and 1",
    truth=("loss_target_mismatch", "output_activation_mismatch", "unscaled_targets"),
    also=("constant_predictions",),
    backends=("jax", "tensorflow"),  # PyTorch refuses such targets
)
def masks_up_to_255(repaired):
    x, _, masks = data.shapes(200)
    x, masks, new, new_masks = data.split(x, masks)
    scale = 1 if repaired else 255
    model = small_unet("sigmoid")
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {
        "epochs": 10,
        "batch_size": 16,
        "validation_data": (new, new_masks * scale),
    }
    return Fit(model, x, masks * scale, scores.overlap(new, new_masks), options)


def small_unet(activation, normalize=False, momentum=0.99, filters=6):
    """Return an encoder and a decoder with one bridge, for 16 x 16 pictures."""
    inputs = keras.Input((16, 16, 1))
    top = L.Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    if normalize:
        top = L.BatchNormalization(momentum=momentum)(top)
    low = L.MaxPooling2D()(top)
    low = L.Conv2D(2 * filters, 3, padding="same", activation="relu")(low)
    if normalize:
        low = L.BatchNormalization(momentum=momentum)(low)
    back = L.Concatenate()([top, L.UpSampling2D()(low)])
    back = L.Conv2D(filters, 3, padding="same", activation="relu")(back)
    return keras.Model(inputs, L.Conv2D(1, 1, activation=activation)(back))


@program(
    kind="labels out of range",
    family="subclassed classifier",
    half="look",
    address="https://github.com/crazydemo/facial-attribute-classification-with-graph/issues/1",
    symptom="the loss runs away to minus infinity",
    cause="attributes are -1 and 1, binary cross-entropy wants 0 and 1",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=("constant_predictions",),
)
def attributes_minus_one(repaired):
    x, y, new, new_y = data.two_classes(share=0.35)
    model = TwoLayers(1, "sigmoid")
    model.compile("adam", keras.losses.BinaryCrossentropy())
    given = y if repaired else 2 * y - 1
    options = {"epochs": 16}
    return Fit(model, x, given, scores.balanced(new, new_y), options)


class TwoLayers(keras.Model):
    """A subclassed model that is built at its first batch."""

    def __init__(self, units, activation, width=24):
        super().__init__()
        self.out = L.Dense(units, activation=activation)
        self.first = L.Dense(width, activation="relu")
        self.second = L.Dense(width, activation="relu")

    def call(self, inputs):
        return self.out(self.second(self.first(inputs)))


@program(
    kind="probabilities taken for logits",
    family="recurrent classifier",
    half="tune",
    address="https://github.com/mmalekzadeh/dana/issues/1",
    symptom="training stalls at a loss far above zero",
    cause="softmax in the model and from_logits=True in the loss",
    truth=MISMATCH,
)
def activity_with_softmax_twice(repaired):
    x, y = data.gestures(classes=6, noise=0.5)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((24, 3)),
            L.Conv1D(16, 5, activation="relu"),
            L.LSTM(24),
            L.Dense(6, activation=None if repaired else "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="logits taken for probabilities",
    family="subclassed classifier",
    half="tune",
    address="https://github.com/zzh8829/yolov3-tf2/issues/91",
    symptom="the loss is huge or negative; with from_logits=True it is fine",
    cause="a linear output under a loss that wants probabilities",
    truth=MISMATCH,
)
def detector_without_sigmoid(repaired):
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(600, 8)).astype("float32"), rng.normal(size=(8, 5))
    x, y, new, new_y = data.split(x, (x @ y).argmax(axis=1))
    model = TwoLayers(5, None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=repaired)
    model.compile(keras.optimizers.Adam(0.01), loss)
    options = {"epochs": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="softmax for several labels",
    family="recurrent classifier",
    half="look",
    address="https://github.com/mp2893/doctorai/issues/10",
    symptom="never more than one code is predicted",
    cause="softmax where several codes are right at once",
    truth=MISMATCH,
)
def diagnosis_codes(repaired):
    rng = np.random.default_rng(12)
    x = rng.integers(1, 40, (600, 6)).astype("int32")
    y = np.stack([(x % 8 == k).any(axis=1) for k in range(8)], 1).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            L.Embedding(40, 16),
            L.GRU(48),
            L.Dense(8, activation="sigmoid" if repaired else "softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    options = {"epochs": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, many_labels(new, new_y), options)


def many_labels(x, y):
    """Return how much better than the commonest answer labels are found."""

    def score(model, history):
        right = ((scores.predicted(model, x) > 0.5) == (y > 0.5)).mean()
        base = np.maximum(y.mean(axis=0), 1 - y.mean(axis=0)).mean()
        return float((right - base) / (1 - base))

    return score


@program(
    kind="output cannot reach the targets",
    family="text regression",
    half="tune",
    address="https://github.com/keras-team/keras/issues/2399",
    symptom="all predictions lie near one although targets go up to nine",
    cause="a sigmoid for targets from 0 to 9",
    truth=("output_activation_mismatch", "unscaled_targets"),
    also=("constant_predictions", "saturated_units", "underfitting"),
)
def stars_with_sigmoid(repaired):
    x, _, balance = data.reviews()
    y = np.clip(np.round(4.5 + balance), 0, 9).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((20,), dtype="int32")
    words = L.Embedding(60, 12, mask_zero=True)(inputs)
    text = L.Dense(16, activation="relu")(L.GlobalAveragePooling1D()(words))
    out = L.Dense(1, activation=None if repaired else "sigmoid")(text)
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="output cannot reach the targets",
    family="autoencoder",
    half="tune",
    address="https://github.com/AliJalalifar/Character_Animation/issues/3",
    symptom="positions below zero are never reconstructed",
    cause="ReLU at the end of a decoder for data of zero mean",
    truth=("output_activation_mismatch",),
    also=("dead_units", "underfitting"),
)
def skeleton_autoencoder(repaired):
    rng = np.random.default_rng(13)
    hidden = rng.normal(size=(600, 3))
    x = np.tanh(hidden @ rng.normal(size=(3, 18))) * 2
    x = x + 0.05 * rng.normal(size=x.shape)
    x, _, new, _ = data.split(x.astype("float32"), np.zeros(600))
    model = keras.Sequential(
        [
            keras.Input((18,)),
            L.Dense(32, activation="elu"),
            L.Dense(4),
            L.Dense(32, activation="elu"),
            L.Dense(18, activation=None if repaired else "relu"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    options = {"epochs": 18, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="output cannot reach the targets",
    family="convolutional autoencoder",
    half="look",
    address="https://github.com/keras-team/keras/issues/2841",
    symptom="the loss of the autoencoder is negative and nothing converges",
    cause="standardized pictures under a sigmoid and binary cross-entropy",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    backends=("jax", "tensorflow"),  # PyTorch refuses such targets
)
def standardized_pictures(repaired):
    x, _, new, _ = data.digits()
    if not repaired:
        mean, std = x.mean(), x.std()
        x, new = (x - mean) / std, (new - mean) / std
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, strides=2, padding="same", activation="relu"),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.UpSampling2D(),
            L.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    options = {"epochs": 6, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="output that has died",
    family="recurrent regression",
    half="tune",
    address="https://github.com/ProteomicsML/ProteomicsML/pull/203",
    symptom="the LSTM returns 0 for every peptide",
    cause="a ReLU at the end that was negative for all rows from the start",
    truth=("output_activation_mismatch", "dead_units"),
    also=("constant_predictions", "zero_gradients"),
)
def ion_mobility(repaired):
    rng = np.random.default_rng(14)
    x = rng.normal(size=(500, 6, 3)).astype("float32")
    y = (2.2 + 0.5 * np.tanh(x[..., 0].sum(axis=1)) + 0.2 * x[:, -1, 1])[:, None]
    y = y.astype("float32")
    x, y, new, new_y = data.split(x, y)
    unlucky = keras.initializers.RandomUniform(-0.3, 0.0, seed=2)
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            L.LSTM(24),
            L.Dense(32, activation="relu"),
            L.Dense(
                1,
                activation=None if repaired else "relu",
                kernel_initializer=unlucky,
            ),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    options = {"epochs": 22, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
