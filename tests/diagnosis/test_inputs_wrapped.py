"""What is said of bytes that begin again at 0."""

import pytest
from made_runs import STUCK, edited_facts, found, made_run

LEARNED = {"skill": 0.7, "reference": 0.9}


@pytest.mark.parametrize(
    ("run", "angle", "severity"),
    [
        (STUCK, False, "warning"),
        (LEARNED, False, "warning"),
        ({}, False, "info"),  # the model is good
        (STUCK, True, "info"),  # hues and phases do so rightly
        (LEARNED, True, "info"),
    ],
)
def test_bytes_that_begin_again(run, angle, severity):
    record = made_run(**run)
    assert found(record, "inputs_wrapped") is None
    with edited_facts(record) as facts:
        facts["data"]["inputs"][0] |= {"wrapped": 0.03, "wrapped_angle": angle}
    finding = found(record, "inputs_wrapped")
    assert finding.severity == severity
    assert "3.0% of neighboring pixels" in finding.message
