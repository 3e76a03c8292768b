"""Diagnoses in SARIF, the format of code scanning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from keras_dlbasic._version import __version__
from keras_dlbasic.diagnosis import Diagnosis, Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"critical": "error", "warning": "warning", "info": "note"}


def sarif(
    judged: Iterable[tuple[str, Diagnosis]], unread: Sequence[str] = ()
) -> dict[str, Any]:
    """Return diagnoses as a SARIF 2.1.0 log, JSON-serializable.

    Args:
        judged: The file of each run, and its diagnosis.
        unread: Files that could not be read. Defaults to none.

    Returns:
        The log. A finding is a result on the file of its run, since it has no line; a
        run that could not be judged is a note of the tool, a file that could not be
        read an error.

    Example:
    >>> from keras_dlbasic.diagnosis import Diagnosis, Finding
    >>> from keras_dlbasic.reports.sarif import sarif
    >>> found = Diagnosis([Finding("plateau", "symptom", "warning", "It is stuck.")])
    >>> sarif([("run.npz", found)])["runs"][0]["results"][0]["ruleId"]
    'plateau'
    """
    judged = list(judged)
    findings = [(path, f) for path, diagnosis in judged for f in diagnosis]
    # A run that could not be judged has no results, and would look like a clean one.
    notes = [
        {"level": "note", "message": {"text": f"{path}: {diagnosis.coverage.text}"}}
        for path, diagnosis in judged
        if not diagnosis.is_judged
    ]
    notes += [
        {"level": "error", "message": {"text": f"{path} could not be read."}}
        for path in unread
    ]
    rules = dict.fromkeys(finding.name for _, finding in findings)
    driver = {
        "name": "keras-dlbasic",
        "version": __version__,
        "rules": [
            {"id": name, "shortDescription": {"text": name.replace("_", " ")}}
            for name in rules
        ],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "results": [_result(path, finding) for path, finding in findings],
        "invocations": [
            {"executionSuccessful": not unread, "toolExecutionNotifications": notes}
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(path: str, finding: Finding) -> dict[str, Any]:
    text = finding.message
    if finding.remedies:
        text += f" Try: {finding.remedies[0].title}."
    place = {"artifactLocation": {"uri": _uri(path)}, "region": {"startLine": 1}}
    return {
        "ruleId": finding.name,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        # GitHub refuses results without a line
        "locations": [{"physicalLocation": place}],
        # Services recognize earlier findings by it. So it has no numbers, which change
        # from run to run.
        "partialFingerprints": {"finding": f"{finding.name}/{finding.layer or ''}"},
        "properties": {"confidence": finding.confidence, "kind": finding.kind},
    }


def _uri(path: str) -> str:
    """Return a path as services take it: relative to the folder of the job.

    They reject what is no path, such as the `-` of standard input.
    """
    if path == "-":
        return "standard-input"
    with suppress(ValueError):  # elsewhere
        path = str(Path(path).absolute().relative_to(Path.cwd()))
    return quote(Path(path).as_posix())
