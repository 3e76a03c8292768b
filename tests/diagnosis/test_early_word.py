"""A word after a few epochs is said only where one symptom is there."""

import pytest

from keras_dlbasic.diagnosis import Finding, Fine, rule
from keras_dlbasic.diagnosis import early_word as module
from keras_dlbasic.records import TrainingRecord


@pytest.fixture
def asked(monkeypatch):
    """Return how often all rules are applied."""
    calls = []
    diagnose = module.diagnose

    def counted(*args, **kwargs):
        calls.append(args)
        return diagnose(*args, **kwargs)

    monkeypatch.setattr(module, "diagnose", counted)
    return calls


def test_all_rules_are_applied_only_where_one_symptom_is_there(asked):
    record = TrainingRecord.from_history({"loss": [2.3, 2.3]})
    assert module.early_word(record) is None
    assert not asked


def test_rules_without_that_symptom_say_nothing(asked):
    @rule(kind="symptom")
    def own(run):
        """Look for nothing."""
        return Fine("nothing")

    record = TrainingRecord.from_history({"loss": [2.3, 2.3]})
    assert module.early_word(record, iter([own])) is None
    assert not asked


def test_a_rule_of_the_same_name_that_fails_is_left_to_the_diagnosis(asked):
    @rule(kind="symptom")
    def constant_predictions(run):
        """Fail."""
        raise RuntimeError

    record = TrainingRecord.from_history({"loss": [2.3, 2.3]})
    with pytest.warns(UserWarning, match="constant_predictions"):
        assert module.early_word(record, (constant_predictions,)) is None
    assert len(asked) == 1


def blocked(confidence=0.9, severity="critical"):
    """Rules of a run whose first layers get no gradient."""

    @rule(kind="symptom")
    def constant_predictions(run):
        """Find it."""
        return Finding(severity="critical", message="One answer.")

    @rule(kind="symptom")
    def vanishing_gradients(run):
        """Find it."""
        return Finding(severity="critical", message="Nothing arrives.")

    @rule(kind="cause", explains=("constant_predictions", "vanishing_gradients"))
    def saturating_activations(run):
        """Find it."""
        return Finding(severity=severity, message="So.", confidence=confidence)

    return constant_predictions, vanishing_gradients, saturating_activations


@pytest.mark.parametrize(
    ("changes", "said"),
    [({}, True), ({"confidence": 0.84}, False), ({"severity": "warning"}, False)],
)
def test_what_is_plain_is_said(changes, said):
    record = TrainingRecord.from_history({"loss": [2.3, 2.3]})
    word = module.early_word(record, iter(blocked(**changes)))
    assert (word is not None) is said
    if said:
        text = " ".join(word.split())
        assert "Cause: saturating_activations (vanishing_gradients)" in text


def test_half_of_it_is_not_plain():
    same, _, cause = blocked()
    record = TrainingRecord.from_history({"loss": [2.3, 2.3]})
    assert module.early_word(record, (same, cause)) is None
