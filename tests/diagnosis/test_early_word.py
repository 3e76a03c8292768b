"""A word after a few epochs is said only where one symptom is there."""

import pytest

from keras_dlbasic.diagnosis import Fine, rule
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
