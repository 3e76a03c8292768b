"""What a treatment came to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from keras_dlbasic._display import Displayed, brief, one_line, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis import Diagnosis


@names_nearest
@dataclass(frozen=True, repr=False)
class TreatmentStep(Displayed):
    """A remedy that was tried.

    Attributes:
        remedy: The remedy, with its arguments, as text.
        finding: Name of the finding that it should fix.
        reason: Why it should have helped.
        score_before: Skill without it (`analysis.skill`, at least -1); None if it could
            not be applied.
        score_after: Skill with it.
        kept: Whether it was kept.
        note: Why it was kept or not.

    Example:
    >>> import keras_dlbasic as kd
    >>> step = kd.treatment.TreatmentStep(
    ...     "change_learning_rate(factor=10)", "learning_rate_too_low",
    ...     "lengthens every step", 0.1, 0.8, kept=True, note="skill +0.700",
    ... )
    >>> print(step)
    kept: change_learning_rate(factor=10) against learning_rate_too_low: skill +0.700
    """

    remedy: str
    finding: str
    reason: str
    score_before: float | None = None
    score_after: float | None = None
    kept: bool = False
    note: str = ""

    def __str__(self) -> str:
        verdict = "kept" if self.kept else "dropped"
        note = f": {self.note}" if self.note else ""
        return wrapped(f"{verdict}: {self.remedy} against {self.finding}{note}")


@names_nearest
@dataclass(frozen=True, repr=False)
class Treatment(Displayed):
    """The result of `treat`.

    Attributes:
        model: The treated model, trained.
        diagnosis: The diagnosis of the final training.
        first_diagnosis: The diagnosis before any remedy.
        history: The remedies that were tried, in order.
        code: Code that applies the same remedies to `model` and trains it.
        cost: Total cost: number of epochs, as a multiple of the requested epochs.
        score: Skill of the treated model (`analysis.skill`), for the task of the
            untreated one; NaN if not known.
        first_score: Skill of the untreated model in its first short trial.
        by_hand: Suggestions of the findings that only the user can carry out.

    Example:
    >>> import keras_dlbasic as kd
    >>> fine = kd.diagnosis.Diagnosis(checked_fine={"plateau": "it falls"})
    >>> result = kd.treatment.Treatment(None, fine, fine, score=0.9, first_score=0.9)
    >>> result.kept, result.is_healthy
    ((), True)
    """

    model: Any
    diagnosis: Diagnosis
    first_diagnosis: Diagnosis
    history: tuple[TreatmentStep, ...] = ()
    code: str = ""
    cost: float = 0.0
    score: float = float("nan")
    first_score: float = float("nan")
    by_hand: tuple[str, ...] = field(default=())

    @property
    def is_healthy(self) -> bool:
        """Whether the run was judged and nothing at warning or above is left."""
        return self.diagnosis.is_healthy

    @property
    def kept(self) -> tuple[TreatmentStep, ...]:
        """The remedies that were kept."""
        return tuple(step for step in self.history if step.kept)

    def table(self) -> list[dict[str, Any]]:
        """Return one row per remedy that was tried."""
        return [dict(vars(step)) for step in self.history]

    def _repr_html_(self) -> str:
        from keras_dlbasic.reports import cell

        first = self.first_diagnosis
        rows = [
            ["kept" if s.kept else "dropped", s.remedy, s.finding, s.note]
            for s in self.history
        ]
        parts = [
            cell.headline(self._came_to, "fine" if self.is_healthy else "warning"),
            cell.paragraph(f"Found at first: {', '.join(first.names) or 'nothing'}."),
            cell.table(["", "remedy", "against", "what decided"], rows) if rows else "",
            *(cell.paragraph(f"By hand: {what}") for what in self.by_hand),
            cell.paragraph("The same by hand:") if self.code else "",
            cell.code(self.code) if self.code else "",
            cell.paragraph("What is left:"),
            cell.diagnosis(self.diagnosis),
        ]
        return cell.cell(*parts)

    def __str__(self) -> str:
        found = ", ".join(self.first_diagnosis.names) or "nothing"
        lines = [f"Found: {found}.", *(one_line(step) for step in self.history)]
        if not self.kept:
            lines.append("No remedy was kept: the model was trained as it is.")
        lines += [f"By hand: {what}" for what in self.by_hand]
        return wrapped("\n".join([*lines, self._came_to]))

    def __repr__(self) -> str:
        n = len(self.kept)
        kept = "1 remedy" if n == 1 else f"{n} remedies"
        return brief(self, f"{kept} kept. {self._came_to}")

    @property
    def _came_to(self) -> str:
        left = ", ".join(f.name for f in self.diagnosis.at_least("warning"))
        skill = f"Skill {self.first_score:.2f} at first, {self.score:.2f} now"
        if math.isnan(self.score):
            skill = "The skill is not known (a custom loss, or constant targets)"
        return (
            f"{skill}; left: {left or 'nothing'}; cost: {self.cost:.1f} x the training."
        )
