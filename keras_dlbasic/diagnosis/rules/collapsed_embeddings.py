"""Outputs that are the same for all rows, where nothing scores them."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import response_of

SHORTER_STEPS = suggest.by_hand(
    "start anew with a tenth of the learning rate, and with all pairs or triplets "
    "instead of the hardest ones",
    "the outputs then stay apart in the first steps",
)


@rule(kind="cause", needs=("network",), live=False)
def collapsed_embeddings(run: Run, *, spread: float = 0.02) -> Verdict:
    """Compare the outputs for different rows if predictions cannot be scored.

    If a loss only compares two views of the same row, it is lowest when all outputs are
    equal. Then the loss is low, but the embedding is useless. Triplets stay at the
    margin of their loss. Generators can collapse in the same way. With targets, only
    models with a custom loss are judged that cannot be scored otherwise.

    Args:
        run: The run.
        spread: Maximum standard deviation over the rows for a finding, as a share of
            the outputs' root mean square.
    """
    found = response_of(run)
    if isinstance(found, Fine):
        return found
    is_scored = run.facts.targets and run.loss_kind.family != "unknown"
    if run.outcome.is_known or is_scored or _gives_targets(run):
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
            "square). "
            + (
                "A loss of distances then has hardly a gradient."
                if run.facts.targets
                else "The loss can still be low, because nothing in it requires "
                "different outputs."
            )
        ),
        value=found.spread,
        threshold=spread,
        unit="share of the outputs' root mean square",
        confidence=0.8,
        remedies=(
            *((SHORTER_STEPS,) if run.facts.targets else ()),
            suggest.by_hand(
                "add negative pairs, stop the gradient of one of the two views, or "
                "penalize a small variance of the outputs",
                "a constant output must not minimize the loss",
            ),
        ),
    )


def _gives_targets(run: Run) -> bool:
    """Return whether the output has the shape of the targets, as no embedding has."""
    targets, outputs = run.facts.targets, run.facts.outputs
    if len(targets) != 1 or len(outputs) != 1:
        return False
    shape, output = targets[0].shape, outputs[0].shape
    return bool(shape and output and len(shape) > 1 and shape[1:] == output[1:])
