"""What a record knows about a variable of the model."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic._display import Displayed


@dataclass(frozen=True, repr=False)
class VariableInfo(Displayed):
    """A trainable variable of a watched model.

    Variables are identified by their index in `TrainingRecord.variables`, since two of
    them can have the same path.

    Attributes:
        path: Keras' path of the variable, such as `"dense/kernel"`.
        layer: Label of the layer it belongs to, unique per layer. Nested models and
            layers of the user's are joined by slashes.
        role: The variable's name in its layer: `"kernel"`, `"bias"`, `"gamma"`, ...
        shape: Shape of the variable.
        depth: Place of the layer between input and output, 0-based and without gaps.
            Topological for Functional models (parallel layers share a depth), else
            the order in which the model holds its layers.
        has_units: Whether the variable is a bias or offset with one entry per output
            unit and no weight penalty, so that an exactly zero gradient means that
            the unit had no influence on the loss.
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
