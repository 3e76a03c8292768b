"""How validation data stand to training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.are_windows import are_windows
from keras_dlbasic.inspection.class_ids import class_ids
from keras_dlbasic.inspection.common_dtype import common_dtype
from keras_dlbasic.inspection.input_facts import ROWS, input_facts
from keras_dlbasic.inspection.near_copies import near_copies
from keras_dlbasic.inspection.repeats_by_nature import repeats_by_nature
from keras_dlbasic.inspection.shared_pieces import shared_pieces
from keras_dlbasic.inspection.transfer_scores import transfer_scores
from keras_dlbasic.records import InputFacts, ValidationFacts

MOST_BYTES = 2**28
MOST_ROWS = 200_000
"""Of more rows, or larger ones, some are compared, drawn at random, and it is not told
how near rows are to each other."""

ALIKE = 0.1
"""Where so large a share of training rows are near copies of others, such as augmented
ones, predictors know the rows that they are tested on."""

USUAL, SEVERAL = 0.1, 0.2
"""Share of the rows that repeat, and the share of these with different targets, from
which rows are taken to repeat by chance."""

MOST_CLASSES = 1000
MOST_TARGETS = 2**24
"""In more entries no classes are looked for: by some of them none is sure to miss."""


@dataclass(frozen=True)
class Draws:
    """Of how many rows, drawn at random, the rows that are compared are like.

    Rows of a batch that holds one class only tell no more than one of them.

    Attributes:
        training: Number of such training rows; None if these are all.
        validation: Number of such validation rows; None if these are all.
    """

    training: int | None = None
    validation: int | None = None


def validation_facts(
    x: np.ndarray,
    y: Any,
    val_x: np.ndarray,
    val_y: Any,
    *,
    task: TaskKind = TaskKind.UNKNOWN,
    is_ids: bool = False,
    parts: Sequence[tuple[np.ndarray, np.ndarray]] = (),
    draws: Draws | None = None,
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
        parts: Training and validation rows of each input, if the columns of several are
            side by side: these are no steps of a window. Defaults to none.
        draws: Of how many rows drawn at random both are. Defaults to None: they are
            all rows.

    Returns:
        A `ValidationFacts`. Whole numbers count as classes here; rules ask the loss
        whether they are.
    """
    own, other = input_facts(x), input_facts(val_x)
    facts = ValidationFacts(n_rows=len(val_x), non_finite=other.non_finite)
    if x.shape[1:] == val_x.shape[1:] and x.dtype != object:
        facts = replace(facts, **_overlap(x, y, val_x, val_y))
        if x.nbytes + val_x.nbytes <= MOST_BYTES:
            facts = replace(facts, **_likeness(x, y, val_x, val_y, is_ids))
        if parts and not np.isnan(facts.shared_pieces):
            shared = [shared_pieces(*part) for part in parts]
            facts = replace(facts, shared_pieces=max(shared, key=np.nan_to_num))
    # numbers in a table may be codes; in pictures, or of another type, they are sizes
    may_be_codes = own.is_integer and other.is_integer and x.ndim < 4
    is_measured = not may_be_codes and not is_ids
    if own.rms > 0 and other.has_numbers and is_measured:
        facts = replace(
            facts,
            scale=_scale(own, other),
            shift=abs(other.mean - own.mean) / (own.std or 1.0),
        )
    if y is not None and val_y is not None:
        answers = np.asarray(y), np.asarray(val_y)
        if answers[0].size + answers[1].size <= MOST_TARGETS:
            facts = replace(facts, **_classes(*answers, draws or Draws()))
            facts = replace(facts, targets_outside=_outside(*answers))
        if draws is not None and _repeats_itself(x, y):
            task = TaskKind.UNKNOWN
        if task.is_known and not own.non_finite and not other.non_finite:
            given = x, answers[0], val_x, answers[1]
            scores = transfer_scores(*given, task, is_ids=is_ids)
            facts = replace(facts, **scores)
    return facts


def _scale(own: InputFacts, other: InputFacts) -> float:
    """Return how large validation inputs are beside training inputs.

    A few entries out of size in one of them change the root mean square, and not the
    size that most entries have: of both ratios the one that is nearer to one counts.
    """
    ratios = [other.rms / own.rms]
    if own.typical > 0 and other.typical > 0:
        ratios.append(other.typical / own.typical)
    return min(ratios, key=lambda ratio: abs(np.log(max(ratio, 1e-30))))


def _overlap(x: np.ndarray, y: Any, val_x: np.ndarray, val_y: Any) -> dict[str, Any]:
    drawn, asked_rows = _drawn(x), _drawn(val_x)
    dtype = common_dtype(x, val_x)
    known = _hashes(x, y, drawn, dtype)
    asked = _hashes(val_x, val_y, asked_rows, dtype)
    counts = Counter(known)
    repeated = sum(counts[row] > 1 for row in known)
    found = sum(row in counts for row in asked)
    # A copy of a row was drawn as seldom as any other row. So by a share of the rows
    # as small a share of the copies is found.
    share = len(known) / max(1, len(x))
    return {
        "overlap": min(1.0, found / max(1, len(asked)) / max(share, 1e-9)),
        "repeats": min(1.0, repeated / max(1, len(known)) / max(share, 1e-9)),
        "distinct_rows": len(counts) if len(known) == len(x) else None,
        "compared_rows": len(known),
        "compared_with": len(asked),
        "equal_rows": found,
    }


def _likeness(
    x: np.ndarray, y: Any, val_x: np.ndarray, val_y: Any, is_ids: bool
) -> dict[str, Any]:
    """Tell how near rows of both are, where nearness means something."""
    if x.dtype.kind not in "iubf" or not x.size or not val_x.size:
        return {}
    is_coarse = (
        repeats_by_nature(x)
        or (_has_few_values(x) and are_windows(x))
        or _has_several_answers(x, y)
    )
    told = {"repeats_by_nature": is_coarse, "blank": _blank(val_x)}
    if is_ids or is_coarse:
        return told
    return {
        **told,
        "near_copies": near_copies(x, y, val_x, val_y),
        "shared_pieces": shared_pieces(x, val_x),
    }


def _has_several_answers(x: np.ndarray, y: Any) -> bool:
    """Return whether rows that repeat have different targets, as no copies have."""
    if y is None:
        return False
    rows = evenly(len(x), ROWS)
    answers: dict[int, set[int]] = {}
    dtype = common_dtype(x, x)
    pairs = zip(_hashes(x, None, rows, dtype), _hashes(x, y, rows, dtype), strict=True)
    counts = Counter[int]()
    for row, pair in pairs:
        answers.setdefault(row, set()).add(pair)
        counts[row] += 1
    repeated = [row for row, count in counts.items() if count > 1]
    several = sum(len(answers[row]) > 1 for row in repeated)
    is_usual = sum(counts[row] for row in repeated) >= USUAL * len(rows)
    return is_usual and several > SEVERAL * len(repeated)


def _has_few_values(x: np.ndarray) -> bool:
    """Return whether values are tokens, as numbers or one-hot, and no measurements."""
    some = x[evenly(len(x), ROWS)]
    return bool((some == np.round(some)).all())


def _blank(x: np.ndarray) -> float:
    """Return the share of rows whose entries are all the same: silence, empty plots."""
    flat = x[evenly(len(x), ROWS)].reshape(min(len(x), ROWS), -1)
    if flat.shape[1] < 2:
        return 0.0
    return float((flat == flat[:, :1]).all(axis=1).mean())


def _drawn(x: np.ndarray) -> np.ndarray:
    """Return the places of the rows that are compared, increasing."""
    n = len(x)
    most = min(MOST_ROWS, max(1000, MOST_BYTES // max(1, x[:1].nbytes)))
    if n <= most:
        return np.arange(n)
    # evenly chosen rows of both sides may miss all copies, if these come in order
    chosen = np.random.default_rng(0).choice(n, most, replace=False, shuffle=False)
    places: np.ndarray = np.sort(chosen)
    return places


def _hashes(x: np.ndarray, y: Any, rows: np.ndarray, dtype: np.dtype) -> list[int]:
    """Return a number for each of some rows, the same for the same inputs and targets.

    They are read a few at a time: an array may be larger than the memory.
    """
    answers = None if y is None else np.asarray(y)
    if answers is not None and len(answers) != len(x):
        raise ValueError(f"{len(x)} rows of inputs have {len(answers)} targets")
    hashes: list[int] = []
    for places in np.array_split(rows, max(1, len(rows) // 1024)):
        flat = _flat(x[places].astype(dtype, copy=False))
        if answers is None:
            hashes += [hash(row.tobytes()) for row in flat]
            continue
        own = _flat(answers[places].astype(np.float32))
        pairs = zip(flat, own, strict=True)
        hashes += [hash((row.tobytes(), answer.tobytes())) for row, answer in pairs]
    return hashes


def _flat(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows).reshape(len(rows), -1)


def _outside(y: np.ndarray, val_y: np.ndarray) -> float:
    """Return the share of validation targets beyond all training targets.

    Of several columns the median. One that is constant in training does not count.
    """
    if y.dtype.kind not in "iuf" or val_y.dtype.kind not in "iuf":
        return float("nan")
    own, other = _flat(y), _flat(val_y)
    if own.shape[1] != other.shape[1] or not own.size or not other.size:
        return float("nan")
    low, high = own.min(axis=0), own.max(axis=0)
    beyond = ((other < low) | (other > high)).mean(axis=0)[high > low]
    return float(np.median(beyond)) if beyond.size else float("nan")


def _repeats_itself(x: np.ndarray, y: Any) -> bool:
    """Return whether training rows are near copies of others: augmented ones."""
    first, second = slice(0, None, 2), slice(1, None, 2)
    if x.dtype.kind not in "iubf":
        return False
    answers = np.asarray(y)
    copies = near_copies(x[first], answers[first], x[second], answers[second])
    return bool(copies > ALIKE)


def _classes(y: np.ndarray, val_y: np.ndarray, draws: Draws) -> dict[str, Any]:
    own, other = class_ids(y), class_ids(val_y)
    if own is None or other is None:
        return {}
    classes = np.unique(own)
    if len(classes) > MOST_CLASSES:
        return {}
    n = len(other) if draws.validation is None else draws.validation
    missing = _not_among(own, other, n)
    if draws.training is None:
        new = np.setdiff1d(other, classes).tolist()
    else:
        new = _not_among(other, own, draws.training)
    return {
        "missing_classes": tuple(missing),
        "new_classes": tuple(map(int, new[:MOST_CLASSES])),
        "n_classes": len(classes),
    }


def _not_among(ids: np.ndarray, others: np.ndarray, n: int) -> list[int]:
    """Return the classes that are not among `n` other rows, which is not by chance."""
    classes, counts = np.unique(ids, return_counts=True)
    present = np.unique(others)
    share = counts / counts.sum()
    # by chance alone a class of this share misses with this probability
    return [
        int(c)
        for c, p in zip(classes, share, strict=True)
        if c not in present and (1 - p) ** n < 1e-3
    ]
