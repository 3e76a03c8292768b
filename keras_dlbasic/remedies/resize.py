"""The remedy that makes a model narrower or wider."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.layer_kinds import KERNELS, SIZES, kind_of
from keras_dlbasic._keras.outputs import output_part
from keras_dlbasic._keras.rebuild import Chain, edited, rebuild
from keras_dlbasic.remedies._registry import remedy


@remedy(repeatable=True)
def resize(model: Any, width_factor: float = 2.0) -> Any:
    """Multiply the number of units of all hidden layers.

    Args:
        model: A built Sequential or Functional model; nested models are gone through.
        width_factor: What units, filters and embedding dimensions are multiplied by:
            above 1 for a model that underfits, below for one that overfits. Defaults
            to 2. At least one unit stays.

    Returns:
        A new model, compiled like `model`; its optimizer starts anew. Layers whose
        shapes have changed start from new weights.

    Raises:
        ValueError: If the factor is not positive, or the model cannot be rebuilt:
            layers that rely on fixed shapes, such as Reshape, or sums with the input.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> hidden = keras.layers.Dense(8, "relu")
    >>> model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
    >>> [layer.units for layer in kd.remedies.resize(model, 0.5).layers]
    [4, 1]
    """
    if not width_factor > 0:
        raise ValueError(
            f"`width_factor` must be positive. Received: width_factor={width_factor!r}"
        )
    outputs = output_part(model)

    def change(config: dict[str, Any]) -> dict[str, Any]:
        groups = config.get("groups") or 1
        sizes = {n: config[n] for n in SIZES if isinstance(config.get(n), int)}
        return {
            name: max(1, round(size * width_factor / groups)) * groups
            for name, size in sizes.items()
        }

    def edit(layer: Any) -> Chain | None:
        is_sized = kind_of(layer).kind in (*KERNELS, "recurrent", "embedding")
        if id(layer) in outputs or not is_sized:
            return None
        return Chain(edited(layer, change))

    return rebuild(model, edit)
