"""Outputs that are the same for all rows, where nothing scores them."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import response_of


@rule(kind="cause", needs=("network",), live=False)
def collapsed_embeddings(run: Run, *, spread: float = 0.02) -> Verdict:
    """Compare the outputs for different rows if predictions cannot be scored.

    If a loss only compares two views of the same row, it is lowest when all outputs are
    equal. Then the loss is low, but the embedding is useless. Generators can collapse
    in the same way.

    Args:
        run: The run.
        spread: Maximum standard deviation over the rows for a finding, as a share of
            the outputs' root mean square.
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
