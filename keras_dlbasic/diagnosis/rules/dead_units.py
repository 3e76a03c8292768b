"""Rectifier units that are zero for all data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.inactive_units import judge_inactive_units


@rule(kind="symptom", needs=("activations",))
def dead_units(
    run: Run, *, most: float = 0.5, least_rows: int = 16, nearly_all: float = 0.9
) -> Verdict:
    """Look for layers most of whose units are dead on the probe.

    Args:
        run: The run.
        most: Share of a hidden layer's units that counts; a layer all of whose units
            are dead passes nothing on, whatever the others do.
        least_rows: Fewer rows than this cannot tell.
        nearly_all: Share from which it is a warning where nothing else tells whether
            the run has learned.
    """
    return judge_inactive_units(
        run,
        "dead",
        (
            suggest.lower_learning_rate(
                "steps that are too long push the inputs of units below 0"
            ),
            suggest.new_weights(
                "dead units get no gradient, so they need new weights",
                zero_biases=True,
            ),
            suggest.activations(
                "leaky ReLU has a gradient for negative inputs too", "leaky_relu"
            ),
            suggest.normalization("centers the inputs of the units"),
        ),
        most=most,
        least_rows=least_rows,
        nearly_all=nearly_all,
    )
