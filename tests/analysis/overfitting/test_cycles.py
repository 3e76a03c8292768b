"""Warm restarts and cyclic rates: epochs of the same phase are compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic.analysis import detect_overfitting
from keras_dlbasic.analysis.overfitting.curve_cycles import (
    cycle_starts,
    without_cycles,
)
from keras_dlbasic.analysis.overfitting.epoch_rates import epoch_rates
from keras_dlbasic.records import MEASURES, TrainingRecord, VariableInfo


def cosine(lengths):
    parts = [(1 + np.cos(np.pi * np.arange(n) / n)) / 2 for n in lengths]
    return 0.1 * np.concatenate(parts) + 1e-4


def run(rate, rise, seed, swing=0.3):
    """Curves that swing with the rate, around a validation loss that rises."""
    rng = np.random.default_rng(seed)
    n = len(rate)
    t = np.arange(n)
    up = 1 + swing * rate / rate.max()
    after = np.maximum(0, t - n // 3) / (n - 1 - n // 3)
    level = (0.5 + np.exp(-np.minimum(t, n // 3) / 5)) * (1 + rise * after)
    loss = np.exp(-t / 20) * up * (1 + 0.003 * rng.standard_normal(n))
    return loss, level * up * (1 + 0.01 * rng.standard_normal(n))


LENGTHS = pytest.mark.parametrize("lengths", [[12] * 5, [6] * 9, [7, 14, 28]])


@pytest.mark.parametrize(
    ("lengths", "rise"),
    [([12] * 5, 0.15), ([12] * 5, 0.6), ([6] * 9, 0.15), ([7, 14, 28], 0.6)],
)
def test_a_rise_from_trough_to_trough_is_found(lengths, rise):
    rate = cosine(lengths)
    for seed in range(3):
        curves = run(rate, rise, seed)
        verdict = detect_overfitting(*curves, learning_rate=rate)
        assert verdict.detected
        assert verdict.cyclic
        assert abs(verdict.onset - len(rate) // 3) <= max(lengths)
        assert "same phase" in verdict.reason
        if len(set(lengths)) == 1:  # then the curves alone show the period
            assert detect_overfitting(*curves).detected


@LENGTHS
def test_restarts_alone_are_no_overfitting_at_any_epoch(lengths):
    rate = cosine(lengths)
    for seed in range(2):
        loss, val = run(rate, 0.0, seed)
        for n in range(5, len(rate) + 1, 3):
            verdict = detect_overfitting(loss[:n], val[:n], learning_rate=rate[:n])
            assert not verdict.detected


def test_one_restart_does_not_say_how_long_cycles_are():
    """The second cycle is longer than the first one, as it shows before it ends."""
    rate = cosine([10, 50])
    loss, val = run(rate, 0.0, 0)
    assert without_cycles(loss[:20], val[:20], rate[:20]).cyclic is False
    for n in (30, 45):  # once taken for three and more cycles of ten epochs
        curves = without_cycles(loss[:n], val[:n], rate[:n])
        np.testing.assert_array_equal(curves.val[:10], val[:10])
        assert np.isnan(curves.val[10:]).all()
    curves = without_cycles(loss, val, rate)
    assert curves.cyclic
    known = np.flatnonzero(np.isfinite(curves.val))
    np.testing.assert_array_equal(known, np.flatnonzero(np.isfinite(curves.train)))
    assert {8, 9, 58, 59} <= set(known) <= {7, 8, 9, *range(45, 60)}


def test_a_longer_cycle_takes_no_alarm_back():
    """Once it is longer than those before, only troughs are compared."""
    rate = cosine([20, 20, 20, 40])
    loss, val = run(rate, 0.6, 1)
    for n in (60, 70, 80, 90):
        verdict = detect_overfitting(loss[:n], val[:n], learning_rate=rate[:n])
        assert verdict.detected
        assert verdict.last_compared == (59 if n == 90 else n - 1)
    assert "by epoch 60 the validation loss rose" in verdict.reason


def test_training_losses_of_high_rates_are_not_compared_with_those_of_troughs():
    """The losses of the last epochs are higher as the rate is, whatever was learned."""
    rate = cosine([20, 20, 20, 40])[:65]
    t = np.arange(65)
    up = 1 + 3 * rate / rate.max()
    val = 0.5 + 0.01 * np.maximum(0, t - 20)
    missing = np.where(t == 2, np.nan, val)  # so that troughs are compared
    loss = np.exp(-t / 60) * up
    verdict = detect_overfitting(loss, missing, learning_rate=rate)
    assert verdict.pattern == "overfitting"
    assert verdict.train_change < 0


def test_what_the_first_cycle_shows_stands_until_a_second_trough():
    # Two epochs in a row have to show the rise (see `find_turn`). One of 0.6 shows only
    # at the last epoch of the first cycle.
    rate = cosine([30, 30])
    loss, val = run(rate, 0.8, 0)
    first = detect_overfitting(loss[:30], val[:30], learning_rate=rate[:30])
    assert first.detected
    for n in (31, 40, 50):
        verdict = detect_overfitting(loss[:n], val[:n], learning_rate=rate[:n])
        assert verdict.onset == first.onset
        assert verdict.last_compared == 29
        assert verdict.last_epoch == n - 1
        assert not verdict.cyclic
        assert "by epoch 30 the validation loss rose" in verdict.reason
        assert verdict.chance_of_reversal(10) == first.chance_of_reversal(10)


def test_a_first_cycle_that_shows_a_rise_at_its_last_epoch_only_shows_none():
    rate = cosine([30, 30])
    loss, val = run(rate, 0.6, 0)
    for n in (30, 31, 40, 50):
        verdict = detect_overfitting(loss[:n], val[:n], learning_rate=rate[:n])
        assert not verdict.detected
        assert verdict.turn.statistic > verdict.turn.threshold
        assert verdict.p_value >= 0.05
        assert "only the last epochs show it" in verdict.reason
    whole = detect_overfitting(loss, val, learning_rate=rate)
    assert (whole.detected, whole.severity) == (True, "critical")


def test_too_few_epochs_in_troughs_are_not_too_few_with_validation():
    rate = cosine([7, 14])[:18]
    verdict = detect_overfitting(*run(rate, 0.0, 0), learning_rate=rate)
    assert verdict.pattern == "too_short"
    assert "fewer than 5 epochs with the lowest learning rates" in verdict.reason


def test_a_swing_that_the_rate_explains_is_no_oscillation():
    rate = cosine([8] * 8)
    curves = run(rate, 0.0, 0)
    assert detect_overfitting(*curves).pattern == "oscillating_loss"
    assert detect_overfitting(*curves, learning_rate=rate).pattern == "plateau"


@given(st.lists(st.integers(4, 30), min_size=1, max_size=6), st.integers(0, 5))
def test_cycles_begin_where_the_rate_comes_back(lengths, warmup):
    rate = np.append(np.linspace(0.01, 0.1, warmup + 1)[:-1], cosine(lengths))
    expected = [0, *(warmup + np.cumsum(lengths)[:-1])]
    assert cycle_starts(rate).tolist() == expected


@pytest.mark.parametrize(
    "rate",
    [
        np.full(20, 0.1),
        0.1 * 0.5 ** (np.arange(40) // 10),  # steps down
        0.1 / (1 + np.arange(40)),
        np.r_[np.linspace(0, 0.1, 5), cosine([30])],  # warmup and cosine
        np.full(20, np.nan),
    ],
)
def test_rates_that_only_fall_are_one_cycle(rate):
    assert cycle_starts(rate).tolist() == [0]


@pytest.mark.parametrize("n", [80, 161, 177])
def test_steps_down_are_not_taken_for_cycles(n):
    """Drops a quarter of the run apart swing in two cycles of four, not in all."""
    t = np.arange(n)
    loss, level = np.ones((2, n)) * 0.6 + 0.6 * np.exp(-t / (n / 12))
    for drop in (n // 2, 3 * n // 4):
        fall = 1 - np.exp(-np.maximum(0, t - drop + 1.0))
        loss, level = loss * (1 - 0.5 * fall), level * (1 - 0.25 * fall)
    onset = 3 * n // 4 + 2
    after = np.maximum(0, t - onset) / (n - 1 - onset)
    val = np.where(t > onset, level[onset], level) * (1 + 0.3 * after)
    rng = np.random.default_rng(0)
    loss, val = (c * (1 + 0.005 * rng.standard_normal(n)) for c in (loss, val))
    verdict = detect_overfitting(loss, val)
    assert not verdict.cyclic
    assert verdict.detected
    assert abs(verdict.onset - onset) <= 2


def test_a_triangular_rate():
    rate = 0.01 + np.abs(np.arange(40) % 10 - 5)
    assert cycle_starts(rate).tolist() == [0, 6, 16, 26, 36]


@given(
    st.integers(3, 9),
    st.lists(st.floats(0, 0.5), min_size=9, max_size=9),
    st.floats(-0.02, 0.02),
)
def test_an_exact_swing_is_taken_out_exactly(period, swing, slope):
    """A trend times a swing: what is left is the trend, as high as in the troughs."""
    t = np.arange(5 * period)
    swing = np.exp(np.array(swing[:period]))
    trend = np.exp(slope * t)
    rate = np.where(t % period == 0, 1.0, 0.1)
    curves = without_cycles(trend, trend * swing[t % period], rate)
    np.testing.assert_allclose(curves.val, trend * swing.min(), rtol=1e-9)
    np.testing.assert_allclose(curves.train, trend, rtol=1e-9)


def test_the_rate_of_an_epoch_is_the_logged_one_or_that_of_its_last_step():
    record = TrainingRecord([VariableInfo("d/kernel", "d", "kernel", (2, 2), 0)])
    for step, rate in enumerate([0.4, 0.3, 0.2, 0.1]):
        scalars = {"epoch": step // 2, "learning_rate": rate}
        record.append_step(step, scalars, np.ones((len(MEASURES), 1)))
    for epoch in range(3):
        record.append_epoch(epoch, {"loss": 1.0})
    np.testing.assert_allclose(epoch_rates(record), [0.3, 0.1, np.nan])
    record.append_epoch(1, {"learning_rate": 0.7})
    np.testing.assert_allclose(epoch_rates(record), [0.3, 0.7, np.nan])
    assert epoch_rates(TrainingRecord.from_history({"loss": [1.0]})) is None
