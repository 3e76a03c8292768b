"""Pooling, normalization or a softmax along an axis that is not meant."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

DOES = {
    "pooling": "it pools over channels instead of positions",
    "normalization": "it normalizes each position instead of each channel",
}
"""What comes of it, by the kind of the layer."""


@rule(kind="cause", explains=(*NOT_LEARNING, "overfitting"), needs=("network",))
def wrong_axis(run: Run) -> Verdict:
    """Look for layers that assume another channel axis than the layer before.

    Such a model runs without an error, and may even learn something. The same applies
    to a softmax over a single score: it gives 1 for every step, so the scores have no
    effect.
    """
    if single := _softmax_over_one(run):
        return single
    wrong = [facts for facts in run.layers if facts.misreads is not None]
    if not wrong:
        return Fine("pooling and normalization use the axis of the channels")
    facts = wrong[0]
    does = DOES.get(str(facts.kind), "it treats positions as channels")
    argument = "axis" if facts.kind == "normalization" else "data_format"
    return Finding(
        severity="info",
        message=(
            f"Layer '{facts.label}' expects the channels on another axis than layer "
            f"'{facts.misreads}' before it gives them, so {does}."
        ),
        risk="critical",
        layer=facts.label,
        confidence=0.9,
        evidence={"layers": [layer.label for layer in wrong[:10]]},
        remedies=(
            suggest.by_hand(
                f"use the same `{argument}` in both layers, such as the default",
                "both layers then use the same axis for the channels",
            ),
        ),
    )


def _softmax_over_one(run: Run) -> Finding | None:
    """Find a hidden layer whose softmax has one entry; outputs are judged elsewhere."""
    outputs = {output.name for output in run.model.outputs}
    label = next(
        (
            f.label
            for f in run.layers
            if f.softmax_over_one and f.label.split("/")[-1] not in outputs
        ),
        None,
    )
    if label is None:
        return None
    return Finding(
        severity="warning",
        message=(
            f"The softmax of layer '{label}' is over an axis of length 1, so its "
            "output is always 1. All steps get the same weight, and no gradient passes "
            "through it."
        ),
        risk="critical",
        layer=label,
        confidence=0.95,
        remedies=(
            suggest.by_hand(
                f"give '{label}' the axis of the time steps, as in `Softmax(axis=1)`",
                "the weights of the steps then sum to 1",
            ),
        ),
    )
