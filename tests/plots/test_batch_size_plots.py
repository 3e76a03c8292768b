import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.records import TrialResult


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def result(*, parallel=False, n=9):
    u = np.arange(float(n))
    trials = [
        TrialResult(
            {"batch_size": b, "seed": s},
            values={
                "curve_updates": u,
                "curve_samples": u * b,
                "curve_seconds": u / b,
                "curve_loss": 1 / (1 + u),
                "updates_per_second": 100.0 / b + s,
                "loss_jitter": 1.0 / b + 0.01 * s,
            },
            parallel=parallel,
        )
        for b in (64, 8, 1)
        for s in range(2)
    ]
    return kd.analysis.BatchSizeResult(trials, rows=64)


def test_study():
    axes = kd.plots.plot_batch_size_study(result())
    assert axes.shape == (2, 2)
    texts = [text.get_text() for text in axes[0, 0].get_legend().get_texts()]
    assert texts == ["64 (full-batch)", "8 (mini-batch)", "1 (one sample)"]
    line = axes[0, 1].get_lines()[0]
    np.testing.assert_allclose(line.get_xdata(), 64 * np.arange(1, 9))
    names = {t.get_text() for t in axes[1, 1].texts}
    assert names == {"full-batch\n64", "mini-batch\n8", "one sample\n1"}


def test_study_of_parallel_trials_draws_no_times():
    axes = kd.plots.plot_batch_size_study(result(parallel=True))
    for ax in axes[1]:
        assert not ax.get_lines()
        assert "not compared" in ax.texts[0].get_text()


@pytest.mark.parametrize("span", [3, 30, 1e4, 1e9])
def test_scales_have_numbers_whatever_their_range(span):
    study = result()
    for trial in study.trials:
        trial.values["updates_per_second"] *= span ** trial.settings["seed"]
    ax = kd.plots.plot_batch_size_study(study)[1, 1]
    low, high = sorted(ax.get_xlim())
    assert 2 <= sum(low <= tick <= high for tick in ax.get_xticks()) <= 9


def test_study_needs_four_axes():
    with pytest.raises(ValueError, match="four axes"):
        kd.plots.plot_batch_size_study(result(), ax=plt.subplots(1, 2)[1])


@pytest.mark.parametrize("name", ["light", "dark"])
def test_noise_scale(name):
    steps = np.arange(20)
    curve = kd.analysis.NoiseScaleCurve(
        steps, 10.0 + steps % 3, 1.0 + 0.1 * (steps % 2), 32.0, "data", "Adam"
    )
    with kd.plots.style(name):
        ax = kd.plots.plot_noise_scale(curve)
    assert "order of magnitude" in ax.get_xlabel()
    assert any("32" in text.get_text() for text in ax.texts)
    assert len(ax.lines[0].get_xdata()) == 4
    empty = kd.analysis.NoiseScaleCurve(steps, steps * 0.0, steps * 0.0)
    assert "noise" in kd.plots.plot_noise_scale(empty).texts[0].get_text()


def test_descent_path():
    paths = kd.analysis.descend("ravine", updates=4)
    ax = kd.plots.plot_descent_path(paths)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == list(paths.paths)
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata()[0], (-1.8, 0.5))


@pytest.mark.parametrize(
    "limits", [(1, 30), (40, 90), (1, 5000), (5e-5, 8), (1e-3, 1e6)]
)
def test_numbers_on_a_scale_do_not_touch(limits):
    for ax in kd.plots.plot_batch_size_study(result()).flat:
        ax.set_xlim(*limits)
        ax.set_ylim(*limits)
        for axis in (ax.xaxis, ax.yaxis):
            ticks = axis.get_majorticklocs()
            assert 2 <= sum((ticks >= limits[0]) & (ticks <= limits[1])) <= 8
