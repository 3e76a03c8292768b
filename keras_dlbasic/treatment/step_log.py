"""What a treatment did, step by step."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.records.printable import printable_text
from keras_dlbasic.treatment.attempt import Attempt
from keras_dlbasic.treatment.treatment import TreatmentStep


class StepLog:
    """The steps of a treatment, which are told as they are taken.

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
            str(remedy).removesuffix(f": {remedy.reason}"),
            finding.name,
            remedy.reason,
            None if before is None else float(before),
            None if after is None else float(after),
            kept,
            note,
        )
        self.steps.append(step)
        self.say(str(step))

    def trying(
        self,
        finding: Finding,
        remedy: RemedySuggestion,
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
        seconds = self._clock() - self._begun
        left = ""
        if spent > 0:
            rest = seconds / spent * max(budget - spent, 0)
            left = f", at most about {rest:.0f} s left"
        kept = [step.score_after for step in self.steps if step.kept]
        skill = "" if not kept or kept[-1] is None else f"; skill so far {kept[-1]:.2f}"
        called = str(remedy).removesuffix(f": {remedy.reason}")
        self.say(
            f"trying {called} against {finding.name}{skill} "
            f"({spent:.0f} of {budget:.0f} epochs spent{left})"
        )

    def interrupted(self, code: str) -> None:
        """Tell what was found out until then."""
        kept = [step.remedy for step in self.steps if step.kept]
        self.say(f"interrupted; kept so far: {', '.join(kept) or 'no remedy'}")
        if kept:
            self.say(f"the code of it:\n{code}")

    def say(self, text: str) -> None:
        """Tell what goes on."""
        if self._verbose:
            sys.stdout.write(printable_text(f"treat: {text}\n"))
            sys.stdout.flush()
