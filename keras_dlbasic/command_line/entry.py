"""Runs the command."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from keras_dlbasic.command_line.convert import convert
from keras_dlbasic.command_line.diagnose import diagnose
from keras_dlbasic.command_line.exit_codes import BAD_INPUT, CUT_OFF, FINE
from keras_dlbasic.command_line.parser import parser
from keras_dlbasic.command_line.report import report
from keras_dlbasic.command_line.runs import STANDARD_INPUT, complain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, none of which needs Keras.

    `keras-dlbasic diagnose RUN...` judges saved records (`.npz`) or tables of epochs
    (such as those of `CSVLogger`); `report` writes the same with pictures as pages of
    HTML; `convert` writes a record for other tools.

    Args:
        arguments: The words after the command's name. Defaults to None: those of the
            process.

    Returns:
        0 if nothing of the severity of `--fail-on` was found, 1 if something was, 2 if
        a file cannot be read or written or an argument is wrong, 3 if nothing was found
        but the decisive checks could not run. `convert` judges nothing: 0 or 2. 141 if
        the reader of the output closed the pipe, as a shell reports SIGPIPE.
    """
    # A terminal of Windows need not have the letters of a path or a layer's name.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # What reads the output has closed the pipe, as `head` does. Python would
        # complain once more as it closes the stream, so that goes nowhere.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT_OFF


def _run(arguments: Sequence[str] | None) -> int:
    try:
        given = parser().parse_args(arguments)
    except SystemExit as stop:  # argparse has said what is wrong
        return FINE if not stop.code else BAD_INPUT
    columns = _columns(given.column)
    if columns is None:
        return BAD_INPUT
    if getattr(given, "runs", []).count(STANDARD_INPUT) > 1:
        complain("standard input can be read once only. Give - once.")
        return BAD_INPUT
    if given.command == "convert":
        return convert(given, columns)
    if given.command == "report":
        return report(given, columns)
    return diagnose(given, columns)


def _columns(given: Sequence[str]) -> Mapping[str, str] | None:
    """Return the names of columns by those that Keras gives them."""
    columns = {}
    for entry in given:
        name, is_pair, column = entry.partition("=")
        if not (name and is_pair and column):
            complain(f"--column must be like loss=my_loss. Received: {entry}")
            return None
        columns[name] = column
    return columns
