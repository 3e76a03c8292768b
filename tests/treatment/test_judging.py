"""Which remedies short trials keep."""

import json
from dataclasses import replace

import pytest

from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.records import TrialResult
from keras_dlbasic.treatment.judging import judge

CERTAIN = Finding(
    "loss_target_mismatch", "cause", "critical", "It is so.", confidence=0.98
)


def trial(score, *findings):
    text = json.dumps(Diagnosis(list(findings)).to_dict())
    return TrialResult({}, values={"score": score, "diagnosis": text})


@pytest.mark.parametrize(
    ("finding", "before", "after", "left", "kept"),
    [
        (CERTAIN, -0.5, -0.9, (), True),  # another fault hides what it is good for
        (CERTAIN, -0.5, -0.9, (CERTAIN,), False),
        (CERTAIN, 0.5, 0.2, (), False),  # it does harm
        (replace(CERTAIN, confidence=0.8), -0.5, -0.9, (), False),
        (replace(CERTAIN, kind="symptom"), -0.5, -0.9, (), False),
        (replace(CERTAIN, confidence=0.94), -0.5, -0.9, (), False),
        (CERTAIN, 0.1, -0.5, (), False),  # it learned before
        (CERTAIN, 0.1, 0.02, (), False),
    ],
)
def test_a_certain_cause_is_repaired_where_nothing_is_learned(
    finding, before, after, left, kept
):
    old, new = trial(before, finding), trial(after, *left)
    assert judge([after - before], finding, old, new)[0] is kept


SLOW = Finding("learning_rate_too_low", "cause", "warning", "It is so.", confidence=0.8)
STUCK = Finding("plateau", "symptom", "critical", "It is so.", confidence=0.95)


@pytest.mark.parametrize(("fall", "kept"), [(0.5, True), (0.1, False)])
def test_a_run_that_was_stuck_and_learns_now(fall, kept):
    old, new = trial(0.0, STUCK), trial(-0.05)
    new = replace(new, values={**new.values, "fall": fall})
    assert judge([-0.05], STUCK, old, new)[0] is kept


@pytest.mark.parametrize(
    ("gain", "last", "kept"),
    [(-0.05, 0.5, True), (-0.05, 0.97, False), (-0.2, 0.5, False)],
)
def test_a_slow_run_whose_loss_falls_faster(gain, last, kept):
    old, new = trial(0.3, SLOW), trial(0.3 + gain, SLOW)
    old = replace(old, values={**old.values, "first_loss": 1.0, "last_loss": 0.99})
    new = replace(new, values={**new.values, "first_loss": 1.0, "last_loss": last})
    assert judge([gain], SLOW, old, new)[0] is kept


LARGE = Finding(
    "batch_size_too_large",
    "cause",
    "warning",
    "It is so.",
    confidence=0.8,
    explains=("plateau", "underfitting"),
)
UNDER = Finding("underfitting", "symptom", "warning", "It is so.", confidence=0.8)


@pytest.mark.parametrize(
    ("finding", "before", "after", "gain", "kept"),
    [
        (LARGE, (), (), 0.0, False),  # another size, and nothing else
        (LARGE, (UNDER,), (UNDER,), 0.0, False),
        (LARGE, (UNDER,), (), 0.0, True),  # a symptom is gone
        (LARGE, (), (), 0.05, True),  # it helps
        (replace(LARGE, confidence=0.95), (), (), 0.0, True),  # beyond doubt
        (UNDER, (), (), 0.0, True),  # what was measured is gone
    ],
)
def test_what_makes_no_difference_does_not_stay(finding, before, after, gain, kept):
    old, new = trial(0.5, finding, *before), trial(0.5 + gain, *after)
    assert judge([gain], finding, old, new)[0] is kept
