"""Which findings short trials are to fix."""

from dataclasses import replace

import pytest

from keras_dlbasic.diagnosis import Diagnosis, Finding, RemedySuggestion
from keras_dlbasic.treatment.worth_trying import worth_trying

REMEDY = RemedySuggestion("change_learning_rate", "it may help")


def found(name, kind="cause", severity="critical"):
    return Finding(name, kind, severity, "It is so.", remedies=(REMEDY,))


BEFORE = Diagnosis([found("unscaled_inputs")])
SHORT = Diagnosis(
    [
        found("loss_spikes", "symptom"),
        found("underfitting", "symptom"),
        found("learning_rate_too_high", severity="warning"),
        found("rows_in_order", severity="info"),
    ]
)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.0, ["learning_rate_too_high", "loss_spikes", "underfitting"]),
        (0.5, ["learning_rate_too_high", "loss_spikes"]),
    ],
)
def test_causes_first_and_nothing_that_a_short_trial_shows_anyway(score, expected):
    names = [finding.name for finding in worth_trying(None, SHORT, score)]
    assert names == expected
    names = [finding.name for finding in worth_trying(BEFORE, SHORT, score)]
    assert names == ["unscaled_inputs", *expected]


def test_symptoms_of_what_only_the_user_can_fix_are_passed_over():
    alone = Finding(
        "non_finite_data",
        "cause",
        "critical",
        "There is NaN.",
        remedies=(RemedySuggestion(None, "only you know", "Clean the data"),),
    )
    symptom = found("loss_spikes", "symptom")
    symptom = replace(symptom, explained_by=("non_finite_data",))
    names = [f.name for f in worth_trying(None, Diagnosis([alone, symptom]), 0.0)]
    assert names == ["non_finite_data"]
