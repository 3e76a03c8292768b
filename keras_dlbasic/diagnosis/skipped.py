"""What a rule returns, or raises, if it cannot judge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Skipped(Exception):  # noqa: N818 - not an error, a reason
    """A rule could not judge the run, because data are missing.

    A rule can return it, or any function called by a rule can raise it. The properties
    of `Run` raise it if the record lacks the data for them.

    Attributes:
        reason: What is missing, in a few words without a full stop.

    Raises:
        TypeError: If `reason` is not a string.
        ValueError: If `reason` is empty.

    Example:
    >>> from keras_dlbasic.diagnosis import Skipped
    >>> Skipped("needs 11 epochs").reason
    'needs 11 epochs'
    """

    reason: str

    def __post_init__(self) -> None:
        if not isinstance(self.reason, str):
            raise TypeError(
                "`Skipped` takes a text that says what is missing. Received: "
                f"{self.reason!r} of type {type(self.reason).__name__}"
            )
        if not self.reason:
            raise ValueError("`Skipped` takes a text that says what is missing.")
        super().__init__(self.reason)
