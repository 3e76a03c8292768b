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
    ],
)
def test_a_certain_cause_is_repaired_where_nothing_is_learned(
    finding, before, after, left, kept
):
    old, new = trial(before, finding), trial(after, *left)
    assert judge([after - before], finding, old, new)[0] is kept
