"""NaN or infinity in the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE


@rule(kind="cause", explains=NOT_FINITE, needs=("data",), decides="data")
def non_finite_data(run: Run) -> Verdict:
    """Count NaN and infinite values in the data.

    It is a note if all losses and gradients of the run are finite: then the model or a
    custom loss ignores these values.
    """
    data = run.data
    parts = {
        "inputs": sum(facts.non_finite for facts in data.inputs),
        "targets": sum(facts.non_finite for facts in data.targets),
        "validation inputs": data.validation.non_finite if data.validation else 0,
    }
    wrong = {name: n for name, n in parts.items() if n}
    if not wrong:
        return Fine("all values that were read are finite")
    is_ignored = _is_ignored(run, wrong)
    effect = (
        "All losses and gradients are finite, so these values seem to be ignored."
        if is_ignored
        else "A single one turns all weights into NaN."
    )
    named = ", ".join(f"{n} in the {name}" for name, n in wrong.items())
    return Finding(
        severity="info" if is_ignored else "critical",
        message=(
            f"The data contain NaN or infinity: {named} (in the rows that were read). "
            f"{effect}"
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


def _is_ignored(run: Run, wrong: Mapping[str, int]) -> bool:
    """Return whether the run has passed over the values unharmed."""
    losses = [run.loss]
    if "validation inputs" in wrong:
        losses.append(run.val_loss)
    if run.is_planned or not all(len(values) for values in losses):
        return False
    record = run.record
    is_finite = all(np.isfinite(values).all() for values in losses)
    return bool(is_finite and not np.nansum(record.non_finite))
