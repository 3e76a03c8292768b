"""What trials show of themselves."""

import io
import logging

import pytest

from keras_dlbasic._trials.progress import TrialProgress
from keras_dlbasic._trials.quiet import no_retracing_warnings
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


def test_a_table_on_a_terminal():
    file = Terminal()
    with TrialProgress(3, [], file, ticking()) as progress:
        for result in results(3):
            progress.add(result)
    said = file.getvalue()
    assert "trial 3 of 3" in said
    assert "best so far: val_loss 0.5" in said


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
