"""Initial weights from which training cannot start."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.depth_trend import depth_trend
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note
from keras_dlbasic.records import LayerFacts

EXPLAINS = (
    *NOT_LEARNING,
    *UNSTABLE,
    "vanishing_gradients",
    "dead_units",
    "saturated_units",
    "overfitting",
)


BY_OUTPUTS = 1.6
"""Deviation times the root of the fan-out: He's law gives 1.41."""

SURE = 0.92
"""What is seen before any step comes before a rate that is too high for it."""

REMEDIES = (suggest.new_weights("scales the weights to fan-in and activation"),)


@rule(kind="cause", explains=EXPLAINS, needs=("network",))
def poor_initialization(
    run: Run,
    *,
    large: float = 5.0,
    small: float = 0.1,
    idle: float = 0.9,
    inputs: float = 10.0,
    depth: float = 1e4,
) -> Verdict:
    """Check the scale of the weights and the activity of units before training.

    Args:
        run: The run.
        large: Minimum standard deviation of a kernel times `sqrt(fan_in)` for a
            finding. He initialization has 1.41, Xavier about 1. At 5, pre-activations
            are about 5, where tanh passes on less than a thousandth of the gradient.
        small: Maximum standard deviation times the root of the mean of fan-in and
            fan-out; Xavier initialization has 1. Two layers at 0.1 shrink signals and
            gradients by a factor of 100.
        idle: Minimum share of units that are dead or saturated before training.
        inputs: Root mean square of the inputs from which on unscaled inputs, not the
            weights, are the cause (the threshold of `unscaled_inputs`).
        depth: Minimum change of the activations' mean square over the depth, up or
            down. Weights that are twice too large reach it in seven layers.
    """
    if run.model.seen_after:
        return Skipped(
            "the model had no weights before training; they were first read after step "
            f"{run.model.seen_after}"
        )
    layers = [f for f in run.layers if f.has_kernel]
    hidden = [layers[place] for place in run.hidden([f.label for f in layers])]
    alike = [f for f in hidden if f.units_alike and f.trainable]
    if alike:
        is_fine = not (run.live or run.is_planned) and run.outcome.is_good
        return Finding(
            # what follows may tell them apart, as a product with other units does
            severity="info" if is_fine else "critical",
            message=f"All units of layer '{alike[0].label}' start with the same "
            "weights, so they usually get the same gradients and stay identical.",
            layer=alike[0].label,
            value=float(len(alike)),
            threshold=0.0,
            unit="layers",
            confidence=0.98,
            remedies=REMEDIES,
        )
    found = (
        _idle(run, idle, inputs)
        or _sizes(layers, large, small)
        or _over_depth(run, depth)
    )
    return found or Fine("the initial weights have a suitable scale")


def _idle(run: Run, idle: float, limit: float) -> Finding | None:
    table = run.record.tables.get("activations")
    if table is None or not len(table) or table.epochs[0] >= 0:
        return None
    plain = {facts.label for facts in run.layers if facts.kind == "merging"}
    for measure, word in (("dead_units", "dead"), ("saturated_units", "saturated")):
        shares = np.nan_to_num(table[measure][0])
        # a difference of two inputs has no units of its own
        places = [p for p in run.hidden(table.labels) if table.labels[p] not in plain]
        worst = max(places, key=lambda place: shares[place], default=None)
        if worst is None or shares[worst] < idle:
            continue
        if any(facts.rms > limit for facts in run.facts.inputs[:1]):
            continue  # the inputs did it
        layer = table.labels[worst]
        return Finding(
            severity="info",
            message=f"{shares[worst]:.0%} of the units of layer '{layer}' are {word} "
            "before training, so they pass on almost no gradient.",
            risk="critical",
            layer=layer,
            value=float(shares[worst]),
            threshold=idle,
            unit="share of the units",
            confidence=SURE,
            remedies=(
                suggest.new_weights(
                    "new weights and zero biases make the units active",
                    zero_biases=True,
                ),
            ),
        )
    return None


def _over_depth(run: Run, depth: float) -> Finding | None:
    """Look for activations that grow or shrink by a factor at each layer."""
    trend = depth_trend(run)
    if trend is None:
        return None
    change = max(trend.change, 1 / trend.change)
    if change <= max(depth, trend.chance):
        return None
    word, size = ("grow", "large") if trend.change > 1 else ("shrink", "small")
    return Finding(
        severity="info",
        message=(
            f"The initial weights are too {size} for this depth: the mean square of "
            f"the activations {word}s by a factor of {trend.factor:.2g} per layer, "
            f"{trend.change:.1e} from layer '{trend.first}' to '{trend.last}'. The "
            "median standard deviation of the kernels is "
            f"{trend.gain:.2g}/sqrt(fan_in); 1.41 suits ReLU, about 1 suits tanh and "
            "sigmoid."
        ),
        risk="critical",
        layer=trend.first,
        value=change,
        threshold=depth,
        unit="times the mean square of activations",
        confidence=SURE,
        note=worth_a_note(run),
        evidence={"factor": trend.factor, "gain": trend.gain},
        remedies=(
            *REMEDIES,
            suggest.normalization(
                "normalization removes the effect of the weight scale"
            ),
        ),
    )


def _suits_its_outputs(facts: LayerFacts) -> bool:
    """Return whether He's law by the fan-out gives such a kernel.

    It keeps gradients at their size instead of activations, and is as common; a layer
    that makes many channels few then has weights that are large for its inputs.
    """
    several = facts.fan_out >= 4
    by_outputs = facts.gain * (facts.fan_out / facts.fan_in) ** 0.5
    return several and by_outputs <= BY_OUTPUTS


def _sizes(layers: list[LayerFacts], large: float, small: float) -> Finding | None:
    shrink, smallest = 1.0, None
    for facts in layers:
        # which scale suits an activation of the user's own is not known
        if facts.looks_up or facts.is_normalized or facts.activation == "custom":
            continue
        if facts.gain > large and not _suits_its_outputs(facts):
            return Finding(
                severity="info",
                message=(
                    f"The initial weights of layer '{facts.label}' are too large: "
                    f"their standard deviation is {facts.gain:.3g}/sqrt(fan_in), and "
                    "1.41 is usual for ReLU. Activations grow or saturate."
                ),
                risk="critical",
                layer=facts.label,
                value=facts.gain,
                threshold=large,
                unit="times 1/sqrt(fan_in)",
                confidence=SURE,
                remedies=REMEDIES,
            )
        # Under Xavier's law, the deviation times the root of the mean of both fans is
        # 1. What layers take away from that multiplies along the depth.
        both = 0.5 * (facts.fan_in + facts.fan_out)
        size = facts.kernel_rms * both**0.5
        shrink *= min(1.0, size)
        if size < small and smallest is None:
            smallest = facts.label
    if smallest is None or shrink > small**2:
        return None
    return Finding(
        severity="info",
        message=(
            f"The initial weights are too small from layer '{smallest}' on: the layers "
            f"together shrink signals and gradients to {shrink:.1e} of what Xavier "
            "initialization gives."
        ),
        risk="critical",
        layer=smallest,
        value=shrink,
        threshold=small**2,
        unit="share of the signal",
        confidence=0.9 if shrink < small**6 else 0.7,
        remedies=REMEDIES,
    )
