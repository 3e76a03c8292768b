"""What targets look like, in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

MOST_CLASSES = 1000


def target_facts(
    y: np.ndarray, name: str = "y", *, has_columns: bool = True
) -> dict[str, Any]:
    """Describe the numbers in targets as a JSON-serializable dict.

    Whether whole numbers are classes is not for them to say, but for the loss and the
    output (`analysis.TaskKind`).

    Args:
        y: Samples first.
        name: What to call them.
        has_columns: Whether the last axis of targets with several axes holds the
            columns of one answer. `False`: each entry is an answer by itself, as the
            class of each pixel or word. Defaults to `True`.

    Returns:
        `"kind"`: `"binary"` (0 and 1 only), `"one_hot"`, `"multi_label"` (several
        columns of 0 and 1), `"probabilities"` (rows that sum up to one),
        `"whole_numbers"` or `"continuous"`; `"frequencies"` of the classes or positive
        share of the columns; `"is_whole"`: whether all are whole numbers, `"distinct"`:
        those that occur, if they are 1000 at most; `"max_per_row"`: most columns of 1
        in a row of several labels; `"mean"`, `"std"` (root mean square of those of the
        columns), `"min"`, `"max"`, `"rms"`, `"is_constant"`, `"commonest"` (share of
        the commonest row), `"non_finite"`, `"n_rows"`, `"shape"`.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.target_facts import target_facts
    >>> facts = target_facts(np.eye(3)[[0, 1, 1, 2]])
    >>> facts["kind"], facts["frequencies"]
    ('one_hot', [0.25, 0.5, 0.25])
    """
    y = np.asarray(y)
    facts: dict[str, Any] = {
        "name": name,
        "shape": [int(n) for n in y.shape],
        "dtype": str(y.dtype),
        "n_rows": len(y),
    }
    if y.dtype.kind not in "iubf" or y.size == 0:
        return facts
    columns = np.asarray(y, np.float64)
    is_column = y.ndim < 2 or not has_columns
    columns = columns.reshape(-1, 1 if is_column else y.shape[-1])
    finite = np.isfinite(columns).all(axis=1)
    facts["non_finite"] = int(columns.size - np.isfinite(columns).sum())
    columns = columns[finite]
    if not len(columns):
        return facts
    kind, frequencies = _kind(columns)
    facts["is_whole"] = bool((columns == np.round(columns)).all())
    if facts["is_whole"] and len(distinct := np.unique(columns)) <= MOST_CLASSES:
        facts["distinct"] = [int(value) for value in distinct]
    if kind == "multi_label":
        facts["max_per_row"] = int(columns.sum(axis=1).max())
    spread = columns.std(axis=0)
    facts.update(
        kind=kind,
        frequencies=frequencies,
        mean=float(columns.mean()),
        std=float(np.sqrt(np.mean(spread**2))),
        rms=float(np.sqrt(np.mean(columns**2))),
        min=float(columns.min()),
        max=float(columns.max()),
        n_columns=int(columns.shape[1]),
        constant_columns=int(np.sum(spread <= 1e-7 * np.abs(columns).max(axis=0))),
        is_constant=bool((columns == columns[0]).all() and len(columns) > 1),
        commonest=_commonest(columns),
    )
    return facts


def _kind(columns: np.ndarray) -> tuple[str, list[float] | None]:
    is_zero_one = np.isin(columns, (0.0, 1.0)).all()
    if columns.shape[1] == 1:
        if is_zero_one:
            share = float(columns.mean())
            return "binary", [1 - share, share]
        whole = columns == np.round(columns)
        if whole.all() and columns.min() >= 0 and columns.max() < MOST_CLASSES:
            counts = np.bincount(columns.ravel().astype(int))
            return "whole_numbers", (counts / counts.sum()).tolist()
        return "continuous", None
    sums_to_one = np.abs(columns.sum(axis=1) - 1) < 1e-3
    if is_zero_one:
        kind = "one_hot" if sums_to_one.all() else "multi_label"
        return kind, columns.mean(axis=0)[:MOST_CLASSES].tolist()
    if sums_to_one.all() and columns.min() >= 0:
        return "probabilities", columns.mean(axis=0)[:MOST_CLASSES].tolist()
    return "continuous", None


def _commonest(columns: np.ndarray) -> float:
    # evenly chosen: the first entries of targets with axes are those of a few samples
    chosen = columns[evenly(len(columns), 20000)]
    _, counts = np.unique(chosen, axis=0, return_counts=True)
    return float(counts.max() / counts.sum())
