"""Validation rows that are training rows."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest


@rule(kind="cause", needs=("validation",))
def train_validation_overlap(
    run: Run, *, share: float = 0.05, rows: int = 3, much: float = 0.5
) -> Verdict:
    """Compare how many validation rows are in training with what coarse data do.

    Args:
        run: The run.
        share: Share of the validation rows that counts, beyond the share of training
            rows that have a twin within training: coarse data repeat by themselves.
        rows: Fewer rows than this are chance.
        much: Share of the validation rows from which it is critical.
    """
    validation = run.validation
    if math.isnan(validation.overlap):
        return Skipped("validation rows could not be compared with training rows")
    overlap, repeats = validation.overlap, validation.repeats
    if overlap > repeats + share and overlap * (validation.n_rows or 0) >= rows:
        return Finding(
            severity="warning" if overlap < much else "critical",
            message=(
                f"{overlap:.0%} of the validation rows are training rows too: the "
                "validation measures memory."
            ),
            value=overlap,
            threshold=repeats + share,
            unit="share of the validation rows",
            confidence=0.95,
            evidence={"repeats": repeats},
            remedies=(
                suggest.by_hand(
                    "split before copying or augmenting rows; drop duplicates",
                    "validation has to be unseen",
                ),
            ),
        )
    return Fine(f"{overlap:.1%} of the validation rows are in training")
