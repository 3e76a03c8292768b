"""Terms and weights for which a loss falls without end."""

import numpy as np
import pytest
from made_runs import edited_facts, found, made_run

BASELINE = float(np.log(4))
FALLING = -np.geomspace(0.1, 100, 20)
RUN = {"loss": FALLING, "end_loss": 4.0, "skill": 0.0}
TERM = {"added_at_start": -1.0, "added_at_end": -90.0}


def said(run, **probe):
    record = made_run(**run)
    with edited_facts(record) as facts:
        facts["probe"] |= probe
    return found(record, "disagreeing_loss")


def test_a_term_that_falls_without_end():
    finding = said(RUN, **TERM)
    assert finding.severity == "critical"
    assert "fell from -1 to -90" in finding.message


@pytest.mark.parametrize(
    ("run", "term"),
    [
        ({}, {"added_at_end": -13.0}),  # small beside the loss of a constant
        ({}, {"added_at_start": -10.0}),  # it was as large from the start
        ({"end_loss": 2.5}, {}),  # the model is hardly worse than a constant
        ({"loss": -FALLING}, {}),  # the loss is not below zero
        ({"loss": FALLING[::-1]}, {}),  # it rises
        ({"loss": FALLING[:2]}, {}),  # too short
        ({}, {"added_at_start": None}),
        ({}, {"baseline_loss": None}),
    ],
)
def test_terms_that_may_have_a_lowest_value(run, term):
    assert said(RUN | run, **(TERM | term)) is None


def with_weights(least, mean, end_loss):
    record = made_run(**RUN | {"end_loss": end_loss})
    with edited_facts(record) as facts:
        by_class = {"by_class": [mean, mean], "counts": [100, 100]}
        facts["data"]["weights"] = [{"min": least, **by_class}]
    return found(record, "disagreeing_loss")


@pytest.mark.parametrize(
    ("least", "mean", "end_loss", "severity"),
    [
        (-1.0, 0.6, 4.0, "critical"),
        (-1.0, 0.6, 2.5, None),  # hardly worse than a constant
        (-1.0, 0.0, 4.0, "info"),  # advantages
        (-1.0, 0.0, 15.0, "critical"),  # predictions that are sure and wrong
        (0.0, 0.6, 15.0, None),
    ],
)
def test_negative_weights(least, mean, end_loss, severity):
    finding = with_weights(least, mean, end_loss)
    assert (finding and finding.severity) == severity


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        (-(np.arange(12.0) ** 3), True),
        (-10 * np.arange(12.0), False),  # as fast as before
        (-np.log1p(1e3 * np.arange(12.0)), False),
        (-1e-4 * np.arange(12.0) ** 3, False),  # not far yet
        (-(np.arange(5.0) ** 3), False),
    ],
)
def test_a_loss_that_falls_ever_faster(loss, named):
    record = made_run(loss=loss, facts={"loss": None, "own_loss": ["compute_loss"]})
    finding = found(record, "disagreeing_loss")
    assert (finding is not None) == named
