"""The same batches again and again."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import saved_on_validation


@rule(kind="cause", explains=("overfitting",))
def repeated_batches(
    run: Run, *, share: float = 0.5, batches: int = 4, gap: float = 0.1
) -> Verdict:
    """Count the different batches of the first epoch.

    A generator that starts at its first row at every batch shows a model the same few
    rows only. Small data may be meant to come several times in an epoch, so this counts
    where it shows: in overfitting, or validation rows that are known much worse.

    Args:
        run: The run.
        share: Share of different batches among those read up to which it counts.
        batches: Number of batches that have to be read.
        gap: Share of a constant prediction's loss that is saved less on validation rows
            than in training from which it is a warning by itself.
    """
    seen = run.facts.data.batches if run.facts.data else None
    if seen is None or seen.different is None or not seen.compared:
        return Skipped(run.reasons.batches)
    if seen.compared < batches or seen.different > share * seen.compared:
        return Fine(f"{seen.different} of {seen.compared} batches are different")
    known, told = run.outcome.loss_saved, saved_on_validation(run)
    is_worse = known is not None and told is not None and known - told > gap
    rows = run.facts.batch_size
    few = f" ({seen.different * rows} rows)" if rows else ""
    return Finding(
        severity="warning" if is_worse and not run.live else "info",
        risk="critical",
        message=(
            f"Of {seen.compared} batches in the first epoch, only "
            f"{seen.different}{few} are different, so the model trains on the same few "
            "rows again and again."
        ),
        value=seen.different / seen.compared,
        threshold=share,
        unit="of the batches that were read",
        confidence=0.9,
        evidence={"different": seen.different, "compared": seen.compared},
        remedies=(
            suggest.by_hand(
                "in the generator, go back to row 0 only at the end of the data",
                "every row is then used once per epoch",
            ),
            suggest.by_hand(
                "check: x1, y1 = next(batches); x2, y2 = next(batches); "
                "(x1 == x2).all()",
                "if this is True, the generator repeats its first batch",
            ),
        ),
    )
