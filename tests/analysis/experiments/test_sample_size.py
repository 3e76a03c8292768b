"""The power law and what it tells, from errors that follow one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_dlbasic as kd
from keras_dlbasic.analysis import SampleSizeResult, fit_power_law
from keras_dlbasic.records import TrialResult

SIZES = np.array([25, 50, 100, 200])


@settings(max_examples=15)
@given(st.floats(0.5, 5), st.floats(0.1, 1.2), st.floats(0, 0.3))
def test_a_law_without_noise_is_found(factor, exponent, floor):
    errors = floor + factor * SIZES**-exponent
    law = fit_power_law(SIZES, np.tile(errors[:, None], 3))
    np.testing.assert_allclose(law(SIZES), errors, rtol=0.02)
    true = floor + factor * 400.0**-exponent
    assert law.predict(400).mean == pytest.approx(true, rel=0.06)


def test_the_uncertainty_covers_the_truth():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(40):
        errors = 0.05 + 2 * SIZES[:, None] ** -0.5
        law = fit_power_law(SIZES, errors * (1 + 0.1 * rng.normal(size=(4, 4))))
        found = law.predict(400)
        held += found.low <= 0.15 <= found.high
    assert held >= 33  # 95 % of 40 are 38; fewer than 34 come in 0.4 % of such tests


def test_too_little_for_a_law():
    assert fit_power_law([10, 20], [[0.3], [0.2]]) is None
    assert fit_power_law(SIZES, np.full((4, 2), np.nan)) is None
    assert fit_power_law(SIZES, np.zeros((4, 2))) is None
    gaps = np.array([[0.5, np.nan], [0.4, 0.4], [np.nan, np.nan], [0.3, 0.3]])
    assert fit_power_law(SIZES, gaps).sizes.tolist() == [25, 50, 200]


def made(law, seeds=4, scatter=0.05):
    rng = np.random.default_rng(0)
    trials = []
    for size in SIZES[::-1]:
        for seed in range(seeds):
            error = law(float(size)) * (1 + scatter * rng.normal())
            values = {
                "train_error": 0.01,
                "val_error": error,
                "train_loss": 0.1,
                "val_loss": 2 * error,
            }
            settings = {"size": int(size), "seed": seed}
            trials.append(TrialResult(settings, values=values))
    return SampleSizeResult(trials)


def test_what_twice_the_data_bring():
    result = made(lambda n: 3 * n**-0.6)
    assert result.sizes == (25, 50, 100, 200)
    assert result.twice.mean == pytest.approx(3 * 400**-0.6, rel=0.15)
    assert result.more_data_helps
    assert "clearly less" in str(result)
    assert result.intervals()[25].mean > result.intervals()[200].mean
    flat = made(lambda n: 0.2)
    assert not flat.more_data_helps
    assert "not clearly less" in " ".join(str(flat).split())  # lines are wrapped
    assert len(flat.table()["size"]) == 16


def test_failed_trials_and_few_sizes():
    trials = list(made(lambda n: 3 * n**-0.6).trials)
    bad = TrialResult({"size": 25, "seed": 9}, "diverged", error="loss is nan")
    result = SampleSizeResult([*trials, bad])
    assert "diverged: loss is nan" in str(result)
    assert result.intervals()[25].n == 4
    few = SampleSizeResult([t for t in trials if t.settings["size"] > 50])
    assert few.twice is None
    assert few.more_data_helps is None
    assert "at least three" in str(few)


def test_plot():
    result = made(lambda n: 3 * n**-0.6)
    ax = kd.plots.plot_learning_curve(result)
    assert ax.get_xlabel() == "training samples"
    assert ax.get_xscale() == "log"
    labels = ax.get_legend_handles_labels()[1]
    assert {"training", "held-out", "twice the data, 95 %"} <= set(labels)
    kd.plots.plot_learning_curve(made(lambda n: 0.2, seeds=1), measure="loss")
    empty = SampleSizeResult([TrialResult({"size": 2, "seed": 0}, "failed")])
    assert kd.plots.plot_learning_curve(empty).texts
    with pytest.raises(ValueError, match="measure"):
        kd.plots.plot_learning_curve(result, measure="speed")
