"""Error of an ensemble beside that of its members."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new


@names_nearest
def plot_ensemble(ensemble: Any, x: Any, y: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the error of each member, their mean, and the error of the ensemble.

    Args:
        ensemble: An `ensembles.Ensemble` with one output.
        x: Held-out inputs, `[n, ...]`.
        y: Targets: class numbers `[n]`, one-hot rows `[n, classes]`, or values.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes. Errors are error rates for classes, mean squared errors for values.

    Raises:
        ValueError: If `x` and `y` differ in the number of rows.

    Reference:
        Hansen & Salamon (1990), Neural network ensembles.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model(seed):
    ...     law = keras.initializers.GlorotUniform(seed)
    ...     layer = keras.layers.Dense(2, "softmax", kernel_initializer=law)
    ...     return keras.Sequential([keras.Input((2,)), layer])
    >>> ensemble = kd.ensembles.Ensemble([build_model(seed) for seed in range(3)])
    >>> x = np.random.default_rng(0).normal(size=(20, 2))
    >>> ax = kd.plots.plot_ensemble(ensemble, x, (x[:, 0] > 0).astype(int))
    """
    y = np.asarray(y)
    if len(x) != len(y):
        raise ValueError(
            f"`x` and `y` must have the same number of rows. Received: {len(x)} and "
            f"{len(y)}"
        )
    threshold = 0.0 if ensemble.logits else 0.5
    models = [*ensemble.members, ensemble]
    outputs = [np.asarray(model.predict(x, verbose=0)) for model in models]
    *members, together = [_error(output, y, threshold) for output in outputs]
    ax = axes_or_new(ax, figsize=(7.2, 3.6))
    ax.bar(range(1, len(members) + 1), members, color="0.7", label="members")
    ax.axhline(
        float(np.mean(members)), color="0.4", ls="--", label="mean of the members"
    )
    ax.bar([len(members) + 1], [together], label="ensemble")
    places = range(1, len(members) + 2)
    names = [f"member {place}" for place in places[:-1]]
    ax.set_xticks(places, [*names, "ensemble"])
    if len(members) > 8:
        ax.set_xticks([len(members) + 1], ["ensemble"])
    ax.set_title("An ensemble and its members")
    ax.set_ylabel("share of wrong classes" if _is_classes(outputs[0], y) else "MSE")
    # room for the legend above the bars
    ax.set_ylim(0, 1.35 * max(*members, together) or 1.0)
    ax.legend(loc="upper right", ncols=3)
    return ax


def _is_classes(output: np.ndarray, y: np.ndarray) -> bool:
    if output.shape[-1] > 1:
        return y.ndim == 1 or y.shape != output.shape or bool(_one_hot(y))
    return bool(np.isin(y, (0, 1)).all())


def _one_hot(y: np.ndarray) -> bool:
    return bool(np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all())


def _error(output: np.ndarray, y: np.ndarray, threshold: float) -> float:
    if not _is_classes(output, y):
        return float(np.mean((output.reshape(y.shape) - y) ** 2))
    if output.shape[-1] == 1:
        return float(np.mean((output.ravel() > threshold) != y.ravel().astype(bool)))
    classes = y.argmax(axis=-1) if y.shape == output.shape else y.ravel()
    return float(np.mean(output.argmax(axis=-1).ravel() != classes))
