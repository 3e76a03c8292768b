"""Codes of categories that a model is given as numbers."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import reached_skill
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

MOST_NAMED = 5


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "overfitting"),
    needs=("probe", "skill"),
    live=False,
)
def codes_as_numbers(run: Run, *, behind: float = 0.2) -> Verdict:
    """Compare columns as categories with the same columns as numbers.

    A linear predictor on rows it has not seen must do far better with a column of 0 and
    1 for each value, and the model worse than it.

    Args:
        run: The run.
        behind: Minimum skill by which the model is behind that predictor.
    """
    probe, skill, reached = run.facts.probe, run.outcome.skill, reached_skill(run)
    found = None if probe is None else probe.categories
    if skill is None or reached is None:
        return Skipped(run.reasons.outcome)
    if found is None:
        return Fine("no columns tell more as categories")
    if found.as_categories - reached < behind:
        return Fine("the model does as well as with categories")
    names = ", ".join(map(str, found.columns[:MOST_NAMED]))
    names += ", ..." if len(found.columns) > MOST_NAMED else ""
    what = (
        f"Columns {names} hold" if len(found.columns) > 1 else f"Column {names} holds"
    )
    return Finding(
        severity="warning",
        message=(
            f"{what} codes of categories, which the model reads as numbers: a larger "
            "code then means more of something. With a column of 0 and 1 for each "
            f"value a linear predictor has a skill of {found.as_categories:.2f} on "
            f"unseen samples, and with the numbers {found.as_numbers:.2f}; the model "
            f"has {skill:.2f} on the samples it was trained on."
        ),
        value=found.as_categories - reached,
        threshold=behind,
        unit="skill",
        confidence=0.85,
        evidence={"columns": list(found.columns)},
        remedies=(
            suggest.by_hand(
                "keras.layers.CategoryEncoding for each such column, or an Embedding "
                "for one with many values",
                "each category then has weights of its own",
            ),
        ),
    )
