"""The initializer that suits an activation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_dlbasic._nearest import nearest
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.activations.table import (
    ACTIVATIONS,
    gaussian_moments,
    is_s_shaped,
)
from keras_dlbasic.initializers.he_normal import HeNormal
from keras_dlbasic.initializers.he_uniform import HeUniform
from keras_dlbasic.initializers.xavier_normal import XavierNormal
from keras_dlbasic.initializers.xavier_uniform import XavierUniform


@names_nearest
def for_activation(
    activation: str | Callable[..., Any] | None,
    *,
    distribution: str = "normal",
    seed: Any = None,
) -> Any:
    """Return the initializer, with its gain, that suits an activation.

    S-shaped activations get Xavier with gain `1 / f'(0)` (1 for tanh, 4 for sigmoid).
    At this critical gain, signal and gradient fall only as a power of depth, not
    exponentially. All other element-wise activations get He with gain `1 / sqrt(2
    E[f(z)^2])`, z ~ N(0, 1), which keeps the second moment of the signal (1 for ReLU;
    for SELU this is LeCun initialization). Linear activations and output activations
    such as softmax get Xavier with gain 1. PyTorch's gain of 5/3 for tanh is another
    convention: it keeps the forward signal and lets the gradient grow with depth.

    Args:
        activation: Name of a Keras activation, None (linear), or a callable, whose gain
            is estimated numerically. For `"threshold"`, threshold and default value are
            0, as Keras has no defaults.
        distribution: `"normal"` (default) or `"uniform"`.
        seed: As in the initializers.

    Raises:
        ValueError: If the name is unknown, or the callable does not work element by
            element or does not give finite values.

    Example:
    >>> import keras_dlbasic as kd
    >>> initializer = kd.initializers.for_activation("relu")
    >>> type(initializer).__name__, initializer.gain
    ('HeNormal', 1.0)
    >>> kd.initializers.for_activation("sigmoid").gain
    4.0
    """
    if distribution not in ("normal", "uniform"):
        raise ValueError(
            '`distribution` must be "normal" or "uniform". '
            f"Received: distribution={distribution!r}"
        )
    xavier, gain = _choose(activation)
    normal = distribution == "normal"
    if xavier:
        return (XavierNormal if normal else XavierUniform)(gain=gain, seed=seed)
    return (HeNormal if normal else HeUniform)(gain=gain, seed=seed)


def _choose(activation: str | Callable[..., Any] | None) -> tuple[bool, float]:
    name = _name(activation)
    if name is not None:
        info = ACTIVATIONS[name]
        return info.initializer == "xavier", info.gain
    assert callable(activation)
    function = _numpy_function(activation)
    # As for the known activations: the gain undoes the slope at zero of an S-shaped
    # function, and the change of the second moment by any other one.
    if is_s_shaped(function):
        step = 1e-3
        slope = float(np.diff(function(np.array([-step, step])))[0]) / (2 * step)
        return True, 1.0 / slope
    second_moment = gaussian_moments(function)[0]
    if not math.isfinite(second_moment) or second_moment <= 0:
        raise ValueError(
            "The activation must give finite values that are not all zero for standard "
            f"normal inputs. Received: {activation!r}, whose mean square is "
            f"{second_moment}. Give an initializer yourself."
        )
    return False, 1.0 / math.sqrt(2.0 * second_moment)


def _name(activation: Any) -> str | None:
    """Return the name under which the table has an activation, or None."""
    if activation is None:
        return "linear"
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"There is no activation {activation!r}. "
                f"{nearest(activation, ACTIVATIONS)} A callable will do, too."
            )
        return activation
    if not callable(activation):
        raise ValueError(
            "`activation` must be the name of an activation, None or a callable. "
            f"Received: {activation!r} of type {type(activation).__name__}"
        )
    name = getattr(activation, "__name__", None)
    if name in ACTIVATIONS and activation is getattr(keras.activations, name, None):
        return name
    return None


def _numpy_function(activation: Callable[..., Any]) -> Callable[[Any], Any]:
    def function(z: Any) -> Any:
        values = activation(keras.ops.convert_to_tensor(np.asarray(z, np.float32)))
        return np.asarray(keras.ops.convert_to_numpy(values), np.float64)

    # A function that works element by element gives the same for an entry whatever the
    # others are. A softmax, for example, does not.
    probe = np.array([-1.5, -0.5, 0.25, 2.0], np.float32)
    together = function(probe)
    apart = np.ravel([function(probe[:2]), function(probe[2:])])
    if together.shape != (4,) or not np.allclose(together, apart, atol=1e-5):
        raise ValueError(
            "The gain of an activation can be estimated only if it works element by "
            f"element. Received: {activation!r}, which gives {together} for {probe}, "
            f"but {apart} in two halves. Give an initializer yourself."
        )
    return function
