"""The command `keras-dlbasic diagnose`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from keras_dlbasic.command_line.exit_codes import (
    BAD_INPUT,
    FINE,
    FOUND,
    NOT_JUDGED,
    worst,
)
from keras_dlbasic.command_line.runs import JudgedRun, complain, judged
from keras_dlbasic.records.json_text import json_text
from keras_dlbasic.records.printable import printable


def diagnose(given: argparse.Namespace, columns: Mapping[str, str]) -> int:
    """Judge runs and print what was found.

    Args:
        given: The arguments.
        columns: Names of columns by the names that Keras gives them.

    Returns:
        The exit code.
    """
    if given.quiet and given.format != "text":
        complain(
            f"--quiet prints lines of text, not {given.format}. Leave out --quiet, or "
            f"--format {given.format}."
        )
        return BAD_INPUT
    found = [judged(path, columns) for path in given.runs]
    runs = [run for run in found if run is not None]
    if given.quiet:
        _print_quietly(runs, given.fail_on)
    else:
        _PRINTERS[given.format](runs, given)
    codes = [BAD_INPUT] * (len(found) - len(runs))
    return worst([*codes, *(exit_code(run, given.fail_on) for run in runs)])


def exit_code(run: JudgedRun, fail_on: str) -> int:
    """Return the exit code of a run."""
    if run.diagnosis.at_least(fail_on):
        return FOUND
    return FINE if run.diagnosis.is_judged else NOT_JUDGED


def _print_quietly(runs: list[JudgedRun], fail_on: str) -> None:
    for run in runs:
        if exit_code(run, fail_on) != FINE:
            severity = run.diagnosis.worst if run.diagnosis.at_least(fail_on) else None
            words = f"{run.path}: {severity or 'not judged'}: {run.diagnosis.headline}"
            sys.stdout.write(printable(words) + "\n")


def _print_text(runs: list[JudgedRun], given: argparse.Namespace) -> None:
    from keras_dlbasic.reports import print_diagnosis

    for number, run in enumerate(runs):
        if number:
            sys.stdout.write("\n")
        title = f"Diagnosis of {run.name}"
        print_diagnosis(
            run.diagnosis, title=title, verbose=given.verbose, reasons_in="--verbose"
        )


def _print_json(runs: list[JudgedRun], given: argparse.Namespace) -> None:
    if len(given.runs) == 1:
        for run in runs:
            sys.stdout.write(run.diagnosis.to_json() + "\n")
        return
    entries = [{"path": run.path, **run.diagnosis.to_dict()} for run in runs]
    sys.stdout.write(json_text({"runs": entries}, indent=2) + "\n")


def _print_sarif(runs: list[JudgedRun], given: argparse.Namespace) -> None:
    from keras_dlbasic.reports.sarif import sarif

    pairs = [(run.path, run.diagnosis) for run in runs]
    unread = [path for path in given.runs if path not in dict(pairs)]
    sys.stdout.write(json_text(sarif(pairs, unread), indent=2) + "\n")


def _print_markdown(runs: list[JudgedRun], given: argparse.Namespace) -> None:
    from keras_dlbasic.reports.markdown import diagnosis_markdown

    for run in runs:
        sys.stdout.write(diagnosis_markdown(run.diagnosis, title=run.name) + "\n")


_PRINTERS = {
    "text": _print_text,
    "json": _print_json,
    "sarif": _print_sarif,
    "markdown": _print_markdown,
}
