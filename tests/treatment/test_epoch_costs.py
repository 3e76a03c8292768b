"""How long short trials and range tests are."""

import pytest

from keras_dlbasic.treatment.epoch_costs import (
    range_test_epochs,
    range_test_updates,
    short_epochs,
)
from keras_dlbasic.treatment.plan import Plan


@pytest.mark.parametrize(
    ("epochs", "batch_size", "rows", "expected"),
    [
        (100, 10, 1000, 15),  # 100 updates an epoch: the share
        (100, 100, 1000, 15),  # 10 an epoch: 10 epochs would do
        (100, 600, 1000, 20),  # 2 an epoch: 50 epochs would do, 20 are allowed
        (3, 10, 1000, 1),
    ],
)
def test_short_trials(epochs, batch_size, rows, expected):
    assert short_epochs(Plan(epochs, batch_size), rows) == expected


@pytest.mark.parametrize(
    ("epochs", "batch_size", "rows", "updates"),
    [
        (100, 10, 1000, 100),
        (6, 10, 500, 60),  # a fifth of 300
        (1, 10, 100, 40),
        (50, 2000, 1000, 40),  # full batches
    ],
)
def test_range_tests(epochs, batch_size, rows, updates):
    plan = Plan(epochs, batch_size)
    assert range_test_updates(plan, rows) == updates
    cost = updates * min(batch_size, rows) / rows
    assert range_test_epochs(plan, rows) == pytest.approx(cost)
