"""Outputs that are the same for all rows, where nothing scores them."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import DOES_WELL, response_of


@rule(kind="cause", needs=("network",), live=False)
def collapsed_embeddings(run: Run, *, spread: float = 0.02, units: int = 4) -> Verdict:
    """Compare the outputs for different rows, of a model without a score.

    A loss that only asks two views of a row to be alike is lowest where all rows are
    alike; then the loss is good and the embedding says nothing. Generators collapse in
    the same way.

    Args:
        run: The run.
        spread: Deviation over rows, as a share of the outputs' root mean square, below
            which they are the same.
        units: Outputs with fewer entries may be one number, such as a score, that lies
            far from zero.
    """
    found = response_of(run)
    if found.not_needed:
        return Fine(DOES_WELL)
    if run.outcome.is_known:
        return Fine("the predictions have a score, which is judged elsewhere")
    if found.spread != found.spread:
        return Skipped("the outputs of different rows were not compared")
    if max((output.units or 0 for output in run.model.outputs), default=0) < units:
        return Fine("the outputs are single numbers")
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
