"""What trials have come to so far, shown while others run."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

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
"""Number of trials in the table on a terminal."""


class TrialProgress:
    """Tells which trial of how many is done, how long the rest may take, and the best.

    On a terminal it is a small table that changes; elsewhere, in a file or a notebook,
    a line for each trial.

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
        self._live: Any = None
        if self._before:
            self._write(f"{self._before} of {n} trials were done before")

    def __enter__(self) -> TrialProgress:
        if self._n > self._before and getattr(self._file, "isatty", lambda: False)():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._file, highlight=False)
            self._live = Live(console=console, auto_refresh=False)
            self._live.start()
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
            self._live.update(self._table(), refresh=True)

    @property
    def done(self) -> str:
        """How many trials are done."""
        return f"trial {len(self._results)} of {self._n}"

    @property
    def rest(self) -> str:
        """How long the other trials may take, and the best one so far."""
        parts = []
        left, new = self._n - len(self._results), len(self._results) - self._before
        if left and new:
            seconds = (self._clock() - self._begun) / new * left
            parts.append(f"about {_time(seconds)} left")
        if best := self._best():
            parts.append(f"best so far: {best}")
        return "".join(f"; {part}" for part in parts)

    def _best(self) -> str:
        # A diverged trial may have measured something before, which is no result.
        done = [r for r in self._results if r.status == "done"]
        for name, choose in BEST:
            known = [r for r in done if _is_number(r.values.get(name))]
            if known:
                best = choose(known, key=lambda result: float(result.values[name]))
                return f"{name} {best.values[name]:.4g} ({_settings(best)})"
        return ""

    def _table(self) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table()
        table.add_column("trial")
        table.add_column("came to")
        for result in self._results[-MAX_ROWS:]:
            table.add_row(printable(_settings(result)), printable(_came_to(result)))
        return Group(table, Text(printable(f"{self.done}{self.rest}")))

    def _write(self, text: str) -> None:
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


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
