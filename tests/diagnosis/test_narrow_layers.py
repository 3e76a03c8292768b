"""Layers of few units, in which much of the targets is lost."""

import pytest
from made_runs import edited_facts, found, made_run

NARROW = {"layer": "second", "units": 2, "given": 0.9, "passed": 0.5}


def with_narrow(skill=0.5, **changes):
    """Return the record of a run whose second layer has few units."""
    made = {key: changes.pop(key) for key in ("dead", "ratio") if key in changes}
    record = made_run(skill=skill, end_loss=0.8, **{"ratio": 5e-3, **made})
    with edited_facts(record) as facts:
        facts["probe"]["narrow"] = {**NARROW, **changes}
    return record


def test_a_layer_that_loses_much_is_too_narrow():
    finding = found(with_narrow(), "model_too_small")
    assert finding.severity == "warning"
    assert finding.layer == "second"
    assert "only 2 units" in finding.message
    assert "0.90 on unseen" in finding.message
    assert "only 0.50" in finding.message


@pytest.mark.parametrize(
    "changes",
    [
        {"passed": 0.85},  # little is lost
        {"given": 0.2, "passed": 0.0},  # little can be learned
        {"skill": 0.75},  # the model finds more than simple predictors
        {"dead": 0.9},  # the units are lost, not too few
        {"ratio": 1e-5},  # the weights hardly moved
    ],
    ids=str,
)
def test_it_is_not_blamed_for_anything_else(changes):
    assert found(with_narrow(**changes), "model_too_small") is None


def test_units_that_dropout_takes_away_are_not_too_few():
    record = with_narrow()
    with edited_facts(record) as facts:
        facts["network"]["layers"][0]["dropout"] = 0.8
    assert found(record, "model_too_small") is None
