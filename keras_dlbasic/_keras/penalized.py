"""The weights of a model that are penalized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._keras.graph import describe_variables


@dataclass(frozen=True)
class PenalizedWeight:
    """A weight with a regularizer.

    Attributes:
        variable: The Keras variable.
        label: Its layer's label and its role, as in `"dense/kernel"`.
    """

    variable: Any
    label: str

    def penalty(self) -> float:
        """Return the penalty of the weight as it is."""
        regularizer = self.variable.regularizer
        with generators_kept(regularizer):
            value = regularizer(self.variable)
        return float(ops.convert_to_numpy(value))

    def description(self) -> str:
        """Return the regularizer and its factors, as in `"L2(l2=0.01)"`."""
        regularizer = self.variable.regularizer
        try:
            config = regularizer.get_config()
        except (AttributeError, NotImplementedError):  # a plain function
            return str(getattr(regularizer, "__name__", type(regularizer).__name__))
        factors = ", ".join(f"{name}={_short(v)}" for name, v in config.items())
        return f"{type(regularizer).__name__}({factors})"


def penalized_weights(model: Any) -> list[PenalizedWeight]:
    """Return the trainable weights of a model that have a regularizer."""
    found = [v for v in model.trainable_variables if v.regularizer is not None]
    described = describe_variables(model, found)
    return [
        PenalizedWeight(variable, f"{info.layer}/{info.role}")
        for variable, info in zip(found, described, strict=True)
    ]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
