"""Blind programs whose rows, labels, scales or batches are at fault."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="inputs and targets not scaled",
    family="curve of one number",
    half="blind",
    address="https://stackoverflow.com/questions/52800582/why-do-i-fail-to-predict-y-x4-with-keras-y-x3-works",
    symptom="x to the power of three is learned, to the power of four it is not",
    cause="inputs go up to 100 and targets up to 100 millions",
    truth=("unscaled_targets", "unscaled_inputs"),
    also=(
        *STUCK,
        *BLOWN_UP,
        "saturated_units",
        "vanishing_gradients",
        "learning_rate_too_low",
        "too_few_updates",
    ),
)
def power_of_four(repaired):
    rng = np.random.default_rng(1201)
    x = rng.uniform(-100, 100, (900, 1)).astype("float32")
    y = x**4
    if repaired:
        x, y = x / 100, y / 1e8
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            L.Dense(50, activation="sigmoid"),
            L.Dense(50, activation="elu"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "mse")
    options = {"epochs": 36, "batch_size": 20, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="inputs not scaled",
    family="dense network on pictures",
    half="blind",
    address="https://datascience.stackexchange.com/questions/18667/relu-vs-sigmoid-in-mnist-example",
    symptom="with ReLU instead of sigmoid the accuracy falls from 95 % to below 50 %",
    cause="the pixels go up to 255, at which the default rate of SGD is too high",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "learning_rate_too_high",
        "exploding_activations",
    ),
)
def pixels_up_to_255(repaired):
    x, y, new, new_y = data.digits(700)
    x, new = (np.round(a.reshape(-1, 64) * 255).astype("float32") for a in (x, new))
    if repaired:
        x, new = x / 255, new / 255
    model = keras.Sequential()
    model.add(keras.Input((64,)))
    model.add(L.Dense(100))
    model.add(L.Activation("relu"))
    model.add(L.Dense(10))
    model.add(L.Activation("softmax"))
    sgd = keras.optimizers.SGD(0.1 if repaired else 0.05)
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"], optimizer=sgd)
    held_out = (new, data.groups(new_y, 10))
    options = {"epochs": 15, "batch_size": 20, "validation_data": held_out}
    score = scores.accuracy(new, new_y)
    return Fit(model, x, data.groups(y, 10), score, options)


@program(
    kind="inputs not scaled",
    family="image segmentation",
    half="blind",
    address="https://github.com/ZFTurbo/ZF_UNET_224_Pretrained_Model/issues/3",
    symptom="even on simple data the U-Net does not converge without normalization",
    cause="gray values of sixteen bits go into the network as they are",
    truth=("unscaled_inputs",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "zero_gradients",
        "vanishing_gradients",
        "saturated_units",
        "exploding_activations",
        "imbalanced_classes",
        "learning_rate_too_high",
        "learning_rate_too_low",
    ),
)
def sixteen_bits_of_gray(repaired):
    x, _, masks = data.shapes(420, size=16, seed=1203)
    x = np.round(4000 * x + 28000).astype("uint16").astype("float32")
    if repaired:
        x = (x - x[:300].mean()) / x[:300].std()
    inputs = keras.Input((16, 16, 1))
    left = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    h = L.MaxPooling2D()(left)
    h = L.Conv2D(16, 3, padding="same", activation="relu")(h)
    h = L.UpSampling2D()(h)
    h = L.Concatenate()([left, h])
    h = L.Conv2D(8, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    new, new_y = x[300:], masks[300:]
    options = {"epochs": 10, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x[:300], masks[:300], scores.overlap(new, new_y), options)


@program(
    kind="missing targets",
    family="keypoints",
    half="blind",
    address="https://kingke.dev/projects/facial-keypoints",
    symptom="most faces lack some of the keypoints, plain MSE cannot use them",
    cause="a missing coordinate is NaN, and so is the loss of its batch",
    truth=("non_finite_data",),
    also=("non_finite_values", "non_finite_weights", "constant_predictions"),
)
def keypoints_partly_missing(repaired):
    rng = np.random.default_rng(1204)
    points = rng.uniform(-0.8, 0.8, (900, 3, 2))
    grid = np.linspace(-1, 1, 12)
    x = np.zeros((900, 12, 12, 3), "float32")
    for p in range(3):
        row, column = (points[:, p, axis, None] for axis in (0, 1))
        down = np.exp(-(((grid - row) / 0.25) ** 2))
        across = np.exp(-(((grid - column) / 0.25) ** 2))
        x[..., p] = down[:, :, None] * across[:, None]
    x += 0.05 * rng.normal(size=x.shape).astype("float32")
    y = points.reshape(900, 6).astype("float32")
    x, y, new, new_y = data.split(x, y)
    y = y.copy()
    y[rng.random(y.shape) < 0.15] = np.nan

    def known_only(y_true, y_pred):
        known = ops.logical_not(ops.isnan(y_true))
        error = ops.where(known, y_true, 0.0) - ops.where(known, y_pred, 0.0)
        return ops.sum(error**2, -1) / 6

    inputs = keras.Input((12, 12, 3))
    h = L.Conv2D(8, 3, activation="relu")(inputs)
    h = L.MaxPooling2D()(h)
    h = L.Flatten()(h)
    h = L.Dense(96, activation="relu")(h)
    model = keras.Model(inputs, L.Dense(6)(h))
    model.compile(keras.optimizers.Adam(0.003), known_only if repaired else "mse")
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="unknown labels counted",
    family="several labels",
    half="blind",
    address="https://www.dlology.com/blog/how-to-multi-task-learning-with-missing-labels-in-keras/",
    symptom="with labels that nobody gave, the accuracy of all outputs suffers",
    cause="unknown labels are -1, which the cross-entropy takes for more than a no",
    truth=("loss_target_mismatch",),
    also=(
        *STUCK,
        *BLOWN_UP,
        "imbalanced_classes",
        "learning_rate_too_high",
        "saturated_units",
        "metric_mismatch",
        "unrepresentative_validation",
    ),
    backends=("jax", "tensorflow"),
)
def labels_nobody_gave(repaired):
    rng = np.random.default_rng(1205)
    x = rng.uniform(-1, 1, (900, 6)).astype("float32")
    y = np.stack(
        [
            x[:, 0] + x[:, 1] > 0,
            x[:, 2] * x[:, 3] > 0,
            x[:, 4] - 0.5 * x[:, 0] > 0.1,
        ],
        -1,
    ).astype("float32")
    x, y, new, new_y = data.split(x, y)
    y = y.copy()
    y[rng.random(y.shape) < 0.45] = -1

    def masked(y_true, y_pred):
        known = ops.cast(y_true >= 0, y_pred.dtype)
        p = ops.clip(y_pred, 1e-6, 1 - 1e-6)
        loss = y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p)
        return -ops.sum(known * loss, -1) / 3

    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(24, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(3, activation="sigmoid"),
        ]
    )
    loss = masked if repaired else "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.005), loss)

    def score(model, history):
        answer = scores.predicted(model, new) > 0.5
        return float(2 * (answer == new_y).mean() - 1)

    options = {"epochs": 24, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="reshaped instead of transposed",
    family="recurrent forecast",
    half="blind",
    address="https://github.com/jessicayung/blog-code-snippets/issues/6",
    symptom="the LSTM of the tutorial is trained on windows that hold the wrong values",
    cause="steps by rows are reshaped, not transposed, to rows by steps",
    truth=("unrelated_targets", "wrong_axis"),
    also=(*STUCK, "overfitting", "unrepresentative_validation"),
)
def steps_reshaped_to_rows(repaired):
    rng = np.random.default_rng(1206)
    pace, phase = rng.uniform(0.3, 0.9, 620), rng.uniform(0, 6.28, 620)
    series = np.sin(pace * np.arange(13)[:, None] + phase)
    series += 0.05 * rng.normal(size=series.shape)
    x, y = series[:-1].astype("float32"), series[-1].astype("float32")[:, None]
    right_way = x.T[..., None]
    x = right_way if repaired else x.reshape(620, 12, 1)
    model = keras.Sequential()
    model.add(keras.Input((12, 1)))
    model.add(L.LSTM(20, return_sequences=True))
    model.add(L.LSTM(12))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.008), "mse")
    options = {"epochs": 10, "batch_size": 31, "validation_data": (x[465:], y[465:])}
    score = scores.variance(right_way[465:], y[465:])
    return Fit(model, x[:465], y[:465], score, options)


class TwoFolders(keras.utils.PyDataset):
    """Pairs of pictures from two folders, each listed in its own order."""

    def __init__(self, before, after, listing, size=20):
        super().__init__()
        self.before, self.after, self.listing, self.size = before, after, listing, size

    def __len__(self):
        return len(self.before) // self.size

    def __getitem__(self, index):
        rows = np.arange(index * self.size, (index + 1) * self.size)
        return self.before[rows], self.after[self.listing[rows]]


@program(
    kind="inputs and targets out of step",
    family="pairs of pictures",
    half="blind",
    address="https://github.com/keras-team/keras/issues/7702",
    symptom="picture and mask of two generators with one seed do not belong together",
    cause="the names of the files are read in a different order in both folders",
    truth=("unrelated_targets",),
    also=(*STUCK, "overfitting", "imbalanced_classes", "unrepresentative_validation"),
)
def folders_listed_differently(repaired):
    _, _, masks = data.shapes(440, size=12, seed=1207)
    rng = np.random.default_rng(1207)
    noisy = (masks + 0.5 * rng.normal(size=masks.shape)).astype("float32")
    listing = np.arange(300) if repaired else rng.permutation(300)
    inputs = keras.Input((12, 12, 1))
    h = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    h = L.Conv2D(12, 3, padding="same", activation="relu")(h)
    model = keras.Model(inputs, L.Conv2D(1, 3, padding="same")(h))
    model.compile(keras.optimizers.Adam(0.004), "mse")
    batches = TwoFolders(noisy[:300], masks[:300], listing)
    new, clean = noisy[300:], masks[300:]
    other = np.arange(140) if repaired else rng.permutation(140)
    held_out = TwoFolders(new, clean, other)
    options = {"epochs": 12, "validation_data": held_out}
    return Fit(model, batches, None, scores.variance(new, clean), options)


class OrderOfSymbols(keras.utils.PyDataset):
    """Sequences in which X and Y occur twice; the class is their order."""

    def __init__(self, batches, seed, uses_index):
        super().__init__()
        self.batches, self.seed, self.uses_index = batches, seed, uses_index

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        key = self.seed + index if self.uses_index else self.seed
        rng = np.random.default_rng(key)
        ids = rng.integers(2, 6, (16, 10))
        first, second = rng.integers(0, 2, (2, 16))
        rows = np.arange(16)
        ids[rows, rng.integers(0, 4, 16)] = first
        ids[rows, rng.integers(5, 10, 16)] = second
        return np.eye(6, dtype="float32")[ids], 2 * first + second


@program(
    kind="index is not used",
    family="order of symbols",
    half="blind",
    address="https://github.com/Atcold/NYU-DLSP20/issues/851",
    symptom="the generator makes the same elements for every batch of every epoch",
    cause="the index is not used and the generator of random numbers has a fixed seed",
    truth=("repeated_batches",),
    also=("overfitting", "model_too_large", "unrepresentative_validation"),
)
def one_batch_for_ever(repaired):
    train = OrderOfSymbols(30, 12_080, uses_index=repaired)
    held_out = OrderOfSymbols(12, 99_080, uses_index=True)
    new, new_y = (
        np.concatenate(part)
        for part in zip(*(held_out[i] for i in range(12)), strict=True)
    )
    model = keras.Sequential([keras.Input((10, 6)), L.GRU(20)])
    model.add(L.Dense(4, activation="softmax"))
    model.compile(keras.optimizers.RMSprop(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "validation_data": held_out}
    return Fit(model, train, None, scores.accuracy(new, new_y), options)


@program(
    kind="rare class",
    family="another table classifier",
    half="blind",
    address="https://github.com/keras-team/keras/issues/10292",
    symptom="the accuracy is 82 % but 0 is always predicted",
    cause="82 % of the rows are of class 0, and the columns tell little",
    truth=("imbalanced_classes",),
    also=(*STUCK, "slow_convergence"),
)
def always_no(repaired):
    x, y, new, new_y = data.two_classes(1500, 8, share=0.09, seed=1209, apart=0.6)
    x, new = data.standard(x, new)
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(L.Dense(16, activation="relu"))
    model.add(L.Dense(8, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 20, "validation_data": (new, new_y)}
    if repaired:
        share = float(y.mean())
        options["class_weight"] = {0: 0.5 / (1 - share), 1: 0.5 / share}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="one person in both sets",
    family="recordings of patients",
    half="blind",
    address="https://github.com/UCSD-AI4H/COVID-CT/issues/11",
    symptom="the split is by picture: patient p23 is in the training and the test set",
    cause="recordings of one patient are alike, and are on both sides",
    truth=("train_validation_overlap",),
    also=("overfitting", "target_leakage", "unrepresentative_validation"),
    margin=0.08,
)
def split_by_picture(repaired):
    rng = np.random.default_rng(1210)
    ill = np.arange(1200) % 2
    person = rng.normal(size=(1200, 20))
    person[:, :3] += 0.6 * (2 * ill[:, None] - 1)
    who = np.concatenate([np.repeat(np.arange(220), 5), np.arange(220, 1200)])
    x = (person[who] + 0.25 * rng.normal(size=(len(who), 20))).astype("float32")
    y = ill[who]
    known, others = who < 220, who >= 220
    if repaired:
        train, check = np.flatnonzero(who < 140), np.flatnonzero(known & (who >= 140))
    else:
        order = rng.permutation(np.flatnonzero(known))
        train, check = order[:700], order[700:]
    model = keras.Sequential([keras.Input((20,))])
    if repaired:
        l2 = keras.regularizers.L2(0.03)
        model.add(L.Dropout(0.2))
        model.add(L.Dense(1, activation="sigmoid", kernel_regularizer=l2))
    else:
        model.add(L.Dense(96, activation="relu"))
        model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {
        "epochs": 20 if not repaired else 12,
        "batch_size": 16,
        "validation_data": (x[check], y[check]),
    }
    score = scores.honesty("val_accuracy", scores.right(x[others], y[others]))
    return Fit(model, x[train], y[train], score, options)
