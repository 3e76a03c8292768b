"""Losses that compare rows, and are given one at a time."""

import numpy as np
import pytest
from made_runs import edited_facts, made_run, severity

PAIRED = {"loss": 0.9, "dealt": 0.9, "error": 0.01}


def alone(batch_size, batch_loss, gradients, paired=PAIRED):
    record = made_run(
        skill=np.nan,
        end_loss=np.nan,
        batch_loss=batch_loss,
        gradients=gradients,
        facts={"loss": {"class_name": "own", "own": True}, "batch_size": batch_size},
    )
    with edited_facts(record) as facts:
        del facts["probe"]["baseline_loss"]
        facts["probe"]["paired"] = paired
    return record


NONE = (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((1, np.zeros(320), NONE), "critical"),
        ((2, np.zeros(320), NONE), "info"),
        ((1, np.full(320, 0.1), (1.0, 1.0, 1.0)), "info"),
        # the loss is zero because there is nothing left to improve
        ((1, np.zeros(320), NONE, {**PAIRED, "loss": 0.0}), None),
    ],
)
def test_a_loss_that_is_zero_for_each_row(given, expected):
    assert severity(alone(*given), "batch_size_too_small") == expected


@pytest.mark.parametrize("size", [1, 4])
def test_tiny_batches_do_not_explain_a_run_that_learns_nothing(size):
    stuck = {"loss": np.full(20, 1.387), "end_loss": 1.386, "skill": 0.0}
    record = made_run(facts={"batch_size": size}, **stuck)
    assert severity(record, "batch_size_too_small") == "info"
