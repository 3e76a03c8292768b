"""Looks at a model keep within their budget, and are enough."""

import itertools

import pytest

from keras_dlbasic.callbacks.look_plan import (
    FORWARD_PASSES,
    LONG_SHARE,
    MOST_ROWS,
    plan_looks,
)


@pytest.mark.once
def test_plans_keep_their_budget():
    rows = [1, 8, 100, 512, 1024, 4096, 60_000, 10**6]
    epochs = [*range(1, 12), 30, *range(63, 90), 1000]
    for fit in itertools.product(epochs, rows):
        check(plan_looks(*fit), *fit)


@pytest.mark.once
def test_without_a_look_before_the_first_step_there_is_one_more_after():
    rows = [1, 100, 512, 4096, 60_000]
    for fit in itertools.product([*range(1, 12), 30, 70, 1000], rows):
        check(plan_looks(*fit, before=False), *fit, before=0)
    assert plan_looks(10, 512, before=False).epochs == (1, 2, 5, 10)
    assert plan_looks(10, 512).epochs == (1, 3, 10)


def check(plan, epochs, rows, before=1):
    assert 32 <= plan.rows <= 256
    assert list(plan.epochs) == sorted(set(plan.epochs))
    assert plan.epochs[0] == 1
    assert plan.epochs[-1] == epochs
    looks = before + len(plan.epochs)
    assert looks >= min(4, before + epochs)
    # a step is three forward passes
    share = looks * plan.rows / (3 * epochs * rows)
    assert share <= 0.02 or (plan.rows == 32 and looks <= 4)


@pytest.mark.once
def test_a_fit_that_is_ended_early_has_not_spent_much():
    plan = plan_looks(1000, 128)
    looks = 1 + sum(epoch <= 64 for epoch in plan.epochs)
    assert looks * plan.rows <= 0.02 * 3 * 64 * 128
    assert len(plan.epochs) > 10


@pytest.mark.once
def test_rows_that_are_asked_for_are_the_most():
    assert plan_looks(10, 60_000, most=96).rows == 96
    assert plan_looks(10, 60_000, most=16).rows == 16


def test_looks_at_a_long_fit_share_the_cost_with_measured_steps():
    plan = plan_looks(16, 64 * 64, is_long=True)
    rows = (len(plan.epochs) + 1) * plan.rows
    assert rows <= LONG_SHARE * FORWARD_PASSES * 16 * 64 * 64
    assert plan.rows == MOST_ROWS
    plan = plan_looks(14, 10**6, is_long=True)
    assert plan.epochs == (1, 2, 4, 8, 14)
