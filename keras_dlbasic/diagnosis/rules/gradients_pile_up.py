"""Gradients that a training step of your own does not clear."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(
        *NOT_LEARNING,
        "dead_units",
        "diverging_loss",
        "exploding_gradients",
        "non_finite_values",
        "oscillating_loss",
        "saturated_units",
    ),
    needs=("updates",),
)
def gradients_pile_up(run: Run, *, least: float = 0.1) -> Verdict:
    """Look for a custom `train_step` on PyTorch that does not clear gradients.

    `backward` adds to the gradients that are there. Without `zero_grad` each update
    takes the sum over all batches so far, old weights included. Accumulating over some
    batches and clearing after the update is fine.

    Args:
        run: The run.
        least: Minimum norm of what is left from earlier steps, relative to the gradient
            of the batch, for a finding.
    """
    kept = run.facts.kept_gradient
    if kept is None:
        return Fine("no update was seen to take gradients of earlier steps")
    if not kept >= least:
        return Fine(f"what is left of earlier gradients is {kept:.1%} of each")
    return Finding(
        severity="critical" if run.outcome.learned is False else "warning",
        risk="critical",
        message=(
            "The model's `train_step` does not clear the gradient of an update before "
            f"the next one, which takes it again: here {kept:.2g} times the gradient "
            "of the batch. If gradients are never cleared, updates grow from step to "
            "step and point to where old weights should have gone."
        ),
        value=kept,
        threshold=least,
        unit="times the gradient of the batch",
        confidence=0.95,
        evidence={"kept_gradient": kept},
        remedies=(
            suggest.by_hand(
                "self.zero_grad()",
                "call it in `train_step` before `loss.backward()`, which adds to the "
                "gradients that are there",
            ),
        ),
    )
