"""No result states an interval outside of what it is about."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_dlbasic as kd
from keras_dlbasic.records import TrialResult

pytestmark = pytest.mark.once

ROWS = 12
counts = st.lists(st.integers(0, ROWS), min_size=2, max_size=4)
"""Wrong answers of the seeds of an arm, of 12 held-out rows."""
losses = st.floats(1e-9, 1e9)
studies = st.lists(counts, min_size=3, max_size=5).map(
    lambda arms: [arm[: min(map(len, arms))] for arm in arms]
)


def trials(arms, settings, loss):
    """Return trials whose share of wrong answers is a count over 12 rows."""
    made = []
    for own, arm in zip(settings, arms, strict=True):
        for seed, wrong in enumerate(arm):
            rows = (np.arange(ROWS) < wrong).astype(float)
            values = {
                "kind": "classes",
                "val_error": rows.mean(),
                "train_error": wrong / ROWS / 2,
                "val_loss": loss * (1 + wrong),
                "train_loss": loss,
                "row_errors": rows,
                "row_brier": rows / 2,
                "row_scores": np.arange(ROWS),
                "average_precision": 1 - wrong / ROWS,
                "update_noise": 2 * wrong / ROWS,
            }
            made.append(TrialResult({**own, "seed": seed}, values=values))
    return made


def is_within(interval, least, most):
    slack = 1e-9 * max(1.0, abs(least) if np.isfinite(least) else 1.0)
    return (
        least - slack <= interval.low <= interval.mean + slack
        and interval.mean - slack <= interval.high <= most + slack
    )


RANGES = {"val_error": (0, 1), "train_error": (0, 1), "val_loss": (0, np.inf)}


@settings(deadline=None, max_examples=12)
@given(studies, losses)
def test_sizes(arms, loss):
    sizes = [{"size": 10 * 2**k} for k in range(len(arms))]
    for result in (
        kd.analysis.SampleSizeResult(trials(arms, sizes, loss)),
        kd.analysis.CapacityResult(trials(arms, sizes, loss)),
    ):
        for measure, ends in RANGES.items():
            assert all(is_within(i, *ends) for i in result.intervals(measure).values())
    twice = kd.analysis.SampleSizeResult(trials(arms, sizes, loss)).twice
    assert twice is None or is_within(twice, 0, 1)
    worse = kd.analysis.CapacityResult(trials(arms, sizes, loss)).larger_does_worse
    assert all(is_within(i, -1, 1) for i in worse.values())


@settings(deadline=None, max_examples=12)
@given(studies, losses)
def test_outliers(arms, loss):
    planted = [{"kind": "none", "share": 0.0}] + [
        {"kind": "labels", "share": 0.1 * k} for k in range(1, len(arms))
    ]
    result = kd.analysis.OutlierResult(trials(arms, planted, loss))
    for measure, ends in {**RANGES, "average_precision": (0, 1)}.items():
        found = result.intervals("labels", measure).values()
        assert all(is_within(i, *ends) for i in found if i.n)


@settings(deadline=None, max_examples=12)
@given(studies, losses)
def test_remedies(arms, loss):
    names = ["untreated", "L2", "dropout", "batch norm", "ensemble"][: len(arms)]
    result = kd.analysis.RemedyResult(
        trials(arms, [{"remedy": name, "strength": None} for name in names], loss),
        names={(name, None): name for name in names},
    )
    for measure, ends in {**RANGES, "gap": (-1, 1)}.items():
        assert all(is_within(result.interval(arm, measure), *ends) for arm in names)
        for found in result.ranking(measure).intervals:
            assert is_within(found, *ends)
    before = np.mean(arms[0]) / ROWS
    for found in result.differences.values():
        assert is_within(found.interval, -before, 1 - before)


@settings(deadline=None, max_examples=12)
@given(studies, losses)
def test_batch_sizes(arms, loss):
    sizes = [{"batch_size": 2**k} for k in range(len(arms))]
    result = kd.analysis.BatchSizeResult(trials(arms, sizes, loss), rows=64)
    for measure, ends in {"val_loss": (0, np.inf), "update_noise": (0, 2)}.items():
        for found in result.ranking(measure).intervals:
            assert is_within(found, *ends)
    text = " ".join(str(result.recommendation).split())
    assert not ("first in 100%" in text and "not distinguishable" in text)
