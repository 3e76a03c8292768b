"""The arguments of the command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keras_dlbasic._version import __version__
from keras_dlbasic.command_line.exit_codes import CONVERT_MEANING, MEANING

FORMATS = ("text", "json", "sarif", "markdown")
TARGETS = ("csv", "parquet", "tensorboard")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    whole = argparse.ArgumentParser(
        prog="keras-dlbasic",
        description="Say why a Keras model does not learn.",
        epilog=MEANING,
    )
    whole.add_argument("--version", action="version", version=__version__)
    commands = whole.add_subparsers(required=True, dest="command", metavar="COMMAND")
    _add_diagnose(commands)
    _add_report(commands)
    _add_convert(commands)
    return whole


def _add_diagnose(commands: Any) -> None:
    diagnose = commands.add_parser(
        "diagnose",
        help="judge recorded runs",
        description="Judge recorded runs, without Keras.",
        epilog=MEANING,
    )
    _add_runs(diagnose)
    _add_fail_on(diagnose)
    diagnose.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text (default), json, sarif (code scanning), markdown (summary of a job)",
    )
    diagnose.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="format",
        help="--format json",
    )
    how = diagnose.add_mutually_exclusive_group()
    how.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print one line of text for each run that fails, and nothing else",
    )
    how.add_argument(
        "-v", "--verbose", action="store_true", help="say why checks were skipped"
    )


def _add_report(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="write the reports of recorded runs, each as one page of HTML",
        description="Write reports: verdict, findings, remedies, pictures.",
        epilog=MEANING,
    )
    _add_runs(report)
    _add_fail_on(report)
    report.add_argument(
        "-o",
        "--output",
        type=Path,
        help="where to write: a file, or a folder for several runs; by default the "
        "run's name with .html",
    )


def _add_convert(commands: Any) -> None:
    convert = commands.add_parser(
        "convert",
        help="write what a run recorded for other tools",
        description="Write a record as a table (.csv, .parquet) or for TensorBoard.",
        epilog=CONVERT_MEANING,
    )
    convert.add_argument("run", help="a record (.npz), a table of epochs, or -")
    convert.add_argument("output", type=Path, help="a file, or folder for TensorBoard")
    convert.add_argument(
        "--to", choices=TARGETS, help="by default, by the suffix of the file"
    )
    convert.add_argument(
        "--table",
        default="epochs",
        help="epochs (default), steps (a row for each step and variable), or another "
        "table of the record, such as activations",
    )
    _add_columns(convert)


def _add_runs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="a record (.npz), a table of epochs (.csv), or - for standard input",
    )
    _add_columns(command)


def _add_columns(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="the name of a column, such as loss=my_loss; can be repeated",
    )


def _add_fail_on(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fail-on",
        choices=("critical", "warning"),
        default="critical",
        help="severity from which a finding makes the exit code 1 (default: critical)",
    )
