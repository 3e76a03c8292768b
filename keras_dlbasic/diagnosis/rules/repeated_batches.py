"""The same batches again and again, or others than at first."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import saved_on_validation
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=("overfitting", *NOT_LEARNING))
def repeated_batches(
    run: Run,
    *,
    share: float = 0.5,
    batches: int = 4,
    gap: float = 0.1,
    forgotten: float = 0.5,
) -> Verdict:
    """Count the different batches of the first epoch, and test for other later ones.

    If a generator starts at its first row for every batch, the model is trained on the
    same few rows only. Small data may be repeated in an epoch on purpose. So this only
    counts if there is overfitting, or if the validation loss is much higher.

    Args:
        run: The run.
        share: Maximum share of different batches among those read.
        batches: Minimum number of batches that were read.
        gap: Minimum difference between validation and training loss for a warning
            without overfitting, as a share of a constant prediction's loss.
        forgotten: Maximum loss of the last epoch, as a share of a constant
            prediction's, if the loss on rows of the first epoch is higher than that of
            a constant prediction. Then later epochs contain other rows.
    """
    seen = run.facts.data.batches if run.facts.data else None
    if seen is None or seen.different is None or not seen.compared:
        return Skipped(run.reasons.batches)
    other = _other_rows(run, forgotten)
    if other is not None:
        return other
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


def _other_rows(run: Run, forgotten: float) -> Finding | None:
    """Name batches that are not those of the first epoch, if the loss shows it.

    A look at the end of an epoch and the loss of that epoch have to disagree twice: a
    step that goes wrong, or weights that a callback brings back, do so once.
    """
    outcome, data = run.outcome, run.facts.data
    table = run.record.tables.get("probe")
    is_first = data is not None and data.source == "first batches"
    if run.live or not is_first or data is None or table is None or run.facts.own_loss:
        return None
    if outcome.loss is None or not outcome.baseline or data.weights:
        return None
    logged = dict(zip(run.numbers.tolist(), run.loss.tolist(), strict=True))
    disagree = {
        int(epoch)
        for epoch, (loss, *_) in zip(table.epochs, table["loss"], strict=True)
        # within an epoch the loss falls, so its mean is above what the end leaves
        if logged.get(int(epoch), np.inf) - run.penalty <= forgotten * outcome.baseline
        and loss >= outcome.baseline
    }
    if len(disagree) < 2 or int(table.epochs[-1]) not in disagree:
        return None
    last = logged[int(table.epochs[-1])]
    return Finding(
        severity="critical",
        message=(
            f"The training loss of the last epoch is {last:.3g}. On rows of the "
            f"first epoch the same model has {outcome.loss:.3g}, and a constant "
            f"prediction {outcome.baseline:.3g}, so later epochs seem to contain other "
            "rows (or padding) than the first."
        ),
        value=outcome.loss / outcome.baseline,
        threshold=1.0,
        unit="of a constant prediction's loss",
        confidence=0.9,
        evidence={"logged": last, "first_rows": outcome.loss},
        remedies=(
            suggest.by_hand(
                "in the generator: start again at the first row at the end of the data",
                "an exhausted generator repeats its last rows or gives zeros",
            ),
            suggest.by_hand(
                "look at a batch of the second epoch: x, y = next(batches)",
                "shows whether the second epoch has the same rows",
            ),
        ),
    )
