"""Eighteenth half: programs whose loss does not say what is wanted."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def parcels(n, seed):
    """Return pictures of parcels, what was measured of them, and if they leak."""
    rng = np.random.default_rng(seed)
    x, kind, _ = data.shapes(n, seed=seed)
    measured = rng.normal(size=(n, 5)).astype("float32")
    y = (1.6 * kind - 0.8 + measured[:, 0] - 0.7 * measured[:, 3] > 0).astype("float32")
    return [((x - 0.25) / 0.2).astype("float32"), measured], y[:, None]


@program(
    kind="cross-entropy of classes for one output",
    family="parcels, a picture and five numbers",
    half="eighteenth",
    address="https://github.com/keras-team/keras/issues/14296",
    symptom="with inputs of two kinds the validation loss is always 0",
    cause="categorical cross-entropy over a single output node",
    truth=("loss_target_mismatch", "output_activation_mismatch"),
    also=(*STUCK, "zero_gradients"),
)
def eighteenth_parcels_at_no_loss(repaired):
    x, y = parcels(700, 1801)
    new, new_y = parcels(400, 1802)
    picture, numbers = keras.Input((16, 16, 1)), keras.Input((5,))
    hidden = picture
    for filters in (8, 16):
        hidden = L.Conv2D(filters, 3, padding="same", activation="relu")(hidden)
        hidden = L.MaxPooling2D()(hidden)
    hidden = L.Dense(16, activation="relu")(L.Flatten()(hidden))
    both = L.Concatenate()([hidden, L.Dense(8, activation="relu")(numbers)])
    both = L.Dense(16, activation="relu")(both)
    model = keras.Model([picture, numbers], L.Dense(1, activation="sigmoid")(both))
    loss = "binary_crossentropy" if repaired else "categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.002), loss, metrics=["accuracy"])
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def mean_iou(y_true, y_pred):
    """Return intersection over union, softly."""
    both = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    either = ops.sum(y_true + y_pred, axis=(1, 2, 3)) - both
    return (both + 1e-3) / (either + 1e-3)


def one_minus_iou(y_true, y_pred):
    """Return what is missing to a perfect overlap."""
    return 1 - mean_iou(y_true, y_pred)


@program(
    kind="likeness taken for a loss",
    family="outlines by a small encoder and decoder",
    half="eighteenth",
    address="https://github.com/Golbstein/KerasExtras/issues/1",
    symptom="how can the mean IoU be the loss if it is 1 for labels that agree?",
    cause="the overlap is minimized: it should be taken from 1",
    truth=("disagreeing_loss",),
    also=(*STUCK, "dead_units", "saturated_units", "vanishing_gradients"),
)
def eighteenth_overlap_as_loss(repaired):
    x, _, y = data.shapes(900, seed=1803)
    x, y, new, new_y = x[:600], y[:600], x[600:], y[600:]
    inputs = keras.Input((16, 16, 1))
    first = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    hidden = L.MaxPooling2D()(first)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    hidden = L.Concatenate()([L.UpSampling2D()(hidden), first])
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(hidden)
    outputs = L.Conv2D(1, 1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    loss = one_minus_iou if repaired else mean_iou
    model.compile(keras.optimizers.Adam(0.004), loss)
    options = {"epochs": 8, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.overlap(new, new_y), options)


def levers(n, seed):
    """Return what is seen of levers, and what pulling each would bring."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype("float32")
    gain = np.sin(1.5 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3]
    return x, (gain + 0.3 * rng.normal(size=n)).astype("float32")[:, None]


def reward_of_sign(y_true, y_pred):
    """Return minus what is gained where the lever is pulled."""
    pulled = (ops.sign(y_pred) + 1) / 2
    return -ops.mean(pulled * y_true, axis=-1)


def reward_of_chance(y_true, y_pred):
    """Return minus what is gained on average, given how likely a pull is."""
    pulled = (y_pred + 1) / 2
    return -ops.mean(pulled * y_true, axis=-1)


@program(
    kind="sign without a slope",
    family="levers to pull or leave, reward as loss",
    half="eighteenth",
    address="https://github.com/keras-team/keras/issues/167",
    symptom="a loss that pays the reward of what is pulled does not teach to pull",
    cause="the decision is the sign of the output, which has no slope",
    truth=("zero_gradients",),
    also=(*STUCK, "disagreeing_loss"),
)
def eighteenth_levers_by_sign(repaired):
    x, y = levers(1400, 1804)
    new, new_y = levers(600, 1805)
    model = keras.Sequential([keras.Input((6,))])
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(48, activation="relu"))
    model.add(L.Dense(1, activation="tanh"))
    loss = reward_of_chance if repaired else reward_of_sign
    model.compile(keras.optimizers.Adam(0.003), loss)

    def score(model, history):
        pulled = scores.predicted(model, new) > 0
        return float(new_y[pulled].sum() / new_y[new_y > 0].sum())

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def cells(n, seed):
    """Return pictures of cells in blood, and a grid of where their centers are."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:24, :24]
    x = 0.2 * rng.normal(size=(n, 24, 24, 1))
    grid = np.zeros((n, 12, 12, 3), "float32")
    for i in range(n):
        for _ in range(rng.integers(1, 3)):
            r, c = rng.uniform(3, 21, 2)
            x[i, ..., 0] += np.exp(-((row - r) ** 2 + (column - c) ** 2) / 4)
            at = int(r // 2), int(c // 2)
            grid[i][at] = 1, r / 2 - at[0], c / 2 - at[1]
    return x.astype("float32"), grid


class GridLoss(keras.losses.Loss):
    """Errors of confidence and of centers, over the cells of a grid."""

    def __init__(self, apart, **kwargs):
        super().__init__(**kwargs)
        self.apart = apart

    def call(self, y_true, y_pred):
        there, sure = y_true[..., 0], y_pred[..., 0]
        wrong = ops.square(there - sure)
        count = ops.maximum(ops.sum(there), 1.0)
        if self.apart:
            missed = ops.sum(there * wrong) / count
            conf = missed + ops.sum((1 - there) * wrong) / ops.sum(1 - there)
        else:
            mask = there + (1 - there)
            conf = ops.sum(mask * wrong) / (ops.sum(mask) + 1e-6)
        away = ops.sum(ops.square(y_true[..., 1:] - y_pred[..., 1:]), axis=-1)
        return conf + 0.2 * ops.sum(there * away) / count


@program(
    kind="empty cells outvote the others",
    family="blood cells on a grid, loss of one's own",
    half="eighteenth",
    address="https://github.com/experiencor/keras-yolo2/issues/88",
    symptom="training always converges to predicting no box at all",
    cause="the confidence is averaged over all cells, nearly all of which are empty",
    truth=("imbalanced_classes", "loss_terms_out_of_balance"),
    also=(*STUCK, "vanishing_gradients", "saturated_units", "unbalanced_outputs"),
)
def eighteenth_grid_of_empty_cells(repaired):
    x, y = cells(500, 1806)
    new, new_y = cells(200, 1807)
    inputs = keras.Input((24, 24, 1))
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    hidden = L.MaxPooling2D()(hidden)
    for _ in range(2):
        hidden = L.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    outputs = L.Conv2D(3, 1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.002), GridLoss(apart=repaired))

    def score(model, history):
        found = scores.predicted(model, new)[..., 0] > 0.5
        true = new_y[..., 0] > 0
        return float(found[true].mean() - found[~true].mean())

    options = {"epochs": 8, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def boxes(n, seed):
    """Return pictures with a box, and its cell, place and size on a 4 x 4 grid."""
    rng = np.random.default_rng(seed)
    x = 0.15 * rng.normal(size=(n, 16, 16, 1))
    grid = np.zeros((n, 4, 4, 5), "float32")
    for i in range(n):
        h, w = rng.integers(3, 9, 2)
        r, c = rng.integers(0, 17 - h), rng.integers(0, 17 - w)
        x[i, r : r + h, c : c + w] += 1
        center = (r + h / 2) / 4, (c + w / 2) / 4
        at = min(int(center[0]), 3), min(int(center[1]), 3)
        grid[i][at] = 1, center[0] - at[0], center[1] - at[1], h / 4, w / 4
    return x.astype("float32"), grid


class Sizes(L.Layer):
    """Turns numbers into confidences, places in a cell, and sizes by an anchor."""

    def __init__(self, anchor, **kwargs):
        super().__init__(**kwargs)
        self.anchor = np.asarray(anchor, "float32")

    def call(self, inputs):
        anchor = ops.convert_to_tensor(self.anchor)
        size = ops.exp(ops.clip(inputs[..., 3:], -4, 4)) * anchor
        return ops.concatenate([ops.sigmoid(inputs[..., :3]), size], axis=-1)


def overlaps(true, found):
    """Return intersection over union of boxes that share a cell."""
    low = ops.maximum(
        true[..., 1:3] - true[..., 3:] / 2, found[..., 1:3] - found[..., 3:] / 2
    )
    high = ops.minimum(
        true[..., 1:3] + true[..., 3:] / 2, found[..., 1:3] + found[..., 3:] / 2
    )
    both = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
    areas = ops.prod(true[..., 3:], axis=-1) + ops.prod(found[..., 3:], axis=-1)
    return both / (areas - both)


def box_loss(y_true, y_pred):
    """Return the errors of places and sizes, and of how sure of a box one is."""
    there = y_true[..., 0]
    away = ops.sum(ops.square(y_true[..., 1:] - y_pred[..., 1:]), axis=-1)
    sure = there * ops.stop_gradient(overlaps(y_true, y_pred))
    wrong = ops.square(sure - y_pred[..., 0]) * (1 + 4 * there)
    return ops.sum(there * away + wrong, axis=(1, 2))


@program(
    kind="anchors of no size",
    family="one box a picture, anchors",
    half="eighteenth",
    address="https://github.com/experiencor/keras-yolo2/issues/364",
    symptom="with the generated anchors the loss is NaN",
    cause="the anchors are 0 wide: the overlap of nothing with nothing is 0 / 0",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights"),
)
def eighteenth_anchors_of_nothing(repaired):
    x, y = boxes(900, 1808)
    new, new_y = boxes(300, 1809)
    model = keras.Sequential([keras.Input((16, 16, 1))])
    for filters in (12, 24):
        model.add(L.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(L.MaxPooling2D())
    model.add(L.Conv2D(32, 3, padding="same", activation="relu"))
    model.add(L.Conv2D(5, 1))
    model.add(Sizes((1.3, 1.3) if repaired else (0.0, 0.0)))
    model.compile(keras.optimizers.Adam(0.004), box_loss)

    def score(model, history):
        found = scores.predicted(model, new)
        there = new_y[..., 0] > 0
        best = ops.convert_to_numpy(overlaps(new_y[there], found[there]))
        return float(np.nan_to_num(best).mean())

    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
