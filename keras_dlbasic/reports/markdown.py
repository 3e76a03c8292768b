"""Diagnoses in Markdown, for the summary of a job or a comment."""

from __future__ import annotations

import re

from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.records.printable import printable
from keras_dlbasic.reports.terminal import MOST_REMEDIES


def diagnosis_markdown(diagnosis: Diagnosis, *, title: str = "Diagnosis") -> str:
    """Return a diagnosis in GitHub's Markdown.

    Args:
        diagnosis: The diagnosis.
        title: The heading.

    Example:
    >>> from keras_dlbasic.diagnosis import Diagnosis
    >>> from keras_dlbasic.reports.markdown import diagnosis_markdown
    >>> print(diagnosis_markdown(Diagnosis(checked_fine={"plateau": "it falls"})))
    ### Diagnosis
    <BLANKLINE>
    Nothing wrong was found. 1 of 1 checks ran.
    """
    serious = [found for found in diagnosis.top_level if found.rank]
    parts = [f"### {_words(title)}", _words(diagnosis.headline)]
    if serious:
        parts.append("\n".join(_table(serious, diagnosis)))
        parts += [_remedies(finding) for finding in serious if finding.remedies]
    return "\n\n".join(parts)


def _table(findings: list[Finding], diagnosis: Diagnosis) -> list[str]:
    lines = ["| severity | finding | what was measured |", "| --- | --- | --- |"]
    for finding in findings:
        message = finding.message
        below = [symptom.name for symptom in diagnosis.beneath(finding)]
        if below:
            message += f" It explains: {', '.join(below)}."
        cells = (f"**{finding.severity}**", f"`{finding.name}`", _words(message))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _remedies(finding: Finding) -> str:
    lines = [f"What to try against `{finding.name}`:", ""]
    shown = finding.remedies[:MOST_REMEDIES]
    for number, remedy in enumerate(shown, start=1):
        lines.append(f"{number}. {_words(remedy.title)}: {_words(remedy.reason)}")
    calls = [(number, r.call) for number, r in enumerate(shown, start=1) if r.call]
    for number, call in calls[:1]:
        lines += ["", f"As code, {number}:", "", "```python", call, "```"]
    return "\n".join(lines)


def _words(text: str) -> str:
    """Return text in a line, in which no character marks anything up."""
    line = " ".join(printable(text).split())
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", line)
