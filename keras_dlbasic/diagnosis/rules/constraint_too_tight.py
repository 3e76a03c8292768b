"""Constraints that keep weights from following the gradient."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units", "vanishing_gradients"),
    needs=("network",),
    live=False,
)
def constraint_too_tight(
    run: Run, *, saved: float = 0.15, share: float = 0.3
) -> Verdict:
    """Take a few gradient steps from the final weights, with and without constraints.

    This is measured only if the model does worse than simple predictors, or no better
    than a constant prediction. A run that ended too early gets better with constraints,
    too.

    Args:
        run: The run.
        saved: Minimum part of the loss that is saved without constraints and not with
            them, as a share of the loss of a constant prediction.
        share: Maximum part of what is saved without constraints that is saved with
            them.
    """
    if all(facts.constraint is None for facts in run.layers):
        return Fine("no kernel has a constraint")
    probe = run.facts.probe
    known = None if probe is None else probe.constraint
    if probe is None or known is None:
        return Skipped("the model does well, or its loss could not be evaluated")
    baseline = probe.baseline_loss
    if baseline is None or not baseline > 0:
        return Skipped(run.reasons.outcome)
    free, held = known.loss - known.free, known.loss - known.held
    gain = (known.held - known.free) / baseline
    if not gain >= saved or not held <= share * free:
        return Fine(f"without constraints {max(gain, 0.0):.1%} would be saved")
    return Finding(
        severity="warning",
        risk="critical",
        message=(
            f"The constraint {known.kind} of layer '{known.layer}' keeps the model "
            "from learning. A few steps along the gradient from the final weights "
            f"lower the loss from {known.loss:.4g} to {known.free:.4g} without "
            f"constraints of weights, but only to {known.held:.4g} with them."
        ),
        layer=known.layer,
        value=gain,
        threshold=saved,
        unit="share of the baseline loss",
        confidence=0.9,
        evidence={"loss": known.loss, "held": known.held, "free": known.free},
        remedies=(
            suggest.by_hand(
                "kernel_constraint=None, or keras.constraints.MaxNorm(3)",
                "weights can then go where the gradient points",
            ),
        ),
    )
