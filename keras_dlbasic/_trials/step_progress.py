"""How far a run of many steps is, shown while it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO

from keras_dlbasic._trials.live_table import LiveTable, live_table
from keras_dlbasic._trials.short_time import short_time
from keras_dlbasic.records.printable import printable

LIVE_SECONDS, LINE_SECONDS = 0.2, 30.0
"""Least time between two looks: what changes in place costs no lines, a log does."""


class StepProgress:
    """Tells how many steps of how many are done, and how long the rest may take.

    On a terminal and in a notebook it is a line that changes in place; elsewhere, as in
    a file, a line each half a minute, so none of a short run.

    Args:
        what: What runs, such as `"range test"`.
        n: Number of steps.
        file: Where to write. Defaults to None: standard output.
        clock: Gives seconds. Defaults to `time.monotonic`.
    """

    def __init__(
        self,
        what: str,
        n: int,
        file: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._n, self._clock = what, n, clock
        self._file = sys.stdout if file is None else file
        self._begun = self._last = clock()
        self._live: LiveTable | None = None

    def __enter__(self) -> StepProgress:
        if self._file is not None:  # None: a program without a console
            self._live = live_table(self._file)
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, done: int, now: str = "") -> None:
        """Show how many steps are done, if it is time to.

        Args:
            done: Number of steps.
            now: What else to show, such as the learning rate. Defaults to nothing.
        """
        seconds = self._clock()
        wait = LINE_SECONDS if self._live is None else LIVE_SECONDS
        if self._file is None or (seconds - self._last < wait and done < self._n):
            return
        self._last = seconds
        text = f"{self._what}: step {done} of {self._n}"
        if 0 < done < self._n:
            rest = (seconds - self._begun) / done * (self._n - done)
            text += f"; about {short_time(rest)} left"
        text = printable(f"{text}; {now}" if now else text)
        if self._live is not None:
            self._live.update((), (), text)
        elif seconds - self._begun >= LINE_SECONDS:
            self._file.write(f"{text}\n")
            self._file.flush()
