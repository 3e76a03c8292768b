"""NaN or infinity in the data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE


@rule(kind="cause", explains=NOT_FINITE, needs=("data",), decides="data")
def non_finite_data(run: Run) -> Verdict:
    """Count NaN and infinite values in the data."""
    data = run.data
    parts = {
        "inputs": sum(facts.non_finite for facts in data.inputs),
        "targets": sum(facts.non_finite for facts in data.targets),
        "validation inputs": data.validation.non_finite if data.validation else 0,
    }
    wrong = {name: n for name, n in parts.items() if n}
    if not wrong:
        return Fine("all values that were read are finite")
    named = ", ".join(f"{n} in the {name}" for name, n in wrong.items())
    return Finding(
        severity="critical",
        message=(
            f"The data contain NaN or infinity: {named} (in the rows that were read). "
            "A single one turns all weights into NaN."
        ),
        value=float(sum(wrong.values())),
        threshold=0.0,
        unit="values",
        evidence=wrong,
        remedies=(
            suggest.by_hand(
                "remove these rows, or replace the values (numpy.nan_to_num)",
                "training needs finite numbers",
            ),
        ),
    )
