import numpy as np
import pytest

from keras_dlbasic.analysis import BatchSizeResult
from keras_dlbasic.records import TrialResult


def trial(batch, seed, *, seconds=1.0, rate=1.0, status="done", parallel=False, **more):
    updates = np.arange(11.0)
    values = {
        "curve_updates": updates,
        "curve_samples": updates * batch,
        "curve_seconds": updates * seconds,
        "curve_loss": np.maximum(1.0 - 0.1 * rate * updates, 0.0),
        "seconds_per_update": seconds,
        "updates_per_second": 1 / seconds,
        "loss_jitter": 1.0 / batch,
        "train_loss": 0.1,
        "val_loss": 0.2,
        "learning_rate": 0.05,
        "noise_trace": np.array([40.0, 42.0]),
        "noise_signal": np.array([4.0, 4.4]),
        **more,
    }
    settings = {"batch_size": batch, "seed": seed}
    return TrialResult(settings, status, values, "", parallel)


def study(**options):
    """Return three arms: the fastest update is that of 1, the fastest learner is 8."""
    trials = [
        trial(batch, seed, seconds=seconds * (1 + 0.02 * seed), rate=rate)
        for batch, seconds, rate in ((100, 10.0, 1.0), (8, 1.2, 1.0), (1, 1.0, 0.3))
        for seed in range(4)
    ]
    return BatchSizeResult(trials, rows=100, target_loss=0.75, **options)


def test_fastest_update_is_not_fastest_convergence():
    result = study()
    speed = result.ranking("seconds_per_update")
    assert speed.order == (1, 8, 100)
    assert speed.distinguishable(1, 8)
    assert result.ranking("loss_jitter").order == (100, 8, 1)
    assert result.ranking("seconds_to_target").order[0] == 8
    assert result.recommendation.batch_size == 8
    assert result.recommendation.confidence == 1.0


def test_times_to_target_are_interpolated():
    table = study().table()
    assert table["updates_to_target"][0] == pytest.approx(2.5)
    assert table["samples_to_target"][0] == pytest.approx(250)
    assert table["epochs_to_target"][0] == pytest.approx(2.5)
    assert table["updates_to_target"][8] == pytest.approx(2.5 / 0.3)


def test_default_target_is_nine_tenths_of_the_way():
    trials = [trial(8, 0, rate=0.5)]
    result = BatchSizeResult(trials, rows=100)
    assert result.target_loss == pytest.approx(1 - 0.9 * 0.5)
    assert np.isnan(BatchSizeResult([], rows=100).target_loss)


def test_not_reached_is_nan():
    result = BatchSizeResult([trial(8, 0)], rows=100, target_loss=-1.0)
    assert np.isnan(result.table()["seconds_to_target"]).all()
    assert "No batch size reached" in result.recommendation.reason


def test_times_of_parallel_runs_are_not_compared():
    trials = [trial(b, s, parallel=b == 8) for b in (8, 1) for s in range(2)]
    result = BatchSizeResult(trials, rows=100, target_loss=0.75)
    assert "not compared" in result.ranking("seconds_per_update").note
    assert set(result.table()["times_from"]) == {"sequential run", "parallel run"}
    assert "samples" in result.recommendation.reason
    assert any("in parallel" in text for text in result.recommendation.warnings)


def test_failed_arms_are_left_out():
    trials = [trial(8, s) for s in range(2)]
    trials += [trial(64, 0), trial(64, 1, status="diverged")]
    advice = BatchSizeResult(trials, rows=100, target_loss=0.75).recommendation
    assert advice.batch_size == 8
    assert "64 left out" in advice.reason
    failed = [TrialResult({"batch_size": 8, "seed": 0}, "failed", error="oh")]
    assert BatchSizeResult(failed, rows=9).recommendation.batch_size is None


def test_arms_that_generalise_worse_are_left_out():
    trials = [trial(8, s, val_loss=0.2 + 0.001 * s) for s in range(3)]
    trials += [trial(4, s, seconds=0.1, val_loss=0.9 + 0.001 * s) for s in range(3)]
    advice = BatchSizeResult(trials, rows=100, target_loss=0.75).recommendation
    assert advice.batch_size == 8
    assert "worse val_loss" in advice.reason


def test_warnings():
    about = {"batch_normalization": True}
    small = BatchSizeResult([trial(8, 0)], rows=81, about=about, target_loss=0.75)
    texts = " ".join(small.recommendation.warnings)
    assert "batch normalization estimates" in texts
    assert "last batch of an epoch has 1 of 8" in texts
    large = BatchSizeResult([trial(64, 0)], rows=128, target_loss=0.75)
    assert "beyond the critical batch size" in " ".join(large.recommendation.warnings)
    assert np.isnan(large.recommendation.confidence)


def test_unknown_measures_are_refused():
    with pytest.raises(ValueError, match="column of the table"):
        study().values("speed")


def test_seeds_that_did_not_reach_the_target_are_counted():
    trials = [trial(8, 0), trial(8, 1, rate=0.1), trial(1, 0, rate=0.1)]
    text = str(BatchSizeResult(trials, rows=100, target_loss=0.75))
    assert "(from 1 of 2 seeds)" in text
    assert "batch size      1: not reached" in text


def test_sure_and_not_distinguishable_are_not_said_together():
    trials = [trial(8, s, seconds=1 + 0.3 * s) for s in range(4)]
    trials += [trial(16, s, seconds=1.05 + 0.3 * s) for s in range(4)]
    advice = BatchSizeResult(trials, rows=160, target_loss=0.75).recommendation
    assert advice.batch_size == 8
    assert advice.ties == (16,)
    assert advice.confidence == 1.0  # first with each of the seeds
    assert "not clearly the best" in str(advice)
    assert "resampled" not in str(advice)
    sure = " ".join(str(study().recommendation).split())
    assert "first in 100% of resampled seeds" in sure


def test_means_of_the_noise_stay_in_their_range():
    trials = [trial(b, s, update_noise=1 - 0.9 * s) for b in (8, 1) for s in range(2)]
    result = BatchSizeResult(trials, rows=100, target_loss=0.75)
    for interval in result.ranking("update_noise").intervals:
        assert 0 <= interval.low < interval.high <= 2


def test_a_notebook_shows_the_recommendation_first():
    html = study()._repr_html_()
    advice, _, rest = html.partition("<details>")
    assert "Recommended: batch_size=8" in advice
    assert "seconds an update" not in advice
    assert "What was measured" in rest.partition("</summary>")[0]
    assert "seconds an update" in rest
