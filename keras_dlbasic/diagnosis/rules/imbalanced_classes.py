"""Classes that are rare beside the others."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.reasons import UNKNOWN_LOSS


@rule(
    kind="cause",
    explains=("constant_predictions", "plateau", "underfitting"),
    needs=("target",),
    per_output=True,
)
def imbalanced_classes(run: Run, *, share: float = 0.95) -> Verdict:
    """Look for a class that makes up nearly all rows.

    Args:
        run: The run.
        share: Share of the commonest class.
    """
    target = run.target
    if run.task is TaskKind.UNKNOWN:
        return Skipped(UNKNOWN_LOSS)
    if run.task is TaskKind.VALUES:
        return Fine("the targets are values")
    if not target.frequencies or target.kind == "multi_label":
        return Fine("the targets are no classes")
    if run.data.one_sided:
        return Skipped(run.data.one_sided)
    value = max(target.frequencies)
    weighted = [w.weighted_shares for w in run.data.weights if w.per_row]
    if value > share and len(weighted) == 1 and weighted[0]:
        in_loss = max(weighted[0])
        if in_loss <= share:
            return Fine(
                f"the commonest class makes up {value:.1%} of the rows, and with its "
                f"weight {in_loss:.0%} of the loss"
            )
    if value > share:
        return Finding(
            severity="info",
            message=f"One class makes up {value:.1%} of the rows.",
            risk="warning",
            value=value,
            threshold=share,
            unit="share of the rows",
            confidence=0.5,
            remedies=(
                suggest.by_hand(
                    "model.fit(..., class_weight=...)", "rare rows then count"
                ),
            ),
        )
    return Fine(f"the commonest class makes up {value:.0%}")
