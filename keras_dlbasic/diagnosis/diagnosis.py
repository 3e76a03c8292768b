"""What a diagnosis found, found fine and could not look at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from keras_dlbasic._display import Displayed, page_of
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.atomic_file import atomic_file
from keras_dlbasic.records.json_text import json_text


class Diagnosis(Displayed, Sequence[Finding]):
    """The findings of a diagnosis: causes before symptoms, the most likely first.

    A cause explains symptoms: `symptoms_of(cause)` lists them, and each symptom names
    its causes in `explained_by`.

    Args:
        findings: The findings, ordered.
        checked_fine: What was looked at and found fine: name of the check to a few
            words on what was measured.
        skipped: What could not be looked at: name of the check to the reason.
        outcome: What the run came to, in words, or an empty string.
        record: What was judged, for the pictures of `to_html`. Defaults to None.

    Example:
    >>> from keras_dlbasic.diagnosis import Diagnosis, Finding
    >>> found = Diagnosis([Finding("plateau", "symptom", "warning", "It lies still.")])
    >>> found[0].name, found.worst, found.is_healthy
    ('plateau', 'warning', False)
    """

    def __init__(
        self,
        findings: Iterable[Finding] = (),
        checked_fine: Mapping[str, str] | None = None,
        skipped: Mapping[str, str] | None = None,
        *,
        outcome: str = "",
        record: TrainingRecord | None = None,
    ) -> None:
        self._findings = tuple(findings)
        self.checked_fine = dict(checked_fine or {})
        self.skipped = dict(skipped or {})
        self.outcome = outcome
        self.record = record

    def __len__(self) -> int:
        return len(self._findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self._findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagnosis):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        named = ", ".join(f"{f.name} ({f.severity})" for f in self._findings)
        return (
            f"<Diagnosis: {named or 'nothing found'}; {len(self.checked_fine)} checks "
            f"fine, {len(self.skipped)} skipped>"
        )

    def __str__(self) -> str:
        lines = [self.outcome] if self.outcome else []
        lines += self._text() or ["Nothing found."]
        if self.skipped:
            lines.append(f"Skipped: {', '.join(self.skipped)}.")
        return "\n".join(lines)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the findings, each once, in order."""
        return tuple(dict.fromkeys(finding.name for finding in self._findings))

    @property
    def causes(self) -> tuple[Finding, ...]:
        """The findings that are causes."""
        return tuple(f for f in self._findings if f.kind == "cause")

    @property
    def symptoms(self) -> tuple[Finding, ...]:
        """The findings that are symptoms."""
        return tuple(f for f in self._findings if f.kind == "symptom")

    @property
    def worst(self) -> str | None:
        """The worst severity found; None if nothing was."""
        ranks = [finding.rank for finding in self._findings]
        return SEVERITIES[max(ranks)] if ranks else None

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was found at severity warning or above."""
        return not self.at_least("warning")

    def at_least(self, severity: str) -> tuple[Finding, ...]:
        """Return the findings of a severity or worse.

        Raises:
            ValueError: If there is no such severity.
        """
        if severity not in SEVERITIES:
            raise ValueError(
                f"`severity` must be one of {list(SEVERITIES)}. Received: {severity!r}"
            )
        least = SEVERITIES.index(severity)
        return tuple(f for f in self._findings if f.rank >= least)

    def symptoms_of(self, cause: Finding) -> tuple[Finding, ...]:
        """Return the found symptoms that a found cause explains."""
        return tuple(
            symptom
            for symptom in self.symptoms
            if cause.name in symptom.explained_by and cause.may_concern(symptom)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in terms JSON knows."""
        return {
            "outcome": self.outcome,
            "worst": self.worst,
            "findings": [finding.to_dict() for finding in self._findings],
            "checked_fine": dict(self.checked_fine),
            "skipped": dict(self.skipped),
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Diagnosis:
        """Read what `to_dict` wrote."""
        return cls(
            [Finding.from_dict(part) for part in entry["findings"]],
            entry["checked_fine"],
            entry["skipped"],
            outcome=entry["outcome"],
        )

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return all of it as JSON."""
        return json_text(self.to_dict(), indent=indent)

    def to_html(
        self, path: str | os.PathLike[str], *, title: str = "Training report"
    ) -> None:
        """Write a report as one file that needs no network (`reports.write_html`).

        Args:
            path: Where to write; a file that is there is replaced.
            title: Name of the run. Defaults to `"Training report"`.

        Example:
        >>> import os, tempfile
        >>> import keras_dlbasic as kd
        >>> record = kd.records.TrainingRecord.from_history({"loss": [0.7, 0.5, 0.4]})
        >>> path = os.path.join(tempfile.mkdtemp(), "report.html")
        >>> kd.diagnose(record).to_html(path)
        >>> os.path.getsize(path) < 2_000_000
        True
        """
        with atomic_file(path) as file:  # opened before all is drawn
            file.write(page_of(self, title=title).encode())

    def _text(self) -> list[str]:
        lines = []
        for finding in self._findings:
            if finding.kind == "symptom" and finding.explained_by:
                continue
            lines.append(str(finding))
            lines += [f"    so {symptom}" for symptom in self.symptoms_of(finding)]
            if finding.remedies:
                lines.append(f"    Try {finding.remedies[0]}")
        return lines
