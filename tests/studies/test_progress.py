"""What trials show of themselves."""

import io
import logging
import re

import pytest
from notebook_output import NotebookOutput, shown_in_notebook

from keras_dlbasic._trials.progress import TrialProgress
from keras_dlbasic._trials.quiet import no_retracing_warnings
from keras_dlbasic._trials.step_progress import StepProgress
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies import TrialRunner

pytestmark = pytest.mark.once


class Terminal(io.StringIO):
    def isatty(self):
        return True


def results(n):
    return [
        TrialResult({"seed": i, "rate": 0.1}, values={"val_loss": abs(i - 1) + 0.5})
        for i in range(n)
    ]


def ticking():
    ticks = iter(range(0, 1000, 10))
    return lambda: next(ticks)


def test_a_line_for_each_trial_where_there_is_no_terminal():
    file = io.StringIO()
    before, *rest = results(4)
    with TrialProgress(5, [before], file, ticking()) as progress:
        for result in rest:
            progress.add(result)
    lines = file.getvalue().splitlines()
    assert lines[0] == "1 of 5 trials were done before"
    assert lines[1] == (
        "trial 2 of 5: seed 1, rate 0.1: val_loss 0.5; about 30 s left; "
        "best so far: val_loss 0.5 (seed 1, rate 0.1)"
    )
    assert len(lines) == 4


def test_a_table_of_the_best_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    file = Terminal()
    with TrialProgress(9, [], file, ticking()) as progress:
        assert "trial 1 of 9 is running" in file.getvalue()
        for result in results(8):
            progress.add(result)
    last = file.getvalue().rpartition("best so far")[2]
    assert "trial 8 of 9; about 10 s left; last: seed 7" in " ".join(last.split())
    values = re.findall(r"seed \d, rate 0.1 . (\d\S*)", last)
    assert values == ["0.5", "1.5", "1.5", "2.5", "3.5"]


def test_a_terminal_without_a_cursor_gets_lines(monkeypatch):
    # what rich would show there appears all at once, when everything is over
    monkeypatch.setenv("TERM", "dumb")
    file = Terminal()
    with TrialProgress(2, [], file, ticking()) as progress:
        progress.add(results(1)[0])
        assert file.getvalue().startswith("trial 1 of 2: seed 0")


@pytest.fixture
def notebook(monkeypatch):
    return shown_in_notebook(monkeypatch)


def test_one_display_that_is_updated_in_a_notebook(notebook):
    file = NotebookOutput()
    with TrialProgress(3, [], file, ticking()) as progress:
        for result in results(3):
            progress.add(result)
    (states,) = notebook
    assert len(states) == 4
    assert file.getvalue() == ""
    assert "trial 3 of 3" in states[-1]["text/plain"]
    html = states[-1]["text/html"]
    assert html.index("best so far") < html.index("<td>0.5</td>") < html.index("1.5")


def test_each_run_in_a_notebook_has_a_display_of_its_own(notebook):
    """As what Textualize/rich#4207 reports: only the first run was refreshed."""
    for _ in range(2):
        with TrialProgress(2, [], NotebookOutput(), ticking()) as progress:
            for result in results(2):
                progress.add(result)
    assert [len(states) for states in notebook] == [3, 3]


def test_output_that_a_notebook_sends_to_a_file_is_lines(notebook):
    file = io.StringIO()
    with TrialProgress(1, [], file, ticking()) as progress:
        progress.add(results(1)[0])
    assert not notebook
    assert "trial 1 of 1" in file.getvalue()


def test_a_program_without_a_console_runs_its_trials(monkeypatch):
    """As what tqdm/tqdm#1523 reports of `sys.stdout` that is None."""
    monkeypatch.setattr("sys.stdout", None)
    runner = TrialRunner(lambda settings, shared: {"loss": 0.5})
    assert runner.run([{"seed": 0}])[0].values["loss"] == 0.5


def test_a_long_run_of_steps_shows_how_far_it_is(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for file, n_shown in ((io.StringIO(), 4), (Terminal(), 10)):
        with StepProgress("range test", 10, file, ticking()) as progress:
            for step in range(1, 11):
                progress.show(step, f"rate {step}")
        assert len(set(re.findall(r"step \d+ of 10", file.getvalue()))) == n_shown
        assert "step 6 of 10; about 40 s left; rate 6" in file.getvalue()
        assert "step 10 of 10; rate 10" in file.getvalue()


def test_a_short_run_of_steps_writes_no_lines():
    file = io.StringIO()
    with StepProgress("range test", 10, file, lambda: 0.0) as progress:
        for step in range(1, 11):
            progress.show(step)
    assert file.getvalue() == ""


def test_a_diverged_trial_is_never_the_best():
    file = io.StringIO()
    diverged = TrialResult({"seed": 0}, "diverged", {"loss": 1e-9}, "at update 3")
    with TrialProgress(2, [], file, ticking()) as progress:
        progress.add(diverged)
        progress.add(TrialResult({"seed": 1}, values={"loss": 0.5}))
    first, second = file.getvalue().splitlines()
    assert "best so far" not in first
    assert "best so far: loss 0.5 (seed 1)" in second


def test_an_interrupt_keeps_what_is_finished(capsys):
    tried = []

    def once(settings, shared):
        tried.append(settings["seed"])
        if len(tried) == 3:
            raise KeyboardInterrupt
        return {"loss": settings["seed"]}

    runner = TrialRunner(once)
    settings = [{"seed": seed} for seed in range(4)]
    with pytest.raises(KeyboardInterrupt):
        runner.run(settings)
    assert "Stopped after 2 of 4 trials." in capsys.readouterr().out
    assert [r.values["loss"] for r in runner.run(settings)] == [0, 1, 2, 3]
    assert tried == [0, 1, 2, 2, 3]
    assert "2 of 4 trials were done before" in capsys.readouterr().out


def test_only_retracing_is_not_warned_of():
    log, said = logging.getLogger("tensorflow"), []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    log.addHandler(handler)
    try:
        with no_retracing_warnings():
            with no_retracing_warnings():
                pass
            log.warning("5 calls triggered tf.function retracing.")
            log.warning("something else")
        log.warning("retracing again")
    finally:
        log.removeHandler(handler)
    assert said == ["something else", "retracing again"]
