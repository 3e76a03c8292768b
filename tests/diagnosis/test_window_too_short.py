"""When windows of a series are said to be too short."""

import pytest
from made_runs import edited_facts, found, made_run, severity

WINDOW = {"steps": 1, "earlier": 12, "alone": 0.4, "longer": 0.95, "error": 0.02}


def forecast(skill=0.42, reference=0.4, **window):
    facts = {
        "loss": "mse",
        "probe": {
            "rows": 256,
            "baseline_loss": 1.0,
            "references": {"linear": reference},
        },
    }
    record = made_run(
        targets={"kind": "continuous", "window": {**WINDOW, **window}},
        facts=facts,
        skill=skill,
    )
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
    return record


def test_a_single_step():
    finding = found(forecast(), "window_too_short")
    assert finding.severity == "warning"
    assert "a single step" in finding.message
    assert "0.95" in finding.message
    assert "13 steps" in finding.remedies[0].code
    assert "3 steps" in found(forecast(steps=3), "window_too_short").message


@pytest.mark.parametrize(
    "changes",
    [
        {"longer": 0.5},  # longer windows add little
        {"error": 0.3},  # by chance, maybe
        {"skill": 0.9},  # the model finds more than a line
        {"reference": 0.85},  # neighbors do; the model is not trained well
        {"skill": 0.1},
        {"alone": 0.9, "longer": 0.99, "skill": 0.9},
    ],
)
def test_silent(changes):
    assert severity(forecast(**changes), "window_too_short") is None


def test_nothing_is_said_of_other_rows():
    record = forecast()
    with edited_facts(record) as facts:
        del facts["data"]["targets"][0]["window"]
    assert found(record, "window_too_short") is None
