"""What a record knows about a variable of the model."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic._display import Displayed
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@dataclass(frozen=True, repr=False)
class VariableInfo(Displayed):
    """A trainable variable of a model.

    Variables are identified by their index in `TrainingRecord.variables`, because two
    of them can have the same path.

    Attributes:
        path: Keras' path of the variable, such as `"dense/kernel"`.
        layer: Label of the layer it belongs to, unique per layer. Names of nested
            models and custom layers are joined by slashes.
        role: The variable's name in its layer: `"kernel"`, `"bias"`, `"gamma"`, ...
        shape: Shape of the variable.
        depth: Depth of the layer, counted from the input, 0-based and without gaps.
            Topological for Functional models (parallel layers share a depth), otherwise
            the order of the layers in the model.
        has_units: Whether the variable is a bias or offset with one entry per output
            unit and no weight penalty. Then a gradient of exactly zero means that the
            unit had no influence on the loss.

    Example:
    >>> from keras_dlbasic.records import VariableInfo
    >>> kernel = VariableInfo("dense/kernel", "dense", "kernel", (4, 8), depth=0)
    >>> kernel.layer, kernel.shape
    ('dense', (4, 8))
    """

    path: str
    layer: str
    role: str
    shape: tuple[int, ...]
    depth: int
    has_units: bool = False

    @property
    def size(self) -> int:
        """Number of entries."""
        size = 1
        for length in self.shape:
            size *= length
        return size
