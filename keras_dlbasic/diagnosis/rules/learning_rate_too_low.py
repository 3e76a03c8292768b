"""Steps that are too short to get anywhere."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.flow import early_flow
from keras_dlbasic.diagnosis.rates import movement_of
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    "cause",
    explains=NOT_LEARNING,
    live=False,
)
def learning_rate_too_low(
    run: Run, *, ratio: float = 1e-4, path: float = 0.3
) -> Judged:
    """Look for weights that hardly move although gradients are there.

    Args:
        run: The run.
        ratio: Median update-to-weight ratio below which steps are short; healthy ones
            are about 1e-3.
        path: Length of the whole way, in units of the weights' norm, below which a
            model stays where it was drawn.
    """
    movement = movement_of(run)
    norms = run.record.global_gradient_norm[run.clean]
    gradient = float(np.median(norms)) if len(norms) else 0.0
    flow = early_flow(run)
    fades = flow is not None and flow.down < 1e-3
    if movement.ratio < ratio and movement.path < path and gradient > 0:
        return Found(
            "info",
            f"The learning rate is too low: a step changes the weights by "
            f"{movement.ratio:.1e} of their size, all {movement.steps} steps together "
            f"by {movement.path:.1e} at most.",
            risk="critical",
            remedies=(
                suggest.range_test("finds the largest that works"),
                suggest.raise_learning_rate("the direct remedy"),
            ),
            details={
                "value": movement.ratio,
                "threshold": ratio,
                "confidence": 0.6 if fades else 0.85,  # short for want of gradients
                "evidence": {"path": movement.path},
            },
        )
    return f"median update-to-weight ratio {movement.ratio:.1e}"
