"""How well simple predictors do where each place of an input has a target."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind, skill
from keras_dlbasic.inspection.boxes import Boxes
from keras_dlbasic.records.probe_facts import DenseFacts

MOST_PLACES = 3000
"""Of more places this many are compared, the same number in each row."""

SHARE = 3
"""In other pairings one of this many is."""

LEAST_ROWS = 20
MOST_CHANNELS, MOST_COLUMNS = 4, 20
MOST_ENTRIES = 2**24
"""Targets with more entries are not compared."""

FOLLOWS = 0.2
"""Rows whose correlation with the next is higher than this are in the order of time."""
NEIGHBOURS = 5
RIDGE = 3.0

ENOUGH_PLACES, ENOUGH_ROWS = 30, 10
"""A class with fewer places, or in fewer rows, tells nothing."""

COPIED = 0.5
"""Values of which the input at the same place explains this share are nearly copies."""

ROUNDING = 1e-12

FOUND, RESTORED = 0.5, 0.3
"""Another pairing is tried if less than the first is found, and named where the
second more is."""

UNDECIDED, TOLD = 0.05, 0.15
"""A skill below the first beside a correlation above the second is no reference."""

Predictor = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Given features, their targets and the features asked for, what it says of these."""


@dataclass(frozen=True)
class DenseScores:
    """What simple predictors of each place reach.

    Attributes:
        references: Skill of two predictors on rows they have not seen, by name. Empty
            if targets are nearly the inputs, which they copy; for steps, as they see
            the next ones; and where they tell a class but never decide for it.
        facts: What they find besides the usual target of each place.
    """

    references: dict[str, float]
    facts: DenseFacts


def dense_scores(
    x: np.ndarray, columns: np.ndarray, shape: tuple[int, ...], task: TaskKind | str
) -> DenseScores | None:
    """Predict the target of a place from what is around it in the input.

    The features of a place are its values, with means, deviations and differences in
    boxes of three sizes around it. A linear predictor and nearest neighbors are fitted
    to half of the rows and judged on the others, at no more than about 4,000 places.

    What is found is the correlation of predictions and targets after the mean target of
    each place, among the rows fitted to, is taken off both. So what a place tells by
    itself counts as nothing. Of several columns the one that is predicted best counts.

    If little is found, inputs are paired with the targets in other ways too:
    mirrored, turned over, transposed, or with those of the next row or the one before,
    unless rows are in the order of time.

    Args:
        x: Inputs, `[n, *space]` or `[n, *space, channels]`, with one to three axes of
            space.
        columns: Target columns, `[n * places, width]`.
        shape: Shape of the outputs, `[n, *places, width]`. Along each axis the inputs
            have as many places, or a multiple.
        task: What is predicted, a `TaskKind` or its value.

    Returns:
        None if shapes do not fit, values are not finite, or there are too few rows or
        places of each class.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.dense_reference import dense_scores
    >>> x = np.random.default_rng(0).normal(size=(40, 8, 8, 1))
    >>> found = dense_scores(x, (x > 0).reshape(-1, 1), x.shape, "labels")
    >>> found.facts.found > 0.7
    True
    """
    pictures = _pictures(x, shape)
    if pictures is None or columns.shape[1] > MOST_COLUMNS or len(x) < LEAST_ROWS:
        return None
    if columns.size > MOST_ENTRIES:
        return None
    task = TaskKind(task)
    targets = columns.reshape(*shape[:-1], columns.shape[1])
    if task is TaskKind.LABELS:
        targets = targets > 0.5
    targets = targets.astype(np.float64)
    boxes = Boxes(pictures, shape[1:-1])
    places = _sampled(len(x), shape[1:-1])
    told = targets[tuple(places)]
    halves = _halves(places, targets)
    left = told - halves
    kept = _telling(places[0], told, left, task)
    if not kept.any() or not np.isfinite(told).all():
        return None
    features = boxes.features(places)
    is_odd = places[0] % 2 == 1
    both = np.hstack([told, left[:, kept]])
    linear = _by_halves(features, both, is_odd, _ridge)
    near = _by_halves(features, both, is_odd, _nearest)
    width = told.shape[1]
    found, error = max(
        _correlation(given[:, width:], left[:, kept], places[0])
        for given in (linear, near)
    )
    references = {}
    if not _is_copied(boxes, places, told, task) and len(places) > 2:
        scores = {
            "around": skill(told, linear[:, :width], task).value,
            "near_places": skill(told, near[:, :width], task).value,
        }
        references = {k: v for k, v in scores.items() if np.isfinite(v)}
        # of a rare class, which is never more likely than not, much may be known
        if found > TOLD and max(references.values(), default=0.0) < UNDECIDED:
            references = {}
    facts = DenseFacts(
        rows=len(x),
        places=places.shape[1],
        axes=len(places) - 1,
        found=found,
        error=error,
    )
    if found < FOUND:
        facts = _with_other_pairs(
            facts,
            boxes,
            places,
            left[:, kept],
            is_odd,
            may_move=not _follow_each_other(boxes, places, told, task),
        )
    return DenseScores(references, facts)


def _pictures(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return inputs as `[n, *space, channels]`, if there is a target at each place."""
    if x.dtype.kind not in "iubf" or not 3 <= len(shape) <= 5:
        return None
    if x.ndim == len(shape) - 1:
        x = x[..., None]
    if x.ndim != len(shape) or x.shape[0] != shape[0]:
        return None
    space = list(zip(x.shape[1:-1], shape[1:-1], strict=True))
    is_multiple = all(given and own % given == 0 for own, given in space)
    if not is_multiple or min(shape[1:-1]) < 2:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        chosen = x[..., evenly(x.shape[-1], MOST_CHANNELS)].astype(np.float32)
    if not np.isfinite(chosen).all():
        return None
    spread = chosen.std()
    return (chosen - chosen.mean()) / spread if spread > 0 else None


def beyond_places(predictions: np.ndarray, columns: np.ndarray) -> float:
    """Return how predictions go with targets besides what is usual at each place.

    Args:
        predictions: Outputs, `[n, *places, width]`.
        columns: Target columns, `[n * places, width]`.

    Returns:
        The correlation of both after the mean of each place is taken off, of several
        columns the largest; NaN where nothing varies.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.dense_reference import beyond_places
    >>> y = np.arange(12.0).reshape(2, 6, 1) ** 2
    >>> round(beyond_places(3 * y, y.reshape(-1, 1)), 6)
    1.0
    """
    n, width = len(predictions), predictions.shape[-1]
    found = []
    for column in range(width):
        said, own = (
            part.reshape(n, -1, width)[:, :, column] for part in (predictions, columns)
        )
        moved = [part - part.mean(axis=0) for part in (said, own)]
        sizes = [float((part**2).sum()) for part in moved]
        # what is the same in all rows differs by rounding only
        wholes = [float((part**2).sum()) for part in (said, own)]
        if all(
            one > ROUNDING * whole for one, whole in zip(sizes, wholes, strict=True)
        ):
            product = float((moved[0] * moved[1]).sum())
            found.append(product / math.sqrt(sizes[0] * sizes[1]))
    return max(found, default=math.nan)


def _sampled(n: int, space: tuple[int, ...]) -> np.ndarray:
    """Return places, `[1 + axes, n_places]`: the row and the place in it."""
    generator = np.random.default_rng(0)  # no draw from a generator of the user's
    whole = int(np.prod(space))
    each = min(whole, max(1, MOST_PLACES // n))
    flat = np.concatenate(
        [generator.choice(whole, each, replace=False) for _ in range(n)]
    )
    rows = np.repeat(np.arange(n), each)
    return np.stack([rows, *np.unravel_index(flat, space)])


def _halves(places: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the mean target of each place, of the half of the rows that is fitted to.

    A row is judged by a predictor that is fitted to the other half, and the targets
    that it is fitted to are those of that half.
    """
    means = np.stack([targets[half::2].mean(axis=0) for half in (0, 1)])
    usual: np.ndarray = means[(places[0] % 2, *places[1:])]
    return usual


def _telling(
    rows: np.ndarray, told: np.ndarray, left: np.ndarray, task: TaskKind
) -> np.ndarray:
    """Return which columns have enough that a place does not tell by itself."""
    spread = told.std(axis=0)
    kept = (spread > 0) & (left.std(axis=0) > 1e-3 * spread)
    if task is TaskKind.VALUES:
        return kept
    for column in np.flatnonzero(kept):
        for is_so in (told[:, column] > 0.5, told[:, column] <= 0.5):
            enough = is_so.sum() >= ENOUGH_PLACES
            kept[column] &= enough and len(np.unique(rows[is_so])) >= ENOUGH_ROWS
    return kept


def _by_halves(
    features: np.ndarray, targets: np.ndarray, is_odd: np.ndarray, fitted: Predictor
) -> np.ndarray:
    given = np.zeros(targets.shape)
    for out in (is_odd, ~is_odd):
        own = features[~out]
        mean, spread = own.mean(axis=0), own.std(axis=0)
        used = spread > 0
        own, asked = (
            (part - mean)[:, used] / spread[used] for part in (own, features[out])
        )
        given[out] = fitted(own, targets[~out], asked)
    return given


def _ridge(known: np.ndarray, targets: np.ndarray, asked: np.ndarray) -> np.ndarray:
    known, asked = (
        # squares: what is unlike its surroundings, in whatever direction
        np.hstack([part, np.minimum(part**2, 9.0) - 1.0])
        for part in (known, asked)
    )
    middle, mean = known.mean(axis=0), targets.mean(axis=0)
    known, asked = known - middle, asked - middle
    gram = known.T @ known
    strength = RIDGE * max(1, known.shape[1])
    gram[np.diag_indices_from(gram)] += strength
    weights = np.linalg.solve(gram, known.T @ (targets - mean))
    predicted: np.ndarray = asked @ weights + mean
    return predicted


def _nearest(known: np.ndarray, targets: np.ndarray, asked: np.ndarray) -> np.ndarray:
    known, asked = known.astype(np.float32), asked.astype(np.float32)
    distances = (known**2).sum(axis=1) - 2 * asked @ known.T
    most = min(NEIGHBOURS, len(known) - 1)
    nearest = np.argpartition(distances, most, axis=1)[:, :most]
    averaged: np.ndarray = targets[nearest].mean(axis=1)
    return averaged


def _correlation(
    given: np.ndarray, left: np.ndarray, rows: np.ndarray
) -> tuple[float, float]:
    """Return the largest correlation of a column, and its standard error over rows."""
    found = []
    for said, own in zip(given.T, left.T, strict=True):
        said, own = said - said.mean(), own - own.mean()
        size = float(np.sqrt((said**2).sum() * (own**2).sum()))
        by_row = np.bincount(rows, said * own) / (size or 1.0)
        found.append((float(by_row.sum()), float(np.sqrt((by_row**2).sum()))))
    return max(found)


def _is_copied(
    boxes: Boxes, places: np.ndarray, told: np.ndarray, task: TaskKind
) -> bool:
    """Return whether values are nearly those of the input at the same place.

    A linear predictor is perfect then: it copies, where a model may have a bottleneck.
    """
    if task is not TaskKind.VALUES:
        return False
    own = np.column_stack([boxes.values(places), np.ones(len(told))])
    wrong = told - own @ np.linalg.lstsq(own, told, rcond=None)[0]
    spread = ((told - told.mean(axis=0)) ** 2).sum()
    return bool((wrong**2).sum() < (1 - COPIED) * spread)


def _with_other_pairs(
    facts: DenseFacts,
    boxes: Boxes,
    places: np.ndarray,
    left: np.ndarray,
    is_odd: np.ndarray,
    *,
    may_move: bool,
) -> DenseFacts:
    """Add the way of pairing inputs and targets by which most is found."""
    best, by = max(facts.found, 0.0) + RESTORED, ""
    places, left, is_odd = places[:, ::SHARE], left[::SHARE], is_odd[::SHARE]
    pairings = list(_pairings(places, boxes.places))
    if not may_move:  # the target of a forecast is the next row
        pairings = pairings[2:]
    for kind, others in pairings:
        given = _by_halves(boxes.features(others), left, is_odd, _ridge)
        found, _ = _correlation(given, left, places[0])
        if found > best:
            best, by = found, kind
    return replace(facts, restored_by=by, restored=best) if by else facts


def _follow_each_other(
    boxes: Boxes, places: np.ndarray, told: np.ndarray, task: TaskKind
) -> bool:
    """Return whether rows are in the order of time.

    An input is like that of the next row then, besides what is usual, or targets are
    the inputs of a neighboring row, as in a forecast.
    """
    n = int(places[0].max()) + 1
    later, earlier = (np.vstack([(places[0] + by) % n, places[1:]]) for by in (1, -1))
    if any(_is_copied(boxes, moved, told, task) for moved in (later, earlier)):
        return True
    own, after = boxes.values(places), boxes.values(later)
    in_rows = (np.vstack([0 * places[0] + row, places[1:]]) for row in range(n))
    usual = np.mean([boxes.values(one) for one in in_rows], axis=0)
    own, after = own - usual, after - usual
    size = float(np.sqrt((own**2).sum() * (after**2).sum()))
    return bool(size > 0 and (own * after).sum() > FOLLOWS * size)


def _pairings(
    places: np.ndarray, space: tuple[int, ...]
) -> Iterator[tuple[str, np.ndarray]]:
    """Give other places, of which the inputs may belong to the targets."""
    rows, at = places[0], places[1:]
    n = int(rows.max()) + 1
    for kind, by in (("the next row", 1), ("the row before", -1)):
        yield kind, np.vstack([(rows + by) % n, at])
    if len(space) != 2:
        return
    down, across = (end - 1 - own for end, own in zip(space, at, strict=True))
    yield "turning over", np.stack([rows, down, at[1]])
    yield "mirroring", np.stack([rows, at[0], across])
    yield "half a turn", np.stack([rows, down, across])
    if space[0] == space[1]:
        yield "transposition", np.stack([rows, at[1], at[0]])
