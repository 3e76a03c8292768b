"""NaN or infinity in the data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE


@rule("cause", explains=NOT_FINITE)
def non_finite_data(run: Run) -> Judged:
    """Count what is not finite in the data."""
    data = run.fact("data")
    parts = {
        "inputs": sum(i.get("non_finite", 0) for i in data.get("inputs") or []),
        "targets": sum(t.get("non_finite", 0) for t in data.get("targets") or []),
        "validation inputs": (data.get("validation") or {}).get("non_finite", 0),
    }
    wrong = {name: n for name, n in parts.items() if n}
    if not wrong:
        return "all values looked at are finite"
    named = ", ".join(f"{n} in the {name}" for name, n in wrong.items())
    return Found(
        "critical",
        f"The data hold NaN or infinity: {named} (of the rows looked at).",
        remedies=(
            suggest.by_hand(
                "leave such rows out, or fill them in (numpy.nan_to_num)",
                "one of them turns all weights into NaN",
            ),
        ),
        details={
            "value": float(sum(wrong.values())),
            "threshold": 0.0,
            "evidence": wrong,
        },
    )
