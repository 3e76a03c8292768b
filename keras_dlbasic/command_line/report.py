"""The command `keras-dlbasic report`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from keras_dlbasic.command_line.diagnose import exit_code
from keras_dlbasic.command_line.exit_codes import BAD_INPUT, worst
from keras_dlbasic.command_line.runs import STANDARD_INPUT, complain, judged
from keras_dlbasic.records.printable import printable


def report(given: argparse.Namespace, columns: Mapping[str, str]) -> int:
    """Write the reports of runs.

    Args:
        given: The arguments.
        columns: Names of columns by the names that Keras gives them.

    Returns:
        The exit code.
    """
    several = len(given.runs) > 1
    if several and given.output is not None and not given.output.is_dir():
        complain(
            f"-o must be an existing folder for several runs. Received: {given.output}"
        )
        return BAD_INPUT
    targets = [_where(path, given.output) for path in given.runs]
    twice = [target for target in targets if targets.count(target) > 1]
    if twice:
        complain(
            f"several runs would be written to {twice[0]}. Write them to different "
            "folders, or rename them."
        )
        return BAD_INPUT
    return worst(
        [
            _report(path, target, given, columns)
            for path, target in zip(given.runs, targets, strict=True)
        ]
    )


def _report(
    path: str, output: Path, given: argparse.Namespace, columns: Mapping[str, str]
) -> int:
    run = judged(path, columns)
    if run is None:
        return BAD_INPUT
    try:
        run.diagnosis.to_html(output, title=f"Report on {run.name}")
    except OSError as error:
        complain(str(error))
        return BAD_INPUT
    sys.stdout.write(printable(f"Wrote {output}") + "\n")
    return exit_code(run, given.fail_on)


def _where(path: str, output: Path | None) -> Path:
    name = Path("run" if path == STANDARD_INPUT else path).with_suffix(".html")
    if output is None:
        return name
    return output / name.name if output.is_dir() else output
