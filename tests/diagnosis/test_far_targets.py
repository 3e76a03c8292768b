"""Targets that outputs do not come to, or cannot."""

import pytest
from made_runs import STUCK, edited_facts, found, made_run

SCALE, RANGE = "unscaled_targets", "output_activation_mismatch"


def far(skill=-2.4, loss=4.2, moved=1.1, shift=1.8, mean=3.5, **given):
    """Values that are worse than a constant prediction at the end."""
    offset = {"loss": loss, "moved": moved, "has_bias": True, "shift": shift}
    probe = {"rows": 256, "baseline_loss": 1.2, "scored_as": "values", "offset": offset}
    record = made_run(
        targets={"kind": "continuous", "mean": mean, "std": 1.1, "rms": 3.7},
        facts={"loss": "mse", "probe": probe},
        **{**STUCK, "skill": skill, "end_loss": loss, **given},
    )
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
    return record


def test_predictions_on_their_way_to_the_targets():
    finding = found(far(), SCALE)
    assert "still 1.8 below them on average" in finding.message
    assert "74% of the loss" in finding.message
    finding = found(far(mean=-3.5, shift=-1.8), SCALE)
    assert "1.8 above them" in finding.message


@pytest.mark.parametrize(
    "changes",
    [
        {"skill": 0.3},
        {"moved": 3.9},  # it is not the constant that is missing
        {"mean": 0.4},  # outputs begin there
        {"shift": -1.8},  # they have gone beyond
        {"ratio": 1e-5},  # weights hardly moved
    ],
)
def test_what_else_may_be_wrong(changes):
    assert found(far(**changes), SCALE) is None


def test_a_constant_that_is_missing_is_no_missing_bias():
    assert found(far(), "missing_bias") is None


def asking(share=0.6, within=4.0, loss=0.2, end=5.2, baseline=5.3):
    """A softmax, and a loss of the user's that asks for other values."""
    outside = {"share": share, "answer": -1.7, "within": within, "loss": loss}
    probe = {"rows": 256, "baseline_loss": baseline, "outside": outside}
    own = {"class_name": "error_of_chosen", "own": True}
    run = {**STUCK, "end_loss": end}
    return made_run(facts={"loss": own, "probe": probe}, **run)


def test_a_loss_that_asks_for_what_a_softmax_cannot_give():
    finding = found(asking(), RANGE)
    assert finding.severity == "critical"
    assert "For 60% of the training samples" in finding.message
    assert "such as -1.7" in finding.message
    assert finding.remedies[0].kwargs == {"activation": "linear"}


@pytest.mark.parametrize(
    "changes", [{"share": 0.2}, {"loss": 3.0}, {"end": 2.0}], ids=str
)
def test_a_loss_that_can_be_low_all_the_same(changes):
    assert found(asking(**changes), RANGE) is None
