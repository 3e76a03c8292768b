"""An input column that is the target."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest


@rule(kind="cause", needs=("inputs",))
def target_leakage(run: Run) -> Verdict:
    """Look for a column that is the target itself, scaled or with other class numbers.

    A column that goes together with the target may be a good feature; one that leaves
    nothing but rounding is a copy. Training and validation are then perfect, and new
    rows, of which the target is not known, are of no use to the model.
    """
    for facts in run.inputs:
        if facts.target_column is None:
            continue
        place = facts.target_column
        return Finding(
            severity="warning",
            message=(
                f"Column {place} of input {facts.name!r} is the target, but for its "
                "scale or the numbers of classes: the model need only copy it. Is it "
                "known of new rows?"
            ),
            confidence=0.9,
            evidence={"column": place},
            remedies=(
                suggest.by_hand(
                    f"x = np.delete(x, {place}, axis=1)",
                    "what is to be predicted is not known of new rows",
                ),
            ),
        )
    return Fine("no column of the inputs is the target")
