"""Targets that are the same for all rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run


@rule("cause", explains=("constant_predictions", "plateau", "overfitting"))
def constant_targets(run: Run, *, share: float = 0.999) -> Judged:
    """Look for targets with nothing to learn.

    Args:
        run: The run.
        share: Share of the rows with one and the same target from which there is next
            to nothing to learn.
    """
    targets = run.targets
    check = suggest.by_hand(
        "check how the targets were made", "there is nothing to learn"
    )
    if targets.get("is_constant"):
        return Found(
            "critical",
            "All targets are the same: there is nothing to learn.",
            remedies=(check,),
            details={"value": 1.0, "threshold": share},
        )
    if targets["commonest"] > share:
        return Found(
            "warning",
            f"{targets['commonest']:.2%} of the targets are the same.",
            remedies=(check,),
            details={
                "value": targets["commonest"],
                "threshold": share,
                "confidence": 0.9,
            },
        )
    return f"the commonest target makes up {targets['commonest']:.1%}"
