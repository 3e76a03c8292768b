"""Whether a metric is better when it is higher."""

from __future__ import annotations

_GAINS = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "score")


def is_gain(name: str) -> bool:
    """Tell by its name whether a metric is better when it is higher.

    Args:
        name: As in logs, with or without `"val_"`.

    Example:
    >>> from keras_dlbasic.analysis.is_gain import is_gain
    >>> is_gain("val_binary_accuracy"), is_gain("val_loss")
    (True, False)
    """
    return any(word in name.removeprefix("val_").lower() for word in _GAINS)
