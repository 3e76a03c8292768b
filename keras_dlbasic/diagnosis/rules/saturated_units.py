"""S-shaped units that are at their limits for all data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.inactive_units import judge_inactive_units


@rule(kind="symptom", needs=("activations",))
def saturated_units(
    run: Run, *, most: float = 0.5, least_rows: int = 16, nearly_all: float = 0.9
) -> Verdict:
    """Look for layers in which most units are saturated on the probe.

    Args:
        run: The run.
        most: Minimum share of saturated units in a hidden layer for a finding. A layer
            with only saturated units blocks gradients, whatever the other layers do.
        least_rows: Minimum number of probe rows, unless the data have no others.
        nearly_all: Minimum share for a warning if it is not known whether the run has
            learned.
    """
    return judge_inactive_units(
        run,
        "saturated",
        (
            suggest.scaled_inputs("large inputs saturate units"),
            suggest.new_weights("large weights saturate units too"),
            suggest.normalization("keeps the inputs of the units near 0"),
            suggest.activations("ReLU does not saturate"),
        ),
        most=most,
        least_rows=least_rows,
        nearly_all=nearly_all,
    )
