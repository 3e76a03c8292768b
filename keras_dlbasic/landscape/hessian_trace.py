"""Mean curvature of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.landscape.hessian_spectrum import HessianTrace
from keras_dlbasic.landscape.objective import objective_of


@names_nearest
def hessian_trace(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    probes: int = 16,
    seed: int = 0,
    **options: Any,
) -> HessianTrace:
    """Estimate the trace of the Hessian of the loss: the sum of all curvatures.

    Hutchinson's estimator: the mean of `v^T H v` over vectors `v` of random signs. It
    is unbiased. The reported error is the standard error of the mean.

    Args:
        model: A built and compiled Keras model, or an `Objective`.
        x: Inputs: an array or a structure of arrays.
        y: Targets, likewise.
        probes: Number of vectors, at least 2. Each needs one Hessian-vector product.
        seed: Seed of the vectors.
        **options: `sample_weight`, `micro_batch` and `training`, see `Objective`.

    Returns:
        `HessianTrace`.

    Raises:
        ValueError: See `Objective`; or if there are fewer than 2 probes.

    Reference:
        Hutchinson (1990), A stochastic estimator of the trace of the influence matrix.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(1, use_bias=False)
    >>> model = keras.Sequential([keras.Input((2,)), dense])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> round(kd.landscape.hessian_trace(model, x, np.zeros((2, 1))).value, 4)
    5.0
    """
    if isinstance(probes, bool) or int(probes) != probes or probes < 2:
        raise ValueError(
            "`probes` must be a whole number of at least 2, to estimate the error. "
            f"Received: probes={probes!r}"
        )
    objective = objective_of(model, x, y, **options)
    rng = np.random.default_rng(seed)
    # For a vector v of random signs, the expectation of v @ H @ v is the trace of H
    # (Hutchinson 1990).
    samples = np.array(
        [
            float(v @ objective.product(v))
            for v in (rng.choice([-1.0, 1.0], objective.size) for _ in range(probes))
        ]
    )
    error = float(samples.std(ddof=1) / np.sqrt(len(samples)))
    return HessianTrace(float(samples.mean()), error, samples, objective.size)
