import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic.analysis import detect_overfitting
from keras_dlbasic.analysis.overfitting.curve_turn import find_turn

N = 60
T = np.arange(N)


def descent(rng, level=0.01, floor=0.5):
    """A validation loss that falls to a floor, with noise, and its training loss."""
    fall = np.exp(-T / 5)
    val = (floor + fall) * (1 + level * rng.standard_normal(N))
    return 0.8 * (floor + fall) * (1 + 0.3 * level * rng.standard_normal(N)), val


def overfitting(rng, *, onset=25, rise=0.3, level=0.01):
    loss, val = descent(rng, level)
    after = np.maximum(0, T - onset)
    return loss * np.exp(-after / 40), val + 0.5 * rise * after / after[-1]


@pytest.mark.parametrize("seed", range(20))
def test_overfitting_is_found_where_it_begins(seed):
    rng = np.random.default_rng(seed)
    verdict = detect_overfitting(*overfitting(rng, level=0.005))
    assert verdict.detected
    assert verdict.pattern == "overfitting"
    assert abs(verdict.onset - 25) <= 4
    assert verdict.rise == pytest.approx(0.3, abs=0.06)
    assert verdict.confidence > 0.9
    assert f"since epoch {verdict.onset + 1}" in verdict.reason


def test_noise_on_a_plateau_is_hardly_ever_overfitting():
    flagged = [
        detect_overfitting(*descent(np.random.default_rng(seed), level=0.03)).detected
        for seed in range(60)
    ]
    assert sum(flagged) <= 1


def test_bad_epochs_in_a_row_are_no_rise():
    """One in fifteen, two or three in a row: five of these eight alarmed once."""
    alarms = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        loss, val = descent(rng, level=0.01)
        for place in np.flatnonzero(rng.random(N) < 1 / 15):
            val[place : place + rng.integers(2, 4)] *= 1 + rng.uniform(0.1, 0.4)
        alarms += any(
            detect_overfitting(loss[:n], val[:n]).detected for n in range(15, N + 1)
        )
    assert alarms <= 2


@pytest.mark.parametrize("seed", [54, 73, 84])
def test_a_rise_of_a_short_curve_is_found_at_its_13th_epoch(seed):
    """Up to 12 epochs more is asked for; that is not asked of the 12th afterwards."""
    t = np.arange(13)
    rng = np.random.default_rng(seed)
    val = 1 + 0.5 * np.exp(-t) + 0.03 * np.maximum(t - 5, 0)
    assert find_turn(val + 0.012 * rng.standard_normal(14)[:13]).turned


def test_a_rise_after_bad_epochs_is_found(rng):
    loss, val = overfitting(rng)
    val[[8, 15]] *= 1.3
    found = [detect_overfitting(loss[:n], val[:n]).detected for n in range(20, N)]
    assert found.index(True) < 22
    assert all(found[found.index(True) :])


def test_alarms_after_every_epoch_stay_rare():
    alarms = 0
    for seed in range(20):
        loss, val = descent(np.random.default_rng(seed), level=0.02)
        alarms += any(
            detect_overfitting(loss[:n], val[:n]).detected for n in range(1, N + 1)
        )
    assert alarms <= 2


def test_severity_follows_the_rise():
    severities = [
        detect_overfitting(*overfitting(np.random.default_rng(0), rise=rise)).severity
        for rise in (0.04, 0.15, 0.6)
    ]
    assert severities == ["info", "warning", "critical"]


def test_the_gap_is_given_per_epoch():
    verdict = detect_overfitting([1.0, 0.5], [1.5, np.nan])
    np.testing.assert_array_equal(verdict.gap, [0.5, np.nan])


# -- what is not overfitting --------------------------------------------------------


def pattern(loss, val):
    verdict = detect_overfitting(loss, val)
    assert not verdict.detected
    assert verdict.onset is None
    assert verdict.severity == "info"
    assert verdict.reason.startswith("No overfitting")
    return verdict.pattern


def test_one_bad_epoch_anywhere(rng):
    loss, val = descent(rng, level=0.005)
    for place in (5, 30, N - 1):
        bad = val.copy()
        bad[place] *= 3
        assert pattern(loss, bad) in ("plateau", "improving")


def test_constant_curves():
    assert pattern(np.ones(30), np.ones(30)) == "plateau"


def test_a_constant_gap_and_a_validation_loss_below_training(rng):
    loss, val = descent(rng)
    assert pattern(loss, 1.3 * val) in ("plateau", "improving")
    assert pattern(1.5 * loss, val) in ("plateau", "improving")


def test_divergence(rng):
    loss, val = descent(rng)
    growth = np.exp(np.maximum(0, T - 40) / 4)
    assert pattern(loss * growth, val * growth) == "diverging"
    assert "diverge" in detect_overfitting(loss * growth, val * growth).reason


def test_divergence_while_training_loss_lags(rng):
    loss, val = descent(rng)
    growth = np.exp(np.maximum(0, T - 40) / 4)
    assert pattern(loss * growth**0.3, val * growth) == "diverging"


def test_oscillation(rng):
    loss, val = descent(rng)
    for period in (2, 5, 11):
        swing = 1 + 0.2 * np.sin(2 * np.pi * T / period + 1)
        assert pattern(loss * swing, val * swing) == "oscillating_loss"
        assert pattern(loss, val * swing) == "oscillating_loss"
        assert "oscillates" in detect_overfitting(loss, val * swing).reason


def test_double_descent(rng):
    loss, val = descent(rng, level=0.005)
    bump = 0.2 * np.exp(-0.5 * ((T - 25) / 4) ** 2)
    drop = 0.1 / (1 + np.exp(-(T - 35) / 2))
    assert pattern(loss * np.exp(-T / 50), val + bump - drop) == "recovered"


def test_nan_at_the_end_at_once_and_never_again(rng):
    loss, val = descent(rng)
    for first in (0, 1, 30, N - 1):
        bad_loss, bad_val = loss.copy(), val.copy()
        bad_loss[first:], bad_val[first:] = np.nan, np.inf
        assert pattern(bad_loss, bad_val) == "non_finite_values"
    once = val.copy()
    once[20] = np.nan
    assert pattern(loss, once) in ("plateau", "improving")


def test_validation_loss_alone_turning_nan(rng):
    loss, val = descent(rng)
    val[-4:] = np.nan
    assert pattern(loss, val) == "non_finite_values"


def test_too_short_and_without_validation():
    assert pattern([], []) == "no_validation"
    assert pattern([1.0, 0.5], [1.0, 2.0]) == "too_short"
    assert pattern([1.0, 0.5], [np.nan, np.nan]) == "no_validation"


def test_a_training_loss_that_drifts_a_tenth_as_much_is_overfitting(rng):
    for drift in (0.0, 0.05):
        after = np.maximum(0, T - 20) / 39
        val = (0.5 + np.exp(-np.minimum(T, 20) / 5)) * (1 + 0.4 * after)
        loss = (0.1 + np.exp(-np.minimum(T, 20) / 5)) * (1 + drift * after)
        val = val * (1 + 0.01 * rng.standard_normal(N))
        loss = loss * (1 + 0.003 * rng.standard_normal(N))
        found = [detect_overfitting(loss[:n], val[:n]).detected for n in range(5, N, 3)]
        first = found.index(True)
        assert all(found[first:])  # it is not withdrawn


def test_noise_that_wanders_is_seldom_overfitting():
    """Noise with a memory of 0.6: nine of these twelve alarmed by independent errors."""
    alarms = 0
    for seed in range(50, 62):
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal(N)
        for i in range(1, N):
            noise[i] = 0.6 * noise[i - 1] + 0.8 * noise[i]
        loss, val = descent(rng, level=0.0)
        val = val * (1 + 0.03 * noise)
        alarms += any(
            detect_overfitting(loss[:n], val[:n]).detected for n in range(8, N + 1, 6)
        )
    assert alarms <= 3


def test_a_small_rise_in_loud_noise_is_found():
    found = [
        detect_overfitting(
            *overfitting(np.random.default_rng(seed), rise=0.25, level=0.07)
        ).detected
        for seed in range(20)
    ]
    assert sum(found) >= 17


def test_the_caller_chooses_the_level(rng):
    curves = overfitting(rng, rise=0.04, level=0.002)
    found = {
        level: detect_overfitting(*curves, min_severity=level)
        for level in ("info", "warning", "critical")
    }
    assert [v.detected for v in found.values()] == [True, False, False]
    for level, verdict in found.items():
        assert verdict.min_severity == level
        assert verdict.severity == "info"
        assert verdict.pattern == "overfitting"
        assert verdict.onset == found["info"].onset
    assert "No overfitting at severity 'warning'" in found["warning"].reason
    steep = detect_overfitting(*overfitting(rng, rise=0.5), min_severity="critical")
    assert steep.detected


def test_the_alarm_has_its_chance_under_noise(rng):
    verdict = detect_overfitting(*overfitting(rng, rise=0.3))
    assert verdict.p_value == 1 - verdict.confidence < 0.001
    assert "p-value below 0.1%" in verdict.reason


def test_a_rise_that_one_epoch_alone_shows_does_not_count_for_a_chance():
    """The words once said that it would count from a threshold that it exceeded."""
    rng = np.random.default_rng(71)
    val = 1 + 0.03 * rng.standard_normal(30)
    val[-3:] += 0.09
    turn = find_turn(val)
    assert not turn.turned
    assert turn.statistic > turn.threshold
    assert turn.confidence == 0.95
    verdict = detect_overfitting(np.exp(-np.arange(30) / 10), val)
    assert not verdict.detected
    assert verdict.p_value >= 0.15  # the training loss falls
    assert "above the threshold of 2.8, but only the last epochs" in verdict.reason
    lower = detect_overfitting(np.ones(29), val[:-1])
    assert lower.turn.statistic <= lower.turn.threshold
    assert "of its noise (threshold 2.8)." in lower.reason


def test_a_rise_no_larger_than_one_that_came_back_does_not_count_for_a_chance():
    t = np.arange(60)
    val = np.where(t < 30, 3.0, 1.0) + 0.3 * (t >= 50)
    val += 0.01 * np.random.default_rng(0).standard_normal(60)
    assert find_turn(val).turned
    hump = find_turn(val + (np.abs(t - 17) <= 5))
    assert not hump.turned
    assert hump.statistic > 1.3 * hump.threshold
    assert hump.confidence == 0.95


@pytest.mark.parametrize("size", [0.2, 1.0])
def test_an_early_hump_does_not_hide_a_later_rise_that_lasts(size):
    """It lasted for 11 epochs; the rise of 30 standard deviations lasts for 50."""
    t = np.arange(100)
    rng = np.random.default_rng(0)
    val = np.where(t < 30, 3.0, 1.0) + 0.3 * (t >= 50) + size * (np.abs(t - 17) <= 5)
    val += 0.01 * rng.standard_normal(100)
    loss = np.exp(-t / 30) + 0.001 * rng.standard_normal(100)
    found = [detect_overfitting(loss[:n], val[:n]).detected for n in range(31, 101)]
    assert not any(found[:20])
    assert found.index(True) < 50
    assert all(found[found.index(True) :])


@pytest.mark.parametrize("factor", [1e-300, 1e-160, 1e155, 1e200, 1e307])
def test_losses_of_any_size_are_judged_alike(rng, factor):
    loss, val = overfitting(rng)
    one = detect_overfitting(loss, val)
    other = detect_overfitting(factor * loss, factor * val)
    assert (one.pattern, one.onset) == (other.pattern, other.onset)
    assert one.turn.statistic == pytest.approx(other.turn.statistic, rel=1e-6)
    assert other.turn.lowest == pytest.approx(factor * one.turn.lowest, rel=1e-6)
    assert other.turn.noise == pytest.approx(factor * one.turn.noise, rel=1e-6)


def test_one_huge_loss_does_not_hide_the_others(rng):
    loss, val = overfitting(rng)
    loss[0], val[0] = 1e300, 1e305
    verdict = detect_overfitting(loss, val)
    assert verdict.detected
    assert abs(verdict.onset - 25) <= 4


def test_a_chance_above_the_usual_level_is_explained():
    """With a falling training loss up to 15 % will do, which has to be said."""
    seen = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        loss, val = overfitting(rng, rise=0.15, level=0.02)
        for n in range(30, N + 1, 2):
            verdict = detect_overfitting(loss[:n], val[:n])
            is_weak = verdict.detected and verdict.p_value >= 0.05
            seen += is_weak
            said = "the limit is 15% because the training loss has fallen"
            assert (said in verdict.reason) == is_weak
            if is_weak:
                assert verdict.p_value < 0.15
                assert verdict.train_change < 0
    assert seen


@given(st.integers(8, N - 30), st.integers(1, 200))
def test_a_rise_goes_back_the_less_likely_the_longer_it_lasts(more, left):
    loss, val = overfitting(np.random.default_rng(0), level=0.001, rise=0.5)
    young, old = (
        detect_overfitting(loss[:n], val[:n]) for n in (30 + more - 2, 30 + more)
    )
    assert young.detected
    assert 0 < old.chance_of_reversal(left) < young.chance_of_reversal(left) <= 1
    assert old.chance_of_reversal(left) < old.chance_of_reversal(left + 1)
    assert detect_overfitting(loss[:20], val[:20]).chance_of_reversal(left) == 1
    assert young.chance_of_reversal(0) == 0  # nothing is left to go back in


# -- more ---------------------------------------------------------------------------


def test_epochs_without_validation_are_passed_over(rng):
    loss, val = overfitting(rng, level=0.003)
    sparse = np.where(T % 3 == 2, val, np.nan)
    verdict = detect_overfitting(loss, sparse)
    assert verdict.detected
    assert abs(verdict.onset - 25) <= 4
    assert verdict.onset % 3 == 2


def test_numbers_of_epochs(rng):
    loss, val = overfitting(rng, level=0.003)
    plain = detect_overfitting(loss, val)
    shifted = detect_overfitting(loss, val, epochs=T + 100)
    assert shifted.onset == plain.onset + 100
    assert f"epoch {plain.onset + 101}" in shifted.reason


def test_the_metric_is_reported_apart(rng):
    loss, val = overfitting(rng, level=0.003)
    better = 0.5 + 0.4 * (1 - np.exp(-T / 10)) + 0.001 * rng.standard_normal(N)
    verdict = detect_overfitting(loss, val, val_metric=better, mode="max")
    assert verdict.detected
    assert not verdict.metric.turned
    assert "overconfident" in verdict.reason
    worse = better - 0.01 * np.maximum(0, T - 30)
    verdict = detect_overfitting(loss, val, metric=better, val_metric=worse, mode="max")
    assert verdict.metric.turned
    assert abs(verdict.metric.onset - 30) <= 3
    np.testing.assert_allclose(verdict.metric_gap, better - worse)
    error = detect_overfitting(loss, val, val_metric=-worse, mode="min")
    assert error.metric.onset == verdict.metric.onset


def test_negative_losses(rng):
    loss, val = overfitting(rng, level=0.003)
    assert detect_overfitting(loss - 5, val - 5).detected
    loss, val = descent(rng, level=0.003)
    assert not detect_overfitting(loss - 0.7, val - 0.7).detected


@given(
    seed=st.integers(0, 10**6),
    factor=st.floats(1e-6, 1e6),
    rise=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_the_unit_of_the_loss_does_not_matter(seed, factor, rise):
    loss, val = overfitting(np.random.default_rng(seed), rise=rise)
    one = detect_overfitting(loss, val)
    other = detect_overfitting(factor * loss, factor * val)
    assert (one.pattern, one.onset) == (other.pattern, other.onset)
    assert one.turn.statistic == pytest.approx(other.turn.statistic, rel=1e-4)


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2),
        max_size=30,
    )
)
def test_any_curve_gets_a_verdict(rows):
    loss, val = ([row[i] for row in rows] for i in (0, 1))
    verdict = detect_overfitting(loss, val)
    assert 0 <= verdict.confidence <= 1
    assert verdict.reason
    assert (verdict.onset is not None) == verdict.detected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0], [1.0, 2.0]), "lengths"),
        (([[1.0]], [1.0]), "shape"),
        (([1.0], [1.0], {"val_metric": [1.0]}), "mode"),
        (([1.0], [1.0], {"val_metric": [1.0], "mode": "up"}), "mode='up'"),
        (([1.0], [1.0], {"min_rise": -1}), "min_rise"),
        (([1.0], [1.0], {"epochs": [1, 2]}), "lengths"),
        (([1.0], [1.0], {"learning_rate": [1, 2]}), "lengths"),
        (([1.0], [1.0], {"min_severity": "bad"}), "min_severity='bad'"),
    ],
)
def test_what_is_refused(arguments, words):
    *curves, options = (*arguments, {})[:3]
    with pytest.raises(ValueError, match=words):
        detect_overfitting(*curves, **options)
