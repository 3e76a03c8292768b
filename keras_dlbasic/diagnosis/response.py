"""What was measured of how predictions answer to changes."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.records.probe_facts import ResponseFacts

GOOD = 0.9
"""Skill from which a model has nothing to gain by a look at its answers."""

APART = 1.5
"""Validation loss over training loss up to which both go together."""


def response_of(run: Run) -> ResponseFacts | Fine:
    """Return how predictions answered to changes, or that there was no need to ask.

    Raises:
        Skipped: If that was not tried.
    """
    probe = run.record.facts.probe
    if probe is None or probe.response is None:
        raise Skipped("the model could not be run on modified inputs outside of `fit`")
    if probe.response.not_needed:
        return Fine("the model does well, so this was not tried")
    return probe.response


def does_well(run: Run) -> bool:
    """Return whether a run is good on training rows and, if known, on others.

    Args:
        run: The run, at its end.
    """
    skill = run.outcome.skill
    if skill is None or skill < GOOD:
        return False
    losses, own = (part[np.isfinite(part)] for part in (run.val_loss, run.loss))
    if not len(losses) or not len(own):
        return True
    return bool(losses[-1] - own[-1] <= (APART - 1) * abs(own[-1]))
