"""Batches so small that every update goes elsewhere."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note


@rule(
    kind="cause",
    explains=(
        "oscillating_loss",
        "diverging_loss",
        "exploding_gradients",
        "dead_units",
    ),
    needs=("batch_size",),
    live=False,
)
def batch_size_too_small(run: Run, *, rows: int = 4) -> Verdict:
    """Look for tiny batches.

    Args:
        run: The run.
        rows: Maximum batch size for a finding.
    """
    size = run.batch_size
    n_rows = run.facts.data.n_rows if run.facts.data else None
    if size <= rows and not (n_rows and n_rows <= 2 * rows):
        return Finding(
            severity="info",
            message=(
                f"The batch size is {size}, so each update follows the noise of a few "
                "samples."
            ),
            risk="critical",
            value=float(size),
            threshold=float(rows),
            unit="rows",
            confidence=0.72,
            note=worth_a_note(run),
            remedies=(
                suggest.batch_size(
                    "reduces the gradient noise", run.moderate_batch_size()
                ),
                suggest.lower_learning_rate("small steps average out the noise"),
            ),
        )
    return Fine(f"batches of {size} rows")
