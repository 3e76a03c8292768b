"""Sealed programs whose output, loss or split does not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


def skill(x, y):
    """Return how much better than even odds the probabilities of new rows are."""

    def score(model, history):
        out = scores.predicted(model, x)
        chosen = np.clip(out[np.arange(len(y)), y], 1e-7, 1)
        return float(max(-1.0, 1 + np.log(chosen).mean() / np.log(out.shape[-1])))

    return score


def smoothed(repaired, classes, e=0.1):
    """Return a cross-entropy with smoothed labels, of one's own."""
    cross = keras.losses.categorical_crossentropy

    def custom_loss(y_true, y_pred):
        evenly = ops.ones_like(y_pred) / classes
        if repaired:
            return (1 - e) * cross(y_true, y_pred) + e * cross(evenly, y_pred)
        return (1 - e) * cross(y_pred, y_true) + e * cross(y_pred, evenly)

    return custom_loss


@program(
    kind="loss with swapped arguments",
    family="smoothed labels",
    half="sealed",
    address="https://github.com/keras-team/keras/issues/8993",
    symptom="the loss is much higher than usual, and the results do not come",
    cause="predictions and targets of the cross-entropy are exchanged",
    truth=("loss_target_mismatch", "disagreeing_loss"),
    also=(*STUCK, "saturated_units", "unknown_cause", "vanishing_gradients"),
)
def prediction_in_place_of_truth(repaired):
    x, y = data.gestures(1100, length=16, classes=12, seed=1041, noise=1.0)
    x, y, new, new_y = data.split(x, y)
    y, hot = data.groups(y, 12), data.groups(new_y, 12)
    inputs = keras.Input((16, 3))
    h = L.Conv1D(16, 5, activation="relu")(inputs)
    h = L.Conv1D(16, 3, activation="relu")(h)
    h = L.Dropout(0.4)(L.Flatten()(h))
    model = keras.Model(inputs, L.Dense(12, activation="softmax")(h))
    loss = smoothed(repaired, 12)
    model.compile(keras.optimizers.Adam(0.004), loss, metrics=["accuracy"])
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, hot)}
    return Fit(model, x, y, skill(new, new_y), options)


class SquaredError(keras.losses.Loss):
    """The mean of the squared differences, as in a library for tables."""

    def call(self, y_true, y_pred):
        return ops.square(y_pred - y_true)


class TableNet(keras.Model):
    """Columns, each with its own embedding of numbers, and a number per row."""

    def __init__(self, columns, keep_column, **kwargs):
        super().__init__(**kwargs)
        self.scale = L.EinsumDense("bc,ce->bce", (columns, 6), activation="tanh")
        self.flatten = L.Flatten()
        self.hidden = L.Dense(32, activation="relu")
        self.dropout = L.Dropout(0.1)
        self.out = L.Dense(1)
        self.keep_column = keep_column

    def call(self, x, training=False):
        h = self.hidden(self.flatten(self.scale(x)))
        out = self.out(self.dropout(h, training=training))
        return out if self.keep_column else ops.squeeze(out, -1)


@program(
    kind="loss that compares all with all",
    family="network for tables",
    half="sealed",
    address="https://github.com/LAMDA-Tabular/TALENT/pull/92",
    symptom="regression does not converge, without any error",
    cause="targets (n, 1) less predictions (n,) make an (n, n) table",
    truth=("loss_target_mismatch", "disagreeing_loss"),
    also=(*STUCK, "unknown_cause", "metric_mismatch"),
)
def columns_against_rows(repaired):
    x, y, new, new_y = data.friedman(760, seed=1042)
    model = TableNet(8, repaired)
    model.compile(keras.optimizers.AdamW(0.004, weight_decay=1e-4), SquaredError())
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def clips(n, seed):
    """Return spectra over time and which of five instruments can be heard."""
    rng = np.random.default_rng(seed)
    tags = (rng.random((n, 5)) < 0.4).astype("float32")
    bands = np.arange(20)
    tones = np.stack([np.exp(-((bands % 7 - k) ** 2) / 1.5) for k in range(5)])
    pace = np.sin(np.arange(12)[:, None] * (0.4 + 0.25 * np.arange(5)) + 1)
    loud = tags * rng.uniform(0.6, 1.2, (n, 5))
    x = np.einsum("nk,tk,kb->ntb", loud, 1 + pace, tones)
    return (x + 0.5 * rng.normal(size=x.shape)).astype("float32"), tags


def tags_found(x, tags):
    """Return the skill of each tag over chance, on average."""

    def score(model, history):
        found = scores.predicted(model, x) > 0.5
        hits = [found[tags[:, k] == v, k] == v for k in range(5) for v in (0, 1)]
        return float(2 * np.mean([h.mean() for h in hits]) - 1)

    return score


@program(
    kind="softmax for several labels",
    family="tags of music",
    half="sealed",
    address="https://github.com/keras-team/keras/issues/741",
    symptom="a multi-label softmax classifier whose loss does not converge",
    cause="a softmax lets one of several true labels win",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, "metric_mismatch", "overfitting"),
)
def one_tag_wins(repaired):
    x, tags = clips(640, seed=1043)
    x, tags, new, new_tags = data.split(x, tags)
    inputs = keras.Input((12, 20))
    h = L.Conv1D(24, 3, activation="relu")(inputs)
    h = L.GlobalAveragePooling1D()(h)
    h = L.Dropout(0.1)(L.Dense(32, activation="relu")(h))
    last, loss = ("sigmoid", "binary") if repaired else ("softmax", "categorical")
    model = keras.Model(inputs, L.Dense(5, activation=last)(h))
    metrics = ["binary_accuracy"] if repaired else ["accuracy"]
    loss = f"{loss}_crossentropy"
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=metrics)
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_tags)}
    return Fit(model, x, tags, tags_found(new, new_tags), options)


@program(
    kind="output cannot reach the targets",
    family="a straight line",
    half="sealed",
    address="https://community.deeplearning.ai/t/loss-values-do-not-change/324182",
    symptom="in six or seven of ten runs the loss does not change at all",
    cause="the output goes through a ReLU, the targets are below zero too",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "dead_units", "zero_gradients", "model_too_small", "frozen_layers"),
)
def line_behind_relu(repaired):
    rng = np.random.default_rng(1044)
    x = rng.uniform(-1, 1, (200, 1)).astype("float32")
    y = (2 * x - 1 + 0.1 * rng.normal(size=x.shape)).astype("float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((1,))
    h = L.Dense(8, activation="relu")(inputs)
    h = L.Dense(4, activation="relu")(h)
    outputs = L.Dense(1, activation=None if repaired else "relu")(h)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError())
    options = {"epochs": 40, "batch_size": 14, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


def smote(x, y, seed, neighbors=5):
    """Return the rows with as many of the rare class, put between its own rows."""
    rng = np.random.default_rng(seed)
    rare = x[y == 1]
    missing = int((y == 0).sum() - len(rare))
    away = ((rare[:, None] - rare[None]) ** 2).sum(-1)
    near = np.argsort(away, axis=1)[:, 1 : neighbors + 1]
    start = rng.integers(0, len(rare), missing)
    end = near[start, rng.integers(0, neighbors, missing)]
    share = rng.random((missing, 1))
    made = rare[start] + share * (rare[end] - rare[start])
    order = rng.permutation(len(y) + missing)
    x = np.concatenate([x, made]).astype("float32")[order]
    return x, np.concatenate([y, np.ones(missing, y.dtype)])[order]


@program(
    kind="rows on both sides",
    family="oversampled fraud",
    half="sealed",
    address="https://github.com/georgymh/ml-fraud-detection/issues/1",
    symptom="a magical F1 score",
    cause="SMOTE comes before the split: its rows lie between those of both parts",
    truth=("train_validation_overlap",),
    also=("overfitting", "unrepresentative_validation", "target_leakage"),
)
def smote_before_split(repaired):
    x, y, new, new_y = data.two_classes(2400, 14, 0.06, seed=1045, apart=0.7)
    if repaired:
        x, y, held, held_y = data.split(x, y)
        x, y = smote(x, y, 1045)
    else:
        x, y = smote(x, y, 1045)
        x, y, held, held_y = data.split(x, y)
    model = keras.Sequential([keras.Input((14,))])
    model.add(L.Dense(16 if repaired else 64, activation="relu"))
    if repaired:
        model.add(L.Dropout(0.3))
    else:
        model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(0.003),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc")],
    )
    options = {
        "epochs": 14 if repaired else 20,
        "batch_size": 64,
        "validation_data": (held, held_y),
    }

    def true_auc(model, history):
        metric = keras.metrics.AUC()
        metric.update_state(new_y[:, None], model.predict(new, verbose=0))
        return float(metric.result())

    return Fit(model, x, y, scores.honesty("val_auc", true_auc), options)


class EventFolders(keras.utils.PyDataset):
    """Recordings of events in folders, numbered in the order they are listed."""

    def __init__(self, x, names, listing, batch_size=32, **kwargs):
        super().__init__(**kwargs)
        self.x, self.batch_size = x, batch_size
        self.y = np.array([listing.index(name) for name in names])

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[part], self.y[part]


@program(
    kind="validation labeled differently",
    family="recordings of events",
    half="sealed",
    address="https://github.com/uzh-rpg/rpg_event_representation_learning/issues/2",
    symptom="the validation accuracy is lower than it should be",
    cause="the folders of both parts are listed, and so numbered, in another order",
    truth=("unrepresentative_validation",),
    also=("overfitting",),
)
def folders_as_listed(repaired):
    classes = ["airplane", "bonsai", "car", "dolphin", "ewer", "ferry"]
    x, y = data.gestures(700, length=16, classes=6, seed=1046, noise=0.4)
    x, y, new, new_y = data.split(x, y)
    names, new_names = (np.array(classes)[part] for part in (y, new_y))
    listed, other = classes, ["ferry", "car", "airplane", "ewer", "bonsai", "dolphin"]
    train = EventFolders(x, names, listed)
    held = EventFolders(new, new_names, sorted(other) if repaired else other)
    model = keras.Sequential([keras.Input((16, 3))])
    model.add(L.Bidirectional(L.GRU(12)))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(6, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.01), CROSS, metrics=["accuracy"])
    options = {"epochs": 14, "validation_data": held}

    def truth(model, history):
        return float((scores.predicted(model, new).argmax(-1) == new_y).mean())

    return Fit(model, train, None, scores.honesty("val_accuracy", truth), options)


def brains(n, seed):
    """Return volumes, the first half with wide ventricles, and which have them."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < n // 2).astype("int32")
    grid = np.stack(np.mgrid[:8, :8, :8]) - 3.5
    middle = rng.uniform(-1, 1, (n, 3, 1, 1, 1))
    away = np.sqrt(((grid[None] - middle) ** 2).sum(1))
    radius = np.where(y, 2.5, 1.6) + 0.2 * rng.normal(size=n)
    x = 0.8 - 0.6 * (away < radius[:, None, None, None])
    return (x + 0.15 * rng.normal(size=x.shape))[..., None].astype("float32"), y


@program(
    kind="one class in training, the other in validation",
    family="scans of the brain",
    half="sealed",
    address="https://github.com/Project-MONAI/tutorials/issues/122",
    symptom="the loss falls, but the accuracy is always zero",
    cause="the files are not shuffled: the first are of one class, the last of another",
    truth=("constant_targets", "unrepresentative_validation"),
    also=("constant_predictions", "imbalanced_classes", "overfitting", "rows_in_order"),
)
def first_and_last_scans(repaired):
    x, y = brains(360, seed=1047)
    new, new_y = brains(120, seed=1048)
    if repaired:
        order = np.random.default_rng(1047).permutation(len(x))
        x, y = x[order], y[order]
    held = (x[-160:], y[-160:])
    x, y = x[:160] if not repaired else x[:200], y[:160] if not repaired else y[:200]
    inputs = keras.Input((8, 8, 8, 1))
    h = L.Conv3D(6, 3, activation="relu")(inputs)
    h = L.MaxPooling3D()(h)
    h = L.Dense(16, activation="relu")(L.Flatten()(h))
    h = L.Dropout(0.2)(h)
    model = keras.Model(inputs, L.Dense(2, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 16, "validation_data": held}
    return Fit(model, x, y, scores.balanced(new, new_y), options)
