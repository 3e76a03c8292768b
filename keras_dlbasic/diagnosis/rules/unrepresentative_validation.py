"""Validation data of another kind than the training data."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import NEEDS_VALIDATION, by_hand


@rule("cause", explains=("overfitting",))
def unrepresentative_validation(
    run: Run, *, scale: float = 3.0, shift: float = 1.0
) -> Judged:
    """Compare classes and sizes of validation data with those of training data.

    Args:
        run: The run.
        scale: Ratio of the root mean squares, up or down, that counts.
        shift: Distance of the means in training deviations that counts; between halves
            of one set of a hundred rows it is about 0.1 at most.
    """
    validation = run.fact("data").get("validation")
    if not validation:
        raise Skipped(NEEDS_VALIDATION)
    shuffle = by_hand(
        "shuffle before splitting (validation_split takes the last rows)",
        "both parts then are alike",
    )
    new = missing = None
    if run.task in (TaskKind.CLASSES, TaskKind.LABELS):  # else these are mere numbers
        new = validation.get("new_classes")
        missing = validation.get("missing_classes")
    if new or missing:
        parts = [f"classes {new[:5]} occur in validation only"] if new else []
        parts += [f"classes {missing[:5]} are missing from them"] if missing else []
        return Found(
            "critical" if new else "warning",
            f"The validation data are of another kind: {'; '.join(parts)}. Were the "
            "rows sorted before the split?",
            risk=None if new else "critical",
            remedies=(shuffle,),
            details={
                "value": float(len(new or []) + len(missing or [])),
                "threshold": 0.0,
                "confidence": 0.95,
                "evidence": {"new": new, "missing": missing},
            },
        )
    ratio, distance = validation.get("scale"), validation.get("shift")
    if ratio is not None and (not 1 / scale < ratio < scale or distance > shift):
        return Found(
            "warning",
            risk="critical",
            message=f"The validation inputs are {ratio:.3g} times the size of training "
            f"inputs, their mean {distance:.3g} deviations away.",
            remedies=(
                by_hand(
                    "apply the same scaling, fitted on the training data",
                    "the model meets other inputs than it was trained on",
                ),
                shuffle,
            ),
            details={
                "value": ratio,
                "threshold": scale,
                "confidence": 0.9,
                "evidence": {"shift": distance},
            },
        )
    return "classes and sizes are alike"
