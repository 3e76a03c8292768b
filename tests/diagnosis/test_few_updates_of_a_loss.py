"""Runs of a handful of updates."""

import numpy as np
import pytest
from made_runs import found, made_run

FALLING = {"loss": np.linspace(1.4, 1.3, 6), "skill": 0.2, "reference": 0.8}


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, "warning"),
        ({"skill": 0.7}, None),  # it did well already
        ({"reference": 0.25}, None),  # there is no more to learn
    ],
)
def test_a_loss_that_has_just_begun_to_fall(changes, severity):
    record = made_run(**{**FALLING, **changes}, steps=18, ratio=1e-2)
    finding = found(record, "too_few_updates")
    assert (finding and finding.severity) == severity
