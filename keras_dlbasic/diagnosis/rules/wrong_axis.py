"""Pooling or normalization along an axis that is not the one of the units."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

DOES = {
    "pooling": "it pools over the channels and keeps positions apart",
    "normalization": "it normalizes each position instead of each channel",
}
"""What comes of it, by the kind of the layer."""


@rule(kind="cause", explains=(*NOT_LEARNING, "overfitting"), needs=("network",))
def wrong_axis(run: Run) -> Verdict:
    """Look for layers that take another axis for the channels than the layer before.

    Such a model runs, and may even learn something.
    """
    wrong = [facts for facts in run.layers if facts.misreads is not None]
    if not wrong:
        return Fine("pooling and normalization read the axis of the channels")
    facts = wrong[0]
    does = DOES.get(str(facts.kind), "it takes positions for channels")
    argument = "axis" if facts.kind == "normalization" else "data_format"
    return Finding(
        severity="info",
        message=(
            f"Layer '{facts.label}' takes another axis for the channels than layer "
            f"'{facts.misreads}' before it, so {does}."
        ),
        risk="critical",
        layer=facts.label,
        confidence=0.9,
        evidence={"layers": [layer.label for layer in wrong[:10]]},
        remedies=(
            suggest.by_hand(
                f"leave `{argument}` of '{facts.label}' at its default, or give both "
                "layers the same one",
                "each channel then is a feature, as the next layer expects",
            ),
        ),
    )
