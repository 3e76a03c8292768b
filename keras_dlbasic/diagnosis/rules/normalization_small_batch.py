"""Batch normalisation over too few rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    "cause",
    explains=(
        *NOT_LEARNING,
        "overfitting",
        "oscillating_loss",
        "diverging_loss",
        "vanishing_gradients",
    ),
)
def normalization_small_batch(run: Run, *, rows: int = 2, few: int = 7) -> Judged:
    """Look for batch normalisation on few rows.

    Args:
        run: The run.
        rows: Up to so many rows, what a unit gives is mostly its batch's doing: with
            two, normalised values are plus and minus one whatever the data.
        few: Up to so many rows it may do harm; errors rise below 8 rows a batch (Wu &
            He 2018, Group Normalization).
    """
    size = run.facts.get("batch_size")
    if not size:
        raise Skipped("the batch size is not known")
    normalized = [f for f in run.layers if f.get("batch_normalizes") and f["trainable"]]
    if not normalized:
        return "no batch normalisation is trained"
    if size > few:
        return f"batches of {size} rows"
    return Found(
        "warning" if size <= rows else "info",
        f"Batch normalisation takes its statistics from {size} rows.",
        risk="critical",
        remedies=(
            suggest.batch_size(
                "statistics of more rows", run.moderate_batch_size(least=16)
            ),
            suggest.normalization("needs no batch", "layer"),
        ),
        details={
            "layer": normalized[0]["label"],
            "value": float(size),
            "threshold": float(rows if size <= rows else few),
            "confidence": 0.9,
        },
    )
