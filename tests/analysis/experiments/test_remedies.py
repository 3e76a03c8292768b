"""Which remedy is recommended, from scripted trials; the comparison from simulation."""

import numpy as np
import pytest
from scipy import stats

import keras_dlbasic as kd
from keras_dlbasic.analysis import RemedyResult, paired_differences
from keras_dlbasic.analysis.row_scores import row_scores
from keras_dlbasic.records import TrialResult

RNG = np.random.default_rng(0)


def test_errors_and_losses_of_classes():
    z = RNG.normal(size=(7, 3))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = RNG.integers(0, 3, 7)
    expected = (p.argmax(axis=1) != y).astype(float)
    losses = -np.log(p[np.arange(7), y])
    for targets in (y, y[:, None], np.eye(3)[y]):
        for given, logits in ((p, False), (z, True)):
            found = row_scores(targets, given, from_logits=logits)
            assert found.kind == "classes"
            np.testing.assert_array_equal(found.errors, expected)
            np.testing.assert_allclose(found.losses, losses)
            brier = ((p - np.eye(3)[y]) ** 2).sum(axis=1) / 2
            np.testing.assert_allclose(found.brier, brier)


def test_errors_of_labels_numbers_and_sequences():
    found = row_scores([0, 1, 1], [[0.2], [0.4], [0.9]])
    assert found.kind == "labels"
    assert found.errors.tolist() == [0, 1, 0]
    np.testing.assert_allclose(found.losses, -np.log([0.8, 0.4, 0.9]))
    logits = row_scores([0, 1], [[-1.0], [2.0]], from_logits=True)
    np.testing.assert_allclose(logits.losses, np.log1p(np.exp([-1.0, -2.0])))
    several = row_scores([[0, 1, 1], [0, 0, 0]], [[0.1, 0.9, 0.2], [0.1, 0.6, 0.7]])
    np.testing.assert_allclose(several.errors, [1 / 3, 2 / 3])
    y = np.array([1.0, 2.0, 4.5])
    numbers = row_scores(y, [1.0, 3.0, 4.0])
    assert numbers.kind == "numbers"
    np.testing.assert_allclose(numbers.errors, np.array([0, 1, 0.25]) / y.var())
    tokens = row_scores([[0, 1], [1, 1]], np.tile([0.2, 0.8], (2, 2, 1)))
    assert tokens.errors.tolist() == [0.5, 0.0]
    broken = row_scores([0, 1], [[np.nan, 1], [0, 1]])
    assert broken.errors.tolist() == [1, 0]
    assert broken.losses[0] == np.inf
    for y, p in (([0], [[1, 0], [0, 1]]), ([5, 0], [[1, 0]] * 2), ([[1, 2]], [[0.5]])):
        with pytest.raises(ValueError, match=r"predictions|columns"):
            row_scores(y, p)


def test_variance_of_seeds_and_rows():
    """Against the variance of the mean over many draws of both."""
    seeds, rows, n = 5, 40, 2000
    rng = np.random.default_rng(1)
    d = (
        rng.normal(0, 0.3, (n, seeds, 1))
        + rng.normal(0, 0.5, (n, 1, rows))
        + rng.normal(0, 1.0, (n, seeds, rows))
    )
    true = d.mean(axis=(1, 2)).var()
    zero = np.zeros((seeds, rows))
    found = [paired_differences({"a": one}, zero)["a"] for one in d[:200]]
    estimated = np.mean([f.standard_error**2 for f in found])
    assert estimated == pytest.approx(true, rel=0.1)


def test_nothing_is_found_where_nothing_is():
    """False alarms in at most 5 % of studies, also where arms scatter differently."""
    rng = np.random.default_rng(2)
    for scatter in (np.ones(8), np.linspace(0.3, 3, 8)):
        alarms = 0
        for _ in range(150):
            base = rng.normal(size=(5, 1)) + np.zeros((5, 3))
            arms = {
                str(k): s * rng.normal(size=(5, 1)) + np.zeros((5, 3))
                for k, s in enumerate(scatter)
            }
            found = paired_differences(arms, base)
            alarms += any(f.is_lower for f in found.values())
        # one sided test of the share 0.05 itself
        assert alarms <= stats.binom.ppf(0.99, 150, 0.05)


def test_one_seed_finds_nothing():
    found = paired_differences({"a": np.zeros((1, 50))}, np.ones((1, 50)))
    assert not found["a"].is_lower
    assert found["a"].interval.high == np.inf
    with pytest.raises(ValueError, match="seeds and rows"):
        paired_differences({"a": np.zeros((2, 5))}, np.zeros((2, 4)))
    assert paired_differences({}, np.zeros((2, 4))) == {}


def made(error, seed, remedy, rng, *, status="done", parallel=False, seconds=1.0):
    rows = (rng.random(400) < error).astype(float)
    values = {
        "kind": "classes",
        "train_error": 0.01,
        "train_loss": 0.02,
        "val_error": float(rows.mean()),
        "val_loss": 0.5,
        "row_errors": rows,
        "row_brier": rows * 0.3 + 0.05 * error,
        "training_seconds": seconds,
        "inference_seconds": 0.01 * seconds,
        "parameters": 100,
    }
    return TrialResult(
        {"remedy": remedy, "strength": None, "seed": seed},
        status,
        values if status == "done" else {},
        "" if status == "done" else "ValueError: no",
        parallel,
    )


def study(errors, **options):
    rng = np.random.default_rng(3)
    trials = [
        made(error, seed, name, rng, seconds=place + 1.0, **options)
        for seed in range(5)
        for place, (name, error) in enumerate(errors.items())
    ]
    return RemedyResult(trials, names={}, about={"rows": 200, "updates": 7})


def test_the_best_of_what_is_clearly_better():
    result = study({"untreated": 0.3, "L2": 0.2, "ensemble": 0.1, "smaller": 0.5})
    advice = result.recommendation
    assert advice.remedy == "ensemble"
    assert advice.also == ("L2",)
    assert advice.difference.interval.mean == pytest.approx(-0.2, abs=0.03)
    assert "at 3 times the training" in str(advice)
    table = result.table()
    assert table["clearly_better"].tolist() == [False, True, True, False]
    assert table["clearly_worse"].tolist() == [False, False, False, True]
    np.testing.assert_allclose(table["training_time"], [1, 2, 3, 4])
    gap = table["val_error"] - table["train_error"]
    np.testing.assert_allclose(table["gap"], gap)
    assert result.ranking("val_error").order[0] == "ensemble"
    assert len(result.trial_table()["seed"]) == 20
    assert "Recommended: ensemble" in str(result)


def test_as_good_and_cheaper_is_named():
    result = study({"untreated": 0.3, "L2": 0.1, "ensemble": 0.1})
    advice = result.recommendation
    other = {"L2": "ensemble", "ensemble": "L2"}[advice.remedy]
    assert f"Not distinguishable from it: {other}" in advice.reason


def test_nothing_is_recommended_where_nothing_helps():
    result = study({"untreated": 0.3, "L2": 0.3, "dropout": 0.31})
    advice = result.recommendation
    assert advice.remedy is None
    assert "no remedy is clearly better" in str(advice)
    only = study({"untreated": 0.3})
    assert "no remedy could be tried" in str(only.recommendation)


def changed(trial, **values):
    return TrialResult(trial.settings, values={**trial.values, **values})


def test_probabilities_tell_what_wrong_answers_do_not():
    """The same wrong answers but for a few, with much better probabilities."""
    trials, rng = [], np.random.default_rng(0)
    for seed in range(5):
        base = made(0.3, seed, "untreated", rng)
        trials.append(base)
        rows = base.values["row_errors"].copy()
        rows[np.flatnonzero(rows)[0]] = 0
        for name, share in (("ensemble", 0.5), ("dropout", 1.0)):
            trial = changed(
                base,
                row_errors=rows,
                val_error=float(rows.mean()),
                row_brier=share * base.values["row_brier"],
            )
            settings = {**base.settings, "remedy": name}
            trials.append(TrialResult(settings, values=trial.values))
    result = RemedyResult(trials, names={})
    assert not any(found.is_lower for found in result.differences.values())
    assert result.recommendation.remedy == "ensemble"
    assert "probabilities is clearly lower" in result.recommendation.reason


def scattered(gains, rng):
    """A study whose arms change a share of the answers, and right ones by `gains`."""
    truth = rng.random(400) < 0.2
    trials = []
    for seed in range(5):
        base = np.where(rng.random(400) < 0.1, rng.random(400) < 0.2, truth)
        for name, gain in {"untreated": 0.0, **gains}.items():
            rows = np.where(rng.random(400) < 0.1, rng.random(400) < 0.2, base)
            rows = np.where(rng.random(400) < gain, 0, rows).astype(float)
            trial = made(0.2, seed, name, rng)
            noise = rng.normal(0, 0.05, 400)
            brier = 0.3 * rows + noise
            trials.append(changed(trial, row_errors=rows, row_brier=brier))
    return RemedyResult(trials, names={})


def test_what_is_likely_better_is_recommended_as_such():
    rng = np.random.default_rng(0)
    nothing = {str(arm): 0.0 for arm in range(10)}
    found = [scattered({**nothing, "L2": 0.12}, rng).recommendation for _ in range(20)]
    named = [advice.remedy for advice in found]
    assert named.count("L2") >= 15
    likely = [advice for advice in found if advice.confidence == "likely"]
    assert all("likely, not certain" in str(advice) for advice in likely)
    assert {advice.confidence for advice in found} >= {"clear", "likely"}


def test_of_numbers_only_what_is_clear_is_recommended():
    """Their squared error is the error itself and tells nothing more."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        trials = scattered({"L2": 0.1, "dropout": 0.0}, rng).trials
        numbers = [
            changed(t, kind="numbers", row_brier=t.values["row_errors"]) for t in trials
        ]
        advice = RemedyResult(numbers, names={}).recommendation
        assert advice.confidence in ("clear", None)


def test_an_ensemble_is_compared_with_its_members():
    trials = list(study({"untreated": 0.3, "ensemble": 0.2}).trials)
    own = np.full(400, 0.2)
    trials = [
        changed(t, untreated_row_errors=own, untreated_row_brier=own)
        if t.settings["remedy"] == "ensemble"
        else t
        for t in trials
    ]
    found = RemedyResult(trials, names={}).differences["ensemble"]
    errors = [
        t.values["val_error"] for t in trials if "untreated_row_errors" in t.values
    ]
    assert found.interval.mean == pytest.approx(np.mean(errors) - 0.2)


def test_a_model_that_does_not_fit_gets_no_remedy():
    found = study({"untreated": 0.8, "L2": 0.6})
    assert found.recommendation.remedy == "L2"
    trials = [changed(t, train_error=0.78) for t in found.trials]
    for constant, fits in ((0.9, False), (2.0, True), (float("nan"), True)):
        result = RemedyResult(trials, names={}, about={"constant_error": constant})
        assert result.does_not_fit != fits
        assert (result.recommendation.remedy == "L2") == fits
    text = str(RemedyResult(trials, names={}, about={"constant_error": 0.9}))
    assert "does not fit yet" in text
    assert "kd.treat" in text


def test_a_line_and_words_of_any_result():
    result = study({"untreated": 0.3, "L2": 0.1})
    said = "<RemedyResult: 10 trials of 2 arms; recommended: L2>"
    assert repr(result) == said
    alike = study({"untreated": 0.3, "L2": 0.3})
    assert repr(alike).endswith("2 arms; recommended: none>")
    assert str(RemedyResult(result.trials, names={})).startswith("Remedies; error: ")
    empty = RemedyResult((), names={})
    assert repr(empty).endswith("0 trials of 0 arms; recommended: none>")
    assert str(empty) == "No trial was run."


def test_no_error_can_fall_by_more_than_it_was():
    result = study({"untreated": 0.01, "L2": 0.004, "smaller": 0.999})
    base = result.values("val_error")["untreated"].mean()
    for found in result.differences.values():
        assert -base <= found.interval.low <= found.interval.high <= 1 - base
    assert result.differences["smaller"].is_higher
    for arm in result.arms:
        assert 0 <= result.interval(arm).low <= result.interval(arm).high <= 1


def test_failed_and_parallel_trials():
    rng = np.random.default_rng(0)
    trials = list(study({"untreated": 0.3, "L2": 0.1}).trials)
    trials += [made(0.0, s, "smaller", rng, status="failed") for s in range(5)]
    result = RemedyResult(trials, names={("L2", None): "L2 0.1"})
    assert result.arms == ("untreated", "L2 0.1", "smaller")
    assert result.recommendation.remedy == "L2 0.1"
    assert "5 of 5 trials failed: ValueError: no" in str(result)
    assert "smaller" not in result.differences
    with pytest.raises(ValueError, match="measure"):
        result.values("speed")
    apart = study({"untreated": 0.3, "L2": 0.1}, parallel=True)
    assert np.isnan(apart.table()["training_time"]).all()
    assert "times" not in str(apart.recommendation)
    assert "not compared" in apart.ranking("training_seconds").note
    broken = study({"untreated": 0.3, "L2": 0.1}, status="failed")
    assert "untreated model did not train" in str(broken.recommendation)


def test_plot():
    result = study({"untreated": 0.3, "L2": 0.2, "ensemble": 0.1, "smaller": 0.5})
    axes = kd.plots.plot_remedy_study(result)
    labels = [label.get_text() for label in axes[0].get_yticklabels()]
    assert labels == ["untreated", "ensemble  ◀", "L2", "smaller"]
    with pytest.raises(ValueError, match="three axes"):
        kd.plots.plot_remedy_study(result, ax=axes[:2])
    for odd in (
        study({"untreated": 0.3}),
        study({"untreated": 0.3, "L2": 0.1}, parallel=True),
        study({"untreated": 0.3, "L2": 0.1}, status="failed"),
        RemedyResult(result.trials[:4], names={}),
    ):
        assert len(kd.plots.plot_remedy_study(odd)) == 3
