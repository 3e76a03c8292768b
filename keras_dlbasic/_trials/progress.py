"""What trials have come to so far, shown while others run."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

from keras_dlbasic._trials.live_table import LiveTable, live_table
from keras_dlbasic._trials.short_time import short_time
from keras_dlbasic.records import TrialResult
from keras_dlbasic.records.printable import printable

BEST = (
    ("score", max),
    ("val_error", min),
    ("val_loss", min),
    ("train_loss", min),
    ("loss", min),
)
"""What trials are compared by: the first of these that they have."""

MAX_ROWS = 5
"""Number of trials in the table."""


class TrialProgress:
    """Tells which trial of how many is done, how long the rest may take, and the best.

    On a terminal and in a notebook it is a small table of the best trials that changes
    in place; elsewhere, as in a file, a line for each trial.

    Args:
        n: Number of trials.
        finished: Results that were there before.
        file: Where to write. Defaults to None: standard output.
        clock: Gives seconds. Defaults to `time.monotonic`.
    """

    def __init__(
        self,
        n: int,
        finished: list[TrialResult],
        file: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._n, self._before = n, len(finished)
        self._results = list(finished)
        self._file = sys.stdout if file is None else file
        self._clock, self._begun = clock, clock()
        self._live: LiveTable | None = None
        if self._before:
            self._write(f"{self._before} of {n} trials were done before")

    def __enter__(self) -> TrialProgress:
        if self._n > self._before and self._file is not None:
            self._live = live_table(self._file)
        if self._live is not None:
            first = f"trial {self._before + 1} of {self._n} is running"
            self._live.update((), (), first)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._live is not None:
            self._live.stop()
        if error[0] is not None:
            n = len(self._results)
            self._write(f"Stopped after {n} of {self._n} trials.")

    def add(self, result: TrialResult) -> None:
        """Show one more result."""
        self._results.append(result)
        if self._live is None:
            self._write(
                f"{self.done}: {_settings(result)}: {_came_to(result)}{self.rest}"
            )
        else:
            name, rows = self._best_rows()
            last = f"; last: {_settings(result)}: {_came_to(result)}"
            columns = ("best so far", name)
            self._live.update(columns, rows, f"{self.done}{self._left}{last}")

    @property
    def done(self) -> str:
        """How many trials are done."""
        return f"trial {len(self._results)} of {self._n}"

    @property
    def rest(self) -> str:
        """How long the other trials may take, and the best one so far."""
        name, rows = self._best_rows()
        best = f"; best so far: {name} {rows[0][1]} ({rows[0][0]})" if rows else ""
        return self._left + best

    @property
    def _left(self) -> str:
        left, new = self._n - len(self._results), len(self._results) - self._before
        if not (left and new):
            return ""
        return f"; about {short_time((self._clock() - self._begun) / new * left)} left"

    def _best_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Return what trials are compared by, and settings and values of the best."""
        # A diverged trial may have measured something before, which is no result.
        done = [r for r in self._results if r.status == "done"]
        for name, choose in BEST:
            known = [r for r in done if _is_number(r.values.get(name))]
            if known:
                known.sort(key=lambda r: float(r.values[name]), reverse=choose is max)
                best = known[:MAX_ROWS]
                return name, [(_settings(r), f"{r.values[name]:.4g}") for r in best]
        return "", []

    def _write(self, text: str) -> None:
        if self._file is not None:  # as of a program without a console
            self._file.write(printable(text) + "\n")
            self._file.flush()


def _settings(result: TrialResult) -> str:
    return ", ".join(f"{name} {_word(v)}" for name, v in result.settings.items())


def _came_to(result: TrialResult) -> str:
    if result.status != "done":
        return f"{result.status} ({result.error})"[:80]
    for name, _ in BEST:
        if _is_number(result.values.get(name)):
            return f"{name} {result.values[name]:.4g}"
    return "done"


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_word(part)}" for k, part in value.items())
    return str(value)[:40]


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and math.isfinite(value)
