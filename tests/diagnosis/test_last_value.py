"""When forecasts are said to repeat the last value of a series."""

import pytest
from made_runs import edited_facts, found, made_run, severity

NAME = "no_better_than_last_value"


def forecast(skill=0.97, last=0.975, reference=0.974, window=None, **given):
    probe = {"rows": 256, "baseline_loss": 1.0, "references": {"linear": reference}}
    targets = {"kind": "continuous", "last_value": last, "window": window}
    facts = {"loss": "mse", "probe": probe} | given
    record = made_run(targets=targets, facts=facts, skill=skill)
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
    return record


def test_a_forecast_that_runs_behind():
    finding = found(forecast(), NAME)
    assert finding.severity == "warning"
    assert "0.970" in finding.message
    assert "0.975" in finding.message
    assert "may not tell more" in finding.message


def test_inputs_that_tell_more_than_the_model_uses():
    finding = found(forecast(reference=0.995), NAME)
    assert "a skill of 0.995" in finding.message
    assert finding.remedies[-1].name == "train_longer"


LONGER = {"steps": 1, "earlier": 12, "alone": 0.97, "longer": 0.999, "error": 1e-4}


@pytest.mark.parametrize(
    "changes",
    [
        {"skill": 0.985},  # better than to repeat the last value
        {"skill": 0.6},  # not even that is learned
        {"last": 0.3, "skill": 0.28},  # it does not look good either
        # of a quick series, of which simple predictors tell no more
        {"last": 0.6, "skill": 0.61, "reference": 0.6},
        {"last": 1.0, "skill": 1.0},  # the last value is the target
        {"last": float("nan")},
        {"window": LONGER},  # that is what is wrong then
    ],
)
def test_forecasts_that_are_not(changes):
    assert severity(forecast(**changes), NAME) is None


def test_classes_are_no_forecast():
    assert severity(forecast(loss="sparse_categorical_crossentropy"), NAME) is None


def test_a_quick_series_of_which_the_inputs_tell_more():
    record = forecast(last=0.6, skill=0.61, reference=0.9)
    assert severity(record, NAME) == "warning"
