"""Words in the names of metrics."""

from __future__ import annotations

import re

GAINS = {
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
LOSSES = {
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


def metric_words(name: str) -> set[str]:
    """Return the words in the name of a metric, in lower case, without numbers.

    Args:
        name: As in logs, with or without `"val_"`.

    Example:
    >>> from keras_dlbasic.analysis.metric_words import metric_words
    >>> sorted(metric_words("val_MeanAbsoluteError"))
    ['absolute', 'error', 'mean']
    """
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removeprefix("val_")).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", name) if word]
    # Keras writes MeanIoU as `mean_io_u`.
    words = re.sub(r"\bio u\b", "iou", " ".join(words)).split()
    return {re.sub(_STEM, "", word) for word in words}
