"""The command `keras-dlbasic`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keras_dlbasic._version import __version__
from keras_dlbasic.records.printable import printable

if TYPE_CHECKING:
    from keras_dlbasic.diagnosis import Diagnosis

FINE, CRITICAL, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    `keras-dlbasic diagnose RUN` judges a saved record (`.npz`) or any table of epochs
    (such as one of `CSVLogger`), without Keras. `keras-dlbasic report RUN` writes the
    same with pictures as one page of HTML.

    Args:
        arguments: The words after the command's name. Defaults to None: those of the
            process.

    Returns:
        0 if nothing critical was found, 1 if something was, 2 if the file cannot be
        read.
    """
    parser = _parser()
    try:
        given = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has said what is wrong
        return FINE if not stop.code else BAD_INPUT
    if given.command == "report":
        return _report(given.run, given.output)
    return _diagnose(given.run, as_json=given.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keras-dlbasic", description="Say why a Keras model does not learn."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    diagnose = commands.add_parser(
        "diagnose",
        help="judge a recorded run",
        description="Judge a recorded run. Exit code: 0 nothing critical found, "
        "1 something critical found, 2 the file cannot be read.",
    )
    diagnose.add_argument(
        "run", type=Path, help="a record (.npz), or a table of epochs (.csv)"
    )
    diagnose.add_argument("--json", action="store_true", help="print JSON")
    report = commands.add_parser(
        "report",
        help="write a recorded run's report as one page of HTML",
        description="Write a report: verdict, findings, remedies, pictures. Exit "
        "codes as those of `diagnose`.",
    )
    report.add_argument("run", type=Path, help="a record or table, as for `diagnose`")
    report.add_argument(
        "-o",
        "--output",
        type=Path,
        help="where to write; by default the run's name with .html",
    )
    return parser


def _diagnose(path: Path, *, as_json: bool) -> int:
    from keras_dlbasic.reports import print_diagnosis

    diagnosis = _judged(path)
    if diagnosis is None:
        return BAD_INPUT
    if as_json:
        sys.stdout.write(diagnosis.to_json() + "\n")
    else:
        print_diagnosis(diagnosis, title=f"Diagnosis of {path.name}")
    return CRITICAL if diagnosis.at_least("critical") else FINE


def _report(path: Path, output: Path | None) -> int:
    diagnosis = _judged(path)
    if diagnosis is None:
        return BAD_INPUT
    output = path.with_suffix(".html") if output is None else output
    try:
        diagnosis.to_html(output, title=f"Report on {path.name}")
    except OSError as error:
        sys.stderr.write(printable(f"keras-dlbasic: {error}") + "\n")
        return BAD_INPUT
    sys.stdout.write(printable(f"Wrote {output}") + "\n")
    return CRITICAL if diagnosis.at_least("critical") else FINE


def _judged(path: Path) -> Diagnosis | None:
    """Judge a saved run; say what is wrong with a file that cannot be read."""
    from keras_dlbasic.diagnosis import diagnose
    from keras_dlbasic.records import TrainingRecord

    try:
        if path.suffix.lower() == ".npz":
            record = TrainingRecord.load(path)
        else:
            record = TrainingRecord.from_csv(path)
    except (OSError, ValueError) as error:
        sys.stderr.write(printable(f"keras-dlbasic: {error}") + "\n")
        return None
    return diagnose(record)


if __name__ == "__main__":
    sys.exit(main())
