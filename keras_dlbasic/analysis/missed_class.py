"""Classes that are never or seldom predicted correctly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind, target_columns

ENOUGH = 10
"""A class with fewer rows may be missed by chance."""

MOST = 20
"""Of more classes (words, letters) it is usual that some are hardly ever predicted."""


def missed_class(
    targets: np.ndarray,
    predictions: np.ndarray,
    task: TaskKind,
    *,
    from_logits: bool = False,
) -> dict[str, float]:
    """Look for classes of which not one row (word, pixel) is recognized, or few are.

    Args:
        targets: Targets, samples first.
        predictions: What the model gives for them.
        task: What is predicted; of labels each column is a class, of a single column
            yes and no are classes 1 and 0.
        from_logits: Whether an output above 0, not above 0.5, means yes.

    Returns:
        `"missed"`, the number of classes with at least 10 rows and none of them right;
        of the one with most rows `"missed_class"`, its number, `"missed_rows"` and
        `"missed_ratio"`, how many times as many rows the most common class has (of
        labels in several columns: how many are without the label). `"rare_right"` is
        the share of right answers of the rarest class with at least 10 rows,
        `"rare_class"` and `"rare_ratio"` are its number and ratio, and `"rare_rank"` is
        the share of pairs, of a row of this class and another row, in which the first
        has the higher score for the class (1: the scores separate the class, 0.5: they
        say nothing). Empty where there are no classes, or more than 20.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.missed_class import missed_class
    >>> y = np.array([0] * 30 + [1] * 10)
    >>> said = missed_class(y, np.zeros((40, 1)), "labels")
    >>> said["missed_class"], said["missed_ratio"]
    (1.0, 3.0)
    """
    found = class_scores(targets, predictions, task, from_logits=from_logits)
    if found is None:
        return {}
    rows = found.own.sum(axis=0)
    right = (found.own & found.said).sum(axis=0)
    others = len(found.own) - rows if found.several else np.full(len(rows), rows.max())
    return _told(rows, right, others, found)


class ClassScores(NamedTuple):
    """What a model says of each class, and what is so: arrays `[n, classes]`.

    Attributes:
        own: Which rows (words, pixels) are of a class, or have a label.
        said: Which are predicted to be.
        scores: The scores for the class.
        several: Whether a row may have several labels.
    """

    own: np.ndarray
    said: np.ndarray
    scores: np.ndarray
    several: bool


def class_scores(
    targets: np.ndarray,
    predictions: np.ndarray,
    task: TaskKind,
    *,
    from_logits: bool = False,
) -> ClassScores | None:
    """Return what is predicted of each class, None where there are no classes.

    Args:
        targets: As for `missed_class`, like the others.
        predictions: Predictions.
        task: The task.
        from_logits: Whether an output above 0, not above 0.5, means yes.
    """
    columns = target_columns(np.asarray(targets), predictions.shape)
    if columns is None or task not in (TaskKind.CLASSES, TaskKind.LABELS):
        return None
    scores = predictions.reshape(len(columns), -1)
    if task == TaskKind.CLASSES:
        one = columns.shape[1] == 1
        classes = (columns[:, 0] if one else columns.argmax(axis=1)).astype(int)
        if classes.min(initial=0) < 0:
            return None
        n = max(int(classes.max(initial=0)) + 1, scores.shape[1])
        numbers = np.arange(n)
        lacking = np.full((len(scores), n - scores.shape[1]), -np.inf)
        said = scores.argmax(axis=1)[:, None] == numbers
        return ClassScores(
            classes[:, None] == numbers, said, np.hstack([scores, lacking]), False
        )
    # Logits and targets of hinge losses are decided at zero, probabilities at one half.
    is_sign = from_logits or bool((columns < 0).any())
    said, own = scores > (0.0 if is_sign else 0.5), columns > 0.5
    if own.shape != said.shape:
        return None
    if own.shape[1] > 1:
        return ClassScores(own, said, scores, True)
    scores = np.hstack([-scores, scores])
    own, said = (np.hstack([~part, part]) for part in (own, said))
    return ClassScores(own, said, scores, False)


def _told(
    rows: np.ndarray, right: np.ndarray, others: np.ndarray, found: ClassScores
) -> dict[str, float]:
    if (rows > 0).sum() > MOST:
        return {}
    enough = rows >= ENOUGH
    missed = enough & (right == 0)
    told = {"missed": 0.0}
    if enough.any():
        rare = int(np.where(enough, rows, rows.max() + 1).argmin())
        told |= {
            "rare_right": float(right[rare] / rows[rare]),
            "rare_class": float(rare),
            "rare_ratio": float(others[rare] / rows[rare]),
        }
        told["rare_rank"] = ranked_above(found.scores[:, rare], found.own[:, rare])
    if not missed.any():
        return told
    place = int(np.where(missed, rows, -1).argmax())
    return told | {
        "missed": float(missed.sum()),
        "missed_class": float(place),
        "missed_rows": float(rows[place]),
        "missed_ratio": float(others[place] / rows[place]),
    }


def ranked_above(scores: np.ndarray, own: np.ndarray) -> float:
    """Return the share of pairs in which a row of a class has the higher score.

    This is the area under the ROC curve.

    Args:
        scores: Scores for the class, `[n]`.
        own: Which rows are of the class, `[n]` of bool.

    Returns:
        A number from 0 to 1, where equal scores count half; NaN if all rows are of the
        class, or none is.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.missed_class import ranked_above
    >>> ranked_above(np.array([0.1, 0.4, 0.3, 0.2]), np.array([0, 1, 1, 0], bool))
    1.0
    """
    ours, others = scores[own], np.sort(scores[~own])
    if not len(ours) or not len(others):
        return float("nan")
    below = np.searchsorted(others, ours, "left")
    equal = np.searchsorted(others, ours, "right") - below
    return float((below + 0.5 * equal).mean() / len(others))
