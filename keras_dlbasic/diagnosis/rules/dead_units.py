"""Rectifier units that are zero for all data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.inactive_units import judge_inactive_units


@rule(kind="symptom", needs=("activations",))
def dead_units(
    run: Run, *, most: float = 0.5, least_rows: int = 16, nearly_all: float = 0.9
) -> Verdict:
    """Look for layers in which most units are dead on the probe.

    Args:
        run: The run.
        most: Minimum share of dead units in a hidden layer for a finding. A layer with
            only dead units blocks all signals, whatever the other layers do.
        least_rows: Minimum number of probe rows, unless the data have no others.
        nearly_all: Minimum share for a warning if it is not known whether the run has
            learned.
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
