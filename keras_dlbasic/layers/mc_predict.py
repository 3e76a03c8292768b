"""Monte-Carlo prediction."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_dlbasic._data.read import read
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.intercepted import intercepted
from keras_dlbasic._keras.layer_kinds import class_kind
from keras_dlbasic._wrong_arguments import names_nearest


class MonteCarloPrediction(NamedTuple):
    """Mean and standard deviation of repeated predictions.

    Attributes:
        mean: Mean over the predictions, shaped as one prediction.
        spread: Their standard deviation, with the same shape and unit.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.layers import MonteCarloPrediction
    >>> found = MonteCarloPrediction(np.array([[2.0]]), np.array([[0.5]]))
    >>> float(found.mean[0, 0] - 2 * found.spread[0, 0])
    1.0
    """

    mean: Any
    spread: Any


@names_nearest
def mc_predict(
    model: Any, x: Any, samples: int = 50, *, batch_size: int = 256
) -> MonteCarloPrediction:
    """Predict many times with dropout on and return mean and spread.

    All dropout layers of the model, including Keras' own, are in training mode. Batch
    normalization stays in inference mode, and dropout inside recurrent layers stays
    off. The model does not run in its compiled predict function.

    Args:
        model: A Keras model with dropout layers.
        x: Inputs, as for `model.predict`: an array or a structure of arrays.
        samples: Number of predictions, at least 2. Defaults to `50`.
        batch_size: Number of rows per batch. Defaults to `256`.

    Returns:
        A named tuple `(mean, spread)`. The spread is the standard deviation (with
        `ddof=1`): the uncertainty of the model, without the noise of the data.

    Raises:
        ValueError: If `samples` is less than 2 or the model has no dropout.

    Reference:
        Gal & Ghahramani (2016), Dropout as a Bayesian approximation.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential(
    ...     [keras.Input((4,)), kd.layers.Dropout(0.5), keras.layers.Dense(1)]
    ... )
    >>> mean, spread = kd.layers.mc_predict(model, np.ones((3, 4)), samples=10)
    >>> mean.shape, bool((spread > 0).any())
    ((3, 1), True)
    """
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 2:
        raise ValueError(
            "`samples` must be an integer of at least 2, or there is no spread. "
            f"Received: samples={samples!r}"
        )
    dropouts = [layer for layer in all_layers(model) if _drops(layer)]
    if not dropouts:
        raise ValueError(
            f"Model '{model.name}' has no dropout layer with a rate above 0, so all "
            "predictions would be the same. Add `kd.layers.Dropout(...)` and train "
            "with it."
        )
    found = read(x, model=model)
    x, n_rows = found.x, found.n_rows
    slices = [slice(at, at + batch_size) for at in range(0, n_rows, batch_size)]
    batches = [_rows(x, rows) for rows in slices]
    total = squares = shift = None
    with ExitStack() as stack:
        for layer in dropouts:
            stack.enter_context(intercepted(layer, _in_training))
        for _ in range(samples):
            outputs = _predict(model, batches)
            # Sums of differences from the first prediction. Squares of the predictions
            # would lose the digits of a spread that is small beside the mean.
            shift = outputs if shift is None else shift
            moved = [a - b for a, b in zip(outputs, shift, strict=True)]
            squared = [a**2 for a in moved]
            total = moved if total is None else _added(total, moved)
            squares = squared if squares is None else _added(squares, squared)
    assert total is not None
    assert squares is not None
    assert shift is not None
    means = [t / samples for t in total]
    spreads = [
        np.sqrt(np.maximum(s - samples * m**2, 0) / (samples - 1))
        for s, m in zip(squares, means, strict=True)
    ]
    structure = model(batches[0], training=False)
    return MonteCarloPrediction(
        keras.tree.pack_sequence_as(structure, _added(means, shift)),
        keras.tree.pack_sequence_as(structure, spreads),
    )


def _drops(layer: Any) -> bool:
    # not `kind_of`: what a wrapper wraps is itself among the layers
    return class_kind(type(layer)).kind == "dropout" and layer.rate > 0


def _in_training(call: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    return call(inputs, training=True)


def _rows(x: Any, rows: slice) -> Any:
    return keras.tree.map_structure(lambda array: np.asarray(array)[rows], x)


def _predict(model: Any, batches: list[Any]) -> list[np.ndarray]:
    parts = [
        [
            np.asarray(keras.ops.convert_to_numpy(part), np.float64)
            for part in keras.tree.flatten(model(batch, training=False))
        ]
        for batch in batches
    ]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _added(left: list[np.ndarray], right: list[np.ndarray]) -> list[np.ndarray]:
    return [a + b for a, b in zip(left, right, strict=True)]
