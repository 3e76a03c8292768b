"""Activations that grow from layer to layer or from time step to time step."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.depth_growth import DepthGrowth, depth_growth
from keras_dlbasic.diagnosis.recurrent_growth import GROWN, Growth, recurrent_growth
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, *UNSTABLE, "vanishing_gradients", "dead_units"),
    needs=("network",),
)
def exploding_activations(
    run: Run, *, layers: int = 2, square: float = GROWN, factor: float = 30.0
) -> Verdict:
    """Measure signals over the depth and over time, and count exponential units.

    Sums over many entries (neighbors in a graph, scores that are not divided by their
    number) make signals larger by a factor at each layer.

    A recurrent layer applies its weights once a time step. With tanh its outputs stay
    below 1; with a rectifier they grow by a factor each step.

    Args:
        run: The run.
        layers: This many count: an exponential of an exponential leaves the range of
            floating-point numbers at an input of 4.5.
        square: Mean square of the outputs of a recurrent layer without a limit, at any
            look, that counts.
        factor: Growth of the root mean square over four layers and more, by at least 2
            at each, that counts.
    """
    growth = recurrent_growth(run, square)
    if growth is not None:
        return _recurrent(growth, square)
    hidden = [f for f in run.layers[:-1] if f.activation == "exponential"]
    if len(hidden) >= layers:
        return Finding(
            severity="info",
            message=(
                f"{len(hidden)} layers of exponential units follow each other: signals "
                "and gradients explode or die."
            ),
            risk="critical",
            layer=hidden[0].label,
            value=float(len(hidden)),
            threshold=float(layers),
            unit="layers",
            confidence=0.9,
            remedies=(
                suggest.activations("grows no faster than its input"),
                suggest.normalization("bounds what the units are given"),
            ),
        )
    over_depth = depth_growth(run)
    if over_depth is not None and over_depth.factor >= factor:
        return _over_depth(over_depth, factor)
    return Fine(f"{len(hidden)} layers of exponential units")


def _over_depth(growth: DepthGrowth, factor: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"Signals grow from layer to layer: their root mean square is "
            f"{growth.small:.2g} behind '{growth.first}' and {growth.large:.2g} behind "
            f"'{growth.last}', and the first outputs are as much too large."
        ),
        risk="critical",
        layer=growth.last,
        value=growth.factor,
        threshold=factor,
        unit="times the first layer",
        confidence=0.85,
        note=False,
        remedies=(
            suggest.by_hand(
                "take means instead of sums (over neighbors, steps, heads), or divide "
                "by the square root of their number",
                "each layer then gives values of the size that it is given",
            ),
            suggest.normalization("bounds what the next layer is given"),
        ),
    )


def _recurrent(growth: Growth, square: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"Recurrent layer '{growth.layer}' has '{growth.activation}' cells, whose "
            "values nothing limits: they are multiplied by the weights at each time "
            f"step, and their root mean square has grown to {growth.square**0.5:.2g}. "
            "With tanh it is below 1."
        ),
        risk="critical",
        layer=growth.layer,
        value=growth.square,
        threshold=square,
        unit="mean square of the outputs",
        confidence=0.92,
        remedies=(
            suggest.by_hand(
                "leave `activation` of the recurrent layer at its default, 'tanh'",
                "its values then stay between -1 and 1, however long the sequence",
            ),
            suggest.gradient_clipping("bounds the steps, not the values"),
        ),
    )
