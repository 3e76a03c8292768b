"""The remedy that makes a model narrower or wider."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.fixed_widths import resizable_layers
from keras_dlbasic._keras.layer_kinds import SIZES
from keras_dlbasic._keras.rebuild import Chain, edited, rebuild
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy


@remedy(repeatable=True)
@names_nearest
def resize(model: Any, width_factor: float = 2.0) -> Any:
    """Multiply the number of units of hidden layers.

    Layers whose number of units is fixed elsewhere are not changed: those whose output
    is added to an input of the model, or reshaped by `Reshape`.

    Args:
        model: A built Sequential or Functional model; nested models are included.
        width_factor: Factor for units, filters and embedding dimensions: above 1 for a
            model that underfits, below 1 for one that overfits. Defaults to 2. At least
            one unit is kept.

    Returns:
        A new model, compiled like `model`, with a new optimizer state. Layers whose
        shapes have changed are reinitialized.

    Raises:
        ValueError: If the factor is not positive, no hidden layer can be resized, or
            the model cannot be rebuilt.

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
    layers = {id(layer) for layer in resizable_layers(model)}
    if not layers:
        raise ValueError(
            f"Model '{model.name}' has no hidden layer that can be resized: the units "
            "of all are set by its outputs, by sums with its inputs or by Reshape. "
            "Add or remove layers by hand."
        )

    def change(config: dict[str, Any]) -> dict[str, Any]:
        # the number of filters must remain a multiple of the groups
        groups = config.get("groups") or 1
        sizes = {n: config[n] for n in SIZES if isinstance(config.get(n), int)}
        return {
            name: max(1, round(size * width_factor / groups)) * groups
            for name, size in sizes.items()
        }

    def edit(layer: Any) -> Chain | None:
        return Chain(edited(layer, change)) if id(layer) in layers else None

    return rebuild(model, edit)
