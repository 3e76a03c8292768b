"""What a rule returns if nothing is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic._display import Displayed, wrapped


@dataclass(frozen=True, repr=False)
class Fine(Displayed):
    """A rule judged the run and found nothing wrong.

    Attributes:
        text: What was measured, in a few words without a full stop.

    Raises:
        TypeError: If `text` is not a string.
        ValueError: If `text` is empty.

    Example:
    >>> from keras_dlbasic.diagnosis import Fine
    >>> Fine("batches of 32 rows").text
    'batches of 32 rows'
    """

    text: str

    def __str__(self) -> str:
        return wrapped(self.text)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError(
                "`Fine` takes a text that says what was measured. Received: "
                f"{self.text!r} of type {type(self.text).__name__}"
            )
        if not self.text:
            raise ValueError("`Fine` takes a text that says what was measured.")
