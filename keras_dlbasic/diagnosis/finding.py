"""One problem that a run or a model has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeAlias

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.records.json_text import plain

Kind = Literal["cause", "symptom"]
Severity = Literal["info", "warning", "critical"]
Json: TypeAlias = (
    "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
)

KINDS: tuple[Kind, ...] = ("cause", "symptom")
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From the mildest to the worst."""

_RULES = Path(__file__).with_name("rules")
"""The rules of the package: each is a file of its name."""

_NOT_GIVEN: Any = ""


@names_nearest
@dataclass(frozen=True, repr=False)
class Finding(Displayed):
    """A problem that a rule found, with its evidence.

    A rule passes `severity`, `message` and its measurements. The `@rule` decorator
    fills in the name, the kind and what the cause explains.

    Attributes:
        name: Name of the problem, such as `"dead_units"`: that of its rule.
        kind: `"cause"` or `"symptom"`.
        severity: `"critical"`: this run cannot succeed; `"warning"`: it is likely to do
            worse than it could; `"info"`: a note (no effect on this run).
        message: What was found, in a sentence or two, epochs and steps 1-based.
        layer: Label of the (first) affected layer; None for the whole model.
        epoch: First epoch in which it was seen, 0-based; None if it does not belong to
            an epoch.
        step: First sampled step at which it showed, 0-based, or None.
        value: The measured value.
        threshold: The threshold for `value`.
        confidence: From 0 to 1: how certain the rule is.
        evidence: Further numbers and names, JSON-serializable.
        remedies: What to try, in this order.
        explains: Names of the symptoms that this cause can cause.
        explained_by: Names of the found causes that can have caused this symptom,
            the most likely first; empty for causes.
        unit: Unit of `value` and `threshold`, such as `"updates"`; empty for a plain
            number.
        risk: For a cause that may be harmless: its maximum severity if a symptom that
            it can cause is found too. None: always `severity`.
        note: Whether a harmless cause is listed as a note; otherwise it counts as a
            passed check. Defaults to `True`.
        told_apart_by: A measurement that distinguishes this cause from others that
            explain the run equally well, without a full stop. Empty if the way to find
            out is to try the first remedy.
        output: For a model with several outputs: name of the output that it is about.
            None for the whole model, or a model with one output.

    Raises:
        TypeError: If a field has a value of another type.
        ValueError: If `severity`, `risk` or `kind` is not one of the above, there is
            no message, or `confidence` is not from 0 to 1.

    Example:
    >>> from keras_dlbasic.diagnosis import Finding
    >>> finding = Finding(
    ...     severity="warning", message="The loss is stuck.", value=0.0, unit="share"
    ... )
    >>> finding.severity, finding.value, finding.threshold
    ('warning', 0.0, None)
    """

    name: str = ""
    kind: Kind = _NOT_GIVEN
    severity: Severity = _NOT_GIVEN
    message: str = ""
    layer: str | None = None
    epoch: int | None = None
    step: int | None = None
    value: float | None = None
    threshold: float | None = None
    confidence: float = 1.0
    evidence: Mapping[str, Json] = field(default_factory=dict, hash=False)
    remedies: tuple[RemedySuggestion, ...] = ()
    explains: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()
    unit: str = ""
    risk: Severity | None = None
    note: bool = True
    told_apart_by: str = ""
    output: str | None = None

    def __post_init__(self) -> None:
        for name, (types, words) in _TYPES.items():
            if not isinstance(getattr(self, name), types):
                raise _unexpected(name, words, getattr(self, name), TypeError)
        if not all(isinstance(part, RemedySuggestion) for part in self.remedies):
            words = "a tuple of `RemedySuggestion`"
            raise _unexpected("remedies", words, self.remedies, TypeError)
        for name, known, may_miss in (
            ("severity", SEVERITIES, False),
            ("risk", SEVERITIES, self.risk is None),
            ("kind", KINDS, self.kind == _NOT_GIVEN),
        ):
            if not may_miss and getattr(self, name) not in known:
                raise _unexpected(
                    name, f"one of {list(known)}", getattr(self, name), ValueError
                )
        if not self.message:
            raise _unexpected("message", "a sentence", self.message, ValueError)
        if not 0 <= self.confidence <= 1:
            raise _unexpected("confidence", "from 0 to 1", self.confidence, ValueError)

    def __str__(self) -> str:
        return wrapped(f"{self.severity.upper()} {self.name}: {self.message}")

    @property
    def rank(self) -> int:
        """Index of the severity in `SEVERITIES`."""
        return SEVERITIES.index(self.severity)

    def can_explain(self, symptom: Finding) -> bool:
        """Return whether this cause can have caused a symptom."""
        return symptom.name in self.explains and self.may_concern(symptom)

    def may_concern(self, other: Finding) -> bool:
        """Return whether both findings can be about the same output of a model."""
        return self.output == other.output or None in (self.output, other.output)

    @property
    def where(self) -> str:
        """Layer, epoch and step, 1-based, as far as known, and the confidence."""
        parts = []
        if self.layer is not None:
            parts.append(f"layer '{self.layer}'")
        if self.epoch is not None:
            parts.append(f"epoch {self.epoch + 1}")
        if self.step is not None:
            parts.append(f"step {self.step + 1}")
        return ", ".join([*parts, f"confidence {self.confidence:.0%}"])

    @property
    def docs(self) -> str | None:
        """Link to its explanation, relative to the root of the documentation.

        The anchor is the name of the rule and stays the same from version to version.
        None for rules that are not of this package.

        Example:
        >>> from keras_dlbasic.diagnosis import Finding
        >>> Finding("plateau", "symptom", "warning", "The loss is stuck.").docs
        'reference/rules.html#plateau'
        """
        if not (_RULES / f"{self.name}.py").is_file():
            return None
        return f"reference/rules.html#{self.name}"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dict; numbers that are not finite become text."""
        entry = {part.name: plain(getattr(self, part.name)) for part in fields(self)}
        remedies = [remedy.to_dict() for remedy in self.remedies]
        return {**entry, "remedies": remedies, "docs": self.docs}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Finding:
        """Read what `to_dict` wrote, also that of older versions.

        Args:
            entry: The fields by name; missing ones get their defaults.

        Raises:
            TypeError: If `entry` has an unknown field.
            ValueError: If the value of a field is invalid.
        """
        numbers = ("value", "threshold", "confidence", "evidence")
        read = {
            key: _read(value) if key in numbers else value
            for key, value in entry.items()
            if key != "docs"  # follows from the name
        }
        for key in ("explains", "explained_by"):
            read[key] = tuple(entry.get(key, ()))
        parts = entry.get("remedies", ())
        read["remedies"] = tuple(RemedySuggestion.from_dict(part) for part in parts)
        return cls(**read)


_TYPES: dict[str, tuple[Any, str]] = {
    "name": (str, "text"),
    "message": (str, "a sentence"),
    "layer": ((str, NoneType), "the label of a layer, or None"),
    "epoch": ((Integral, NoneType), "a 0-based number, or None"),
    "step": ((Integral, NoneType), "a 0-based number, or None"),
    "value": ((Real, NoneType), "a number, or None"),
    "threshold": ((Real, NoneType), "a number, or None"),
    "confidence": (Real, "a number from 0 to 1"),
    "evidence": (Mapping, "a dictionary"),
    "remedies": (tuple, "a tuple of `RemedySuggestion`: `remedies=(remedy,)`"),
    "explains": (tuple, "a tuple of names"),
    "explained_by": (tuple, "a tuple of names"),
    "unit": (str, "text"),
    "told_apart_by": (str, "text"),
    "note": (bool, "True or False"),
    "output": ((str, NoneType), "the name of an output, or None"),
}


def _unexpected(
    name: str, expected: str, given: Any, error: type[Exception]
) -> Exception:
    return error(
        f"`{name}` of a finding must be {expected}. Received: {given!r} of type "
        f"{type(given).__name__}"
    )


def _read(value: Any) -> Any:
    """Return what `plain` made of numbers that are not finite as numbers again."""
    if isinstance(value, Mapping):
        return {key: _read(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_read(part) for part in value]
    return float(value) if value in ("nan", "inf", "-inf") else value
