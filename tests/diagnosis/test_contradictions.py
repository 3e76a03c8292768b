"""Advice that contradicts that of a better finding is an alternative."""

import pytest
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, Run, rule, suggest

pytestmark = pytest.mark.once


def test_in_a_diagnosis():
    @rule(kind="cause", needs=("loss",))
    def too_fast(run: Run) -> Finding:
        """Say so."""
        lower = suggest.lower_learning_rate("shorter steps")
        message = "Too fast."
        return Finding(severity="warning", message=message, remedies=(lower,))

    @rule(kind="cause", needs=("loss",))
    def too_slow(run: Run) -> Finding:
        """Say so."""
        advice = (suggest.raise_learning_rate("longer steps"), suggest.penalty("why"))
        message = "Too slow."
        return Finding(severity="critical", message=message, remedies=advice)

    slow, fast = kd.diagnose(made_run(), rules=[too_fast, too_slow])
    assert [advice.name for advice in slow.remedies] == [
        "change_learning_rate",
        "add_penalty",
    ]
    (lower,) = fast.remedies
    assert lower.reason == "shorter steps; an alternative to the advice of too_slow"
