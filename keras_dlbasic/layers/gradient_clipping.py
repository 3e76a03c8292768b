"""GradientClipping."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_dlbasic._keras.layer_kinds import LayerKind, register_kind
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class GradientClipping(keras.layers.Layer):
    """Passes its input through unchanged and clips the gradient in the backward pass.

    So a large gradient of later layers does not reach the layers before it. Keras has
    no such layer: `clipnorm`, `clipvalue` and `global_clipnorm` of an optimizer clip
    the gradients of the weights after the whole backward pass.

    Args:
        value: Entries of the gradient are cut to the range from `-value` to `value`.
            Defaults to None.
        norm: Maximum L2 norm of a sample's gradient; larger ones are scaled down to it.
            Defaults to None.
        **kwargs: `name`, `dtype`.

    The gradient is that of the loss. Most losses are means over the batch, so the
    gradient of a single sample decreases with the batch size: choose the threshold for
    your batch size. With loss scaling (mixed_float16) the layer clips the scaled
    gradient.

    Raises:
        ValueError: If not exactly one of `value` and `norm` is given, or it is not a
            positive, finite number.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> layer = kd.layers.GradientClipping(norm=1.0)
    >>> float(layer(np.ones((1, 2), "float32"))[0, 0])
    1.0
    """

    def __init__(
        self,
        value: float | None = None,
        norm: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        limits = [limit for limit in (value, norm) if limit is not None]
        if len(limits) != 1:
            raise ValueError(
                "Give one of `value` and `norm`: clipping by both is not defined. "
                f"Received: value={value!r}, norm={norm!r}"
            )
        if not (isinstance(limits[0], (int, float)) and 0 < limits[0] < math.inf):
            raise ValueError(
                "The threshold must be a positive, finite number. "
                f"Received: value={value!r}, norm={norm!r}"
            )
        self.value = value
        self.norm = norm
        self.supports_masking = True
        self._identity = _clipped_identity(value, norm)

    def build(self, input_shape: Any) -> None:  # noqa: D102
        self.built = True

    def call(self, inputs: Any) -> Any:  # noqa: D102
        return self._identity(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "value": self.value, "norm": self.norm}


register_kind(GradientClipping, LayerKind("custom", passes="units"))


def _clipped_identity(value: float | None, norm: float | None) -> Any:
    def clip(gradient: Any) -> Any:
        if value is not None:
            return ops.clip(gradient, -value, value)
        assert norm is not None
        exact = ops.cast(gradient, "float32")  # its squares overflow half precision
        axes = tuple(range(1, len(gradient.shape)))
        size = ops.sqrt(ops.sum(ops.square(exact), axis=axes, keepdims=True))
        return ops.cast(exact * (norm / ops.maximum(size, norm)), gradient.dtype)

    def identity(x: Any) -> Any:
        def grad(*args: Any, upstream: Any = None) -> Any:
            # Backends pass the upstream gradient by position or by name.
            return clip(args[-1] if upstream is None else upstream)

        return x * 1, grad

    return ops.custom_gradient(identity)
