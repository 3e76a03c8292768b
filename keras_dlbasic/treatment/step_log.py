"""What a treatment did, step by step."""

from __future__ import annotations

import sys

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.treatment.attempt import Attempt
from keras_dlbasic.treatment.treatment import TreatmentStep


class StepLog:
    """The steps of a treatment, which are told as they are taken.

    Args:
        verbose: 0: silent; 1: writes to the standard output.
    """

    def __init__(self, verbose: int) -> None:
        self._verbose = verbose
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
            note += "; weights are drawn anew: what they had learned is given up"
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

    def say(self, text: str) -> None:
        """Tell what goes on."""
        if self._verbose:
            sys.stdout.write(f"treat: {text}\n")
