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


@pytest.mark.parametrize(
    ("facts", "loss", "named"),
    [
        ({"far_share": 0.01, "far_part": 0.99}, "mse", True),
        ({"far_share": 0.01, "far_part": 0.99}, "mae", False),
        ({"far_share": 0.01, "far_part": 0.4}, "mse", False),
        ({"far_share": 0.2, "far_part": 0.99}, "mse", False),
    ],
)
def test_a_few_targets_far_from_all_others(facts, loss, named):
    record = with_size(1.0, "Adam")
    with edited_facts(record) as known:
        known["data"]["targets"][0] |= facts
        known["loss"] = loss
    finding = found(record, "unscaled_targets")
    assert (finding is not None) == named
    assert not named or "these few values" in finding.message
