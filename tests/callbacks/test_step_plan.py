"""Which steps are sampled, and how many have begun."""

import pytest

from keras_dlbasic.callbacks import step_plan
from keras_dlbasic.callbacks.step_plan import StepPlan


def epoch(plan, n_steps, at_once=1):
    """Return the steps of an epoch of which one at least is planned."""
    plan.epoch_begins()
    begun = range(0, n_steps, at_once)
    planned = [step for step in begun if plan.steps_begin(step, at_once)]
    plan.epoch_ends(n_steps)
    return planned


def test_intervals_go_on_over_epochs():
    plan = StepPlan({"steps": 4})
    plan.ask(3)
    assert epoch(plan, 4) == [0, 3]
    assert epoch(plan, 4) == [2]
    assert plan.steps == 8


def test_steps_that_one_of_them_asks_for():
    plan = StepPlan({"steps": 6})
    plan.ask(4)
    plan.ask(3)
    assert epoch(plan, 6) == [0, 3, 4]


def test_steps_that_run_at_once_end_with_the_epoch():
    plan = StepPlan({"steps": 5})
    plan.ask(2)
    assert epoch(plan, 5, at_once=4) == [0, 4]
    assert plan.steps == 5


def test_a_step_without_data_is_not_counted():
    plan = StepPlan({})
    plan.ask(1)
    plan.epoch_begins()
    for step in range(3):
        plan.steps_begin(step, 1)
    plan.step_failed()
    assert plan.steps == 2
    assert plan.steps_per_epoch is None


def test_nothing_is_planned_before_an_epoch():
    plan = StepPlan({"steps": 3})
    plan.ask(1)
    assert not plan.steps_begin(0, 1)


def test_steps_that_are_read_are_samples_of_a_long_fit():
    """They are measured anyhow, so that no others need be."""
    counts = {}
    for epochs in (1, 10):
        plan = StepPlan({"steps": 100, "epochs": epochs})
        plan.ask("auto")
        plan.ask_to_read()
        plan.epoch_begins()
        planned = [plan.steps_begin(step, 1) for step in range(100)]
        only_read = []
        plan.epoch_begins()
        for step in range(100):
            plan.steps_begin(step, 1)
            only_read.append(plan.must_read)
        counts[epochs] = sum(planned)
        assert not any(only_read)
    assert counts[10] <= 35


@pytest.mark.parametrize("epochs", [1, 12])
@pytest.mark.parametrize("every", [1, 3, "auto"])
def test_nothing_is_planned_at_steps_that_are_not_due(every, epochs):
    plan = StepPlan({"steps": 90, "epochs": epochs})
    plan.ask(every)
    plan.ask_to_read()
    n_due = 0
    for _ in range(3):
        plan.epoch_begins()
        for step in range(90):
            is_due = step in plan.due
            is_planned = plan.steps_begin(step, 1)
            assert is_due == (is_planned or plan.is_read)
            n_due += is_due
        plan.epoch_ends(90)
    assert n_due


def test_an_epoch_that_was_cut_short_counts_the_steps_it_had():
    plan = StepPlan({"steps": 90, "epochs": 2})
    plan.ask("auto")
    plan.epoch_begins()
    plan.steps_begin(0, 1)
    plan.epoch_ends(37)
    assert plan.steps == 37
    plan.epoch_begins()
    plan.steps_begin(0, 1)
    assert plan.steps == 38


@pytest.mark.parametrize("params", [{}, {"steps": step_plan.MOST_LISTED + 1}])
def test_steps_that_cannot_be_listed_are_all_due(params):
    plan = StepPlan(params)
    plan.ask("auto")
    plan.epoch_begins()
    assert plan.due is None
