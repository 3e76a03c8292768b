"""How validation data stand to training data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.input_facts import ROWS, input_facts
from keras_dlbasic.inspection.near_copies import near_copies
from keras_dlbasic.inspection.repeats_by_nature import repeats_by_nature
from keras_dlbasic.inspection.shared_pieces import shared_pieces
from keras_dlbasic.inspection.transfer_scores import transfer_scores
from keras_dlbasic.records import ValidationFacts

MOST_BYTES = 2**28
MOST_ROWS = 200_000
MOST_CLASSES = 1000


def validation_facts(
    x: np.ndarray,
    y: Any,
    val_x: np.ndarray,
    val_y: Any,
    *,
    task: TaskKind = TaskKind.UNKNOWN,
    is_ids: bool = False,
) -> ValidationFacts:
    """Compare validation data with training data.

    Args:
        x: Training inputs.
        y: Training targets or None.
        val_x: Validation inputs.
        val_y: Validation targets or None.
        task: What is predicted, for predictors that are fitted on training rows.
            Defaults to `TaskKind.UNKNOWN`: none is fitted.
        is_ids: Whether inputs are numbers of rows in an embedding, whose size means
            nothing. Defaults to `False`.

    Returns:
        A `ValidationFacts`. Whole numbers count as classes here; rules ask the loss
        whether they are.
    """
    own, other = input_facts(x), input_facts(val_x)
    facts = ValidationFacts(n_rows=len(val_x), non_finite=other.non_finite)
    if x.shape[1:] == val_x.shape[1:] and x.nbytes + val_x.nbytes <= MOST_BYTES:
        facts = replace(facts, **_overlap(x, y, val_x, val_y))
        facts = replace(facts, **_likeness(x, y, val_x, val_y, is_ids))
    # numbers in a table may be codes; in pictures, or of another type, they are sizes
    may_be_codes = own.is_integer and other.is_integer and x.ndim < 4
    is_measured = not may_be_codes and not is_ids
    if own.rms > 0 and other.has_numbers and is_measured:
        facts = replace(
            facts,
            scale=other.rms / own.rms,
            shift=abs(other.mean - own.mean) / (own.std or 1.0),
        )
    if y is not None and val_y is not None:
        answers = np.asarray(y), np.asarray(val_y)
        facts = replace(facts, **_classes(*answers))
        if task.is_known and not own.non_finite and not other.non_finite:
            parts = x, answers[0], val_x, answers[1]
            scores = transfer_scores(*parts, task, is_ids=is_ids)
            facts = replace(facts, **scores)
    return facts


def _overlap(x: np.ndarray, y: Any, val_x: np.ndarray, val_y: Any) -> dict[str, Any]:
    known = _rows(x, y)
    asked = _rows(val_x, val_y)
    counts: dict[int, int] = {}
    for row in known:
        counts[row] = counts.get(row, 0) + 1
    repeated = sum(counts[row] > 1 for row in known)
    found = sum(row in counts for row in asked)
    return {
        "overlap": found / max(1, len(asked)),
        "repeats": repeated / max(1, len(known)),
        "distinct_rows": len(counts),
    }


def _likeness(
    x: np.ndarray, y: Any, val_x: np.ndarray, val_y: Any, is_ids: bool
) -> dict[str, Any]:
    """Tell how near rows of both are, where nearness means something."""
    if x.dtype.kind not in "iubf" or not x.size or not val_x.size:
        return {}
    is_coarse = repeats_by_nature(x)
    told = {"repeats_by_nature": is_coarse, "blank": _blank(val_x)}
    if is_ids or is_coarse:
        return told
    return {
        **told,
        "near_copies": near_copies(x, y, val_x, val_y),
        "shared_pieces": shared_pieces(x, val_x),
    }


def _blank(x: np.ndarray) -> float:
    """Return the share of rows whose entries are all the same: silence, empty plots."""
    flat = x[evenly(len(x), ROWS)].reshape(min(len(x), ROWS), -1)
    if flat.shape[1] < 2:
        return 0.0
    return float((flat == flat[:, :1]).all(axis=1).mean())


def _rows(x: np.ndarray, y: Any) -> list[int]:
    flat = np.ascontiguousarray(x[:MOST_ROWS]).reshape(len(x[:MOST_ROWS]), -1)
    if y is None:
        return [hash(row.tobytes()) for row in flat]
    answers = np.asarray(y[:MOST_ROWS]).reshape(len(flat), -1).astype(np.float32)
    return [
        hash((row.tobytes(), answer.tobytes()))
        for row, answer in zip(flat, np.ascontiguousarray(answers), strict=True)
    ]


def _classes(y: np.ndarray, val_y: np.ndarray) -> dict[str, Any]:
    own, other = class_ids(y), class_ids(val_y)
    if own is None or other is None:
        return {}
    classes, counts = np.unique(own, return_counts=True)
    if len(classes) > MOST_CLASSES:
        return {}
    present = np.unique(other)
    share = counts / counts.sum()
    # by chance alone a class of this share misses with this probability
    missing = [
        int(c)
        for c, p in zip(classes, share, strict=True)
        if c not in present and (1 - p) ** len(other) < 1e-3
    ]
    new = [int(c) for c in present if c not in classes]
    return {
        "missing_classes": tuple(missing),
        "new_classes": tuple(new[:MOST_CLASSES]),
        "n_classes": len(classes),
    }


def class_ids(y: np.ndarray) -> np.ndarray | None:
    """Return the class of each row, None if the targets are no classes."""
    if y.ndim > 1 and y.shape[-1] > 1:
        if y.ndim > 2 or not np.isin(y, (0, 1)).all() or (y.sum(axis=1) != 1).any():
            return None
        return np.asarray(y.argmax(axis=1))
    flat = y.reshape(len(y), -1)
    if flat.shape[1] != 1 or flat.dtype.kind not in "iubf":
        return None
    flat = flat[:, 0]
    if not np.isfinite(flat).all() or (flat != np.round(flat)).any():
        return None
    return flat.astype(np.int64)
