"""Programs whose learning rate, schedule or length does not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.outputs import small_unet
from field_programs.registry import Fit, program

L = keras.layers
SLOW = ("plateau", "slow_convergence", "underfitting")


def small_transformer(classes, length=20, words=60, width=16):
    """Return a block of attention over words and the mean of its answers."""
    inputs = keras.Input((length,), dtype="int32")
    x = L.Embedding(words, width)(inputs)
    x = L.Add()([x, L.MultiHeadAttention(2, width // 2)(x, x)])
    x = L.LayerNormalization()(x)
    x = L.Add()([x, L.Dense(width)(L.Dense(2 * width, activation="relu")(x))])
    x = L.GlobalAveragePooling1D()(L.LayerNormalization()(x))
    return keras.Model(inputs, L.Dense(classes, activation="softmax")(x))


@program(
    kind="rate too high",
    family="transformer",
    half="tune",
    address="https://github.com/OpenNMT/OpenNMT-py/issues/227",
    symptom="the transformer gives the same answer to everything",
    cause="a learning rate far above what the transformer bears",
    truth=("learning_rate_too_high",),
    also=("constant_predictions", "plateau", "dead_units", "oscillating_loss"),
)
def same_translation(repaired):
    x, y, _ = data.reviews(seed=31, long=True)
    x, y, new, new_y = data.split(x, y)
    model = small_transformer(2)
    rate = 0.003 if repaired else 0.5
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="rate too high",
    family="recurrent forecast",
    half="look",
    address="https://github.com/tensorflow/nmt/issues/164",
    symptom="with a GRU the perplexity grows at every step",
    cause="plain gradient descent with a rate of one and more",
    truth=("learning_rate_too_high",),
    also=("diverging_loss", "oscillating_loss", "non_finite_values"),
)
def gru_at_rate_one(repaired):
    x, y = data.windows(data.load_curve(460), 16)
    x, y, new, new_y = x[:300], y[:300], x[330:], y[330:]
    model = keras.Sequential([keras.Input((16, 1)), L.GRU(24), L.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05 if repaired else 1.0, momentum=0.9), "mse")
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rate too high",
    family="convolutional regression",
    half="tune",
    address="https://github.com/tensorflow/tensorflow/issues/38796",
    symptom="the loss is infinite or NaN with SGD, less often at a lower rate",
    cause="a rate that the summed loss of a convolutional network does not bear",
    truth=("learning_rate_too_high",),
    also=("diverging_loss", "non_finite_values", "exploding_gradients", "dead_units"),
)
def counting_pictures(repaired):
    x, _, masks = data.shapes(300, seed=32)
    y = masks.sum(axis=(1, 2)) / 20
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.AveragePooling2D(2),
            L.Conv2D(8, 3, activation="relu"),
            L.Flatten(),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.02 if repaired else 1.5), "mse")
    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rate too high",
    family="triplet embedding",
    half="look",
    address="https://github.com/omoindrot/tensorflow-triplet-loss/issues/6",
    symptom="the loss sticks at the margin, all embeddings are the same",
    cause="the embeddings collapsed to one point; a lower rate helps",
    truth=("learning_rate_too_high", "collapsed_embeddings", "unknown_cause"),
    also=("constant_predictions", "dead_units", "plateau"),
)
def triplets_at_margin(repaired):
    x, y, new, new_y = data.digits()
    rng = np.random.default_rng(33)
    rows = {k: np.flatnonzero(y == k) for k in range(10)}
    anchor = rng.integers(0, len(x), 480)
    near = np.array([rng.choice(rows[y[i]]) for i in anchor])
    far = np.array(
        [rng.choice(rows[(y[i] + rng.integers(1, 10)) % 10]) for i in anchor]
    )
    triplets = np.stack([x[anchor], x[near], x[far]], axis=1)[..., 0]

    class Triplets(keras.Model):
        def __init__(self):
            super().__init__()
            self.branch = keras.Sequential(
                [
                    keras.Input((8, 8)),
                    L.Flatten(),
                    L.Dense(48, activation="relu"),
                    L.Dense(24, activation="relu"),
                    L.Dense(8),
                ]
            )

        def call(self, inputs):
            return ops.stack([self.branch(inputs[:, i]) for i in range(3)], axis=1)

    def margin_loss(y_true, out):
        to_near = ops.sum(ops.square(out[:, 0] - out[:, 1]), axis=-1)
        to_far = ops.sum(ops.square(out[:, 0] - out[:, 2]), axis=-1)
        return ops.mean(ops.maximum(to_near - to_far + 0.5, 0.0))

    def score(model, history):
        known, asked = (
            np.asarray(keras.ops.convert_to_numpy(model.branch(a[..., 0])))
            for a in (x[:600], new[:200])
        )
        apart = ((asked[:, None] - known[None]) ** 2).sum(-1)
        return float((y[:600][apart.argmin(1)] == new_y[:200]).mean())

    model = Triplets()
    model.compile(keras.optimizers.Adam(0.003 if repaired else 0.5), margin_loss)
    empty = np.zeros((len(triplets), 1), "float32")
    return Fit(model, triplets, empty, score, {"epochs": 10})


@program(
    kind="rate too low",
    family="table classifier",
    half="tune",
    address="https://github.com/keras-team/keras/issues/4784",
    symptom="the accuracy does not change across the epochs",
    cause="SGD with a rate of 0.0001 and large batches",
    truth=("learning_rate_too_low", "too_few_updates", "batch_size_too_large"),
    also=SLOW,
)
def medical_text_features(repaired):
    x, new, y, new_y = data.table("breast_cancer")
    model = keras.Sequential(
        [
            keras.Input((30,)),
            L.Dense(64, activation="relu"),
            L.Dense(32, activation="tanh"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    rate = 0.1 if repaired else 1e-4
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.4),
        "binary_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 25, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="rate too low",
    family="image segmentation",
    half="look",
    address="https://github.com/jocicmarko/ultrasound-nerve-segmentation/issues/85",
    symptom="the predicted masks are all white",
    cause="Adam at 1e-5 for a few epochs",
    truth=("learning_rate_too_low", "too_few_updates"),
    also=(*SLOW, "constant_predictions"),
)
def nerves_at_small_rate(repaired):
    x, _, masks = data.shapes(200, seed=34)
    x, masks, new, new_masks = data.split(x, masks)
    model = small_unet("sigmoid")
    rate = 0.005 if repaired else 1e-5
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    options = {"epochs": 13, "batch_size": 16, "validation_data": (new, new_masks)}
    return Fit(model, x, masks, scores.overlap(new, new_masks), options)


@program(
    kind="rate collapses",
    family="image classifier",
    half="tune",
    address="https://github.com/fizyr/keras-retinanet/pull/1370",
    symptom="training stops improving early on",
    cause="ReduceLROnPlateau with no patience and a noisy validation loss",
    truth=("learning_rate_collapsed", "learning_rate_too_low"),
    also=SLOW,
)
def impatient_plateau(repaired):
    x, y, new, new_y = data.digits()
    x, y = x[:600], y[:600]
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(24, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.02),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    plateau = keras.callbacks.ReduceLROnPlateau(
        monitor="val_accuracy",
        factor=0.5 if repaired else 0.05,
        patience=5 if repaired else 1,
        min_delta=0.01 if repaired else 0.12,
    )
    options = {
        "epochs": 18,
        "validation_data": (new[:200], new_y[:200]),
        "callbacks": [plateau],
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="rate collapses",
    family="table regression",
    half="look",
    address="https://github.com/cjiang2/VDCNN/issues/4",
    symptom="the loss stops falling in the first epochs",
    cause="a decay meant per epoch is applied per batch",
    truth=("learning_rate_collapsed", "learning_rate_too_low"),
    also=SLOW,
)
def decay_by_batch(repaired):
    x, y, new, new_y = data.friedman(seed=35)
    model = keras.Sequential(
        [keras.Input((8,)), L.Dense(32, "relu"), L.Dense(32, "relu"), L.Dense(1)]
    )
    steps = 16 if repaired else 1
    schedule = keras.optimizers.schedules.ExponentialDecay(0.005, steps, 0.9)
    model.compile(keras.optimizers.Adam(schedule), "mse")
    options = {"epochs": 18, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="rate still climbing",
    family="transformer",
    half="look",
    address="https://github.com/hirofumi0810/neural_sp/issues/137",
    symptom="the learning rate goes straight up until the end, the result is poor",
    cause="a warm-up of 25,000 steps in a short run",
    truth=("learning_rate_not_warm", "learning_rate_too_low", "too_few_updates"),
    also=SLOW,
)
def endless_warm_up(repaired):
    x, y, _ = data.reviews(seed=36, long=True)
    x, y, new, new_y = data.split(x, y)
    model = small_transformer(2)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        2000,
        warmup_target=0.005,
        warmup_steps=20 if repaired else 25_000,
    )
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    options = {"epochs": 10, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="stopped too early",
    family="table regression",
    half="tune",
    address="https://github.com/keras-team/keras/issues/16393",
    symptom="training ends after two or three epochs",
    cause="EarlyStopping without patience",
    truth=("stopped_too_early", "too_few_updates"),
    also=SLOW,
)
def no_patience(repaired):
    x, y, new, new_y = data.friedman(seed=37)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(48, activation="relu"),
            L.Dropout(0.2),
            L.Dense(24, activation="relu"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "mse")
    stop = keras.callbacks.EarlyStopping(
        patience=6 if repaired else 0, min_delta=0 if repaired else 0.1
    )
    options = {
        "epochs": 25,
        "batch_size": 64,
        "validation_data": (new, new_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="too few updates",
    family="image classifier",
    half="look",
    address="https://github.com/keras-team/keras/issues/8883",
    symptom="all classes get a score near zero",
    cause="it needed more training",
    truth=("too_few_updates", "learning_rate_too_low", "batch_size_too_large"),
    also=SLOW,
)
def confidence_after_two_epochs(repaired):
    x, y, new, new_y = data.digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(12, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    options = {
        "epochs": 14 if repaired else 2,
        "batch_size": 64 if repaired else 256,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="batch too large",
    family="functional classifier",
    half="tune",
    address="https://github.com/guevara/read-it-later/issues/5625",
    symptom="the network trains poorly with batches as large as the memory bears",
    cause="one update an epoch",
    truth=("batch_size_too_large", "too_few_updates", "learning_rate_too_low"),
    also=SLOW,
)
def one_update_an_epoch(repaired):
    x, y, new, new_y = data.digits()
    inputs = keras.Input((8, 8, 1))
    hidden = L.Dense(48, activation="relu")(L.Flatten()(inputs))
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(
        keras.optimizers.SGD(0.05),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {
        "epochs": 12,
        "batch_size": 32 if repaired else 2048,
        "validation_data": (new, new_y),
    }
    return Fit(model, x, y, scores.accuracy(new, new_y), options)
