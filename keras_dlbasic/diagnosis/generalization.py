"""Whether there is anything in the data that carries over to other rows."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.outcome import NOTHING_SAVED, NOTHING_SKILL
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records.probe_facts import DenseFacts

MIN_ROWS = 100
"""The skill of a predictor on rows not seen has a standard error of 0.1 then."""

LITTLE_FOUND, SURE = 0.15, 0.05
"""A correlation below the first, with an error below the second, may be nothing."""

BEHIND = 0.1
"""A correlation that is lower by this is clearly lower."""

ERRORS = 5.0
"""Number of standard errors from which two skills differ."""


def never_generalized(run: Run) -> bool | None:
    """Return whether the validation loss was never below that of a constant prediction.

    None where either is not known.
    """
    losses = run.val_loss[np.isfinite(run.val_loss)]
    baseline = run.outcome.baseline
    if not len(losses) or not baseline:
        return None
    # penalties are in the logged loss, and not in that of a constant prediction
    best = float(losses.min()) - max(0.0, run.penalty)
    return best > baseline - NOTHING_SAVED * abs(baseline)


def predictors_find_nothing(run: Run) -> bool:
    """Return whether simple predictors do no better than chance on rows not seen."""
    if places_of(run) is not None:
        return places_tell_nothing(run)
    if run.facts.probe is not None and run.facts.probe.categories is not None:
        return False  # they do once columns are categories
    reference, rows = run.outcome.reference, predictor_rows(run)
    return reference is not None and rows >= MIN_ROWS and reference < NOTHING_SKILL


def places_of(run: Run) -> DenseFacts | None:
    """Return what simple predictors find of targets of places; None for others."""
    probe = run.facts.probe
    return probe.dense if probe else None


def places_tell_nothing(run: Run) -> bool:
    """Return whether the surroundings of places tell nothing of their targets.

    What the place tells by itself is no sign that inputs and targets belong together.
    Steps of a sequence may be told by others far away: of them it is not known.
    """
    dense = places_of(run)
    if dense is None or dense.rows < MIN_ROWS or not dense.error < SURE:
        return False
    if dense.axes < 2:
        return False
    at_least = dense.found - 2 * dense.error
    return dense.found < LITTLE_FOUND and at_least < NOTHING_SKILL


def is_paired_wrongly(run: Run) -> bool:
    """Return whether another pairing of inputs and targets tells more than the model.

    Predictors are judged on rows that they have not seen, the model on its own.
    """
    dense, beyond = places_of(run), run.outcome.beyond_places
    if dense is None or dense.restored_by is None or dense.rows < MIN_ROWS:
        return False
    return beyond is not None and beyond < dense.restored - BEHIND


def knows_places_only(run: Run) -> bool:
    """Return whether a model says no more of places than what is usual at each.

    Such a model may have a low loss, and even be right mostly.
    """
    beyond = run.outcome.beyond_places
    if beyond is None:
        return run.outcome.learned is False or run.outcome.knows_positions_only
    return beyond < LITTLE_FOUND


def reads_ids(run: Run) -> bool:
    """Return whether inputs are token ids.

    Simple predictors know at best which of them occur, and nothing of their order.
    """
    return any(facts.is_ids for facts in run.facts.inputs)


def predictor_rows(run: Run) -> int:
    """Return the number of rows of the probe, all of which simple predictors use."""
    probe = run.facts.probe
    return (probe.rows or 0) if probe else 0


def saved_on_validation(run: Run) -> float | None:
    """Return the share of the baseline loss saved on validation rows at the end.

    None where either is not known.
    """
    losses = run.val_loss[np.isfinite(run.val_loss)]
    baseline = run.outcome.baseline
    if not len(losses) or not baseline:
        return None
    last = float(np.median(losses[-3:])) - max(0.0, run.penalty)
    return (baseline - last) / abs(baseline)


def reached_skill(run: Run) -> float | None:
    """Return the skill on training rows, or the loss saved on others if that is less.

    Args:
        run: The run.

    Returns:
        None if the skill is not known.
    """
    skill, saved = run.outcome.skill, saved_on_validation(run)
    return skill if skill is None or saved is None else min(skill, saved)


def does_not_transfer(run: Run, reference: float = 0.3) -> bool:
    """Return whether what predictors find in training rows fails on validation rows.

    Args:
        run: The run.
        reference: Skill on training rows that were not seen from which something should
            carry over. Less than half of it on validation rows, and a difference of
            five standard errors, is no chance.
    """
    facts = run.facts.validation
    if facts is None or not facts.reference_skill >= reference:
        return False
    lost = facts.reference_skill - facts.transfer_skill
    return lost > facts.reference_skill / 2 and lost > ERRORS * facts.transfer_error
