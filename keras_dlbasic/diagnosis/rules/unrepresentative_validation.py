"""Validation data of another kind than the training data."""

from __future__ import annotations

import math

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import (
    MIN_ROWS,
    does_not_transfer,
    never_generalized,
    predictor_rows,
    saved_on_validation,
)
from keras_dlbasic.diagnosis.inference_gap import inference_gap
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.records import ValidationFacts

SERIES = 0.5
"""Skill of the last value from which rows are windows of a series."""

LAGGING = 0.1
"""Share of what was learned that inference may lose on training rows."""

SHUFFLE = suggest.by_hand(
    "shuffle before you split (`validation_split` takes the last rows)",
    "both parts then have the same distribution",
)

CHANGES = suggest.by_hand(
    "for a time series with a trend, predict the change from one step to the next",
    "changes have the same range in both parts",
)

SAME_WAY = suggest.by_hand(
    "compare ten rows of both with their labels, and preprocess both with the same "
    "code",
    "training and validation rows must have the same meaning",
)

UNDONE = {
    "scaling": "scaled by their own mean and deviation",
    "inversion": "with inverted values",
    "transposition": "with height and width swapped",
    "turning over": "flipped along their first axis",
    "mirroring": "flipped along their second axis",
    "one row on": "with the labels of the next row",
    "class numbers": "with their classes renumbered",
}
"""What was undone in validation rows, as text."""


@rule(kind="cause", explains=("overfitting",))
def unrepresentative_validation(
    run: Run,
    *,
    scale: float = 3.0,
    shift: float = 1.0,
    reference: float = 0.3,
    saved: float = 0.5,
    outside: float = 0.5,
) -> Verdict:
    """Compare classes, scale and predictability of validation and training data.

    Simple predictors are fitted to training rows. If they are good on other training
    rows and bad on validation rows, the two distributions differ, whatever the model.
    If the validation data are not known, the curves are used. A model that has learned
    from rows that simple predictors can predict too should be better than a constant
    prediction in at least one epoch.

    Args:
        run: The run.
        scale: Minimum ratio of the root mean squares (or its inverse).
        shift: Minimum distance between the means, in training standard deviations.
            Between two halves of a hundred rows it is at most about 0.1.
        reference: Minimum skill of a simple predictor on training rows that it was not
            fitted to.
        saved: Minimum improvement of the training loss, as a share of a constant
            prediction's loss, for using the curves.
        outside: Minimum share of validation targets, if they are values, that are
            smaller or larger than all training targets.
    """
    if run.facts.validation is None:
        return _by_curves(run, reference, saved)
    validation = run.validation
    found = _by_classes(run, validation) or _by_range(run, validation, outside)
    if found is not None:
        return found
    # what is measured by predictors comes before what is only unlike
    if does_not_transfer(run, reference):
        return _by_predictors(run, validation, reference)
    ratio, distance = validation.scale, validation.shift
    if not math.isnan(ratio) and (not 1 / scale < ratio < scale or distance > shift):
        return _by_scale(validation, scale)
    known, told = validation.reference_skill, validation.transfer_skill
    if math.isnan(known):
        return Fine("classes and scales are alike")
    return Fine(
        f"classes and scales are alike; a simple predictor has a skill of {told:.2f} "
        f"on validation rows, and of {known:.2f} on unseen training rows"
    )


def _by_classes(run: Run, validation: ValidationFacts) -> Finding | None:
    new = missing = None
    if run.task in (TaskKind.CLASSES, TaskKind.LABELS):  # else these are mere numbers
        new = _listed(validation.new_classes)
        missing = _listed(validation.missing_classes)
    if not new and not missing:
        return None
    parts = [f"classes {new[:5]} occur only in validation"] if new else []
    parts += [f"classes {missing[:5]} occur only in training"] if missing else []
    return Finding(
        severity="critical" if new else "warning",
        message=(
            "Validation and training data have different classes: "
            f"{' and '.join(parts)}. The rows were probably sorted by class before the "
            "split."
        ),
        risk=None if new else "critical",
        value=float(len(new or []) + len(missing or [])),
        threshold=0.0,
        unit="classes",
        confidence=0.95,
        evidence={"new": new, "missing": missing},
        remedies=(SHUFFLE,),
    )


def _by_range(run: Run, validation: ValidationFacts, outside: float) -> Finding | None:
    share = validation.targets_outside
    if run.task is not TaskKind.VALUES or not share >= outside:
        return None
    if not (validation.n_rows or 0) >= MIN_ROWS:
        return None
    is_series = run.target.window is not None or run.target.last_value >= SERIES
    remedies = (SHUFFLE, CHANGES)
    return Finding(
        severity="warning",
        message=(
            f"{share:.0%} of the validation targets are outside the range of the "
            "training targets, so the model has never seen such values. "
            + (
                "The series follows a trend."
                if is_series
                else "The rows were probably sorted before the split, or follow a "
                "trend."
            )
        ),
        value=share,
        threshold=outside,
        unit="share of the targets",
        confidence=0.85,
        # windows of a series share steps: shuffled, validation rows would be known
        remedies=remedies[is_series:],
    )


def _by_predictors(run: Run, validation: ValidationFacts, reference: float) -> Finding:
    known, told = validation.reference_skill, validation.transfer_skill
    text = (
        "The validation rows differ from the training rows: a simple predictor that "
        f"was fitted on training rows has a skill of {known:.2f} on other training "
        f"rows, but of {told:.2f} on validation rows (0: a constant prediction)."
    )
    restored = validation.restored_by
    remedies: tuple[RemedySuggestion, ...] = (SAME_WAY, SHUFFLE)
    if restored in UNDONE:
        text += f" On validation rows {UNDONE[restored]} it does well."
        undone = suggest.by_hand(
            f"check how the validation rows are made: they match {UNDONE[restored]}",
            "simple predictors then do as well on them as on training rows",
        )
        remedies = (undone, *remedies)
    # a model may carry over what simple predictors miss
    fell = saved_on_validation(run)
    is_bad = fell is None or fell < known / 2
    is_measured = fell is not None and not run.live
    return Finding(
        severity=("critical" if is_measured else "warning") if is_bad else "info",
        message=text,
        value=told,
        threshold=reference,
        unit="skill",
        confidence=0.95 if restored else 0.9,
        evidence={
            "reference": known,
            "error": validation.transfer_error,
            "restored_by": restored,
        },
        remedies=remedies,
    )


def _by_scale(validation: ValidationFacts, scale: float) -> Finding:
    ratio, distance = validation.scale, validation.shift
    return Finding(
        severity="warning",
        risk="critical",
        message=(
            "Validation and training inputs are distributed differently: the root mean "
            f"square of the validation inputs is {ratio:.3g} times as large, and their "
            f"mean is {distance:.3g} standard deviations away."
        ),
        value=ratio,
        threshold=scale,
        unit="times the training inputs",
        confidence=0.9,
        evidence={"shift": distance},
        remedies=(
            suggest.by_hand(
                "apply the same scaling to both, fitted on the training data",
                "the model needs inputs like those that it was trained on",
            ),
            SHUFFLE,
        ),
    )


def _by_curves(run: Run, reference: float, saved: float) -> Verdict:
    """Judge validation data that are not known by what the model makes of them."""
    outcome = run.outcome
    known = outcome.reference
    never = never_generalized(run)
    if never is None or known is None or outcome.loss_saved is None:
        return Skipped(run.reasons.validation)
    # moving statistics that lag make validation bad as well, on any rows
    gap = inference_gap(run)
    lags = run.facts.model is None or (
        any(layer.batch_normalizes for layer in run.facts.model.layers)
        and (gap is None or max(gap.lost, gap.lost_loss) > LAGGING)
    )
    batches = run.facts.data.batches if run.facts.data else None
    # predictors memorize rows that are repeated
    if batches is not None and (batches.different or 0) < (batches.compared or 0):
        return Skipped(run.reasons.validation)
    # All of it is needed: rows enough for the predictors, a model that has learned, and
    # something to be learned. One alone is no sign of other rows.
    enough = predictor_rows(run) >= MIN_ROWS and outcome.loss_saved >= saved
    if not never or known < reference or not enough or lags or run.live:
        return Skipped(run.reasons.validation)
    return Finding(
        severity="warning",
        message=(
            "The validation rows seem to differ from the training rows: their loss is "
            "never below that of a constant prediction, although the model has learned "
            f"the training rows, and the skill of {outcome.reference_name} on unseen "
            f"training rows is {known:.2f}. Check that both are scaled and "
            "labeled alike."
        ),
        value=known,
        threshold=reference,
        unit="skill",
        confidence=0.75,
        remedies=(
            suggest.by_hand(
                "TrainingDoctor(x, y, validation_data=(val_x, val_y))",
                "the report then says how they differ",
            ),
            SAME_WAY,
        ),
    )


def _listed(classes: tuple[int, ...] | None) -> list[int] | None:
    return None if classes is None else list(classes)
