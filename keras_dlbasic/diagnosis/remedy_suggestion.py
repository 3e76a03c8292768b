"""What to try against a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_dlbasic._display import Displayed, brief, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES


def remedy_call(
    name: str, kwargs: Mapping[str, Any], needs: Sequence[str] | None = None
) -> str:
    """Return the code that applies a remedy, a line or two.

    It runs as it is where `keras`, `import keras_dlbasic as kd`, a compiled `model` and
    its training data `x` and `y` are.

    Args:
        name: Name of a remedy.
        kwargs: Its keyword arguments.
        needs: Names of the data that it takes. Defaults to None: as the remedy says; of
            one that is not known, none.
    """
    spec = REMEDIES.get(name)
    if spec is not None and spec.fit_call is not None:
        return spec.fit_call(**kwargs)
    if needs is None:
        needs = spec.needs if spec is not None else ()
    given = ["model", *needs]
    given += [f"{key}={_short(value)}" for key, value in kwargs.items()]
    return f"model = kd.remedies.{name}({', '.join(given)})"


def _of_batches(call: str, form: str, steps: int | None) -> str:
    """Return code that takes arrays as it is for data in batches."""
    if form == "arrays":
        return call
    # only the user knows where an epoch of a generator ends
    of_epoch = f", steps_per_epoch={steps}" if steps and form == "generator" else ""
    call = call.replace("model.fit(x, y", f"model.fit(data{of_epoch}")
    if "(model, x" in call:
        if form == "generator":  # to be read once, by `fit`
            return f"x, y, *_ = next(data)  # a batch of what you gave to fit\n{call}"
        for given in ("(model, x, y", "(model, x"):
            call = call.replace(given, "(model, data")
    is_named = any(text in call for text in ("(data", ", data"))
    return f"# data: what you gave to fit\n{call}" if is_named else call


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


@names_nearest
@dataclass(frozen=True, repr=False)
class RemedySuggestion(Displayed):
    """A remedy to try, with the reason.

    Attributes:
        name: Name of a remedy: a function of `keras_dlbasic.remedies`, your own
            function decorated with `remedies.remedy`, or a change of the call of `fit`
            (`"find_learning_rate"`, `"change_batch_size"`, `"train_longer"`,
            `"stop_early"`). None for what only the user can do, such as cleaning data.
        reason: Why it should help, and why it is tried in this order.
        code: Code, or an instruction, for doing the same without this package.
        kwargs: Keyword arguments for that function, JSON-serializable; data and other
            objects are not included.
        needs: Names of the data that the remedy takes, `"x"` or `"y"`. Defaults to
            None: read from the remedy. The rules of the package pass it, so that the
            printed code is the same if Keras is not installed.
        from_new_weights: Whether the model must be reinitialized first, because
            training cannot continue from its current weights. Defaults to `False`.
        data_form: Form of the data that the printed code takes, as in
            `RunFacts.data_form`. Defaults to `"arrays"`: `x` and `y`; else `data`.
        steps_per_epoch: Number of steps of an epoch of a generator. Defaults to None:
            not known, or not needed.

    Example:
    >>> from keras_dlbasic.diagnosis import RemedySuggestion
    >>> remedy = RemedySuggestion(
    ...     "clip_gradients", "steps overshoot", "optimizer.global_clipnorm = 1.0",
    ...     {"global_clipnorm": 1.0},
    ... )
    >>> print(remedy)
    clip gradients: steps overshoot
        model = kd.remedies.clip_gradients(model, global_clipnorm=1)
    """

    name: str | None
    reason: str
    code: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict, hash=False)
    needs: tuple[str, ...] | None = field(default=None, compare=False)
    from_new_weights: bool = False
    data_form: str = field(default="arrays", compare=False)
    steps_per_epoch: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.reason}"]
        lines += [f"    {line}" for line in self.call.splitlines()]
        return wrapped("\n".join(lines))

    def __repr__(self) -> str:
        return brief(self, f"{self.action}: {self.reason}")

    @property
    def action(self) -> str:
        """The remedy with its arguments, in short: `"add_dropout(rate=0.3)"`."""
        if self.name is None:
            return self.title
        start = " from new weights" if self.from_new_weights else ""
        given = ", ".join(f"{key}={value!r}" for key, value in self.kwargs.items())
        return f"{self.name}({given}){start}"

    @property
    def title(self) -> str:
        """The remedy as text."""
        start = " from new weights" if self.from_new_weights else ""
        if self.name is None:
            return (self.code or "by hand") + start
        if self._is_by_data:
            return self.code
        return self.name.replace("_", " ") + start

    @property
    def call(self) -> str:
        """The code that applies it; empty if only the user can do it."""
        if self.name is None or self._is_by_data:
            return ""
        call = remedy_call(self.name, self.kwargs, self.needs)
        call = _of_batches(call, self.data_form, self.steps_per_epoch)
        if not self.from_new_weights:
            return call
        anew: dict[str, Any] = {"zero_biases": True}
        if self.kwargs.get("in_place"):
            anew["in_place"] = True
        return f"{remedy_call('initialize', anew, ())}\n{call}"

    def check(self) -> None:
        """Check that the remedy exists and takes these arguments.

        Without Keras nothing is checked.

        Raises:
            ValueError: If not.
        """
        REMEDIES.check(self.name, self.needs, self.kwargs)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dict."""
        form: dict[str, Any] = {}
        if self.data_form != "arrays":
            form["data_form"] = self.data_form
        if self.steps_per_epoch is not None:
            form["steps_per_epoch"] = self.steps_per_epoch
        return {
            **form,
            "name": self.name,
            "reason": self.reason,
            "code": self.code,
            "kwargs": dict(self.kwargs),
            "needs": list(self._known_needs),
            "from_new_weights": self.from_new_weights,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> RemedySuggestion:
        """Read what `to_dict` wrote."""
        needs = tuple(entry.get("needs") or ())  # not in files of older versions
        return cls(**{**entry, "needs": needs or None})

    @property
    def _is_by_data(self) -> bool:
        """Whether it is done where the data are made."""
        return self.data_form != "arrays" and self.name == "change_batch_size"

    @property
    def _known_needs(self) -> tuple[str, ...]:
        spec = REMEDIES.get(self.name or "")
        if self.needs is not None or spec is None:
            return self.needs or ()
        return spec.needs if spec.fit_call is None else ()
