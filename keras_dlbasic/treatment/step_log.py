"""What a treatment did, step by step."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from keras_dlbasic._display import one_line
from keras_dlbasic._trials.live_table import LiveTable, live_table
from keras_dlbasic._trials.short_time import short_time
from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.records.printable import printable_text
from keras_dlbasic.treatment.attempt import Attempt
from keras_dlbasic.treatment.treatment import TreatmentStep

MAX_ROWS = 8
"""Number of steps in the table, the last ones."""

HEADINGS = ("", "remedy", "against", "what decided")


class StepLog:
    """The steps of a treatment, which are told as they are taken.

    On a terminal and in a notebook they are a small table that changes in place;
    elsewhere, as in a file, a line each.

    Args:
        verbose: 0: silent; 1: writes to the standard output.
        clock: Gives seconds. Defaults to `time.monotonic`.
    """

    def __init__(
        self, verbose: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verbose, self._clock = verbose, clock
        self._begun = clock()
        self.steps: list[TreatmentStep] = []
        self._n_tried = 0
        self._live: LiveTable | None = None
        if verbose and sys.stdout is not None:
            self._live = live_table(sys.stdout)

    def add_attempt(self, attempt: Attempt) -> None:
        """Add what short trials came to."""
        self.add(
            attempt.finding,
            attempt.remedy,
            attempt.before,
            attempt.after,
            attempt.kept,
            attempt.note,
        )

    def add(
        self,
        finding: Finding,
        remedy: RemedySuggestion,
        before: float | None = None,
        after: float | None = None,
        kept: bool = False,
        note: str = "",
    ) -> None:
        """Add a step; see `TreatmentStep`."""
        # The model that was given may have been trained for long: whoever keeps such a
        # remedy should know that its copy begins anew.
        spec = REMEDIES.get(remedy.name or "")
        if kept and spec is not None and not spec.keeps_weights:
            note += "; with new weights, so what the model had learned is lost"
        step = TreatmentStep(
            remedy.action,
            finding.name,
            remedy.reason,
            None if before is None else float(before),
            None if after is None else float(after),
            kept,
            note,
        )
        self.steps.append(step)
        if self._live is None:
            self.say(one_line(step))

    def trying(
        self,
        finding: Finding,
        remedy: RemedySuggestion,
        *,
        spent: float,
        budget: float,
    ) -> None:
        """Tell what is tried now, how much is spent and how long the rest may take.

        Args:
            finding: What it is tried against.
            remedy: What is tried.
            spent: Epochs that were trained so far.
            budget: Epochs that may be trained in all.
        """
        self._n_tried += 1
        seconds = self._clock() - self._begun
        left = ""
        if spent > 0:
            rest = seconds / spent * max(budget - spent, 0)
            left = f", at most about {short_time(rest)} left"
        self.say(
            f"trial {self._n_tried}: {remedy.action} against {finding.name}"
            f"{self._best} ({spent:.0f} of {budget:.0f} epochs spent{left})"
        )

    @property
    def _best(self) -> str:
        kept = [step.score_after for step in self.steps if step.kept]
        return "" if not kept or kept[-1] is None else f"; best so far: {kept[-1]:.2f}"

    def interrupted(self, code: str) -> None:
        """Tell what was found out until then."""
        self.close()
        kept = [step.remedy for step in self.steps if step.kept]
        self.say(f"interrupted; kept so far: {', '.join(kept) or 'no remedy'}")
        if kept:
            self.say(f"the code of it:\n{code}")

    def say(self, text: str) -> None:
        """Tell what goes on."""
        if not self._verbose or sys.stdout is None:  # a program without a console
            return
        if self._live is not None:
            self._live.update(HEADINGS, self._rows, f"treat: {text}")
            return
        sys.stdout.write(printable_text(f"treat: {text}\n"))
        sys.stdout.flush()

    def close(self) -> None:
        """Leave the table as it is; what is told later stands below."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            ("kept" if s.kept else "dropped", s.remedy, s.finding, s.note)
            for s in self.steps[-MAX_ROWS:]
        ]
