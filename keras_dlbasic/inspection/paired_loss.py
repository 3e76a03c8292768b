"""Whether a loss that is not known gets lower by what the model predicts for a row."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic.inspection.plain_state import plain_state_kept
from keras_dlbasic.records.probe_facts import PairedFacts

N_PARTS, MIN_ROWS_PER_PART = 8, 4

SAME = 1e-6
"""Losses that differ by this share of them are the same."""


def paired_loss(model: Any, x: Any, y: Any) -> PairedFacts | None:
    """Compare a model's loss with that of its predictions dealt to other rows.

    Of a loss of the user's own neither the right answer nor the best constant is known.
    But whatever it measures: if the predictions say something of the rows that they are
    for, it is higher where each row gets the prediction of another.

    Of several outputs that are compared with each other the first stays in its place.

    Rows are dealt within a few parts, whose differences tell how far they are noise.
    The state of the model and the generators stay as they are; a model or loss with
    tensors of its own, which are no variables of Keras', is not run.

    Args:
        model: A compiled model, trained.
        x: Inputs of some rows, in any order.
        y: Their targets, or None.

    Returns:
        None where it is not known: too few rows, outputs that are not by row, or a loss
        that fails, is not finite or keeps a state.
    """
    n_rows = len(keras.tree.flatten(x)[0])
    n_parts = min(N_PARTS, n_rows // MIN_ROWS_PER_PART)
    leaves = [] if y is None else keras.tree.flatten(y)
    if n_parts < 2 or any(leaf is None or len(leaf) != n_rows for leaf in leaves):
        return None
    owners = [model, *keras.tree.flatten(getattr(model, "loss", None))]
    if any(map(_keeps_tensors, owners)):
        return None
    rng = np.random.default_rng(0)  # rows may be in order: parts are to be alike
    parts = rng.permutation(n_rows)[: n_rows // n_parts * n_parts].reshape(n_parts, -1)
    dealt = np.stack([_dealt(part, rng) for part in parts])
    try:
        with plain_state_kept(owners):
            found = run_apart(model, lambda: _losses(model, x, y, parts, dealt))
        losses = {name: _numbers(told) for name, told in found.items()}
    except Exception:  # a loss of the user's, which need not take some of the rows
        return None
    own, others = losses["own"], losses["dealt"]
    is_read = bool(leaves) and not _same(losses["alike"], own[:1])
    if not is_read and len(losses["apart"]):
        others = losses["apart"]
    if not (np.isfinite(own).all() and np.isfinite(others).all()):
        return None
    gains = others - own
    return PairedFacts(
        loss=float(own.mean()),
        dealt=float(others.mean()),
        error=float(gains.std(ddof=1) / np.sqrt(n_parts)),
        by_row=bool(np.allclose(losses["halves"].mean(), own[0], 1e-3)),
        reads_targets=is_read,
        makes_table=bool(
            is_read
            and _same(others, own)
            and losses["spread"].min() > 0
            and not _same(losses["shaped"], own[:1])
        ),
    )


def _keeps_tensors(owner: Any) -> bool:
    """Return whether an object has tensors that nothing keeps from being changed."""
    kept = [*getattr(owner, "__dict__", {}).values()]
    kept += getattr(owner, "__dict__", {}).get("_buffers", {}).values()
    return any(
        not isinstance(value, keras.Variable)
        and (isinstance(value, np.ndarray) or ops.is_tensor(value))
        for value in kept
    )


def _same(some: np.ndarray, others: np.ndarray) -> bool:
    """Return whether losses are the same; none are the same as any."""
    return bool((np.abs(some - others) <= SAME * np.abs(others)).all())


def _dealt(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rows in an order in which none is in its place."""
    order = rng.permutation(len(part))
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)
    return np.asarray(part[other])


def _losses(
    model: Any, x: Any, y: Any, parts: np.ndarray, dealt: np.ndarray
) -> dict[str, list[Any]]:
    """Return the losses of the parts in several ways.

    They are `own`, as they are; `dealt`, with predictions of other rows; `apart`, the
    same with the first of several outputs in its place. Of the first part: that of its
    `halves`; `alike`, where all rows get the target of one; and `shaped`, with targets
    of the shape of the output, where they lack its last axis. `spread` is that of the
    predictions.
    """
    first = parts[0]
    with without_gradients(), keras.StatelessScope():
        predicted = model(x, training=False)
        leaves = keras.tree.flatten(predicted)

        def loss(rows: Any, given: Any, target: Any, *, kept: int = 0) -> Any:
            taken = [
                ops.take(leaf, rows if place < kept else given, axis=0)
                for place, leaf in enumerate(leaves)
            ]
            outputs = keras.tree.pack_sequence_as(predicted, taken)
            return _loss_of(model, _rows(x, rows), target, outputs)

        def of(part: Any, given: Any, *, kept: int = 0) -> Any:
            return loss(part, given, _rows(y, part), kept=kept)

        pairs = list(zip(parts, dealt, strict=True))
        middle = len(first) // 2
        found = {
            "own": [of(part, part) for part in parts],
            "dealt": [of(part, given) for part, given in pairs],
            "apart": [of(*pair, kept=1) for pair in pairs if len(leaves) > 1],
            "halves": [of(half, half) for half in (first[:middle], first[middle:])],
            "alike": [loss(first, first, _rows(y, np.full_like(first, first[0])))],
            "spread": [ops.max(ops.std(leaf, axis=0)) for leaf in leaves],
            "shaped": [],
        }
        if np.ndim(y) == 1 and leaves[0].shape[1:] == (1,):
            shaped = ops.expand_dims(_rows(y, first), -1)
            found["shaped"] = [loss(first, first, shaped)]
    return found


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
