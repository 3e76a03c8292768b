"""Whether a metric is an error, which is better when it is lower."""

from __future__ import annotations

from keras_dlbasic.analysis.metric_words import LOSSES, metric_words

_OF_TRAINING = {"loss", "losses"}
"""Sample weights count in these, as in what is minimized."""


def is_error(name: str) -> bool:
    """Tell by its name whether a metric is an error and not a loss that is minimized.

    Args:
        name: As in logs, with or without `"val_"`.

    Example:
    >>> from keras_dlbasic.analysis.is_error import is_error
    >>> is_error("val_mae"), is_error("accuracy"), is_error("head_loss")
    (True, False, False)
    """
    known = metric_words(name)
    return bool(known & LOSSES) and not known & _OF_TRAINING
