"""Classes that are never or seldom predicted correctly."""

from __future__ import annotations

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
    columns = target_columns(np.asarray(targets), predictions.shape)
    if columns is None or task not in (TaskKind.CLASSES, TaskKind.LABELS):
        return {}
    scores = predictions.reshape(len(columns), -1)
    if task == TaskKind.CLASSES:
        one = columns.shape[1] == 1
        classes = (columns[:, 0] if one else columns.argmax(axis=1)).astype(int)
        return _missed(classes, scores.argmax(axis=1), scores)
    # Logits and targets of hinge losses are decided at zero, probabilities at one half.
    is_sign = from_logits or bool((columns < 0).any())
    said = scores > (0.0 if is_sign else 0.5)
    yes = columns > 0.5
    if yes.shape != said.shape:
        return {}
    if yes.shape[1] == 1:
        both = np.hstack([-scores, scores])
        return _missed(yes[:, 0].astype(int), said[:, 0].astype(int), both)
    rows, right = yes.sum(axis=0), (yes & said).sum(axis=0)
    return _told(rows, right, len(yes) - rows, yes, scores)


def _missed(
    classes: np.ndarray, answers: np.ndarray, scores: np.ndarray
) -> dict[str, float]:
    if classes.min() < 0:
        return {}
    rows = np.bincount(classes)
    right = np.bincount(classes[answers == classes], minlength=len(rows))
    own = classes[:, None] == np.arange(len(rows))
    return _told(rows, right, np.full(len(rows), rows.max()), own, scores)


def _told(
    rows: np.ndarray,
    right: np.ndarray,
    others: np.ndarray,
    own: np.ndarray,
    scores: np.ndarray,
) -> dict[str, float]:
    if (rows > 0).sum() > MOST:
        return {}
    enough = rows >= ENOUGH
    missed = enough & (right == 0)
    found = {"missed": 0.0}
    if enough.any():
        rare = int(np.where(enough, rows, rows.max() + 1).argmin())
        found |= {
            "rare_right": float(right[rare] / rows[rare]),
            "rare_class": float(rare),
            "rare_ratio": float(others[rare] / rows[rare]),
        }
        if rare < scores.shape[1]:
            found["rare_rank"] = ranked_above(scores[:, rare], own[:, rare])
    if not missed.any():
        return found
    place = int(np.where(missed, rows, -1).argmax())
    return found | {
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
