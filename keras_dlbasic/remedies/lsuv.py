"""The remedy that gives every layer's signal unit variance."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np

from keras_dlbasic._data.batch import read_batch
from keras_dlbasic._data.built import built_from
from keras_dlbasic._keras.copying import copy_of
from keras_dlbasic._keras.fans import kernel_fans
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.propagation.probe import as_array, run_probe
from keras_dlbasic.remedies._registry import remedy


@remedy(needs=("x",), keeps_weights=False)
@names_nearest
def lsuv(
    model: Any,
    x: Any,
    *,
    tolerance: float = 0.05,
    max_iterations: int = 10,
    orthogonal: bool = True,
    seed: int | None = None,
    in_place: bool = False,
) -> Any:
    """Rescale the kernels of a model until each layer has unit variance on a batch.

    Layer-sequential unit-variance initialization: kernels are made orthogonal. Then,
    from input to output, each kernel is divided by the standard deviation of its
    pre-activations on `x`. If a layer is called several times, its calls are pooled.
    Composed layers, such as attention and recurrent ones, are not changed.

    Args:
        model: A model; one without weights is built from `x`.
        x: A batch of inputs: an array, tensor, data frame, list or a structure of
            these. A few hundred samples are best.
        tolerance: How far a variance may be from 1. Defaults to `0.05`.
        max_iterations: Maximum number of rescalings per layer. Defaults to `10`.
        orthogonal: Whether to start from orthogonal kernels, as in the paper, or from
            the current ones. Defaults to `True`.
        seed: An integer for the orthogonal kernels. Defaults to None: random.
        in_place: Whether to change `model` itself instead of a copy. Defaults to
            `False`.

    Returns:
        The model with new kernels.

    Warns:
        UserWarning: If a layer does not reach unit variance.

    Raises:
        ValueError: If an argument is out of range, if `x` is not finite or does not fit
            the model, or if a layer outputs the same value for all samples, so that
            scaling cannot help.

    Reference:
        Mishkin & Matas (2016), All you need is a good init.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(16, "relu", kernel_initializer="ones")
    >>> model = keras.Sequential([keras.Input((8,)), dense, keras.layers.Dense(4)])
    >>> x = np.random.default_rng(0).normal(size=(64, 8))
    >>> report = kd.propagation_report(kd.remedies.lsuv(model, x, seed=0), x)
    >>> [round(layer.preactivation_variance, 1) for layer in report.layers]
    [1.0, 1.0]
    """
    x = read_batch(x, model)
    model = built_from(model, x)
    whole = isinstance(max_iterations, int) and max_iterations >= 1
    if not whole:
        raise ValueError(
            "`max_iterations` must be a positive integer. "
            f"Received: max_iterations={max_iterations!r}"
        )
    if not tolerance > 0:
        raise ValueError(f"`tolerance` must be positive. Received: {tolerance!r}")
    new = model if in_place else copy_of(model)
    sequence = np.random.SeedSequence(seed)
    seen: set[int] = set()
    for probe in run_probe(new, x):
        kernels = kernel_fans(probe.layer)
        if len(kernels) != 1 or id(kernels[0].variable) in seen:
            continue
        kernel = kernels[0].variable
        seen.add(id(kernel))
        if orthogonal and len(kernel.shape) > 1:
            kernel_seed = int(sequence.spawn(1)[0].generate_state(1)[0] >> 1)
            _make_orthogonal(kernel, kernel_seed)
        _rescale(new, x, probe.label, kernel, tolerance, max_iterations)
    return new


def _make_orthogonal(kernel: Any, seed: int) -> None:
    law = keras.initializers.Orthogonal(seed=seed)
    kernel.assign(keras.ops.cast(law(kernel.shape, dtype="float32"), kernel.dtype))


def _rescale(
    model: Any, x: Any, label: str, kernel: Any, tolerance: float, tries: int
) -> None:
    for attempt in range(tries + 1):
        # Run anew each time: layers in front have been rescaled, and where a bias adds
        # to it one division does not bring the variance to 1.
        probe = next(p for p in run_probe(model, x) if p.label == label)
        variance = float(np.var(as_array(probe.preactivations)))
        if abs(variance - 1) <= tolerance:
            return
        if not math.isfinite(variance) or variance < 1e-30:
            raise ValueError(
                f"Layer '{label}' gives pre-activations of variance {variance:g} on "
                "this batch, and rescaling its kernel does not change this to 1. Are "
                "its inputs constant, all zero or not finite? See "
                "`kd.propagation_report(model, x)`."
            )
        if attempt < tries:
            kernel.assign(kernel / math.sqrt(variance))
    warnings.warn(
        f"Layer '{label}' gives pre-activations of variance {variance:.3g} after "
        f"{tries} tries, not 1 to within {tolerance:g}, because its bias is not "
        "rescaled. Set biases to zero, or give a larger `max_iterations` or "
        "`tolerance`.",
        stacklevel=3,
    )
