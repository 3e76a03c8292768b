"""What to try against a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DATA = {"scale_inputs": "x", "lsuv": "x", "scale_targets": "y"}

_OF_THE_FIT = {
    "find_learning_rate": "rate = kd.studies.LearningRateRangeTest(model, x, y).run()"
    ".suggestion\nmodel = kd.remedies.change_learning_rate(model, learning_rate=rate)",
    "change_batch_size": "model.fit(x, y, batch_size={batch_size})",
    "train_longer": "model.fit(x, y, epochs={epochs})",
    "stop_early": "stopping = keras.callbacks.EarlyStopping(patience=10, "
    "restore_best_weights=True)\n# and model.fit(..., callbacks=[stopping])",
}


def remedy_call(name: str, kwargs: Mapping[str, Any]) -> str:
    """Return the code that applies a remedy, a line or two.

    Args:
        name: A function of `keras_dlbasic.remedies`, or a remedy of the fit itself:
            `"find_learning_rate"`, `"change_batch_size"`, `"train_longer"`,
            `"stop_early"`.
        kwargs: Its keyword arguments.
    """
    if name in _OF_THE_FIT:
        times = f"{kwargs.get('factor', 3.0):g} * epochs"
        return _OF_THE_FIT[name].format(**{"epochs": times, **kwargs})
    given = ["model", *([_DATA[name]] if name in _DATA else [])]
    given += [f"{key}={_short(value)}" for key, value in kwargs.items()]
    return f"model = kd.remedies.{name}({', '.join(given)})"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


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
    >>> remedy.call
    'model = kd.remedies.clip_gradients(model, global_clipnorm=1)'
    """

    name: str | None
    reason: str
    code: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        if self.name is None:
            return f"{self.code or 'by hand'}: {self.reason}"
        given = ", ".join(f"{key}={value!r}" for key, value in self.kwargs.items())
        return f"{self.name}({given}): {self.reason}"

    @property
    def title(self) -> str:
        """What is done, in words."""
        return (self.name or self.code or "by hand").replace("_", " ")

    @property
    def call(self) -> str:
        """The code that applies it; empty for what only the user can do."""
        return "" if self.name is None else remedy_call(self.name, self.kwargs)

    def to_dict(self) -> dict[str, Any]:
        """Return it in terms JSON knows."""
        return {
            "name": self.name,
            "reason": self.reason,
            "code": self.code,
            "kwargs": dict(self.kwargs),
        }
