"""What a diagnosis found, found fine and could not look at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from keras_dlbasic._display import Displayed, brief, one_line, page_of, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.coverage import Coverage
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.headline import headline
from keras_dlbasic.diagnosis.rivals import rivals, rivals_text
from keras_dlbasic.diagnosis.skipped_line import skipped_line
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.atomic_file import atomic_file
from keras_dlbasic.records.json_text import json_text

SCHEMA_VERSION = 1
"""Of the dictionary and the JSON of a diagnosis."""

NAMED = 3
"""Number of findings whose names are in a `repr`."""


@names_nearest
class Diagnosis(Displayed, Sequence[Finding]):
    """The findings of a diagnosis: by severity, then causes before symptoms.

    A cause explains symptoms: `symptoms_of(cause)` lists them, and each symptom names
    its causes in `explained_by`.

    Args:
        findings: The findings, ordered.
        checked_fine: Passed checks: what was measured, by name of the check.
        skipped: Skipped checks: the reason, by name of the check.
        outcome: How well the model did, as text, or an empty string.
        record: The record that was judged, for the plots of `to_html`. Defaults to
            None.
        coverage: How much could be judged, a `Coverage`. Defaults to None: counted from
            the above, without decisive checks.

    Example:
    >>> from keras_dlbasic.diagnosis import Diagnosis, Finding
    >>> found = Diagnosis([Finding("plateau", "symptom", "warning", "It is stuck.")])
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
        coverage: Coverage | None = None,
    ) -> None:
        self._findings = tuple(findings)
        self.checked_fine = dict(checked_fine or {})
        self.skipped = dict(skipped or {})
        self.outcome = outcome
        self.record = record
        if coverage is None:
            ran = {*self.names, *self.checked_fine}
            coverage = Coverage.of({}, ran, self.skipped)
        self.coverage = coverage

    def __len__(self) -> int:
        return len(self._findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        try:
            return self._findings[index]
        except TypeError:
            raise TypeError(
                "A diagnosis is a sequence of findings: take them by number, as in "
                f"`diagnosis[0]`. Received: {index!r}; found: "
                f"{', '.join(self.names) or 'nothing'}."
            ) from None

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagnosis):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        named = [f"{f.name} ({f.severity})" for f in self._findings]
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        found = ", ".join(named[:NAMED]) + more or "nothing found"
        return brief(self, f"{found}. {self.coverage.text}")

    def __str__(self) -> str:
        lines = [self.outcome] if self.outcome else []
        if self._is_quiet:
            lines.append(self.headline)
        elif not self.coverage.is_complete:
            lines.append(self.coverage.text)
        lines += self._text()
        lines += [rivals_text(group) for group in self.rivals]
        if self.skipped:
            lines.append(skipped_line(self.skipped))
        return wrapped("\n".join(lines))

    @property
    def headline(self) -> str:
        """What was found, and how much could be judged, in a sentence or two.

        "Nothing wrong was found" is said only where the decisive checks ran.
        """
        serious = [found for found in self.top_level if found.rank]
        return headline(serious, self.coverage)

    @property
    def is_judged(self) -> bool:
        """Whether the decisive checks ran, so that no finding means a healthy run."""
        return self.coverage.is_judged

    @property
    def top_level(self) -> tuple[Finding, ...]:
        """The findings on the top level of a report, in order.

        These are all findings but the symptoms that are listed under a cause, see
        `beneath`.
        """
        below = {s.name for f in self._findings for s in self.beneath(f)}
        return tuple(f for f in self._findings if f.name not in below)

    @property
    def rivals(self) -> tuple[tuple[Finding, ...], ...]:
        """Groups of causes that explain the run equally well; may be empty."""
        return rivals(self._findings)

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
        """Whether the run was judged and has no finding at severity warning or above.

        It is also `False` if the decisive checks could not run (`is_judged` is
        `False`).
        """
        return self.is_judged and not self.at_least("warning")

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

    def beneath(self, finding: Finding) -> tuple[Finding, ...]:
        """Return the symptoms that are listed under a finding.

        Each symptom is listed under its most likely cause only. A symptom that is more
        severe than all its causes is listed separately, because they do not explain it
        completely.
        """
        return tuple(
            symptom
            for symptom in self.symptoms
            if symptom.explained_by[:1] == (finding.name,)
            and finding.kind == "cause"
            and finding.rank >= symptom.rank
        )

    @property
    def notes(self) -> tuple[Finding, ...]:
        """Findings without effect on this run, which no other finding explains."""
        told = {
            id(symptom)
            for finding in self.top_level
            if finding.rank
            for symptom in self.beneath(finding)
        }
        return tuple(f for f in self if not f.rank and id(f) not in told)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serializable dict, in which epochs and steps are 0-based.

        `"schema_version"` increases when a key is removed or changes its meaning. New
        keys may be added without notice. The schema is in the guide.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "index_base": 0,
            "headline": self.headline,
            "coverage": self.coverage.to_dict(),
            "outcome": self.outcome,
            "worst": self.worst,
            "findings": [finding.to_dict() for finding in self._findings],
            "checked_fine": dict(self.checked_fine),
            "skipped": dict(self.skipped),
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Diagnosis:
        """Read what `to_dict` wrote, also that of older versions."""
        coverage = entry.get("coverage")
        return cls(
            [Finding.from_dict(part) for part in entry["findings"]],
            entry["checked_fine"],
            entry["skipped"],
            outcome=entry["outcome"],
            coverage=None if coverage is None else Coverage.from_dict(coverage),
        )

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the diagnosis as JSON."""
        return json_text(self.to_dict(), indent=indent)

    def to_html(
        self, path: str | os.PathLike[str], *, title: str = "Training report"
    ) -> None:
        """Write a report as one file that needs no network (`reports.write_html`).

        Args:
            path: Path of the file. An existing file is replaced.
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

    @property
    def _is_quiet(self) -> bool:
        return not self.at_least("warning")

    def _text(self) -> list[str]:
        lines = []
        for finding in self.top_level:
            lines.append(one_line(finding))
            lines += [f"    so {one_line(part)}" for part in self.beneath(finding)]
            if finding.explained_by:
                lines.append(f"    Perhaps by: {', '.join(finding.explained_by)}")
            if finding.remedies:
                remedy = finding.remedies[0]
                lines.append(f"    Try {remedy.title}: {remedy.reason}")
                lines += [f"      {line}" for line in remedy.call.splitlines()]
        return lines
