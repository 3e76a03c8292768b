"""Stacks of activations that grow faster than their input."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, *UNSTABLE, "vanishing_gradients", "dead_units"),
    needs=("network",),
)
def exploding_activations(run: Run, *, layers: int = 2) -> Verdict:
    """Count hidden layers of exponential units.

    Args:
        run: The run.
        layers: This many count: an exponential of an exponential leaves the range of
            floating-point numbers at an input of 4.5.
    """
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
    return Fine(f"{len(hidden)} layers of exponential units")
