"""What to try against a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RemedySuggestion:
    """A remedy to try, with the reason.

    Attributes:
        name: Name of the function in `keras_dlbasic.remedies` that applies it; None for
            what only the user can do, such as cleaning data.
        reason: Why it should help, and why at this place in the order.
        code: Plain code, or a plain instruction, that does the same by hand.
        kwargs: Keyword arguments for that function, as JSON knows them. Data and other
            objects are not among them.

    Example:
    >>> from keras_dlbasic.diagnosis import RemedySuggestion
    >>> remedy = RemedySuggestion(
    ...     "clip_gradients", "steps overshoot", "optimizer.global_clipnorm = 1.0",
    ...     {"global_clipnorm": 1.0},
    ... )
    >>> print(remedy)
    clip_gradients(global_clipnorm=1.0): steps overshoot
    """

    name: str | None
    reason: str
    code: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.name is None:
            return f"{self.code or 'by hand'}: {self.reason}"
        given = ", ".join(f"{key}={value!r}" for key, value in self.kwargs.items())
        return f"{self.name}({given}): {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return it in terms JSON knows."""
        return {
            "name": self.name,
            "reason": self.reason,
            "code": self.code,
            "kwargs": dict(self.kwargs),
        }
