"""S-shaped units that are at their limits for all data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.inactive_units import judge_inactive_units


@rule(kind="symptom", needs=("activations",))
def saturated_units(
    run: Run, *, most: float = 0.5, least_rows: int = 16, nearly_all: float = 0.9
) -> Verdict:
    """Look for layers most of whose units are saturated on the probe.

    Args:
        run: The run.
        most: Share of a hidden layer's units that counts; a layer all of whose units
            are saturated passes nothing on, whatever the others do.
        least_rows: Fewer rows than this cannot tell.
        nearly_all: Share from which it is a warning where nothing else tells whether
            the run has learned.
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
