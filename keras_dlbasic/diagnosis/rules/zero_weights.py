"""Rows that do not count in the loss."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.finding import Severity
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records import WeightFacts

LEAST_ROWS = 5

TURNED = 0.99
"""Share of the weight on padding from which a mask is inverted."""

USUAL = 0.9
"""With more padding, little of the weight is elsewhere in any case."""


@rule(kind="cause", explains=(*NOT_LEARNING, "overfitting"), needs=("data",))
def zero_weights(run: Run, *, share: float = 0.99, chance: float = 1e-6) -> Verdict:
    """Look for zero sample weights: of a class, of most rows, of all but padding.

    If targets have several positions, zero weights at some positions are padding. Zero
    weights of a class without an output are left out on purpose.

    Args:
        run: The run.
        share: Minimum share of zero weights (one weight per row) for a finding.
        chance: Maximum probability that all weights of a class are zero by chance, if
            zeros are spread evenly over the classes.
    """
    if run.data.batches is None:
        return Skipped(run.reasons.batches)
    if not run.data.weights:
        return Fine("all rows have the same weight")
    is_only = len(run.facts.outputs) <= 1  # another output may be what is trained
    # Which classes an output has is known of that output only.
    runs = [one for one in run.outputs_apart if one.data.weights] or [run]
    for one in runs:
        for weights in one.data.weights:
            found = _of_output(one, weights, share, chance, is_only=is_only)
            if found is not None:
                return found
    zeros = max(weights.zeros for weights in run.data.weights)
    return Fine(f"no class is left out; {zeros:.0%} of the weights are zero")


def _of_output(
    run: Run, weights: WeightFacts, share: float, chance: float, *, is_only: bool
) -> Finding | None:
    is_all = weights.zeros == 1.0 and is_only
    if weights.zeros > share and (weights.per_row or weights.zeros == 1.0):
        part = "All" if weights.zeros == 1.0 else f"{weights.zeros:.1%} of the"
        # Where few rows have labels, as in graphs, nearly all others are left out on
        # purpose: that is a fault only where the run does not get far.
        some: Severity = "warning" if weights.zeros == 1.0 else "info"
        return Finding(
            severity="critical" if is_all else some,
            risk="critical" if some == "info" else None,
            message=(
                f"{part} sample weights are zero, so these rows do not count in the "
                "loss."
            ),
            value=weights.zeros,
            threshold=share,
            unit="share of the weights",
            confidence=0.95,
            remedies=(_check_weights(),),
        )
    if weights.on_padding > TURNED and weights.padding < USUAL:
        return _turned_around(weights)
    left_out = _left_out(run, weights, chance) if weights.per_row else []
    if not left_out:
        return None
    one = len(left_out) == 1
    named = ", ".join(map(str, left_out[:5])) + (", ..." if len(left_out) > 5 else "")
    return Finding(
        severity="info",  # a class may be left out on purpose
        risk="critical",
        message=(
            f"{'Class' if one else 'Classes'} {named} never count{'s' if one else ''} "
            "in the loss, because all their sample weights are zero. The model cannot "
            f"learn {'it' if one else 'them'}."
        ),
        value=float(len(left_out)),
        threshold=0.0,
        unit="classes",
        confidence=0.95,
        evidence={"classes": left_out[:100]},
        remedies=(_check_weights(),),
    )


def _turned_around(weights: WeightFacts) -> Finding:
    return Finding(
        severity="critical",
        message=(
            f"{weights.on_padding:.0%} of the sample weight is on padding, which is "
            f"{weights.padding:.0%} of the steps. The mask seems to be inverted: the "
            "actual sequences hardly count in the loss."
        ),
        value=weights.on_padding,
        threshold=TURNED,
        unit="share of the weight",
        confidence=0.97,
        evidence={"padding": weights.padding},
        remedies=(
            suggest.by_hand(
                "sample_weight = (x != 0).astype('float32')",
                "1 for real steps, 0 for padding",
            ),
        ),
    )


def _left_out(run: Run, weights: WeightFacts, chance: float) -> list[int]:
    classes, counts, means = weights.classes, weights.counts, weights.by_class
    if not classes or not counts or means is None:
        return []
    counted = sum(n for n, mean in zip(counts, means, strict=True) if mean)
    zeros = round(weights.zeros * sum(counts))
    gone = sum(n for n, mean in zip(counts, means, strict=True) if not mean)
    # zeros among the rows of the other classes, with one to spare
    others = (zeros - gone + 1) / (counted + 1)
    outputs = run.facts.outputs
    units = outputs[0].units if len(outputs) == 1 and outputs[0].units else None
    most = None if units is None else max(2, units)
    return [
        label
        for label, n, mean in zip(classes, counts, means, strict=True)
        if not mean
        and n >= LEAST_ROWS
        and others**n < chance
        and label >= 0
        and (most is None or label < most)
    ]


def _check_weights() -> RemedySuggestion:
    return suggest.by_hand(
        "give each class in `class_weight` a weight above 0, and check the code that "
        "makes `sample_weight`",
        "training ignores rows with weight 0",
    )
