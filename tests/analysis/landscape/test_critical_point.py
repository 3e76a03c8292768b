"""Verdicts from numbers alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic.analysis import judge_point
from keras_dlbasic.analysis.landscape.critical_point import PointEvidence

MINIMUM = PointEvidence(
    loss=0.5,
    loss_noise=1e-7,
    loss_scale=1.0,
    mismatched_loss=1.0,
    gradient_norm=1e-5,
    gradient_noise=1e-6,
    gradient_fall=1e-8,
    smallest=1e-3,
    smallest_residual=1e-5,
    largest=2.0,
    largest_residual=1e-5,
    n_negative=0,
    later_curvature=1e-3,
    escape_fall=0.0,
    escape_even=0.0,
    escape_step=0.0,
    radius=1.0,
    inert_share=0.0,
    awakening=0.0,
    awakening_growth=0.0,
)
NEGATIVE = {
    "smallest": -0.1,
    "n_negative": 1,
    "later_curvature": -0.1,
    "escape_fall": 0.05,
    "escape_even": 0.05,
    "escape_step": 1.0,
}
FLAT = {"inert_share": 0.95, "mismatched_loss": 0.5, "smallest": 0.0}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "minimum"),
        (NEGATIVE, "saddle"),
        # goes with the gradient that is left
        ({**NEGATIVE, "later_curvature": 0.02}, "minimum"),
        # rounding of the products, which the loss does not confirm
        ({"smallest": -1e-6, "later_curvature": -1e-6}, "minimum"),
        ({"smallest": -1e-6, "escape_even": 1e-7, "escape_fall": 1e-7}, "minimum"),
        ({**NEGATIVE, "smallest_residual": 0.2}, "saddle"),  # the loss shows it
        ({**NEGATIVE, "gradient_fall": 0.01}, "not_stationary"),
        ({"gradient_fall": 0.002}, "not_stationary"),
        (FLAT, "plateau"),
        ({**FLAT, "awakening": 1e-3, "awakening_growth": 8.0}, "degenerate"),
        # a saturated unit: an exponential, as a slope at first
        ({**FLAT, "awakening": 1e-3, "awakening_growth": 2.6}, "plateau"),
        ({**FLAT, "awakening": 1e-7, "awakening_growth": 9.0}, "plateau"),
        ({**FLAT, **NEGATIVE}, "saddle"),
        # a trained model with many dead units
        ({**FLAT, "mismatched_loss": 1.0}, "minimum"),
        ({**FLAT, "loss": 0.0, "mismatched_loss": 0.0, "loss_scale": 0.0}, "plateau"),
    ],
)
def test_verdicts(changes, verdict):
    point = judge_point(replace(MINIMUM, **changes))
    assert point.verdict == verdict
    assert point.reason


@given(st.floats(1e-6, 1e6), st.sampled_from([{}, NEGATIVE, FLAT]))
def test_the_unit_of_the_loss_does_not_matter(unit, changes):
    evidence = replace(MINIMUM, **changes)
    without = ("n_negative", "radius", "inert_share", "escape_step", "exact")
    without += ("awakening_growth",)
    scaled = {
        name: unit * value
        for name, value in vars(evidence).items()
        if name not in without
    }
    found = judge_point(replace(evidence, **scaled))
    assert found.verdict == judge_point(evidence).verdict
    assert len(found.doubts) == len(judge_point(evidence).doubts)


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"gradient_fall": 5e-4}, "it may not be stationary"),
        ({"gradient_fall": 2e-3}, "it may not be stationary"),
        ({"smallest_residual": 0.01}, "may have been missed"),
        ({**NEGATIVE, "later_curvature": 0.02}, "direction is that of the gradient"),
        ({**NEGATIVE, "smallest_residual": 0.2}, "close to the bound"),
        ({"exact": 0.0}, "differences"),
        ({**FLAT, "inert_share": 0.6}, "only 60%"),
    ],
)
def test_what_is_uncertain_is_said(changes, doubt):
    point = judge_point(replace(MINIMUM, **changes))
    assert any(doubt in text for text in point.doubts)
    assert f"in doubt: {point.doubts[0]}" in " ".join(str(point).split())
    assert not point.certain
    assert judge_point(MINIMUM).certain
