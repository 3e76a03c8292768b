"""One problem that a run or a model has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.records.json_text import plain

Kind = Literal["cause", "symptom"]
Severity = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From the mildest to the worst."""


@dataclass(frozen=True)
class Finding:
    """A named problem with what speaks for it.

    Attributes:
        name: Name of the problem, such as `"dead_units"`.
        kind: `"cause"` or `"symptom"`.
        severity: `"info"` (harmless so far), `"warning"` or `"critical"`.
        message: What was found, in a sentence or two, epochs and steps 1-based.
        layer: Label of the layer, or of the first of them; None for the whole model.
        epoch: First epoch in which it showed, 0-based; None if it has no time.
        step: First sampled step at which it showed, 0-based, or None.
        value: What was measured.
        threshold: What it was compared with.
        confidence: From 0 to 1: how sure the rule is, given what it has seen.
        evidence: Further numbers and names, in terms JSON knows.
        remedies: What to try, in this order.
        explains: Names of the symptoms that this cause can bring about.
        explained_by: Names of the found causes that can have brought this symptom
            about, the most likely first; empty for causes.

    Example:
    >>> from keras_dlbasic.diagnosis import Finding
    >>> finding = Finding("plateau", "symptom", "critical", "The loss lies still.")
    >>> finding.severity
    'critical'
    """

    name: str
    kind: Kind
    severity: Severity
    message: str
    layer: str | None = None
    epoch: int | None = None
    step: int | None = None
    value: float | None = None
    threshold: float | None = None
    confidence: float = 1.0
    evidence: dict[str, Any] = field(default_factory=dict, hash=False)
    remedies: tuple[RemedySuggestion, ...] = ()
    explains: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.severity.upper()} {self.name}: {self.message}"

    @property
    def rank(self) -> int:
        """Place of the severity in `SEVERITIES`."""
        return SEVERITIES.index(self.severity)

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

    def to_dict(self) -> dict[str, Any]:
        """Return it in terms JSON knows; numbers that are not finite become text."""
        return {
            "name": self.name,
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "layer": self.layer,
            "epoch": self.epoch,
            "step": self.step,
            "value": plain(self.value),
            "threshold": plain(self.threshold),
            "confidence": plain(self.confidence),
            "evidence": plain(self.evidence),
            "remedies": [remedy.to_dict() for remedy in self.remedies],
            "explains": list(self.explains),
            "explained_by": list(self.explained_by),
        }

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> Finding:
        """Read what `to_dict` wrote."""
        remedies = tuple(RemedySuggestion(**part) for part in entry["remedies"])
        tuples = {key: tuple(entry[key]) for key in ("explains", "explained_by")}
        return cls(**{**entry, **tuples, "remedies": remedies})
