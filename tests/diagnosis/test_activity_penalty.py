"""Penalties of activations that leave nothing of them."""

from dataclasses import replace

import pytest
from made_runs import STUCK, found, made_run


def with_penalty(record, start, end, baseline=1.386):
    probe = replace(
        record.facts.probe,
        activity_at_start=start,
        activity_at_end=end,
        baseline_loss=baseline,
    )
    record.note(probe=probe)
    return record


@pytest.mark.parametrize(
    ("run", "penalty", "named"),
    [
        (STUCK, (1.0, 1e-6), True),
        (STUCK, (0.1, 1e-6), False),  # small from the start
        (STUCK, (1.0, 0.4), False),  # activations are still there
        (STUCK, (None, None), False),
        ({}, (1.0, 1e-6), False),  # the model learned
    ],
)
def test_activations_that_are_zero(run, penalty, named):
    record = with_penalty(made_run(**run), *penalty)
    assert (found(record, "regularization_too_strong") is not None) == named
