"""Inputs that tell nothing of the targets."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import (
    LITTLE_FOUND,
    is_paired_wrongly,
    knows_places_only,
    never_generalized,
    places_of,
    places_tell_nothing,
    predictor_rows,
    predictors_find_nothing,
    reached_skill,
)
from keras_dlbasic.diagnosis.outcome import NOTHING_SAVED, NOTHING_SKILL
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

LEARNED = 0.3
"""Skill on training rows from which many of them are memorized."""

PAIRINGS = {
    "the next row": "the input of the next row",
    "the row before": "the input of the row before",
    "turning over": "inputs turned upside down",
    "mirroring": "inputs mirrored from left to right",
    "half a turn": "inputs turned by 180 degrees",
    "transposition": "the two axes of inputs exchanged",
}
"""Ways of pairing inputs and targets, as text."""


BEHIND = 0.2
"""Skill by which a model is behind what simple predictors reach in another order."""

ORDERS = {
    "the next row": "that of the next row",
    "the row before": "that of the row before",
    "the last row first": "the targets in reverse order",
    "file names sorted as text": "targets in the order of numbered files sorted as "
    "text (1, 10, 11, 2)",
}
"""Orders of targets, as text."""


@rule(
    kind="cause",
    explains=("overfitting", *NOT_LEARNING),
    needs=("probe",),
    live=False,
)
def unrelated_targets(
    run: Run, *, skill: float = LEARNED, rows: int = 200, updates: int = 100
) -> Verdict:
    """Check whether anything that was learned generalizes to other rows.

    There is a finding if the model has memorized its training rows, its validation loss
    was never below that of a constant prediction, and simple predictors do not learn
    anything either. Then inputs and targets may be misaligned, for example because one
    of them was shuffled, sorted or shifted without the other. Or the targets cannot be
    predicted from these inputs.

    A model that has learned nothing at all is reported too, with less confidence,
    because other causes explain it as well. Targets that are images are compared with
    the mean target of each position, which a model reaches without using its inputs.

    Where each place of an input has a target (masks, depth maps), simple predictors of
    a place from its surroundings take the part of the others. It is a warning if they
    find nothing in pictures, and the model neither; and if they find much once the
    inputs are mirrored, turned, transposed or moved by one row, which is then named. So
    are rows whose inputs fit the targets of the next row, of the row before, of rows in
    reverse, or of files that were sorted as text.

    Args:
        run: The run.
        skill: Minimum skill on the training rows, so that they count as memorized.
        rows: Minimum number of rows of the probe for a finding on a model that has not
            learned, and for a warning on one that has memorized its rows.
        updates: Minimum number of updates for such a finding.
    """
    outcome = run.outcome
    is_trained = run.record.trained_steps >= updates
    if (finding := _of_other_rows(run)) is not None:
        return finding
    if places_of(run) is not None:
        return _of_places(run, skill, is_trained=is_trained)
    if outcome.knows_positions_only and is_trained and not run.descent.falls:
        return _found(
            run,
            f"The model has a skill of {outcome.skill:.2f}, no more than the mean "
            f"target of each position ({outcome.by_position:.2f}), and the loss does "
            "not decrease. Inputs and targets may be misaligned, or unrelated.",
            confidence=0.5,
        )
    if any(facts.is_ids or len(facts.shape) > 3 for facts in run.facts.inputs):
        return Fine("simple predictors say little about texts and images")
    if not predictors_find_nothing(run):
        return Fine("simple predictors learn from the inputs, or were not fitted")
    is_still = is_trained and not run.descent.falls
    if outcome.learned is False and is_still and predictor_rows(run) >= rows:
        return _found(
            run,
            "Neither the model nor simple predictors find a relation between inputs "
            f"and targets: the skill of {outcome.reference_name} on unseen "
            f"rows is {outcome.reference or 0:.2f}. Inputs and targets may be "
            "misaligned, or unrelated.",
            confidence=0.55,
        )
    if outcome.skill is None or outcome.skill < skill:
        return Fine("the model has not memorized its training rows")
    if never_generalized(run) is not True:
        return Fine("the model generalizes to some of the validation rows")
    if _is_right_more_often(run):
        return Fine("a metric on validation rows is better than chance")
    return _found(
        run,
        "The model memorizes but does not generalize: its skill on training rows "
        f"is {outcome.skill:.2f}, but the validation loss was never below that of "
        f"a constant prediction, and the skill of {outcome.reference_name} on "
        f"unseen rows is {outcome.reference or 0:.2f}. Inputs and targets may be "
        "misaligned, or unrelated.",
        confidence=0.7,
        is_serious=predictor_rows(run) >= rows,
    )


def _of_other_rows(run: Run) -> Finding | None:
    """Judge targets that fit the inputs of other rows."""
    step = next((t.out_of_step for t in run.facts.targets if t.out_of_step), None)
    reached = reached_skill(run)
    if step is None or reached is None:
        return None
    if reached > step.restored - BEHIND:
        return None  # the model has learned as much with the targets as they are
    order = ORDERS.get(step.order, step.order)
    return _found(
        run,
        "The targets are in another order than the inputs: with the target of its own "
        f"row, a simple predictor has a skill of {step.found:.2f} on unseen rows; with "
        f"{order}, {step.restored:.2f}.",
        confidence=0.95,
        is_serious=True,
        value=step.found,
        unit="skill of a simple predictor",
    )


def _of_places(run: Run, skill: float, *, is_trained: bool) -> Verdict:
    """Judge targets of places, such as masks."""
    outcome, dense = run.outcome, places_of(run)
    assert dense is not None
    if is_trained and is_paired_wrongly(run):
        other = PAIRINGS.get(str(dense.restored_by), dense.restored_by)
        return _found(
            run,
            "Inputs and targets are misaligned. What simple predictors of a place from "
            "its surroundings say of unseen rows has a correlation of "
            f"{dense.found:.2f} with the targets, after the usual target of each place "
            f"is taken off, and {dense.restored:.2f} with {other}. The model reaches "
            f"{outcome.beyond_places:.2f} on the rows that it was trained on.",
            confidence=0.9,
            is_serious=True,
            value=dense.found,
        )
    if not places_tell_nothing(run):
        return Fine("simple predictors of places learn from the inputs, or saw too few")
    has_memorized = outcome.skill is not None and outcome.skill >= skill
    if knows_places_only(run) and is_trained and _is_still(run):
        observed = "The model finds no relation between inputs and targets"
    elif has_memorized and never_generalized(run) is True:
        observed = "The model memorizes but does not generalize"
    else:
        return Fine("the model learns something, or is still learning")
    return _found(
        run,
        f"{observed}, and what simple predictors of a place from its surroundings say "
        f"of unseen rows has a correlation of {dense.found:.2f} with the targets, "
        "after the usual target of each place is taken off. Targets may belong to "
        "other rows, or be flipped or moved differently from the inputs.",
        confidence=0.7,
        is_serious=True,
        value=dense.found,
    )


def _is_still(run: Run) -> bool:
    """Return whether the loss does not fall, or on training rows only."""
    if not run.descent.falls:
        return True
    losses = run.val_loss[np.isfinite(run.val_loss)]
    if len(losses) < 4 or not run.outcome.baseline:
        return False
    last = len(losses) * 3 // 4
    fall = losses[:last].min() - losses[last:].min()
    return bool(fall < NOTHING_SAVED * abs(run.outcome.baseline))


def _found(
    run: Run,
    message: str,
    confidence: float,
    *,
    is_serious: bool = False,
    value: float | None = None,
    unit: str = "correlation",
) -> Finding:
    return Finding(
        severity="warning" if is_serious else "info",
        risk="critical",
        message=message,
        value=run.outcome.reference if value is None else value,
        threshold=NOTHING_SKILL if value is None else LITTLE_FOUND,
        unit="skill of a simple predictor" if value is None else unit,
        confidence=confidence,
        remedies=(
            suggest.check_rows("each input must have its own target"),
            suggest.by_hand(
                "order = np.random.permutation(len(x)); x, y = x[order], y[order]",
                "shuffles inputs and targets together",
            ),
        ),
    )


def _is_right_more_often(run: Run) -> bool:
    """Return whether a logged accuracy beats that of naming the most common class."""
    targets = run.facts.targets
    chance = targets[0].commonest if targets else math.nan
    logged = [name for name in run.record.epochs if name.startswith("val_")]
    accuracies = [run.record.epochs[name] for name in logged if "acc" in name]
    return any(np.nanmax(values) > chance + 0.1 for values in accuracies)
