"""First steps that throw a layer off, though the weights as a whole hardly move."""

import numpy as np
import pytest
from made_runs import STUCK, made_run, variables

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.rates import worst_kernel
from keras_dlbasic.records import MEASURES, TrainingRecord

STEPS = (0, 2, 3, 4)
"""The second step of a fit is not sampled."""


def steps(weights, updates):
    """Return a record of rows with these norms, one for each of three kernels."""
    record = TrainingRecord(variables())
    for row, step in enumerate(STEPS[: len(weights)]):
        measures = np.zeros((len(MEASURES), 3))
        measures[MEASURES.index("weight_norm")] = weights[row]
        measures[MEASURES.index("update_norm")] = updates[row]
        record.append_step(step, {"epoch": 0, "skipped": 0}, measures)
    return record


def test_the_layer_that_moved_most_is_named():
    record = steps([[900.0, 4.0, 4.0]] * 3, [[0.1, 8.0, 0.1]] + [[0.1] * 3] * 2)
    assert worst_kernel(record) == (2.0, "second")


def test_a_step_between_two_rows_shows_in_the_norm():
    record = steps([[4.0] * 3, [4.0, 4.0, 40.0], [4.0, 4.0, 40.0]], [[0.1] * 3] * 3)
    assert worst_kernel(record) == (9.0, "out")


def test_weights_near_zero_may_grow():
    record = steps([[4.0, 1e-4, 4.0], [4.0, 0.5, 4.0]], [[0.1, 0.5, 0.1]] * 2)
    worst, _ = worst_kernel(record)
    assert worst == 0.25  # of the norm that weights of this shape usually have: 2


def test_norms_far_apart_are_no_single_step():
    record = made_run(weights=np.linspace(1, 300, 60), ratio=1e-3)  # every fifth step
    assert worst_kernel(record)[0] < 0.01


@pytest.mark.parametrize(("moved", "named"), [(1600.0, True), (200.0, False)])
def test_one_layer_is_enough(moved, named):
    record = made_run(**STUCK)
    record._rows.measures[:, MEASURES.index("weight_norm")] = [1e4, 1e3, 1e4]
    record._rows.measures[0, MEASURES.index("update_norm"), 1] = moved
    finding = next(
        (f for f in kd.diagnose(record) if f.name == "learning_rate_too_high"), None
    )
    assert (finding is not None) == named
    if named:
        assert finding.layer == "second"
        assert finding.severity == "critical"


@pytest.mark.parametrize(
    ("moved", "factor"), [(900.0, 0.1), (1600.0, 0.01), (2e4, 0.001), (1e9, 0.001)]
)
def test_the_longer_the_steps_the_lower_the_rate_that_is_advised(moved, factor):
    record = made_run(**STUCK)
    record._rows.measures[:, MEASURES.index("weight_norm")] = 1e3
    record._rows.measures[0, MEASURES.index("update_norm"), 1] = moved
    found = [f for f in kd.diagnose(record) if f.name == "learning_rate_too_high"]
    assert [f.remedies[0].kwargs for f in found] == [{"factor": factor}]


def test_a_long_step_does_no_harm_where_the_run_learns():
    record = made_run()
    record._rows.measures[0, MEASURES.index("update_norm"), 1] = 16.0
    assert kd.diagnose(record).is_healthy
