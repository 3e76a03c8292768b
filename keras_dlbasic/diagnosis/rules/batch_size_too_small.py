"""Batches so small that every update goes elsewhere."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run


@rule(
    "cause",
    explains=(
        "oscillating_loss",
        "diverging_loss",
        "exploding_gradients",
        "dead_units",
    ),
    live=False,
)
def batch_size_too_small(run: Run, *, rows: int = 4) -> Judged:
    """Look for tiny batches.

    Args:
        run: The run.
        rows: Batches of up to so many rows are tiny.
    """
    size = run.facts.get("batch_size")
    if not size:
        raise Skipped("the batch size is not known")
    n_rows = (run.facts.get("data") or {}).get("n_rows")
    if size <= rows and not (n_rows and n_rows <= 2 * rows):
        return Found(
            "info",
            f"Batches have {size} rows, so successive updates hardly agree.",
            risk="critical",
            remedies=(
                suggest.batch_size("updates that agree", run.moderate_batch_size()),
                suggest.lower_learning_rate("shorter steps average over more rows"),
            ),
            details={
                "value": float(size),
                "threshold": float(rows),
                "confidence": 0.72,
            },
        )
    return f"batches of {size} rows"
