"""NaN or infinity in the data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE


@rule(kind="cause", explains=NOT_FINITE, needs=("data",), decides="data")
def non_finite_data(run: Run) -> Verdict:
    """Count what is not finite in the data."""
    data = run.data
    parts = {
        "inputs": sum(facts.non_finite for facts in data.inputs),
        "targets": sum(facts.non_finite for facts in data.targets),
        "validation inputs": data.validation.non_finite if data.validation else 0,
    }
    wrong = {name: n for name, n in parts.items() if n}
    if not wrong:
        return Fine("all values looked at are finite")
    named = ", ".join(f"{n} in the {name}" for name, n in wrong.items())
    return Finding(
        severity="critical",
        message=f"The data hold NaN or infinity: {named} (of the rows looked at).",
        value=float(sum(wrong.values())),
        threshold=0.0,
        unit="values",
        evidence=wrong,
        remedies=(
            suggest.by_hand(
                "leave such rows out, or fill them in (numpy.nan_to_num)",
                "one of them turns all weights into NaN",
            ),
        ),
    )
