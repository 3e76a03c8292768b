"""What is said of callbacks that have seen no fit yet."""

from __future__ import annotations

from typing import Any


class NotFittedError(ValueError, AttributeError):
    """Raised where something of a fit is asked for before there was one.

    It is both a `ValueError` and an `AttributeError`, as in scikit-learn: so `hasattr`
    gives `False`, and what looks through an object's attributes passes over it.

    Args:
        callback: The callback, or the name of its class.
        wanted: What was asked for, such as `"record"`.
    """

    def __init__(self, callback: Any, wanted: str) -> None:
        name = callback if isinstance(callback, str) else type(callback).__name__
        self._given = name, wanted
        super().__init__(
            f"This {name} is not fitted yet, so it has no `{wanted}`. Call "
            "`model.fit(..., callbacks=[callback])` with it first."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled by its message alone, which is no argument here.
        return type(self), self._given
