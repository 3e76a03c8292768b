"""Whether a metric is better when it is higher."""

from __future__ import annotations

import re

_GAINS = {
    "acc",
    "accuracy",
    "auc",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "f1",
    "f1score",
    "fbeta",
    "iou",
    "miou",
    "r2",
    "r2score",
    "score",
}
_LOSSES = {
    "loss",
    "losses",
    "error",
    "errors",
    "mse",
    "rmse",
    "mae",
    "mape",
    "msle",
    "entropy",
    "crossentropy",
    "nll",
    "divergence",
    "perplexity",
    "brier",
    "distance",
    "hinge",
}
_STEM = r"(?<=[a-z]{3})\d+$"
"""A number behind a word, as in `acc1` and `top5`; not that of `f1` and `r2`."""


def is_gain(name: str) -> bool:
    """Tell by its name whether a metric is better when it is higher.

    Whole words count, and one for a loss or an error counts more than all others, as
    in `"loss_of_accuracy"`.

    Args:
        name: As in logs, with or without `"val_"`. In front of it the name of an
            output may mislead, so leave that out where it is known.

    Example:
    >>> from keras_dlbasic.analysis.is_gain import is_gain
    >>> is_gain("val_binary_accuracy"), is_gain("val_loss")
    (True, False)
    """
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removeprefix("val_")).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", name) if word]
    # Keras writes MeanIoU as `mean_io_u`.
    words = re.sub(r"\bio u\b", "iou", " ".join(words)).split()
    known = {re.sub(_STEM, "", word) for word in words}
    return not known & _LOSSES and bool(known & _GAINS)
