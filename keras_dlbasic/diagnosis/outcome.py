"""What a run came to, against what a constant predictor reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from keras_dlbasic.diagnosis.frozen_judge import has_judge
from keras_dlbasic.diagnosis.outputs_apart import OutputRecord
from keras_dlbasic.records import LayerTable, ProbeFacts, TrainingRecord
from keras_dlbasic.records.probe_facts import PairedFacts

LEARNED_SAVED = 0.05
LEARNED_SKILL = 0.15
NOTHING_SAVED = 0.02
NOTHING_SKILL = 0.05
GOOD_SKILL = 0.8
"""Skill from which a trait of a run has done little harm."""

HALF = 0.5

FOLLOWS, FOLLOWS_NOT = 4.0, 2.0
"""Predictions say something of their rows if the loss rises by more standard errors
than the first where they are dealt to other rows, and nothing if by less than the
second."""

EXACT = 1e-4
"""A rise by no more than this share of the loss may be a matter of rounding."""

FOLLOWS_LITTLE = 0.05
"""A rise by this share of the loss is too much for nothing."""

NAMES = {
    "around": "a linear predictor of the surroundings of each place",
    "near_places": "nearest neighbors among the surroundings of places",
    "counts": "a linear predictor of which ids occur",
    "linear": "a linear predictor",
    "components": "a PCA with as many components as the narrowest layer has units",
}
"""Simple predictors, as text."""


@dataclass(frozen=True)
class Outcome:
    """How far a run got.

    Attributes:
        skill: Skill of the predictions on the probe at the end, see `analysis.skill`;
            None if not known.
        loss_saved: Share of the constant predictor's loss that the model saves on the
            probe at the end, without penalties; None if not known.
        loss_saved_error: Standard error of `loss_saved` over the rows of the probe.
        reference: The better skill of the simple predictors; None if not known.
        reference_name: Which one it is.
        baseline: Loss of the constant predictor.
        loss: Loss of the model on the probe at the end.
        paired: What a loss that is not known gave for predictions dealt to other rows;
            None if it is known, or that was not tried.
        outputs: What it came to for each of several outputs, by name; then the losses
            above are weighted sums, and the skill is not known.
        by_position: Skill of the mean target of each position, of targets that are
            pictures; None if not known.
        beyond_places: Correlation of predictions and targets after the mean of each
            place is taken off both, where each place of an input has a target; None if
            not known.
    """

    skill: float | None = None
    loss_saved: float | None = None
    loss_saved_error: float = math.inf
    reference: float | None = None
    reference_name: str = ""
    baseline: float | None = None
    loss: float | None = None
    paired: PairedFacts | None = None
    outputs: Mapping[str, Outcome] = field(default_factory=dict, hash=False)
    by_position: float | None = None
    beyond_places: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to judge by."""
        if self.follows is not None:
            return True
        if self.outputs:
            return any(outcome.is_known for outcome in self.outputs.values())
        return self.skill is not None or self.loss_saved is not None

    @property
    def follows(self) -> bool | None:
        """Whether a loss that is not known is lower by what is predicted for each row.

        None where that is not clear, or was not tried. A loss that compares rows with
        each other can show only that it is.
        """
        if self.paired is None:
            return None
        rise, error = self.paired.dealt - self.paired.loss, self.paired.error
        size = max(abs(self.paired.dealt), abs(self.paired.loss))
        if rise > FOLLOWS * error and rise > EXACT * size:
            return True
        if error <= EXACT * size:  # it does not pair predictions with anything
            return None
        is_none = abs(rise) < FOLLOWS_NOT * error and rise < FOLLOWS_LITTLE * size
        return False if is_none and self.paired.by_row else None

    @property
    def learned(self) -> bool | None:
        """Whether the model does better than a constant; None if that is unclear.

        Of several outputs all have to, or none.
        """
        if not self.is_known:
            return None
        if self.follows is not None:
            return self.follows
        if self.outputs:
            found = {outcome.learned for outcome in self.outputs.values()}
            return found.pop() if len(found) == 1 else None
        saved = -math.inf if self.loss_saved is None else self.loss_saved
        skill = -math.inf if self.skill is None else self.skill
        error = self.loss_saved_error
        # Either measure shows that it has learned. That it has not takes both: a loss
        # may be high for being sure and wrong while most answers are right, and the
        # skill of a task that is not known is missing.
        if saved >= LEARNED_SAVED and saved >= 2 * error:
            return True
        if skill >= LEARNED_SKILL:
            return True
        if saved < max(NOTHING_SAVED, error) and skill < NOTHING_SKILL:
            return False
        return None

    @property
    def is_good(self) -> bool:
        """Whether the skill is so high that a trait of the run has done little harm."""
        return self.skill is not None and self.skill >= GOOD_SKILL

    @property
    def knows_positions_only(self) -> bool:
        """Whether a model of pictures knows only what is usual at each place.

        Where most of a picture is usual, this says little.
        """
        skill, usual = self.skill, self.by_position
        if skill is None or usual is None or not NOTHING_SKILL <= usual <= HALF:
            return False
        least = usual + NOTHING_SKILL * (1 - usual)
        return self.follows is None and skill < least

    @property
    def failure(self) -> str:
        """What shows that a model has learned nothing, as the end of a sentence."""
        if self.follows is None:
            return "is no better than a constant prediction"
        return "gets the same loss if its predictions are exchanged between samples"

    @property
    def text(self) -> str:
        """The outcome as text."""
        if self.follows is not None:
            assert self.paired is not None
            return (
                f"Loss on training samples: {self.paired.loss:.4g}. With the "
                "predictions exchanged between samples it would be "
                f"{self.paired.dealt:.4g}."
            )
        if self.outputs:
            texts = ((name, outcome.text) for name, outcome in self.outputs.items())
            return " ".join(f"Output '{name}': {text}" for name, text in texts if text)
        parts = []
        if self.loss is not None and self.baseline is not None:
            parts.append(
                f"Loss on training samples: {self.loss:.4g}. A constant prediction "
                f"would get {self.baseline:.4g}."
            )
        if self.skill is not None:
            text = f"Skill: {self.skill:.2f} (0: a constant prediction, 1: perfect)"
            if self.reference is not None:
                name = self.reference_name
                text += f"; on unseen samples, {name}: {self.reference:.2f}"
            parts.append(text + ".")
        return " ".join(parts)


def outcome_of(record: TrainingRecord) -> Outcome:
    """Judge how far a run got; nothing is known without a probe of the data."""
    table = record.tables.get("probe")
    facts = record.facts.probe
    if table is None or not len(table) or facts is None:
        return Outcome()
    if has_judge(record.facts):
        return Outcome()  # the best constant is the target, which is no aim by itself
    known = _as_weighted(_of_one(table, facts), record)
    known = _with_paired(known, facts, record)
    n = len(record.facts.outputs)
    if n < 2:
        return known
    apart = [OutputRecord(record, index) for index in range(n)]
    outputs = {one.name: outcome_of(one) for one in apart if one.is_trained}
    return replace(known, outputs=outputs)


def _with_paired(known: Outcome, facts: ProbeFacts, record: TrainingRecord) -> Outcome:
    """Add what a loss that is not known tells, as far as it is the one that is trained.

    A step of the user's own may train by another; and rows with weights, which count
    alike here, may be predicted where they count and not elsewhere.
    """
    paired = replace(known, paired=facts.paired)
    data, own = record.facts.data, record.facts.own_loss or ()
    is_other = "train_step" in own or bool(data and data.weights)
    # its statistics may lag behind, and this is run with them
    is_other |= any(layer.batch_normalizes for layer in record.facts.layers)
    return known if paired.follows is False and is_other else paired


def _as_weighted(known: Outcome, record: TrainingRecord) -> Outcome:
    """Leave out what says nothing of a model that is trained with uneven weights.

    The rows of the probe count alike. So a constant prediction looks better than it is
    where rare classes have large weights, and so does one where the rows that do not
    count (padding) are all the same.
    """
    data = record.facts.data
    weights = data.weights if data else ()
    if any(one.leaves_out for one in weights):
        return Outcome(reference=known.reference, reference_name=known.reference_name)
    if any(one.is_uneven for one in weights):
        return replace(known, baseline=None, loss_saved=None)
    return known


def _of_one(table: LayerTable, facts: ProbeFacts) -> Outcome:
    baseline = facts.baseline_loss
    loss, error = _last(table["loss"]), _last(table["loss_error"])
    references = {
        name: value
        for name, value in (facts.references or {}).items()
        if math.isfinite(value)
    }
    best = max(references, key=references.__getitem__, default="")
    known = Outcome(
        skill=_last(probed_skill(table)),
        reference=references.get(best),
        reference_name=NAMES.get(best, "nearest neighbors"),
        baseline=baseline,
        loss=loss,
        by_position=facts.by_position,
        beyond_places=(
            _last(table["beyond_places"]) if "beyond_places" in table.measures else None
        ),
    )
    if not baseline or loss is None:
        return known
    size = abs(baseline)
    return replace(
        known,
        loss_saved=(baseline - loss) / size,
        loss_saved_error=(error or 0.0) / size,
    )


def probed_skill(table: LayerTable) -> np.ndarray:
    """Return the skill on the probe by row of its table.

    Records made before the word was settled call it score.
    """
    return table["skill" if "skill" in table.measures else "score"]


def _last(column: np.ndarray) -> float | None:
    return _finite(float(column[-1, 0]))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
