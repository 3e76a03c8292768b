"""Targets far below 1."""

import pytest
from made_runs import STUCK, edited_facts, found, made_run


def with_size(size, optimizer):
    record = made_run(
        targets={"kind": "continuous", "mean": 0.0, "std": size, "rms": size},
        facts={
            "loss": "mse",
            "optimizer": {"class_name": optimizer, "learning_rate": 0.01},
        },
        **STUCK,
    )
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
    return record


@pytest.mark.parametrize(
    ("size", "optimizer", "named"),
    [
        (0.02, "SGD", True),
        (0.02, "Adam", False),
        (0.009, "Adam", True),
        (0.04, "SGD", False),
    ],
)
def test_steps_that_shrink_with_the_targets(size, optimizer, named):
    finding = found(with_size(size, optimizer), "unscaled_targets")
    assert (finding is not None) == named
