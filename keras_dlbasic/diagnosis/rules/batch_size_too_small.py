"""Batches so small that every update goes elsewhere."""

from __future__ import annotations

import numpy as np

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

    It is critical if a loss that compares rows is given one row at a time: it is then
    zero, and so is the gradient.

    Args:
        run: The run.
        rows: Maximum batch size for a finding.
    """
    size = run.batch_size
    if size == 1 and _compares_rows(run):
        return _alone(run)
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


def _compares_rows(run: Run) -> bool:
    """Return whether the loss is zero for each row alone, and not for many rows."""
    losses, paired = run.record.batch_loss, run.outcome.paired
    if not len(losses) or not (losses == 0).all() or paired is None:
        return False
    gradients = run.record.global_gradient_norm
    return bool(paired.loss > 0 and np.nanmax(gradients) == 0)


def _alone(run: Run) -> Finding:
    paired = run.outcome.paired
    assert paired is not None
    return Finding(
        severity="critical",
        message=(
            f"The loss is exactly 0 at all {len(run.steps)} sampled steps, and so is "
            f"the gradient, but it is {paired.loss:.3g} for many rows at once. It "
            "compares rows with each other, and the batch size is 1."
        ),
        value=1.0,
        threshold=2.0,
        unit="rows",
        confidence=0.97,
        remedies=(
            suggest.batch_size(
                "the loss then has rows to compare", run.moderate_batch_size()
            ),
        ),
    )
