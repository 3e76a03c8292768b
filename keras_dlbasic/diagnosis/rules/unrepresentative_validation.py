"""Validation data of another kind than the training data."""

from __future__ import annotations

import math

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest


@rule(kind="cause", explains=("overfitting",), needs=("validation",))
def unrepresentative_validation(
    run: Run, *, scale: float = 3.0, shift: float = 1.0
) -> Verdict:
    """Compare classes and sizes of validation data with those of training data.

    Args:
        run: The run.
        scale: Ratio of the root mean squares, up or down, that counts.
        shift: Distance of the means in training deviations that counts; between halves
            of one set of a hundred rows it is about 0.1 at most.
    """
    validation = run.validation
    shuffle = suggest.by_hand(
        "shuffle before splitting (validation_split takes the last rows)",
        "both parts then are alike",
    )
    new = missing = None
    if run.task in (TaskKind.CLASSES, TaskKind.LABELS):  # else these are mere numbers
        new = _listed(validation.new_classes)
        missing = _listed(validation.missing_classes)
    if new or missing:
        parts = [f"classes {new[:5]} occur in validation only"] if new else []
        parts += [f"classes {missing[:5]} are missing from them"] if missing else []
        return Finding(
            severity="critical" if new else "warning",
            message=(
                f"The validation data are of another kind: {'; '.join(parts)}. Were "
                "the rows sorted before the split?"
            ),
            risk=None if new else "critical",
            value=float(len(new or []) + len(missing or [])),
            threshold=0.0,
            unit="classes",
            confidence=0.95,
            evidence={"new": new, "missing": missing},
            remedies=(shuffle,),
        )
    ratio, distance = validation.scale, validation.shift
    if not math.isnan(ratio) and (not 1 / scale < ratio < scale or distance > shift):
        return Finding(
            severity="warning",
            risk="critical",
            message=(
                f"The validation inputs are {ratio:.3g} times the size of training "
                f"inputs, their mean {distance:.3g} deviations away."
            ),
            value=ratio,
            threshold=scale,
            unit="times the training inputs",
            confidence=0.9,
            evidence={"shift": distance},
            remedies=(
                suggest.by_hand(
                    "apply the same scaling, fitted on the training data",
                    "the model meets other inputs than it was trained on",
                ),
                shuffle,
            ),
        )
    return Fine("classes and sizes are alike")


def _listed(classes: tuple[int, ...] | None) -> list[int] | None:
    return None if classes is None else list(classes)
