"""What is lost where a model runs with the statistics that it has gathered."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records.probe_facts import DriftFacts, InferenceFacts

LEARNED_SKILL, LEARNED_SAVED = 0.3, 0.2
"""With less there is little to lose, and on few rows it may be chance."""


@dataclass(frozen=True)
class InferenceGap:
    """The same rows with the statistics of the batch, and with moving statistics.

    Attributes:
        loss: Loss with the statistics of the rows themselves, as in training; None if
            not known.
        inference_loss: Loss as `evaluate` gives it; None if not known.
        skill: Skill as in training; None if not known.
        inference_skill: Skill as `predict` gives it; None if not known.
        lost: Share of what was learned that is lost in inference, by the skill if it is
            known, else by the loss; above 1 it is worse than a constant prediction.
        lost_loss: The same by the loss alone; NaN if not known. Answers that are right
            and less sure lose in this only.
        drifts: How far the statistics of each layer are off.
    """

    loss: float | None
    inference_loss: float | None
    skill: float | None
    inference_skill: float | None
    lost: float
    lost_loss: float
    drifts: tuple[DriftFacts, ...]


def inference_of(run: Run) -> InferenceFacts | None:
    """Return what was measured in inference; None if that was not tried."""
    probe = run.record.facts.probe
    return None if probe is None else probe.inference


def inference_gap(run: Run) -> InferenceGap | None:
    """Compare inference with training on the rows of the probe.

    Args:
        run: The run.

    Returns:
        None where it was not measured, or the model has learned too little to lose.
    """
    facts, outcome = inference_of(run), run.outcome
    if facts is None or outcome.learned is not True:
        return None
    by_loss = by_skill = math.nan
    has_saved = (outcome.loss_saved or 0.0) >= LEARNED_SAVED
    if has_saved and outcome.baseline and math.isfinite(facts.loss):
        assert outcome.loss_saved is not None
        saved = (outcome.baseline - facts.loss) / abs(outcome.baseline)
        by_loss = _lost(outcome.loss_saved, saved)
    if outcome.skill is not None and outcome.skill >= LEARNED_SKILL:
        by_skill = _lost(outcome.skill, facts.skill)
    # The skill goes first: a loss may be worse only because right answers are less
    # sure.
    lost = by_skill if math.isfinite(by_skill) else by_loss
    if not math.isfinite(lost):
        return None
    return InferenceGap(
        loss=outcome.loss,
        inference_loss=_known(facts.loss),
        skill=outcome.skill,
        inference_skill=_known(facts.skill),
        lost=lost,
        lost_loss=by_loss,
        drifts=facts.drifts,
    )


def _lost(known: float, left: float) -> float:
    return (known - left) / known


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
