"""Initial weights from which training cannot start."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE

EXPLAINS = (
    *NOT_LEARNING,
    *UNSTABLE,
    "vanishing_gradients",
    "dead_units",
    "saturated_units",
    "overfitting",
)


@rule("cause", explains=EXPLAINS)
def poor_initialization(
    run: Run, *, large: float = 5.0, small: float = 0.1, idle: float = 0.9
) -> Judged:
    """Look at the weights and units before training.

    Args:
        run: The run.
        large: Deviation of a kernel times the root of its fan-in that counts; He's law
            gives 1.41, Xavier's about 1. At 5, units of inputs of unit size meet values
            of 5, where a tanh passes on less than a thousandth of the gradient.
        small: Deviation times the root of the mean of fan-in and fan-out; Xavier's law
            gives 1. Two layers at 0.1 shrink signals and gradients a hundredfold,
            which counts; six of them are beyond doubt.
        idle: Share of a layer's units, dead or saturated before training, that counts.
    """
    layers = [f for f in run.layers if "gain" in f]
    hidden = layers[:-1]
    alike = [f for f in hidden if f.get("units_alike") and f["trainable"]]
    remedies = (suggest.new_weights("draws weights by the activation that follows"),)
    if alike:
        return Found(
            "critical",
            f"All units of layer '{alike[0]['label']}' begin with the same weights: "
            "they get the same gradients and stay alike.",
            remedies=remedies,
            details={
                "layer": alike[0]["label"],
                "confidence": 0.98,
                "value": float(len(alike)),
                "threshold": 0.0,
            },
        )
    found = _idle(run, idle)
    if found is not None:
        remedies = (
            suggest.new_weights("wakes units that begin idle", zero_biases=True),
        )
    else:
        found = _sizes(layers, large, small)
    if found is None:
        return "weights begin with sizes that suit"
    text, layer, value, threshold, confidence = found
    return Found(
        "info",
        text,
        risk="critical",
        remedies=remedies,
        details={
            "layer": layer,
            "value": value,
            "threshold": threshold,
            "confidence": confidence,
        },
    )


def _idle(run: Run, idle: float) -> tuple[str, str, float, float, float] | None:
    table = run.record.tables.get("activations")
    inputs = (run.facts.get("data") or {}).get("inputs") or [{}]
    if table is None or not len(table) or table.epochs[0] >= 0:
        return None
    for measure, word in (("dead_units", "dead"), ("saturated_units", "saturated")):
        shares = np.nan_to_num(table[measure][0])[:-1]
        if not len(shares) or shares.max() < idle:
            continue
        if inputs[0].get("rms", 1.0) > 10:
            continue  # the inputs did it
        layer = table.labels[int(shares.argmax())]
        return (
            f"{shares.max():.0%} of the units of layer '{layer}' are {word} before "
            "training begins.",
            layer,
            float(shares.max()),
            idle,
            0.92,
        )
    return None


def _sizes(
    layers: list[dict[str, Any]], large: float, small: float
) -> tuple[str, str, float, float, float] | None:
    shrink, smallest = 1.0, None
    for facts in layers:
        if facts["class_name"] == "Embedding":
            continue
        if facts["gain"] > large:
            return (
                f"The weights of layer '{facts['label']}' begin too large: "
                f"{facts['gain']:.3g} times 1/sqrt(fan_in).",
                facts["label"],
                facts["gain"],
                large,
                0.9,
            )
        both = 0.5 * (facts["fan_in"] + facts["fan_out"])
        size = facts["kernel_rms"] * both**0.5
        shrink *= min(1.0, size)
        if size < small and smallest is None:
            smallest = facts["label"]
    if smallest is None or shrink > small**2:
        return None
    return (
        f"The weights begin too small, from layer '{smallest}' on: together the layers "
        f"shrink signals and gradients to {shrink:.1e} of what Xavier's law gives.",
        smallest,
        shrink,
        small**2,
        0.9 if shrink < small**6 else 0.7,
    )
