"""What a model must be like before anything is measured."""

from __future__ import annotations

from typing import Any


def check_built(model: Any) -> None:
    """Check that a model has weights to look at.

    Raises:
        ValueError: If it is not built.
    """
    if not getattr(model, "built", False):
        raise ValueError(
            f"Model '{getattr(model, 'name', model)}' is not built, so it has no "
            "weights yet. Call it on a batch, or `model.build(input_shape)`, or give "
            "it a `keras.Input`."
        )


def check_compiled(model: Any) -> None:
    """Check that a model can be trained.

    Raises:
        ValueError: If it is not compiled.
    """
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise ValueError(
            f"Model '{model.name}' is not compiled, so it has no loss and no "
            "optimizer. Call `model.compile(optimizer, loss)` first."
        )
