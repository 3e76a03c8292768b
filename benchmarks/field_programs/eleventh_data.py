"""Eleventh half: programs whose rows are not what the model should see."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


@program(
    kind="pictures and masks moved apart",
    family="image segmentation",
    half="eleventh",
    address="https://github.com/divamgupta/image-segmentation-keras/issues/115",
    symptom="augmentation is incorrect, image and mask do not match",
    cause="masks are turned and shifted by other draws than the pictures",
    truth=("unrelated_targets", "targets_not_augmented_alike"),
    also=(*STUCK, "imbalanced_classes", "unrepresentative_validation"),
)
def masks_moved_on_their_own(repaired):
    x, _, masks = data.shapes(460, seed=1121)
    rng = np.random.default_rng(1121)

    def turned(pictures, draws):
        moved = [
            np.roll(np.rot90(p, k), (r, c), (0, 1))
            for p, (k, r, c) in zip(pictures, draws, strict=True)
        ]
        return np.stack(moved)

    def augment(pictures, labels, index):
        draws = rng.integers((0, -3, -3), (4, 4, 4), (len(pictures), 3))
        others = rng.integers((0, -3, -3), (4, 4, 4), (len(pictures), 3))
        return turned(pictures, draws), turned(labels, draws if repaired else others)

    inputs = keras.Input((16, 16, 1))
    down = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    low = L.Conv2D(16, 3, padding="same", activation="relu")(L.MaxPooling2D()(down))
    up = L.Concatenate()([L.UpSampling2D()(low), down])
    up = L.Conv2D(12, 3, padding="same", activation="relu")(up)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(up))
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    train = Batches(x[:340], masks[:340], 20, augment)
    held_out = x[340:], masks[340:]
    options = {"epochs": 12, "validation_data": held_out}
    return Fit(model, train, None, scores.overlap(*held_out), options)


@program(
    kind="rows in order before the split",
    family="table classifier",
    half="eleventh",
    address="https://rocuku.github.io/keras-validation-split-shuffle",
    symptom="in a contest, all rows of validation_split were negative ones",
    cause="validation_split takes the last rows: the tenth that is negative",
    truth=("unrepresentative_validation", "rows_in_order", "constant_targets"),
    also=("imbalanced_classes", "constant_predictions", "overfitting", "plateau"),
)
def negatives_at_the_end(repaired):
    x, y, new, new_y = data.two_classes(1100, share=0.9, seed=1122, apart=2.4)
    rng = np.random.default_rng(1122)
    order = rng.permutation(len(x)) if repaired else np.argsort(-y, kind="stable")
    model = keras.Sequential()
    model.add(keras.Input((12,)))
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dense(12, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 14, "batch_size": 32, "validation_split": 0.1}
    score = scores.balanced(new, new_y)
    return Fit(model, x[order], y[order], score, options)


@program(
    kind="inputs not scaled",
    family="convolutional regression",
    half="eleventh",
    address="http://pullrequest.ru/10248037/cnn-keras-shodyatsya-odnomu-tomu-zhe-znacheniy-nezavisimo-vvoda",
    symptom="the outputs converge to the same value whatever the picture",
    cause="the pixels go from 0 to 255",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "learning_rate_too_high",
        "dead_units",
        "zero_gradients",
        "exploding_activations",
        "poor_initialization",
    ),
)
def brightness_to_255(repaired):
    x, _, masks = data.shapes(560, seed=1123)
    weight = masks[..., 0] / masks[..., 0].sum(axis=(1, 2), keepdims=True)
    rows, columns = np.mgrid[:16, :16]
    place = np.stack([(weight * rows).sum((1, 2)), (weight * columns).sum((1, 2))], -1)
    y = ((place - 8) / 2.5).astype("float32")
    x = np.round(255 * x)
    if repaired:
        x = x / 255
    model = keras.Sequential()
    model.add(keras.Input((16, 16, 1)))
    model.add(L.Conv2D(12, 3, activation="relu"))
    model.add(L.MaxPooling2D())
    model.add(L.Conv2D(20, 3, activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(2))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "mae")
    held_out = x[420:], y[420:]
    options = {"epochs": 14, "batch_size": 20, "validation_data": held_out}
    return Fit(model, x[:420], y[:420], scores.variance(*held_out), options)


def surprise(x, y):
    """Return how much better than the commonest guess the probabilities are."""

    def score(model, history):
        said = np.clip(scores.predicted(model, x)[:, 0], 1e-6, 1 - 1e-6)
        loss = -np.log(np.where(y == 1, said, 1 - said)).mean()
        return float(max(-1.0, 1 - loss / np.log(2)))

    return score


@program(
    kind="too large for the texts",
    family="text classifier, recurrent",
    half="eleventh",
    address="https://example-a.com/answer/76082845",
    symptom="accuracy and loss of validation do not follow those of training",
    cause="far too few tweets for a large network and many epochs",
    truth=("overfitting", "model_too_large"),
    also=("unrelated_targets", "target_leakage"),
)
def few_tweets(repaired):
    n = 900 if repaired else 120
    x, y, _ = data.reviews(1300, length=10, words=200, seed=1124)
    rng = np.random.default_rng(1124)
    y = np.where(rng.random(1300) < 0.08, 1 - y, y)
    new, new_y = x[900:], y[900:]
    model = keras.Sequential()
    model.add(keras.Input((10,), dtype="int32"))
    model.add(L.Embedding(200, 8 if repaired else 100, mask_zero=True))
    model.add(L.Dropout(0.5))
    model.add(L.LSTM(8 if repaired else 64))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {
        "epochs": 7 if repaired else 20,
        "batch_size": 32,
        "validation_data": (new, new_y),
    }
    return Fit(model, x[:n], y[:n], surprise(new, new_y), options)
