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
        return Fine("the predictions have targets, by which they are judged elsewhere")
    if found.spread != found.spread:
        return Skipped("no outputs of several numbers were compared over rows")
    if found.spread >= spread:
        return Fine("outputs differ from row to row")
    return Finding(
        severity="warning",
        message=(
            "The outputs are nearly the same for all rows: they differ by "
            f"{found.spread:.1e} of their size. The loss can be low all the same if it "
            "does not ask for rows to differ."
        ),
        value=found.spread,
        threshold=spread,
        unit="share of the outputs' size",
        confidence=0.8,
        remedies=(
            suggest.by_hand(
                "stop the gradient through one of the two views, compare with negative "
                "pairs, or penalize a small variance",
                "giving all rows the same output must not be the best answer",
            ),
        ),
    )
