"""A model that does worse than simple predictors."""

from __future__ import annotations

import math
from typing import Any

from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import find_learning_rate, grow, train_longer


@rule("symptom", live=False)
def underfitting(run: Run, *, share: float = 0.85, errors: float = 2.0) -> Judged:
    """Compare the score on training rows with simple predictors on unseen rows.

    A linear predictor and nearest neighbours are scored on rows that they have not
    seen (leave-one-out); a model that has seen the rows should be better. So this tells
    what can be reached on these data, noise included, without an absolute threshold.

    Args:
        run: The run.
        share: Share of the reference's score below which a model underfits.
        errors: By so many standard errors it has to be worse; that of a score on `n`
            rows is at most `1 / sqrt(n)`.
    """
    outcome = run.outcome
    if outcome.score is None or outcome.reference is None:
        raise Skipped(run.why_no_score)
    rows = (run.facts.get("probe") or {}).get("rows", 20)
    least = outcome.reference - max(
        (1 - share) * outcome.reference, errors / math.sqrt(rows)
    )
    if outcome.score < least:
        severity: Any = "critical" if outcome.learned is False else "warning"
        return Found(
            severity,
            f"The model scores {outcome.score:.2f} on rows it was trained on; "
            f"{outcome.reference_name} scores {outcome.reference:.2f} on rows not seen "
            "(0: a constant answer, 1: perfect).",
            remedies=(
                find_learning_rate("the learning rate decides most"),
                train_longer(
                    "more updates, if the loss still falls",
                    epochs=run.facts.get("epochs"),
                ),
                grow("more units or layers can follow the data"),
            ),
            details={
                "value": outcome.score,
                "threshold": least,
                "confidence": 0.9,
                "evidence": {"reference": outcome.reference},
            },
        )
    return f"score {outcome.score:.2f}, simple predictors {outcome.reference:.2f}"
