"""Words to the user in the middle of a fit."""

from __future__ import annotations

import logging
import sys

import keras

from keras_dlbasic.records.printable import printable_text

_log = logging.getLogger("keras_dlbasic")


class Messages:
    """Holds messages back while the progress bar is on the line.

    Keras ends the bar's line after the hooks of an epoch's end, so what is found there
    is said when the next epoch begins or the fit ends.
    """

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def add(self, text: str) -> None:
        """Say `text` when the line is free."""
        self._waiting.append(text)

    def say(self) -> None:
        """Say what waits; to be called where the line is free."""
        waiting, self._waiting = self._waiting, []
        for text in map(printable_text, waiting):
            # a program without a console has no standard output
            if keras.config.is_interactive_logging_enabled() and sys.stdout is not None:
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
            else:
                _log.info(text)
