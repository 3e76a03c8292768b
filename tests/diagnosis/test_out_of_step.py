"""Targets that fit the inputs of other rows."""

import numpy as np
import pytest
from made_runs import STUCK, found, made_run

NAME = "unrelated_targets"


def run(order, **changes):
    step = order and {"order": order, "found": 0.02, "restored": 0.91}
    return made_run(targets={"out_of_step": step}, **changes)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("the next row", "with that of the next row, 0.91"),
        ("the row before", "with that of the row before, 0.91"),
        ("the last row first", "in reverse order"),
        ("file names sorted as text", "(1, 10, 11, 2)"),
    ],
)
@pytest.mark.parametrize(
    "changes",
    [{"val_loss": np.linspace(1.5, 3, 20)}, STUCK],
    ids=["by heart", "stuck"],
)
def test_the_order_is_named(order, words, changes):
    finding = found(run(order, **changes), NAME)
    assert words in finding.message
    assert finding.confidence > 0.9
    assert finding.value == 0.02


def test_nothing_is_said_where_no_order_is_better():
    assert found(run(None, **STUCK), NAME) is None


def test_a_model_that_learns_with_the_targets_as_they_are():
    assert found(run("the row before", skill=0.95), NAME) is None
