"""Ranking of suspects, from scripted trials."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

import keras_dlbasic as kd
from keras_dlbasic.analysis import OutlierResult
from keras_dlbasic.analysis.experiments.outlier_result import (
    average_precision,
    relative_ranks,
)
from keras_dlbasic.analysis.row_distances import row_distances
from keras_dlbasic.records import TrialResult


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1))
def test_average_precision_is_that_of_scikit_learn(rows):
    planted, scores = (np.array(column) for column in zip(*rows, strict=True))
    found = average_precision(planted, scores)
    if not planted.any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(average_precision_score(planted, scores))


def made(status="done"):
    rng = np.random.default_rng(0)
    trials = []
    arms = [("none", 0.0), ("labels", 0.2), ("labels", 0.4), ("inputs", 0.2)]
    for kind, share in arms:
        for seed in range(3):
            scores = rng.random(30)
            scores[[4, 7]] += 5
            values = {
                "val_error": 0.1 + share,
                "train_error": 0.0,
                "row_scores": scores,
                "input_scores": scores[::-1],
                "average_precision": 0.9 if share else float("nan"),
            }
            settings = {"kind": kind, "share": share, "seed": seed}
            trials.append(
                TrialResult(settings, status, values, error="no" * (not values))
            )
    return OutlierResult(trials)


def test_fall_and_suspects():
    result = made()
    assert result.kinds == ("labels", "inputs")
    assert result.shares == (0.0, 0.2, 0.4)
    falls = [i.mean for i in result.intervals("labels").values()]
    np.testing.assert_allclose(falls, [0.1, 0.3, 0.5])
    assert set(result.suspects(2)) == {4, 7}
    assert set(result.suspects(2, "inputs")) == {25, 22}
    with pytest.raises(ValueError, match="kind='rows'"):
        result.suspects(2, "rows")
    assert result.scores.shape == (30,)
    assert "average precision" in str(result)
    assert len(result.table()["seed"]) == 12


def test_trials_of_earlier_versions_have_no_input_scores():
    result = made()
    for trial in result.trials:
        del trial.values["input_scores"]
    assert not len(result.suspects(3, "inputs"))
    assert "Inputs" not in str(result)


def test_distances_to_other_rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(700, 4, 3))
    x[[5, 600]] *= 3
    x[:, 0] = 1.0  # columns that do not vary
    flat = x.reshape(700, -1)
    used = (flat - flat.mean(0))[:, 3:] / flat.std(0)[3:]
    by_pairs = np.linalg.norm(used[:, None] - used, axis=-1)
    expected = np.sort(by_pairs, axis=1)[:, 1:6].mean(axis=1) / 3
    np.testing.assert_allclose(row_distances(x), expected)
    assert set(np.argsort(-row_distances(x))[:2]) == {5, 600}
    assert not row_distances(np.ones((4, 2))).any()
    assert not row_distances(np.array(["a", "b"])).any()


def test_rows_that_are_not_finite_are_farthest_and_change_no_other():
    x = np.random.default_rng(0).normal(size=(40, 3))
    x[7] += 20
    expected = row_distances(np.delete(x, [3, 9], axis=0))
    x[3, 1], x[9, 0] = np.nan, np.inf
    found = row_distances(x)
    assert np.isinf(found[[3, 9]]).all()
    np.testing.assert_array_equal(np.delete(found, [3, 9]), expected)
    assert np.isinf(row_distances(np.full((4, 2), np.nan))).all()


@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_scores_that_are_all_alike_suspect_no_row(value):
    result = made()
    for trial in result.trials:
        trial.values["input_scores"] = np.full(30, value)
    assert not len(result.suspects(3, "inputs"))
    assert "Inputs" not in str(result)
    assert "Labels to check" in str(result)
    assert np.ptp(relative_ranks(np.full(30, value))) == 0


def test_scores_that_are_alike_share_a_rank():
    np.testing.assert_array_equal(
        relative_ranks([0, 5, 0, np.inf]), [1 / 6, 2 / 3, 1 / 6, 1]
    )


def test_plots():
    result = made()
    ax = kd.plots.plot_outlier_study(result)
    assert ax.get_ylabel() == "held-out error"
    assert [t.get_text() for t in ax.texts] == ["0.90"] * 3
    images = np.random.default_rng(0).random((30, 4, 4, 1))
    axes = kd.plots.plot_suspects(result, images, np.arange(30) % 3, n=4, columns=3)
    assert axes.shape == (2, 3)
    titles = {ax.get_title() for ax in axes.reshape(-1)[:2]}
    assert titles == {"row 4: 1", "row 7: 1"}
    assert kd.plots.plot_suspects(result).get_ylabel() == "mean rank over seeds"
    kd.plots.plot_suspects(result, images[..., 0], np.eye(30), n=2)
    inputs = kd.plots.plot_suspects(result, images, n=2, kind="inputs")
    titles = {ax.get_title() for ax in inputs.reshape(-1)}
    assert titles == {"row 22", "row 25"}
    assert "far from" in kd.plots.plot_suspects(result, kind="inputs").get_title()
    with pytest.raises(ValueError, match="trained on"):
        kd.plots.plot_suspects(result, images[:5])
    with pytest.raises(ValueError, match="4 axes"):
        kd.plots.plot_suspects(result, images, n=4, ax=axes[0])
    failed = made("failed")
    assert len(failed.suspects()) == 0
    assert kd.plots.plot_outlier_study(failed).texts
    assert kd.plots.plot_suspects(failed).texts
