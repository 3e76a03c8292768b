"""Gradients that grow from layer to layer or from step to step."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.finding import Severity

HARM: dict[bool | None, Severity] = {False: "critical", None: "warning", True: "info"}
"""Severity, depending on whether the model has learned something."""


@rule(kind="symptom", needs=("gradients",), decides="updates")
def exploding_gradients(
    run: Run, *, ratio: float = 1e3, jump: float = 1e3, least: int = 5, early: int = 64
) -> Verdict:
    """Compare gradients with those of the last layer and of earlier steps.

    Args:
        run: The run.
        ratio: Minimum ratio of a layer's relative gradient to that of the last layer in
            the first sampled steps. The default is a factor of 4 per layer over five
            layers, as in `analysis.gradient_events`.
        jump: Minimum ratio of the global norm to its median so far.
        least: Number of sampled steps in a row that must show it, and for the median.
        early: Number of first sampled steps in which layers are compared.
    """
    events = run.early_flow(least=least, early=early)
    norms = run.record.global_gradient_norm[run.clean]
    steps = run.record.steps[run.clean]
    value, layer, step = jump_of(norms, steps, least)
    kind = "jump"
    threshold = jump
    # Growth along the depth names a layer, so it is reported rather than a jump in
    # time.
    if events is not None and events.up > ratio:
        value, layer, step = events.up, events.up_layer, int(steps[0])
        kind, threshold = "depth", ratio
    if value > threshold:
        learned = run.outcome.learned
        severity = HARM[learned]
        where = (
            f"relative to its weights, the gradient of layer '{layer}' is {value:.1e} "
            "times that of the last layer"
            if kind == "depth"
            else f"at step {(step or 0) + 1} the gradient norm is {value:.1e} times "
            "its median so far"
        )
        return Finding(
            severity=severity,
            message=f"Gradients explode: {where} (before clipping).",
            layer=layer,
            step=step,
            value=value,
            threshold=threshold,
            confidence=0.8,
            remedies=(
                suggest.gradient_clipping("limits the length of every step"),
                suggest.lower_learning_rate(
                    "shorter steps stay where gradients are moderate"
                ),
                suggest.normalization("normalization keeps the gradient norm"),
                suggest.new_weights(
                    "large weights multiply the gradient at every layer"
                ),
            ),
        )
    return Fine(f"largest jump of the gradient norm: a factor of {value:.3g}")


def jump_of(
    norms: np.ndarray, steps: np.ndarray, least: int
) -> tuple[float, str | None, int | None]:
    """Return the largest norm over the median of those before it."""
    best, at = 0.0, None
    # The median is taken at every eighth row only: each one takes all rows before it.
    running = np.array([np.median(norms[: n + 1]) for n in range(0, len(norms), 8)])
    for row in range(least, len(norms)):
        median = running[max(0, (row - 1) // 8)]
        if median > 0 and np.isfinite(norms[row]) and norms[row] / median > best:
            best, at = float(norms[row] / median), int(steps[row])
    return best, None, at
