"""Validation rows that are training rows."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.records import ValidationFacts

CHANCES = 3.0
"""Shares of rows that repeat by themselves differ by chance, by this many standard
errors at most."""

COPIES = suggest.by_hand(
    "split before you copy or augment rows, and drop duplicates",
    "validation rows must not be in the training data",
)

PIECES = suggest.by_hand(
    "split the series by time first, then cut windows from each part",
    "otherwise most steps of a validation window are in the training data",
)


@rule(kind="cause", needs=("validation",))
def train_validation_overlap(
    run: Run,
    *,
    share: float = 0.05,
    rows: int = 3,
    much: float = 0.5,
    near: float = 0.3,
    pieces: float = 0.5,
) -> Verdict:
    """Look for validation rows that equal, or nearly equal, training rows.

    Rows of a few categories or whole numbers repeat by chance. For these, the share of
    rows that repeat within training is subtracted. For continuous rows it is not,
    because copies that were made before the split also repeat within training. Blank
    rows are ignored.

    Args:
        run: The run.
        share: Minimum share of the validation rows, after that subtraction, or three
            standard errors of it if these are more.
        rows: Minimum number of equal rows. Only rows that were compared count, not
            estimates.
        much: Minimum share of the validation rows for a critical finding.
        near: Minimum share of validation rows that nearly equal a training row
            (`inspection.near_copies`). For a random split it is a few percent at most.
        pieces: Minimum share of validation windows that share steps with a training
            window. If the recording was split first, only windows at the border do.
    """
    validation = run.validation
    overlap, repeats = validation.overlap, validation.repeats
    if math.isnan(overlap):
        return Skipped("validation rows could not be compared with training rows")
    blank = 0.0 if math.isnan(validation.blank) else validation.blank
    excused = blank if validation.repeats_by_nature is False else max(repeats, blank)
    evidence = {
        "repeats": repeats,
        "near_copies": validation.near_copies,
        "shared_pieces": validation.shared_pieces,
    }
    # Older records have the estimated share only; where all rows were compared, it is
    # what was seen.
    seen: float | None = validation.equal_rows
    if seen is None:
        seen = overlap * min(
            validation.n_rows or 0, validation.compared_with or math.inf
        )
    # Exact copies are beyond doubt, so they come first. Shared windows and near copies
    # are weaker evidence, and never critical.
    limit = excused + max(share, CHANCES * _error(validation, excused))
    if overlap > limit and seen >= rows:
        return _found(
            f"{overlap:.0%} of the validation rows are also training rows",
            overlap,
            limit,
            critical=overlap >= much,
            evidence=evidence,
            remedy=COPIES,
        )
    n_rows = validation.n_rows or math.inf
    if validation.shared_pieces > pieces and validation.shared_pieces * n_rows >= rows:
        return _found(
            f"{validation.shared_pieces:.0%} of the validation windows overlap with "
            "training windows",
            validation.shared_pieces,
            pieces,
            critical=False,
            evidence=evidence,
            remedy=PIECES,
        )
    if validation.near_copies > near and validation.near_copies * n_rows >= rows:
        return _found(
            f"{validation.near_copies:.0%} of the validation rows are near-copies of a "
            "training row",
            validation.near_copies,
            near,
            critical=False,
            evidence=evidence,
            remedy=COPIES,
        )
    return Fine(f"{overlap:.1%} of the validation rows are also training rows")


def _error(validation: ValidationFacts, excused: float) -> float:
    """Return the standard error of the difference of two shares of repeated rows."""
    sizes = validation.compared_with, validation.compared_rows
    return math.sqrt(sum(excused * (1 - excused) / n for n in sizes if n))


def _found(
    text: str,
    value: float,
    threshold: float,
    *,
    critical: bool,
    evidence: dict[str, float],
    remedy: RemedySuggestion,
) -> Finding:
    return Finding(
        severity="critical" if critical else "warning",
        message=f"{text}, so the validation loss rewards memorizing.",
        value=value,
        threshold=threshold,
        unit="share of the validation rows",
        confidence=0.95,
        evidence=evidence,
        remedies=(remedy,),
    )
