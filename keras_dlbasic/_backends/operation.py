"""An operation that computes a part of a model's outputs, named alike everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(eq=False)
class Operation:
    """An operation, and those that its inputs come from.

    Attributes:
        name: `"input"` and `"weight"` (all that is fixed, numbers as well) for leaves;
            `"reshape"`, `"transpose"`, `"cast"` and `"identity"` for what leaves values
            as they are, slices and squeezing included; `"gather"` for rows of a table;
            `"concatenate"`; `"add"`, `"subtract"`, `"multiply"`, `"divide"`,
            `"negative"`, `"sum"`, `"mean"`; `"limit"` for the lesser or greater of two;
            `"matmul"` and `"convolution"`;
            `"normalization"` and `"rsqrt"`; Keras' names of activations; `"other"` for
            what is not known.
        find_inputs: Returns the operations that the inputs come from.
        axis: Of a softmax or a sum, counted from the end, None if not known; of a
            transposition, the permutation.
    """

    name: str
    find_inputs: Callable[[], list[Operation]] = list
    axis: Any = None

    @cached_property
    def inputs(self) -> list[Operation]:
        """The operations that the inputs come from."""
        return self.find_inputs()
