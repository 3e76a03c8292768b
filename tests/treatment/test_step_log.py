"""What a treatment tells of its steps."""

import io
import re
import sys

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
    assert ("with new weights" in step.note) is told


def test_steps_are_written_as_they_are_taken(capsys):
    for verbose in (0, 1):
        log = StepLog(verbose)
        log.add(CAUSE, RemedySuggestion("initialize", "it may help"), note="no")
        log.say("training")
    dropped = "treat: dropped: initialize() against dead_units: no\n"
    assert capsys.readouterr().out == f"{dropped}treat: training\n"


def test_what_is_tried_is_said_with_the_cost(capsys):
    ticks = iter((0.0, 30.0, 60.0))
    log = StepLog(1, lambda: next(ticks))
    remedy = RemedySuggestion("initialize", "it may help")
    log.trying(CAUSE, remedy, spent=0.0, budget=40.0)
    log.add(CAUSE, remedy, 0, 0.5, True, "skill +0.500")
    log.trying(CAUSE, remedy, spent=10.0, budget=40.0)
    log.interrupted("model.fit(x, y)")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "treat: trial 1: initialize() against dead_units (0 of 40 epochs spent)"
    )
    assert lines[2] == (
        "treat: trial 2: initialize() against dead_units; "
        "best so far: 0.50 (10 of 40 epochs spent, at most about 3 min left)"
    )
    assert lines[3] == "treat: interrupted; kept so far: initialize()"
    assert lines[-1] == "model.fit(x, y)"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_it_is_a_table(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Terminal())
    log = StepLog(1)
    remedy = RemedySuggestion("initialize", "it may help")
    log.trying(CAUSE, remedy, spent=0.0, budget=40.0)
    log.add(CAUSE, remedy, 0, 0.5, True, "skill +0.500")
    log.say("training for 30 epochs")
    log.close()
    last = sys.stdout.getvalue().rpartition("what decided")[2]
    assert re.search("kept.*initialize.*dead_units.*skill", last)
    assert "treat: training for 30 epochs" in last


def test_a_program_without_a_console_is_treated_too(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    log = StepLog(1)
    log.add(CAUSE, RemedySuggestion("initialize", "it may help"), note="no")
    log.say("training")
    log.interrupted("")
    assert len(log.steps) == 1
