"""What a run came to, against what a constant predictor reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_dlbasic.records import TrainingRecord

LEARNED_SKILL = 0.05
LEARNED_SCORE = 0.15
NOTHING_SKILL = 0.02
NOTHING_SCORE = 0.05
SURE = 3.0


@dataclass(frozen=True)
class Outcome:
    """How far a run got.

    Attributes:
        skill: Share of the constant predictor's loss that the model saves on the probe
            at the end, without penalties; None if not known.
        error: Standard error of `skill` over the rows of the probe.
        score: What `facts.reference_scores.score` says at the end; None if not known.
        reference: The better score of the simple predictors; None if not known.
        reference_name: Which one it is.
        baseline: Loss of the constant predictor.
        loss: Loss of the model on the probe at the end.
        start: Skill before training; None if not known.
    """

    skill: float | None = None
    error: float = math.inf
    score: float | None = None
    reference: float | None = None
    reference_name: str = ""
    baseline: float | None = None
    loss: float | None = None
    start: float | None = None
    start_score: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to judge by."""
        return self.skill is not None or self.score is not None

    @property
    def learned(self) -> bool | None:
        """Whether the model does better than a constant; None if not known or unclear."""
        if not self.is_known:
            return None
        skill = -math.inf if self.skill is None else self.skill
        score = -math.inf if self.score is None else self.score
        if skill >= LEARNED_SKILL and skill >= 2 * self.error:
            return True
        if score >= LEARNED_SCORE:
            return True
        if skill < max(NOTHING_SKILL, self.error) and score < NOTHING_SCORE:
            return False
        return None

    @property
    def text(self) -> str:
        """The outcome in words."""
        parts = []
        if self.loss is not None and self.baseline is not None:
            parts.append(
                f"On the probe the loss is {self.loss:.4g}; always giving the same answer "
                f"reaches {self.baseline:.4g}."
            )
        if self.score is not None:
            text = f"The score is {self.score:.2f} (0: a constant answer, 1: perfect)"
            if self.reference is not None:
                name = self.reference_name
                text += f"; {name} on unseen rows {self.reference:.2f}"
            parts.append(text + ".")
        return " ".join(parts)


def outcome_of(record: TrainingRecord) -> Outcome:
    """Judge how far a run got; nothing is known without a probe of the data."""
    table = record.tables.get("probe")
    facts = record.facts.get("probe")
    if table is None or not len(table) or not isinstance(facts, dict):
        return Outcome()
    baseline = facts.get("baseline_loss")
    loss, error = _last(table["loss"]), _last(table["loss_error"])
    references = {
        name: value
        for name, value in (facts.get("references") or {}).items()
        if isinstance(value, float) and math.isfinite(value)
    }
    best = max(references, key=references.__getitem__, default="")
    has_skill = bool(baseline) and loss is not None
    size = abs(baseline) if has_skill else 1.0
    first = float(table["loss"][0, 0])
    return Outcome(
        skill=(baseline - loss) / size if has_skill else None,
        error=(error or 0.0) / size if has_skill else math.inf,
        score=_last(table["score"]),
        reference=references.get(best),
        reference_name={"linear": "a linear predictor"}.get(best, "nearest neighbours"),
        baseline=baseline,
        loss=loss,
        start=(baseline - first) / size if has_skill and math.isfinite(first) else None,
        start_score=_finite(float(table["score"][0, 0])),
    )


def _last(column: np.ndarray) -> float | None:
    return _finite(float(column[-1, 0]))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
