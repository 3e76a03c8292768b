"""What a study of capacity concludes, from scripted trials."""

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis import CapacityResult
from keras_dlbasic.records import TrialResult

ABOUT = {"rows": 50, "outputs": 2, "by": "depth"}


def made(errors, *, training=None, kind="classes", scatter=0.005, seeds=4):
    rng = np.random.default_rng(0)
    trials = []
    for place, (size, error) in enumerate(errors.items()):
        for seed in range(seeds):
            values = {
                "parameters": 40 * 2**place,
                "depth": size,
                "kind": kind,
                "train_error": (training or {}).get(size, 0.0),
                "val_error": error + scatter * rng.normal(),
                "train_loss": 0.1,
                "val_loss": error,
            }
            trials.append(TrialResult({"size": size, "seed": seed}, values=values))
    return CapacityResult(trials, about=ABOUT)


def test_deeper_can_do_worse():
    result = made({1: 0.3, 2: 0.2, 4: 0.21, 8: 0.4}, training={1: 0.1, 2: 0.02})
    assert result.best == 2
    assert list(result.larger_does_worse) == [8]
    assert result.larger_does_worse[8].mean == pytest.approx(0.2, abs=0.02)
    assert result.interpolates_from == 4
    assert result.threshold == 100
    assert result.parameters == {1: 40, 2: 80, 4: 160, 8: 320}
    assert "depth 8 is clearly worse" in str(result)
    assert len(result.table()["size"]) == 16
    fine = made({1: 0.3, 2: 0.2})
    assert fine.larger_does_worse == {}
    assert "No larger one" in str(fine)


def test_numbers_are_fitted_below_a_share_of_their_variance():
    result = made({1: 0.3, 2: 0.2}, training={1: 0.02, 2: 0.005}, kind="numbers")
    assert result.interpolates_from == 2
    assert made({1: 0.3}, training={1: 0.5}).interpolates_from is None


def test_failed_trials():
    trials = [*made({2: 0.2}).trials]
    trials += [
        TrialResult({"size": 1, "seed": s}, "failed", error="no") for s in (0, 1)
    ]
    result = CapacityResult(trials)
    assert result.best == 2
    assert result.threshold is None
    assert "failed: no" in str(result)
    nothing = CapacityResult(trials[-2:])
    assert nothing.best is None
    assert "No trial finished" in str(nothing)
    assert kd.plots.plot_capacity(nothing).texts


def test_plot():
    result = made({1: 0.3, 2: 0.2, 4: 0.25, 8: 0.4}, training={1: 0.1, 2: 0.02})
    ax = kd.plots.plot_capacity(result)
    labels = ax.get_legend_handles_labels()[1]
    assert "samples x outputs" in labels
    assert "fits all training data" in labels
    assert "lowest held-out error: depth 2" in labels
    assert [t.get_text() for t in ax.texts] == ["1", "2", "4", "8"]
    kd.plots.plot_capacity(made({1: 0.3}, seeds=1), measure="loss")
    with pytest.raises(ValueError, match="measure"):
        kd.plots.plot_capacity(result, measure="speed")


class Halves:
    """A model, as a plot sees it: the class is the sign of the first input."""

    def predict(self, x, batch_size, verbose):
        p = 1 / (1 + np.exp(-10 * x[:, :1]))
        return np.concatenate([1 - p, p], axis=1)


def test_decision_regions():
    x = np.random.default_rng(0).normal(size=(30, 2))
    y = (x[:, 0] > 0).astype(int)
    ax = kd.plots.plot_decision_regions(Halves(), x, y)
    assert len(ax.collections) >= 3
    several = {f"{n} layers": Halves() for n in range(5)}
    axes = kd.plots.plot_decision_regions(several, x, np.eye(2)[y])
    assert [ax.get_title() for ax in axes] == list(several)
    with pytest.raises(ValueError, match="two features"):
        kd.plots.plot_decision_regions(Halves(), x[:, :1], y)
    with pytest.raises(ValueError, match="axes for each of 5"):
        kd.plots.plot_decision_regions(several, x, y, ax=axes[:2])
