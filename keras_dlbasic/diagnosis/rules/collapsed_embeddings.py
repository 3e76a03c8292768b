"""Outputs that are the same for all rows, where nothing scores them."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import response_of


@rule(kind="cause", needs=("network",), live=False)
def collapsed_embeddings(run: Run, *, spread: float = 0.02) -> Verdict:
    """Compare the outputs for different rows, of a model without a score.

    A loss that only asks two views of a row to be alike is lowest where all rows are
    alike; then the loss is good and the embedding says nothing. Generators collapse in
    the same way.

    Args:
        run: The run.
        spread: Deviation over rows, as a share of the outputs' root mean square, below
            which they are the same.
    """
    found = response_of(run)
    if isinstance(found, Fine):
        return found
    if run.outcome.is_known or run.facts.targets:
        return Fine("the predictions have targets, so other checks judge them")
    if found.spread != found.spread:
        return Skipped("no output with several columns was compared between rows")
    if found.spread >= spread:
        return Fine("outputs differ from row to row")
    return Finding(
        severity="warning",
        message=(
            "The outputs have collapsed: they are nearly the same for all samples "
            f"(their standard deviation is {found.spread:.1e} of their root mean "
            "square). The loss can still be low, because nothing in it requires "
            "different outputs."
        ),
        value=found.spread,
        threshold=spread,
        unit="share of the outputs' root mean square",
        confidence=0.8,
        remedies=(
            suggest.by_hand(
                "add negative pairs, stop the gradient of one of the two views, or "
                "penalize a small variance of the outputs",
                "a constant output must not minimize the loss",
            ),
        ),
    )
