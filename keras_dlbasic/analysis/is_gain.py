"""Whether a metric is better when it is higher."""

from __future__ import annotations

from keras_dlbasic.analysis.metric_words import GAINS, LOSSES, metric_words


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
    known = metric_words(name)
    return not known & LOSSES and bool(known & GAINS)
