"""Validation rows that are training rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run


@rule("cause")
def train_validation_overlap(run: Run, *, share: float = 0.05) -> Judged:
    """Compare how many validation rows are in training with what coarse data do.

    Args:
        run: The run.
        share: Share of the validation rows that counts, beyond the share of training
            rows that have a twin within training: coarse data repeat by themselves.
    """
    validation = run.fact("data").get("validation")
    if not validation or "overlap" not in validation:
        raise Skipped(suggest.NEEDS_VALIDATION)
    overlap, repeats = validation["overlap"], validation["repeats"]
    if overlap > repeats + share and overlap * validation["n_rows"] >= 3:
        return Found(
            "warning" if overlap < 0.5 else "critical",
            f"{overlap:.0%} of the validation rows are training rows too: the "
            "validation measures memory.",
            remedies=(
                suggest.by_hand(
                    "split before copying or augmenting rows; drop duplicates",
                    "validation has to be unseen",
                ),
            ),
            details={
                "value": overlap,
                "threshold": repeats + share,
                "confidence": 0.95,
                "evidence": {"repeats": repeats},
            },
        )
    return f"{overlap:.1%} of the validation rows are in training"
