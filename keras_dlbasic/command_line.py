"""The command `keras-dlbasic`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_dlbasic._version import __version__

FINE, CRITICAL, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    `keras-dlbasic diagnose RUN` judges a saved record (`.npz`) or any table of epochs
    (such as one of `CSVLogger`), without Keras.

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
    return _diagnose(given.run, as_json=given.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keras-dlbasic", description="Say why a Keras model does not learn."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
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
    return parser


def _diagnose(path: Path, *, as_json: bool) -> int:
    from keras_dlbasic.diagnosis import diagnose
    from keras_dlbasic.records import TrainingRecord
    from keras_dlbasic.reports import print_diagnosis

    try:
        if path.suffix.lower() == ".npz":
            record = TrainingRecord.load(path)
        else:
            record = TrainingRecord.from_csv(path)
    except (OSError, ValueError) as error:
        print(f"keras-dlbasic: {error}", file=sys.stderr)
        return BAD_INPUT
    diagnosis = diagnose(record)
    if as_json:
        print(diagnosis.to_json())
    else:
        print_diagnosis(diagnosis, title=f"Diagnosis of {path.name}")
    return CRITICAL if diagnosis.at_least("critical") else FINE


if __name__ == "__main__":
    sys.exit(main())
