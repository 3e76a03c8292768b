"""Activations that grow from layer to layer or from time step to time step."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.depth_growth import (
    DepthGrowth,
    depth_growth,
    growth_from_inputs,
)
from keras_dlbasic.diagnosis.recurrent_growth import GROWN, Growth, recurrent_growth
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, *UNSTABLE, "vanishing_gradients", "dead_units"),
    needs=("network",),
)
def exploding_activations(
    run: Run,
    *,
    layers: int = 2,
    square: float = GROWN,
    factor: float = 30.0,
    shallow: float = 20.0,
) -> Verdict:
    """Measure the growth of signals over depth and time; count exponential layers.

    Sums over many entries (neighbors in a graph, scores that are not divided by their
    number) make signals larger by a factor at each layer.

    A recurrent layer applies its weights at each time step. With tanh its outputs stay
    below 1; with a rectifier they may grow by a factor at each step.

    Args:
        run: The run.
        layers: Minimum number of exponential layers for a finding. An exponential of an
            exponential overflows at an input of 4.5.
        square: Minimum mean square of the outputs of an unbounded recurrent layer, in
            any evaluation, for a finding.
        factor: Minimum growth of the root mean square for a finding, over at least four
            layers and by at least 2 in each.
        shallow: Minimum growth from the inputs on over fewer layers, by at least 2 in
            each, where the first loss is five times that of a constant prediction.
    """
    growth = recurrent_growth(run, square)
    if growth is not None:
        return _recurrent(growth, square)
    hidden = [f for f in run.layers[:-1] if f.activation == "exponential"]
    if len(hidden) >= layers:
        return Finding(
            severity="info",
            message=(
                f"{len(hidden)} hidden layers have an 'exponential' activation. An "
                "exponential of an exponential overflows or vanishes, and so do its "
                "gradients."
            ),
            risk="critical",
            layer=hidden[0].label,
            value=float(len(hidden)),
            threshold=float(layers),
            unit="layers",
            confidence=0.9,
            remedies=(
                suggest.activations("ReLU grows no faster than its input"),
                suggest.normalization("bounds the inputs of the units"),
            ),
        )
    over_depth = depth_growth(run)
    if over_depth is not None and over_depth.factor >= factor:
        return _over_depth(over_depth, factor)
    from_inputs = growth_from_inputs(run)
    if from_inputs is not None and from_inputs.factor >= shallow:
        return _over_depth(from_inputs, shallow)
    return Fine(f"{len(hidden)} hidden layers have an exponential activation")


def _over_depth(growth: DepthGrowth, factor: float) -> Finding:
    begin = f"after layer '{growth.first}'" if growth.first else "in the inputs"
    return Finding(
        severity="info",
        message=(
            "Activations grow from layer to layer: their root mean square is "
            f"{growth.small:.2g} {begin} and {growth.large:.2g} "
            f"after layer '{growth.last}', so the outputs start far too large."
        ),
        risk="critical",
        layer=growth.last,
        value=growth.factor,
        threshold=factor,
        unit="times the first layer" if growth.first else "times the inputs",
        confidence=0.85,
        note=False,
        remedies=(
            suggest.by_hand(
                "take means instead of sums (over neighbors, steps, heads), or divide "
                "by the square root of their number",
                "each layer then keeps the scale of its input",
            ),
            suggest.normalization("bounds the inputs of the next layer"),
        ),
    )


def _recurrent(growth: Growth, square: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"The outputs of recurrent layer '{growth.layer}' have grown to a root "
            f"mean square of {growth.square**0.5:.2g}. Its activation "
            f"'{growth.activation}' is unbounded, so the values grow at each time "
            "step; with tanh they stay below 1."
        ),
        risk="critical",
        layer=growth.layer,
        value=growth.square,
        threshold=square,
        unit="mean square of the outputs",
        confidence=0.92,
        remedies=(
            suggest.by_hand(
                "keep the default activation of the recurrent layer, 'tanh'",
                "its values then stay in [-1, 1] for sequences of any length",
            ),
            suggest.gradient_clipping("limits the steps, though not the activations"),
        ),
    )
