"""Two faults in a run are both named, whichever explains the symptoms first."""

import pytest
from made_runs import (
    FROZEN,
    NORMALIZED,
    STUCK,
    edited_facts,
    in_inference,
    made_run,
)

import keras_dlbasic as kd


def one_unit(record):
    """Softmax over a single unit: beyond doubt, whatever else is found."""
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0]["units"] = 1
    return record


MISREAD = {"kind": "pooling", "misreads": "first"}
DROPS = {"dropout": 0.95}
SMALL = {"gain": 0.01, "kernel_rms": 0.005}

PAIRS = {
    "certain and possible": (
        lambda: one_unit(made_run(ratio=0.5, **STUCK)),
        ("output_activation_mismatch", "learning_rate_too_high"),
    ),
    "certain and measured": (
        lambda: in_inference(
            made_run(second=NORMALIZED, inputs={"target_column": 2}),
            loss=1.2,
            skill=0.1,
        ),
        ("normalization_lag", "target_leakage"),
    ),
    "of architecture and rate": (
        lambda: made_run(second=MISREAD, ratio=1e-6, **STUCK),
        ("wrong_axis", "learning_rate_too_low"),
    ),
    "of dropout and inputs": (
        lambda: made_run(second=DROPS, inputs={"rms": 300.0}, **STUCK),
        ("regularization_too_strong", "unscaled_inputs"),
    ),
    "of weights and statistics": (
        lambda: in_inference(
            made_run(first=SMALL, second={**FROZEN, **SMALL}, **STUCK), drift=40.0
        ),
        ("poor_initialization", "foreign_statistics"),
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_both_are_named(case):
    make, names = PAIRS[case]
    diagnosis = kd.diagnose(make())
    serious = {finding.name for finding in diagnosis.at_least("warning")}
    assert set(names) <= serious
    plateau = [finding for finding in diagnosis if finding.name == "plateau"]
    assert all(set(names) <= set(finding.explained_by) for finding in plateau)


@pytest.mark.parametrize("case", PAIRS)
def test_each_is_told_by_itself(case):
    """A reader who repairs the first must have been told of the second."""
    make, names = PAIRS[case]
    causes = [f for f in kd.diagnose(make()).top_level if f.kind == "cause"]
    assert set(names) <= {finding.name for finding in causes}
