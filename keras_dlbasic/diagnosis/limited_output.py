"""Outputs that training shows to be limited to less than the targets ask for."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Run, Skipped, suggest
from keras_dlbasic.diagnosis.target_deviation import target_deviation

RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, float("inf")),
    "exponential": (0.0, float("inf")),
}
"""What activations can give."""

FREE = (None, "linear", "unknown", "normalization", "exponential")
"""Activations of which the range is not known, as that of an exponential of a negative
distance is not."""

FAR, ABOVE = -0.5, 1.5
"""Predictions are far from the targets if their skill is below the first and the loss
this many times that of a constant prediction."""

SAME = 0.05
"""Predictions are nearly the same below this share of the targets' deviation."""

FALLEN, STILL = 0.05, 0.02
"""A loss that came to its end has fallen by the first share, and changes by less than
the second in the second half."""

MOVED, LEAST_STEPS = 0.3, 100
"""Weights had the chance: their path in units of their norm, and the steps."""

GAINED = 0.01
"""Share of a loss that is saved by a small step beyond the limit of an activation."""

ASKED, HALF, LITTLE_SAVED = 0.25, 0.5, 0.3
"""A custom loss asks for what an activation cannot give: in this share of the rows at
least, at this share of its lowest value within the range, and the model saves less than
this share of the loss of a constant prediction."""


def stays_away(run: Run) -> Finding | None:
    """Look for values that an output without a known limit never comes near.

    Whatever else is wrong, weights that move bring a free output to a constant that is
    as good as any. A cosine or a product of normalized vectors ends at 1.
    """
    is_free = run.output.activation in FREE
    table = run.record.tables.get("probe")
    if run.live or run.is_planned or not is_free or run.task is not TaskKind.VALUES:
        return None
    if table is None or not len(table) or run.outcome.learned is not False:
        return None
    skill, spread = float(table["skill"][-1, 0]), float(table["spread"][-1, 0])
    loss = run.loss[np.isfinite(run.loss)]
    deviation = target_deviation(run)
    if not (skill < FAR and deviation > 0 and spread < SAME * deviation):
        return None
    # what minimizes the loss of absolute errors is far from the mean, and right
    baseline = run.outcome.baseline
    if not baseline or not len(loss) or not loss[-1] > ABOVE * baseline:
        return None
    # an output that is still on a long way to the targets has not fallen much
    if loss[0] - loss.min() < FALLEN * loss[0]:
        return None
    if run.record.trained_steps < LEAST_STEPS or len(loss) < 4:
        return None
    try:
        moves = run.movement.path > MOVED
    except Skipped:
        return None
    half = loss[len(loss) // 2 :]
    if not moves or np.ptp(half) > STILL * abs(half[0]):
        return None
    return Finding(
        severity="warning",
        message=(
            "All predictions are nearly the same and far from the targets: the loss "
            f"is {loss[-1]:.4g}, a constant prediction would get "
            f"{baseline:.4g}, and it no longer decreases "
            "although the weights change. So something limits the output, such as a "
            "normalization, a cosine or an activation in `call`, and the targets lie "
            "outside of its range."
        ),
        risk="critical",
        value=skill,
        threshold=FAR,
        unit="skill",
        confidence=0.85,
        evidence={"activation": run.output.activation, "loss": run.loss_kind.name},
        remedies=(
            suggest.by_hand(
                "scale the targets to the range of the output, such as -1 to 1 for a "
                "cosine, or end with `Dense(1)`",
                "the output can then reach the targets",
            ),
        ),
    )


def stays_at_zero(run: Run) -> Finding | None:
    """Look for predictions of a custom loss that a rectifier keeps at zero."""
    probe = run.facts.probe
    held = None if probe is None else probe.held
    if held is None or run.live or run.is_planned or not held.share >= HALF:
        return None
    if not held.loss - held.below >= GAINED * abs(held.loss):
        return None
    return Finding(
        severity="warning",
        message=(
            f"Column {held.column} of the output is exactly 0 for {held.share:.0%} of "
            f"the samples, whose loss would be lower below 0 ({held.below:.4g} instead "
            f"of {held.loss:.4g} for a small step). A ReLU gives 0 for all that is "
            "below, and has no gradient there."
        ),
        risk="critical",
        layer=run.output.name,
        value=held.share,
        threshold=HALF,
        unit="share of the samples",
        confidence=0.9,
        evidence=held.to_dict(),
        remedies=(suggest.output("the output is then not limited", "linear", None),),
    )


def asks_for_more(run: Run) -> Finding | None:
    """Look for a loss of the user's that asks for what the activation cannot give.

    It must make a difference, and the model must be little better than a constant.
    """
    probe, saved = run.facts.probe, run.outcome.loss_saved
    found = None if probe is None else probe.outside
    if found is None or run.live or run.is_planned or saved is None:
        return None
    if not found.share >= ASKED or found.within - found.loss < HALF * found.within:
        return None
    if not saved < LITTLE_SAVED or run.record.trained_steps < LEAST_STEPS:
        return None
    activation = run.output.activation
    low, high = RANGES[str(activation)]
    return Finding(
        severity="critical",
        message=(
            f"The output activation '{activation}' gives values from {low:g} to "
            f"{high:g}. For {found.share:.0%} of the training samples the loss "
            f"'{run.loss_kind.name}' is lowest for values outside of that range, such "
            f"as {found.answer:.3g}. With the best output from {low:g} to {high:g} for "
            f"each sample the loss would be {found.within:.4g}, with any output "
            f"{found.loss:.4g}."
        ),
        layer=run.output.name,
        value=found.share,
        threshold=ASKED,
        unit="share of the samples",
        confidence=0.9,
        evidence={"activation": activation, "answer": found.answer},
        remedies=(suggest.output("the output is then not limited", "linear", None),),
    )
