"""Whether a loss that is not known gets lower by what the model predicts for a row."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic.records.facts import PairedFacts

N_PARTS, LEAST_IN_PART, N_DEALS = 8, 4, 4


def paired_loss(model: Any, x: Any, y: Any) -> PairedFacts | None:
    """Compare a model's loss with that of its predictions dealt to other rows.

    Of a loss of the user's own neither the right answer nor the best constant is known.
    But whatever it measures: if the predictions say something of the rows that they are
    for, it is higher where each row gets the prediction of another.

    Of several outputs that are compared with each other the first stays in its place.

    Rows are dealt within a few parts, whose differences tell how far they are noise.
    The state of the model and the generators stay as they are.

    Args:
        model: A compiled model, trained.
        x: Inputs of some rows, in any order.
        y: Their targets, or None.

    Returns:
        None where it is not known: too few rows, outputs that are not by row, or a
        loss that fails or is not finite.
    """
    n_rows = len(keras.tree.flatten(x)[0])
    n_parts = min(N_PARTS, n_rows // LEAST_IN_PART)
    leaves = [] if y is None else keras.tree.flatten(y)
    if n_parts < 2 or any(leaf is None or len(leaf) != n_rows for leaf in leaves):
        return None
    rng = np.random.default_rng(0)  # rows may be in order: parts are to be alike
    parts = rng.permutation(n_rows)[: n_rows // n_parts * n_parts].reshape(n_parts, -1)
    dealt = [[_dealt(part, rng) for part in parts] for _ in range(N_DEALS)]
    try:
        found = run_apart(model, lambda: _losses(model, x, y, parts, dealt))
    except Exception:  # a loss of the user's, which need not take some of the rows
        return None
    own, halves, others, apart, alike = (_numbers(losses) for losses in found)
    is_read = bool(leaves) and bool(alike[0] != own[0])
    if not is_read and len(apart):
        others = apart
    others = others.reshape(N_DEALS, n_parts).mean(axis=0)
    if not (np.isfinite(own).all() and np.isfinite(others).all()):
        return None
    gains = others - own
    return PairedFacts(
        loss=float(own.mean()),
        dealt=float(others.mean()),
        error=float(gains.std(ddof=1) / np.sqrt(n_parts)),
        by_row=bool(np.allclose(halves.reshape(n_parts, 2).mean(axis=1), own, 1e-3)),
        reads_targets=is_read,
    )


def _dealt(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rows in an order in which none is in its place."""
    order = rng.permutation(len(part))
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)
    return np.asarray(part[other])


def _losses(model: Any, x: Any, y: Any, parts: Any, dealt: Any) -> Any:
    """Return the losses of the parts as they are, halved, dealt in two ways, and alike.

    The second way keeps the first output in its place. The last is the loss of the
    first part, whose rows all get the target of one.
    """
    own, halves, others, apart = [], [], [], []
    with without_gradients(), keras.StatelessScope():
        predicted = model(x, training=False)

        leaves = keras.tree.flatten(predicted)

        def loss(
            rows: np.ndarray, given: np.ndarray, target: np.ndarray, *, kept: int = 0
        ) -> Any:
            taken = [
                ops.take(leaf, rows if place < kept else given, axis=0)
                for place, leaf in enumerate(leaves)
            ]
            outputs = keras.tree.pack_sequence_as(predicted, taken)
            return _loss_of(model, _rows(x, rows), _rows(y, target), outputs)

        for part in parts:
            own.append(loss(part, part, part))
            middle = len(part) // 2
            halves += [loss(h, h, h) for h in (part[:middle], part[middle:])]
        for deal in dealt:
            for part, given in zip(parts, deal, strict=True):
                others.append(loss(part, given, part))
                if len(leaves) > 1:
                    apart.append(loss(part, given, part, kept=1))
        alike = [loss(parts[0], parts[0], np.full_like(parts[0], parts[0][0]))]
    return own, halves, others, apart, alike


def _rows(data: Any, rows: np.ndarray) -> Any:
    """Return rows as `fit` gives them to the model: floats of the usual type."""
    if data is None:
        return None

    def chosen(leaf: np.ndarray) -> Any:
        part = leaf[rows]
        if part.dtype.kind == "f":
            part = part.astype(keras.config.floatx())
        return ops.convert_to_tensor(part)

    return keras.tree.map_structure(chosen, data)


def _loss_of(model: Any, x: Any, y: Any, outputs: Any) -> Any:
    given = {"x": x, "y": y, "y_pred": outputs, "sample_weight": None}
    if "training" in inspect.signature(model.compute_loss).parameters:
        given["training"] = False
    return model.compute_loss(**given)


def _numbers(losses: list[Any]) -> np.ndarray:
    return np.array([float(ops.convert_to_numpy(loss)) for loss in losses])
