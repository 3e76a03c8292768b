"""Batch normalization over too few rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(
        *NOT_LEARNING,
        "overfitting",
        "oscillating_loss",
        "diverging_loss",
        "vanishing_gradients",
    ),
    needs=("batch_size", "network"),
)
def normalization_small_batch(run: Run, *, rows: int = 2, few: int = 7) -> Verdict:
    """Look for batch normalization with few rows per batch.

    Args:
        run: The run.
        rows: Maximum batch size for a warning. With two rows, normalized values are
            plus and minus one for any data.
        few: Maximum batch size for a note; errors increase below 8 rows per batch (Wu &
            He 2018, Group Normalization).
    """
    size = run.batch_size
    normalized = [f for f in run.layers if f.batch_normalizes and f.trainable]
    if not normalized:
        return Fine("no batch normalization is trained")
    if size > few:
        return Fine(f"batches of {size} rows")
    return Finding(
        severity="warning" if size <= rows else "info",
        message=(
            f"Batch normalization computes its statistics from only {size} rows, so "
            "they are noisy and differ from the moving statistics that `predict` uses."
        ),
        risk="critical",
        layer=normalized[0].label,
        value=float(size),
        threshold=float(rows if size <= rows else few),
        unit="rows",
        confidence=0.9,
        remedies=(
            suggest.batch_size(
                "statistics of more rows are less noisy",
                run.moderate_batch_size(least=16),
            ),
            suggest.normalization("does not depend on the batch size", "layer"),
        ),
    )
