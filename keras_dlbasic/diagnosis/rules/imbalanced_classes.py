"""Classes that are rare beside the others."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import UNKNOWN_LOSS, Run
from keras_dlbasic.diagnosis.suggestions import by_hand


@rule("cause", explains=("constant_predictions", "plateau", "underfitting"))
def imbalanced_classes(run: Run, *, share: float = 0.95) -> Judged:
    """Look for a class that makes up nearly all rows.

    Args:
        run: The run.
        share: Share of the commonest class.
    """
    targets = run.targets
    if run.task is TaskKind.UNKNOWN:
        raise Skipped(UNKNOWN_LOSS)
    if run.task is TaskKind.VALUES:
        return "the targets are values"
    if not targets.get("frequencies") or targets["kind"] == "multi_label":
        return "the targets are no classes"
    value = max(targets["frequencies"])
    if value > share:
        return Found(
            "info",
            f"One class makes up {value:.1%} of the rows.",
            risk="warning",
            remedies=(
                by_hand("model.fit(..., class_weight=...)", "rare rows then count"),
            ),
            details={"value": value, "threshold": share, "confidence": 0.5},
        )
    return f"the commonest class makes up {value:.0%}"
