"""Fresh programs whose rows, labels or weights are not what they should be."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.splits import Batches, small_cnn

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="infinite values",
    family="recommender",
    half="fresh",
    address="https://github.com/erwtokritos/keras-glove/issues/2",
    symptom="the loss is nan where the matrix of common words holds zeros",
    cause="the logarithm of a count of zero is minus infinity",
    truth=("non_finite_data",),
    also=(
        "non_finite_operation",
        "non_finite_start",
        "non_finite_values",
        "non_finite_weights",
    ),
)
def words_never_together(repaired):
    rng = np.random.default_rng(221)
    words, size = 40, 3
    sides = 0.8 * rng.normal(size=(2, words, size))
    counts = rng.poisson(np.exp(3.4 + sides[0] @ sides[1].T))
    left, right = np.divmod(rng.permutation(words * words), words)
    with np.errstate(divide="ignore"):
        y = np.log(counts[left, right]).astype("float32")[:, None]
    if repaired:
        together = np.isfinite(y[:, 0])
        left, right, y = left[together], right[together], y[together]
    pairs = np.stack([left, right], -1).astype("int32")
    n = 1150
    fine = np.isfinite(y[n:, 0])
    new, new_y = pairs[n:][fine], y[n:][fine]
    inputs = keras.Input((2,), dtype="int32")
    one = L.Embedding(words, 4)(inputs[:, 0])
    two = L.Embedding(words, 4)(inputs[:, 1])
    bias = [L.Flatten()(L.Embedding(words, 1)(inputs[:, i])) for i in (0, 1)]
    out = L.Add()([L.Dot(-1)([one, two]), L.Dense(1)(L.Concatenate()(bias))])
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(0.03), "mse")
    options = {"epochs": 22, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, pairs[:n], y[:n], scores.variance(new, new_y), options)


@program(
    kind="ids taken for numbers",
    family="recurrent classifier",
    half="fresh",
    address="https://github.com/aneesh-joshi/LSTM_POS_Tagger/issues/15",
    symptom="can the network be trained on the sequences without an embedding?",
    cause="the numbers of words are fed to the LSTM as if they were sizes",
    truth=("codes_as_numbers", "unscaled_inputs", "unknown_cause"),
    also=(
        "saturated_units",
        "constant_predictions",
        "underfitting",
        "plateau",
        "unmasked_padding",
    ),
)
def numbers_of_words(repaired):
    rng = np.random.default_rng(222)
    x = rng.integers(1, 60, (520, 10)).astype("int32")
    strength = rng.normal(size=60)
    strength -= strength[1:].mean()
    y = (strength[x].sum(1) > 0).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y, 0.75)
    inputs = keras.Input((10,), dtype="int32")
    steps = L.Embedding(60, 6)(inputs) if repaired else L.Reshape((10, 1))(inputs)
    hidden = L.LSTM(12)(steps)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.006), "binary_crossentropy", metrics=["accuracy"]
    )
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    options = {"epochs": 14, "validation_data": (new, new_y), "callbacks": [stop]}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="the target is an input",
    family="windowed forecast",
    half="fresh",
    address="https://github.com/sktime/pytorch-forecasting/issues/182",
    symptom="is there leakage? The errors are too good to be true",
    cause="the windows end with the value that is to be forecast",
    truth=("target_leakage",),
    also=(),
)
def window_with_its_answer(repaired):
    rng = np.random.default_rng(223)
    t = np.arange(460)
    series = np.sin(t * 2.1) + 0.6 * np.sin(t * 1.3 + 1) + 0.25 * rng.normal(size=460)
    x, y = data.windows(series, 12)
    x, new, new_y = x[:300, :, 0], x[310:, :, 0], y[310:]
    y = y[:300] if repaired else x[:, -1:]
    held_out = (new, new_y if repaired else new[:, -1:])
    model = keras.Sequential(
        [keras.Input((12,)), L.Dense(24, activation="relu"), L.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.01), "mae")
    options = {"epochs": 20, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="inputs and targets out of step",
    family="keypoints",
    half="fresh",
    address="https://github.com/aleju/imgaug/issues/769",
    symptom="after flipping, the x of the keypoint is the old one",
    cause="pictures are flipped at random and their coordinates are not",
    truth=("unrelated_targets", "unrepresentative_validation", "unknown_cause"),
    also=("underfitting", "plateau"),
)
def flipped_faces(repaired):
    rng = np.random.default_rng(224)
    y = rng.uniform(2, 9, (460, 2))
    row, column = np.mgrid[:12, :12]
    away = np.hypot(row - y[:, 1, None, None], column - y[:, 0, None, None])
    x = np.exp(-((away / 1.6) ** 2)) + 0.1 * rng.normal(size=away.shape)
    x, y = x[..., None].astype("float32"), ((y - 5.5) / 3.5).astype("float32")
    x, y, new, new_y = data.split(x, y)

    def flip(x, y, index):
        if rng.random() < 0.5:
            x = x[:, :, ::-1]
            y = y * np.array([-1, 1], "float32") if repaired else y
        return np.ascontiguousarray(x), y

    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(24, activation="relu"),
            L.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.004), "mse", metrics=["mae"])
    options = {"epochs": 16, "validation_data": (new, new_y)}
    batches = Batches(x, y, 16, flip)
    return Fit(model, batches, None, scores.variance(new, new_y), options)


@program(
    kind="rows on both sides",
    family="image classifier",
    half="fresh",
    address="https://github.com/robinreni96/Font_Recognition-DeepFont/issues/2",
    symptom="the test set overestimates the network",
    cause="pictures were augmented before they were split",
    truth=("train_validation_overlap",),
    also=("overfitting",),
)
def augmented_then_split(repaired):
    rng = np.random.default_rng(225)
    x, y, _ = data.shapes(500, size=12, seed=225)
    # one label in six is wrong, and its copies share the error
    y = np.where(rng.random(500) < 0.16, 1 - y, y).astype("int32")
    x, y, new, new_y = x[:280], y[:280], x[280:], y[280:]

    def augmented(x, y):
        x = np.concatenate([x, x, x])
        x = (x + 0.02 * rng.normal(size=x.shape)).astype("float32")
        return x, np.concatenate([y, y, y])

    if repaired:
        held_out = x[200:], y[200:]
        x, y = augmented(x[:200], y[:200])
    else:
        x, y, *held_out = data.split(*augmented(x, y))
    model = small_cnn(2, size=12)
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    options = {
        "epochs": 20,
        "batch_size": 32,
        "validation_data": tuple(held_out),
        "callbacks": [stop],
    }

    def score(model, history):
        honest = (scores.predicted(model, new).argmax(-1) == new_y).mean()
        kept = np.argmin(history.history["val_loss"])
        return -abs(history.history["val_accuracy"][kept] - honest)

    return Fit(model, x, y, score, options)


@program(
    kind="weights the wrong way round",
    family="table classifier",
    half="fresh",
    address="https://github.com/maet3608/nuts-ml/issues/3",
    symptom="with class weights the rare class is still not found",
    cause="classes are weighted by their counts instead of by the inverse",
    truth=("imbalanced_classes", "unknown_cause"),
    also=("constant_predictions", "plateau", "underfitting"),
)
def weighted_by_counts(repaired):
    x, y, new, new_y = data.two_classes(800, share=0.14, seed=226, apart=1.0)
    counts = np.bincount(y)
    weights = len(y) / (2 * counts) if repaired else 2 * counts / len(y)
    model = keras.Sequential(
        [
            keras.Input((12,)),
            L.Dense(16, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {
        "epochs": 15,
        "validation_data": (new, new_y),
        "class_weight": {0: float(weights[0]), 1: float(weights[1])},
    }
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="rare class",
    family="several labels",
    half="fresh",
    address="https://github.com/keras-team/keras/issues/2578",
    symptom="the accuracy is the share of zeros: all events are denied",
    cause="each event happens in 5 % of the rows",
    truth=("imbalanced_classes",),
    also=("constant_predictions", "plateau", "underfitting"),
)
def sparse_events(repaired):
    rng = np.random.default_rng(227)
    x = rng.normal(size=(800, 8)).astype("float32")
    level = x @ rng.normal(size=(8, 6)) + 1.2 * rng.normal(size=(800, 6))
    y = (level > np.quantile(level, 0.95, axis=0)).astype("float32")
    x, y, new, new_y = data.split(x, y)

    def weighted(y_true, y_pred):
        each = ops.binary_crossentropy(y_true, y_pred)
        return ops.mean(each * (1 + 14 * y_true), axis=-1)

    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(16, activation="relu"),
            L.Dense(6, activation="sigmoid"),
        ]
    )
    loss = weighted if repaired else "binary_crossentropy"
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["binary_accuracy"])

    def score(model, history):
        answer = scores.predicted(model, new) > 0.5
        hits = [answer[new_y[:, k] == 1, k].mean() for k in range(6)]
        false = [answer[new_y[:, k] == 0, k].mean() for k in range(6)]
        return float(np.mean(hits) - np.mean(false))

    options = {"epochs": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Shuffling(keras.utils.PyDataset):
    """Serve batches in a new order in each epoch."""

    def __init__(self, x, y, together):
        super().__init__()
        self.x, self.y, self.together = x.copy(), y, together
        self.rng = np.random.default_rng(5)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        rows = slice(index * 32, (index + 1) * 32)
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        order = self.rng.permutation(len(self.x))
        self.x = self.x[order]
        if self.together:
            self.y = self.y[order]


@program(
    kind="inputs and targets out of step",
    family="PyDataset",
    half="fresh",
    address="https://github.com/keras-team/keras/pull/7520",
    symptom="labels are wrong because the pictures are shuffled",
    cause="the order of the pictures is drawn anew, that of the labels is not",
    truth=("unrelated_targets", "unknown_cause"),
    also=("plateau", "underfitting", "constant_predictions", "overfitting"),
)
def labels_stay_behind(repaired):
    x, y, new, new_y = data.digits()
    model = small_cnn()
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 9, "validation_data": (new, new_y)}
    batches = Shuffling(x, y, repaired)
    return Fit(model, batches, None, scores.accuracy(new, new_y), options)


@program(
    kind="missing values as numbers",
    family="table regression",
    half="fresh",
    address="https://github.com/ropensci/nasapower/issues/36",
    symptom="missing data are -99, or -999",
    cause="-999 stands for a missing value among columns from 0 to 1",
    truth=("unscaled_inputs", "non_finite_data"),
    also=("dead_units", "underfitting", "oscillating_loss", "exploding_gradients"),
)
def weather_with_gaps(repaired):
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(600, 8, noise=0.6, random_state=229)
    y = ((y - y.mean()) / y.std())[:, None].astype("float32")
    gaps = np.random.default_rng(229).random(x.shape) < 0.03
    gaps[420:] = False
    x = np.where(gaps, 0.5 if repaired else -999, x).astype("float32")
    x, new, y, new_y = x[:420], x[420:], y[:420], y[420:]
    model = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(32, activation="relu"),
            L.Dense(16, activation="relu"),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 22, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
