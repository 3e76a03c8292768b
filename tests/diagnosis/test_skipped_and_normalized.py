"""Layers behind a flag that is off, and values that come out of a normalization."""

import numpy as np
import pytest
from made_runs import STUCK, edited_facts, found, made_run

FALLING = np.geomspace(2.0, 0.2, 20)


@pytest.mark.parametrize(
    ("run", "severity"),
    [
        ({"skill": 0.8, "reference": 0.95}, "warning"),
        ({"skill": 0.9, "reference": 0.95}, "info"),
        ({"skill": 0.8, "reference": 0.95, "loss": FALLING}, "info"),
        ({"skill": 0.8, "reference": 0.95, "loss": FALLING[:3]}, "info"),
        ({**STUCK, "reference": 0.0}, "info"),  # nothing can be learned
        (STUCK, "warning"),
    ],
)
def test_layers_in_a_branch_that_is_not_taken(run, severity):
    record = made_run(**run)
    assert found(record, "unused_layers") is None
    with edited_facts(record) as facts:
        facts["network"]["uncalled"] = ["around"]
    finding = found(record, "unused_layers")
    assert finding.severity == severity
    assert "`around`" in finding.message


@pytest.mark.parametrize(
    ("run", "last", "rms", "severity"),
    [
        (STUCK, True, 5.0, "critical"),
        ({}, True, 5.0, "info"),  # the scale was learned
        (STUCK, True, 1.9, None),
        (STUCK, False, 5.0, None),
    ],
)
def test_values_behind_a_normalization(run, last, rms, severity):
    targets = {"kind": "continuous", "rms": rms, "mean": 3.0, "std": 4.0}
    changes = {"out": {"normalizes": last, "activation": None}, "targets": targets}
    record = made_run(facts={"loss": "mse"}, **changes, **run)
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0]["activation"] = None
    finding = found(record, "output_activation_mismatch")
    assert (finding and finding.severity) == severity
