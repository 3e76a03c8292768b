"""Batches so large that an epoch has hardly any updates."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note


@rule(kind="cause", explains=NOT_LEARNING, live=False)
def batch_size_too_large(run: Run, *, steps: int = 2, rows: int = 64) -> Verdict:
    """Look for epochs of one or two updates.

    Args:
        run: The run.
        steps: Maximum number of updates per epoch for a finding.
        rows: Minimum batch size for a finding.
    """
    size, per_epoch = run.facts.batch_size, run.facts.steps_per_epoch
    if not size or not per_epoch:
        return Skipped("batch size or steps per epoch are not known")
    # Few updates an epoch are harmless in a long run. So this is a note by itself, and
    # becomes as severe as the symptoms that it explains, up to its `risk`.
    if per_epoch <= steps and size >= rows:
        return Finding(
            severity="info",
            message=(
                f"A batch size of {size} gives only {per_epoch} "
                f"update{'s' * (per_epoch > 1)} per epoch, so the weights change "
                "rarely and learning takes many epochs."
            ),
            risk="critical",
            value=float(per_epoch),
            threshold=float(steps),
            unit="updates per epoch",
            confidence=0.75,
            note=worth_a_note(run),
            evidence={"batch_size": size},
            remedies=(
                suggest.batch_size(
                    "gives more updates per epoch", run.moderate_batch_size()
                ),
                suggest.more_epochs("gives more updates", epochs=run.facts.epochs),
            ),
        )
    return Fine(f"{per_epoch} updates per epoch")
