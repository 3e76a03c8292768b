"""How much a model can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole, is_number
from keras_dlbasic._data.read import read
from keras_dlbasic._display import Displayed
from keras_dlbasic._keras.checks import check_built
from keras_dlbasic._keras.connections import inputs_of, operation_of
from keras_dlbasic._keras.graph import own_weights, walk_layers
from keras_dlbasic._wrong_arguments import names_nearest

WEIGHTY = 2
"""A variable with at least this many axes is a kernel, which makes a layer of depth."""


@dataclass(frozen=True, repr=False)
class LayerCapacity(Displayed):
    """One layer of a `CapacityReport`.

    Attributes:
        name: The path of the layer in the model.
        class_name: Its class.
        parameters: Number of trainable weights.
        share: Their share of the model's.
    """

    name: str
    class_name: str
    parameters: int
    share: float


@names_nearest
@dataclass(frozen=True, repr=False)
class CapacityReport(Displayed):
    """The result of `capacity_report`.

    Attributes:
        parameters: Number of trainable weights.
        frozen: Number of weights that are not trained (statistics, frozen layers).
        depth: Number of kernels on the longest path from an input to an output; None if
            the connections of a subclassed model are not known.
        samples: Number of training samples, None if not given.
        layers: Layers with trainable weights, from input to output.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(2, name="out")
    >>> model = keras.Sequential([keras.Input((4,)), dense])
    >>> report = kd.capacity_report(model, samples=5)
    >>> report.parameters, report.layers[0].name
    (10, 'out')
    """

    parameters: int
    frozen: int
    depth: int | None
    samples: int | None
    layers: tuple[LayerCapacity, ...]

    @property
    def parameters_per_sample(self) -> float | None:
        """Trainable weights per training sample; None without samples."""
        return None if self.samples is None else self.parameters / self.samples

    def table(self) -> dict[str, np.ndarray]:
        """Return one row per layer, as columns by name, for `pandas.DataFrame`."""
        return {
            "layer": np.array([layer.name for layer in self.layers], dtype=str),
            "class_name": np.array([la.class_name for la in self.layers], dtype=str),
            "parameters": np.array([la.parameters for la in self.layers], np.int64),
            "share": np.array([layer.share for layer in self.layers], np.float64),
        }

    def _repr_html_(self) -> str:
        from keras_dlbasic.reports import cell

        rows = [
            [la.name, la.class_name, f"{la.parameters:,}", f"{la.share:.1%}"]
            for la in self.layers
        ]
        columns = ["layer", "class", "parameters", "share"]
        first = str(self).partition("\n")[0]
        return cell.cell(cell.paragraph(first), cell.table(columns, rows))

    def __str__(self) -> str:
        depth = "not known" if self.depth is None else f"{self.depth}"
        text = f"{self.parameters} parameters ({self.frozen} frozen), depth {depth}"
        if self.parameters_per_sample is not None:
            text += f", {self.parameters_per_sample:.3g} parameters per training sample"
        width = max((len(layer.name) for layer in self.layers), default=0)
        lines = [
            f"  {layer.name:{width}}  {layer.parameters:>10}  {layer.share:6.1%}"
            for layer in self.layers
        ]
        return "\n".join([text, *lines])


@names_nearest
def capacity_report(model: Any, samples: Any = None) -> CapacityReport:
    """Count the parameters of a model, its depth, and the share of each layer.

    Args:
        model: A built Keras model.
        samples: The number of training samples, or the training inputs: an array,
            tensor, data frame, list or a structure of these, or a data set. Defaults to
            None.

    Returns:
        A `CapacityReport`.

    Raises:
        ValueError: If the model is not built, or `samples` is neither a number of rows
            nor rows.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    >>> model = keras.Sequential([keras.Input((4,)), *layers])
    >>> report = kd.capacity_report(model, samples=7)
    >>> report.parameters, report.depth, report.parameters_per_sample
    (49, 2, 7.0)
    """
    check_built(model)
    if samples is not None:
        samples = _count(samples)
    parameters = _size(model.trainable_variables)
    layers = []
    seen: set[int] = set()
    for layer, label, _, is_whole in walk_layers(model):
        # weights that layers share count where they come first
        own = [v for v in own_weights(layer, is_whole) if v.trainable]
        own = [v for v in own if id(v) not in seen]
        seen.update(id(v) for v in own)
        if own:
            n = _size(own)
            share = n / parameters if parameters else 0.0
            layers.append(LayerCapacity(label, type(layer).__name__, n, share))
    frozen = _size(model.weights) - parameters
    return CapacityReport(
        parameters,
        frozen,
        _depth(model),
        None if samples is None else int(samples),
        tuple(layers),
    )


def _size(variables: Any) -> int:
    return int(sum(np.prod(v.shape) for v in variables))


def _depth(model: Any) -> int | None:
    """Return the most kernels on a way through a model; None if it has no graph."""
    if isinstance(model, keras.Sequential):
        depths = [_layer_depth(layer) for layer in model.layers]
        return None if None in depths else sum(d for d in depths if d is not None)
    if not hasattr(model, "operations"):
        return None
    reached: dict[int, int] = {}
    try:
        return max(_depth_to(tensor, reached) for tensor in model.outputs)
    except (AttributeError, TypeError, ValueError):
        return None


def _depth_to(tensor: Any, reached: dict[int, int]) -> int:
    # Each tensor is visited once: skip connections make the number of ways through a
    # model grow exponentially with its depth.
    key = id(tensor)
    if key not in reached:
        operation = operation_of(tensor)
        own = _layer_depth(operation)
        if own is None:
            raise ValueError(f"the depth of '{operation.name}' is not known")
        before = [_depth_to(parent, reached) for parent in inputs_of(tensor)]
        reached[key] = own + max(before, default=0)
    return reached[key]


def _layer_depth(layer: Any) -> int | None:
    if isinstance(layer, keras.Model):
        return _depth(layer)
    weights = getattr(layer, "weights", ())
    return int(any(len(w.shape) >= WEIGHTY for w in weights))


def _count(samples: Any) -> int:
    is_rows = not isinstance(samples, (str, bool)) and not is_number(samples)
    if is_rows:
        return read(samples).n_rows
    check_whole("samples", samples)
    return int(samples)
