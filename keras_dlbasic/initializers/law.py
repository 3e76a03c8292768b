"""What the initializers share: the laws, drawing by them, their arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_dlbasic._keras.fans import compute_fans


def sigma_of(law: Any, fan_in: float, fan_out: float) -> float:
    """Return the standard deviation that an initializer gives to a kernel.

    It is `gain * sqrt(2 / n)`; `n` is `fan_in + fan_out` for Xavier's laws and the fan
    of their mode for He's.

    Example:
    >>> import keras_dlbasic as kd
    >>> from keras_dlbasic.initializers.law import sigma_of
    >>> sigma_of(kd.initializers.HeNormal(), fan_in=8, fan_out=4)
    0.5
    """
    # Both laws are 2 / n: He's n is one fan, Xavier's the sum of both.
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": fan_in + fan_out}[law.mode]
    return law.gain * math.sqrt(2.0 / (n or 1))


def draw(law: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """Draw a kernel by the law of an initializer and the fans of the shape."""
    fans = compute_fans(shape, law.input_axes, law.output_axes)
    return draw_with(law, shape, sigma_of(law, *fans), law.seed, dtype)


def draw_with(
    law: Any, shape: Sequence[int], sigma: float, seed: Any, dtype: Any = None
) -> Any:
    """Draw a kernel of mean 0 and standard deviation `sigma`, normal or uniform."""
    if law.distribution == "uniform":
        # A uniform law from -a to a has a standard deviation of a / sqrt(3).
        limit = math.sqrt(3.0) * sigma
        return keras.random.uniform(
            shape, minval=-limit, maxval=limit, dtype=dtype, seed=seed
        )
    return keras.random.normal(shape, stddev=sigma, dtype=dtype, seed=seed)


def config_of(law: Any, *names: str) -> dict[str, Any]:
    """Return the arguments of an initializer; `names` are those not all have."""
    seed = keras.initializers.VarianceScaling.get_config(law)["seed"]
    names = ("gain", *names, "input_axes", "output_axes")
    return {"seed": seed, **{name: getattr(law, name) for name in names}}


def check_gain(gain: float) -> float:
    """Return `gain` as a float.

    Raises:
        ValueError: If it is not a positive, finite number.
    """
    usable = isinstance(gain, (int, float)) and not isinstance(gain, bool)
    if not usable or not math.isfinite(gain) or gain <= 0:
        raise ValueError(
            "`gain` multiplies the standard deviation and must be a positive, finite "
            f"number; 1.0 gives the paper's law. Received: gain={gain!r}"
        )
    return float(gain)


def check_mode(mode: str) -> str:
    """Return `mode`.

    Raises:
        ValueError: If it is neither `"fan_in"` nor `"fan_out"`.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(
            '`mode` must be "fan_in" (keeps the signal on its way forward) or '
            '"fan_out" (keeps the gradient on its way back). '
            f"Received: mode={mode!r}"
        )
    return mode
