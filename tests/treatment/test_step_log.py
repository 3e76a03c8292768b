"""What a treatment tells of its steps."""

import pytest

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.treatment.step_log import StepLog

CAUSE = Finding("dead_units", "cause", "critical", "They are dead.")


@pytest.mark.parametrize(
    ("name", "kept", "told"),
    [
        ("initialize", True, True),
        ("lsuv", True, True),
        ("initialize", False, False),
        ("swap_activations", True, False),
        (None, True, False),
    ],
)
def test_weights_that_a_kept_remedy_gives_up_are_told(name, kept, told):
    log = StepLog(verbose=0)
    log.add(CAUSE, RemedySuggestion(name, "it may help"), 0, 0.5, kept, "skill +0.500")
    (step,) = log.steps
    assert step.note.startswith("skill +0.500")
    assert ("drawn anew" in step.note) is told


def test_steps_are_written_as_they_are_taken(capsys):
    for verbose in (0, 1):
        log = StepLog(verbose)
        log.add(CAUSE, RemedySuggestion("initialize", "it may help"), note="no")
        log.say("training")
    dropped = "treat: dropped: initialize() against dead_units: no\n"
    assert capsys.readouterr().out == f"{dropped}treat: training\n"
