"""What errors call the parts of data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """What errors call inputs, targets and sample weights.

    Attributes:
        x: The inputs, or the data set. Defaults to `"x"`.
        y: The targets. Defaults to `"y"`.
        sample_weight: The weights. Defaults to `"sample_weight"`.

    Example:
    >>> from keras_dlbasic._data.names import Names
    >>> Names.of_parts("validation_data").y
    'validation_data[1]'
    """

    x: str = "x"
    y: str = "y"
    sample_weight: str = "sample_weight"

    @classmethod
    def of_parts(cls, name: str) -> Names:
        """Return the names of the parts of a tuple."""
        return cls(*(f"{name}[{place}]" for place in range(3)))

    @classmethod
    def of_batches(cls, name: str) -> Names:
        """Return the names of what the batches of a data set hold."""
        return cls(name, f"y of {name}", f"sample_weight of {name}")


ARGUMENTS = Names()
"""The names of the arguments `x`, `y` and `sample_weight`."""
