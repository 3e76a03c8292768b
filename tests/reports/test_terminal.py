"""What is printed at the end of a run."""

import io

from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic._trials.live_table import live_table
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.diagnosis import Diagnosis, Finding, suggest
from keras_dlbasic.reports.terminal import diagnosis_text, print_diagnosis


def test_remarks_say_what_was_seen():
    remark = Finding("overfitting", "symptom", "info", "The validation loss rose.")
    said = diagnosis_text(Diagnosis([remark]))
    assert "Nothing wrong was found." in said
    assert (
        "Notes (no effect on this run):\n  overfitting: The validation loss rose."
        in said
    )


def test_remedies_are_code_that_a_script_can_run():
    remedies = (
        suggest.more_epochs("it falls", epochs=20),
        suggest.range_test("it is off"),
    )
    finding = Finding(
        "slow_convergence", "symptom", "critical", "It is slow.", remedies=remedies
    )
    said = diagnosis_text(Diagnosis([finding]))
    assert "model.fit(x, y, epochs=60)" in said
    assert "if rate is not None:" in said
    assert "model, learning_rate=rate" in said
    for remedy in remedies:
        compile(remedy.call, "advice", "exec")


def test_code_to_be_typed_is_shown_as_it_is():
    """Underscores are part of arguments, not of words."""
    code = "model.fit(x[:32], y[:32], batch_size=32)"
    remedy = suggest.by_hand(code, "overfits one batch")
    finding = Finding("odd", "cause", "warning", "It is odd.", remedies=(remedy,))
    assert f"try 1. {code}: overfits" in diagnosis_text(Diagnosis([finding]))


def test_a_terminal_that_knows_ascii_only(monkeypatch):
    """As what argrento/huami-token#5 reports of the lines of a table."""
    monkeypatch.setenv("TERM", "xterm")
    found = kd.diagnose(made_run())
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(file, "isatty", lambda: True, raising=False)
    print_diagnosis(found, file)
    live = live_table(file)
    live.update(["best so far", "loss"], [["seed 0", "0.5"]], "trial 1 of 2")
    live.stop()
    file.flush()
    assert b"best so far" in file.buffer.getvalue()


def test_a_program_without_a_console(monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr("sys.stdout", None)
    print_diagnosis(kd.diagnose(made_run()))
    messages = Messages()
    messages.add("said to nobody")
    messages.say()
    assert "said to nobody" in caplog.text
