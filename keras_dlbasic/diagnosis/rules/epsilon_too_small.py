"""An optimizer's epsilon that is lost in half precision."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE

SMALLEST = 6.2e-5
"""Smaller numbers than the smallest normal one of float16, 6.1e-5, lose their digits,
and many processors take them for zero."""


@rule(kind="cause", explains=(*NOT_FINITE, "oscillating_loss"), needs=("network",))
def epsilon_too_small(run: Run, *, smallest: float = SMALLEST) -> Verdict:
    """Compare the epsilon of an adaptive optimizer with the precision of weights.

    Adam and similar optimizers divide by the root of a mean square of gradients, plus
    epsilon. In float16 an epsilon of 1e-7 is zero or nearly zero, and so are squares of
    small gradients.

    Args:
        run: The run.
        smallest: Smallest epsilon that is effective in float16.
    """
    half = [f for f in run.layers if f.dtype == "float16" and f.trainable]
    if not half:
        return Fine("no weights are float16")
    epsilon = run.facts.inner_optimizer.get("epsilon")
    if not isinstance(epsilon, (int, float)) or epsilon >= smallest:
        return Fine("the optimizer has no epsilon, or a large enough one")
    return Finding(
        severity="info",
        message=(
            f"The optimizer has epsilon={epsilon:g}, but the weights are float16, in "
            "which numbers below 6.1e-05 lose precision or become 0. Where gradients "
            "are small, the optimizer divides by nearly 0."
        ),
        risk="critical",
        layer=half[0].label,
        value=float(epsilon),
        threshold=smallest,
        confidence=0.92,
        remedies=(
            suggest.by_hand(
                "keras.mixed_precision.set_dtype_policy('mixed_float16') before the "
                "model is built",
                "keeps the weights and the state of the optimizer in float32",
            ),
            suggest.by_hand(
                "keras.optimizers.Adam(epsilon=1e-3)",
                "1e-3 is well within the range of float16",
            ),
        ),
    )
