"""A validation loss that rises while the training loss falls."""

from __future__ import annotations

import math
from typing import Any

from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import regularize, shrink, stop_early


@rule("symptom", live=True)
def overfitting(run: Run, *, rise: float = 0.05) -> Judged:
    """Judge the curves as `analysis.detect_overfitting` does.

    Args:
        run: The run.
        rise: Smallest relative rise of the validation loss that is more than a remark.
            For `n` validation rows it is `1.5 / sqrt(n)` at least: the standard error
            of a mean of losses whose deviation is of the order of the mean.
    """
    verdict = run.overfitting
    if not verdict.detected:
        return verdict.reason
    data = run.facts.get("data") or {}
    rows = (data.get("validation") or {}).get("n_rows")
    least = max(rise, 1.5 / math.sqrt(rows)) if rows else rise
    planned = run.facts.get("epochs")
    stopped = isinstance(planned, int) and len(run.numbers) < planned and not run.live
    severity: Any = verdict.severity if verdict.rise >= least else "info"
    if stopped:
        severity = "info"  # something stopped it, as one should
    message = verdict.reason
    if stopped:
        message += " The run was stopped early."
    return Found(
        severity,
        message,
        remedies=(
            stop_early("costs nothing, and keeps the best weights"),
            regularize("small weights cannot follow single points"),
            regularize("units cannot rely on each other", dropout=0.3),
            RemedySuggestion(
                "augment",
                "more varied data, where labels allow it",
                "augmentation layers, such as RandomFlip",
            ),
            shrink("a smaller model has less room to memorise"),
        ),
        details={
            "epoch": verdict.onset,
            "value": verdict.rise,
            "threshold": least,
            "confidence": verdict.confidence,
            "evidence": {
                "statistic": verdict.turn.statistic,
                "statistic_threshold": verdict.turn.threshold,
            },
        },
    )
