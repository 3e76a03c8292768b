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
                "a step that was too long pushes units below zero"
            ),
            suggest.new_weights(
                "units that begin dead get no gradient to come alive", zero_biases=True
            ),
            suggest.activations("leaky units keep a gradient", "leaky_relu"),
            suggest.normalization("centres what the units are given"),
        ),
        most=most,
        least_rows=least_rows,
        nearly_all=nearly_all,
    )
