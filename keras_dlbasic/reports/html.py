"""A diagnosis as one page that a person can read and pass on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np

from keras_dlbasic._display import page_of
from keras_dlbasic._version import __version__
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.diagnosis.rivals import rivals_text
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.atomic_file import atomic_file
from keras_dlbasic.reports.facts_table import facts_table, value_words
from keras_dlbasic.reports.given import diagnosis_of


@names_nearest
def write_html(
    diagnosis: Diagnosis,
    path: str | os.PathLike[str],
    record: TrainingRecord | None = None,
    *,
    title: str = "Training report",
) -> None:
    """Write a report: one file that needs no network and no other file.

    The report begins with the verdict. Then come the findings with evidence and
    remedies, plots of the run, the list of checks, and the facts of the run. All text
    from a model or a record is escaped.

    Args:
        diagnosis: The diagnosis, or a `TrainingDoctor` that has one.
        path: Path of the file. An existing file is replaced once the new one is
            complete.
        record: The record, for plots and facts. Defaults to None: the report has
            neither.
        title: Name of the run. Defaults to `"Training report"`.

    Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> import keras_dlbasic as kd
    >>> from keras_dlbasic.reports import write_html
    >>> record = kd.records.TrainingRecord.from_history({"loss": [0.7, 0.5, 0.4]})
    >>> path = Path(tempfile.mkdtemp()) / "report.html"
    >>> write_html(kd.diagnose(record), path, record)
    >>> path.read_text().startswith("<!DOCTYPE html>")
    True
    """
    diagnosis = diagnosis_of(diagnosis)
    with atomic_file(path) as file:  # opened before all is drawn
        file.write(html_text(diagnosis, record, title=title).encode())


@page_of.register(Diagnosis)
def _page(diagnosis: Diagnosis, *, title: str) -> str:
    return html_text(diagnosis, diagnosis.record, title=title)


def html_text(
    diagnosis: Diagnosis,
    record: TrainingRecord | None = None,
    *,
    title: str = "Training report",
) -> str:
    """Return the page that `write_html` writes."""
    from jinja2 import Environment, StrictUndefined

    from keras_dlbasic.reports.pictures import pictures_of

    folder = files("keras_dlbasic.reports") / "templates"
    # Names of layers and texts may come from a file of somebody else's, so all of them
    # are escaped. A name that the template misspells is an error.
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.from_string((folder / "report.html").read_text("utf-8"))
    pictures = pictures_of(record) if record is not None else []
    layers = _layers(record) if record is not None else None
    facts = list(facts_table(record.facts.to_dict())) if record is not None else []
    sections = [
        ("findings", "What was found"),
        *([("pictures", "Pictures")] if pictures else []),
        *([("layers", "Layers")] if layers else []),
        ("checks", "What was looked at"),
        *([("facts", "The run")] if facts else []),
    ]
    return page.render(
        title=title,
        verdict=_verdict(diagnosis),
        outcome=diagnosis.outcome,
        sections=sections,
        findings=list(_findings(diagnosis)),
        rivals=[rivals_text(group) for group in diagnosis.rivals],
        remarks=diagnosis.notes,
        pictures=pictures,
        layers=layers,
        fine=list(diagnosis.checked_fine.items()),
        skipped=list(diagnosis.skipped.items()),
        facts=facts,
        version=__version__,
        style=(folder / "report.css").read_text("utf-8"),
        script=(folder / "report.js").read_text("utf-8"),
    )


def _verdict(diagnosis: Diagnosis) -> dict[str, str]:
    is_quiet = not diagnosis.at_least("warning")
    if not is_quiet:
        severity = str(diagnosis.worst)
    else:
        severity = "fine" if diagnosis.coverage.is_complete else "unjudged"
    return {"severity": severity, "text": diagnosis.headline}


def _findings(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    for finding in diagnosis.top_level:
        if not finding.rank:
            continue
        yield {
            "name": finding.name,
            "severity": finding.severity,
            "message": finding.message,
            "where": f"{finding.kind}, {finding.where}",
            "symptoms": diagnosis.beneath(finding),
            "perhaps_by": finding.explained_by,
            "evidence": list(_evidence(finding)),
            "remedies": [
                {
                    "title": remedy.title,
                    "reason": remedy.reason.rstrip("."),
                    "call": remedy.call,
                    "by_hand": remedy.code if remedy.call else "",
                }
                for remedy in finding.remedies
            ],
        }


def _evidence(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.value is not None:
        yield "measured", f"{value_words(finding.value)} {finding.unit}".rstrip()
    if finding.threshold is not None:
        yield "threshold", f"{value_words(finding.threshold)} {finding.unit}".rstrip()
    for name, value in finding.evidence.items():
        yield name.replace("_", " "), value_words(value)


def _layers(record: TrainingRecord) -> dict[str, Any] | None:
    if not len(record.steps) or not record.layers:
        return None
    gradients = record.by_layer("gradient_norm")
    weights = record.by_layer("weight_norm")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = record.by_layer("update_norm") / weights
    columns = [gradients[0], gradients[-1], weights[-1], _median(ratios)]
    return {
        "columns": [
            "Layer",
            "Gradient norm at the start",
            "in the end",
            "Weight norm at the end",
            "Update ratio, median",
        ],
        "rows": [
            [layer, *(value_words(column[place]) for column in columns)]
            for place, layer in enumerate(record.layers)
        ],
    }


def _median(rows: np.ndarray) -> np.ndarray:
    known = np.isfinite(rows).any(axis=0)
    found = np.full(rows.shape[1], np.nan)
    found[known] = np.nanmedian(rows[:, known], axis=0)
    return found
