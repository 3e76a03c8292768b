"""What short trials and range tests of a plan cost, in epochs."""

from __future__ import annotations

import math

from keras_dlbasic.treatment.plan import Plan

SHORT_SHARE, MOST_SHARE = 0.15, 0.2
SHORT_UPDATES = 100
"""A short trial has the first share of the epochs; up to the second, if it takes that
to come to this many updates."""

RANGE_TEST_UPDATES = 100
FEWEST_RANGE_TEST_UPDATES = 40
"""A range test has the first number of updates, in a short training fewer."""


def short_epochs(plan: Plan, rows: int) -> int:
    """Return the epochs of a short trial.

    Args:
        plan: How is trained.
        rows: Training samples.
    """
    wanted = SHORT_UPDATES / _updates(plan, rows)
    epochs = max(SHORT_SHARE * plan.epochs, min(wanted, MOST_SHARE * plan.epochs))
    return math.ceil(epochs)


def range_test_updates(plan: Plan, rows: int) -> int:
    """Return the updates of a range test."""
    # A share of all updates that are planned, so that the test stays cheap beside a
    # short training, within fixed bounds.
    share = math.ceil(MOST_SHARE * (plan.epochs * _updates(plan, rows)))
    return max(FEWEST_RANGE_TEST_UPDATES, min(RANGE_TEST_UPDATES, share))


def range_test_epochs(plan: Plan, rows: int) -> float:
    """Return the epochs that the updates of a range test make."""
    return range_test_updates(plan, rows) * min(plan.batch_size, rows) / rows


def _updates(plan: Plan, rows: int) -> int:
    """Return the number of updates in an epoch."""
    return -(-rows // plan.batch_size)
