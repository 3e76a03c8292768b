"""The learning-rate range test in one call."""

from __future__ import annotations

import warnings
from typing import Any

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.studies.learning_rate import LearningRateRangeTest


@names_nearest
def lr_find(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    plot: bool = True,
    verbose: int = 1,
) -> float | None:
    """Find a learning rate, plot the loss over the learning rate, and return the rate.

    Shortcut for `studies.LearningRateRangeTest(...).run()`, whose result also has all
    measurements. The model is not changed.

    Args:
        model: A compiled model, or a function without arguments that returns one.
        x: Training inputs: an array, tensor, data frame, list or a structure of these;
            or a data set.
        y: Training targets, likewise; None with a data set, or for a model without a
            compiled loss.
        low: First learning rate. Defaults to 1e-6.
        high: Last learning rate. Defaults to 10.
        steps: Number of updates. Defaults to 100.
        batch_size: Samples in an update. Defaults to 32.
        plot: Whether to draw the losses on a new figure. Defaults to `True`.
        verbose: 0: silent; 1 (default): shows the progress.

    Returns:
        The learning rate to train with; None, with a warning, if none made the loss
        fall.

    Raises:
        ValueError: If `low`, `high` and `steps` do not define a range, or the data do
            not fit each other or the model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> 1e-3 < kd.lr_find(model, x, x[:, :1] + 3) < 1
    True
    """
    test = LearningRateRangeTest(
        model,
        x,
        y,
        low=low,
        high=high,
        steps=steps,
        batch_size=batch_size,
        verbose=verbose,
    )
    found = test.run()
    if found.suggestion is None:
        warnings.warn(
            f"`lr_find` found no learning rate, and returns None: {found.reason}. "
            "`kd.preflight(model, x, y)` says what may be wrong.",
            stacklevel=3,
        )
    if plot:
        found.plot()
    return found.suggestion
