"""The judgement of a range test, on made losses."""

import numpy as np
import pytest

import keras_dlbasic as kd

RATE = np.geomspace(1e-6, 10, 100)


def losses(*, best=1e-2, noise=0.0, seed=0):
    """Still, then falling around `best`, then rising."""
    fall = 1.5 / (1 + (best / 10 / RATE) ** 2)
    rise = (RATE / (10 * best)) ** 2
    return 2.3 - fall + rise + noise * np.random.default_rng(seed).normal(size=100)


@pytest.mark.parametrize("best", [1e-3, 1e-2, 1e-1])
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
def test_a_rate_where_the_loss_falls(best, noise):
    found = kd.analysis.judge_learning_rates(RATE, losses(best=best, noise=noise))
    assert best / 30 < found.suggestion < 3 * best
    assert best < found.diverged
    assert f"{found.suggestion:.2g}" in found.reason


def test_noise_alone_gives_no_rate():
    flagged = 0
    for seed in range(200):
        noise = 2.3 + 0.2 * np.random.default_rng(seed).normal(size=100)
        found = kd.analysis.judge_learning_rates(RATE, noise)
        flagged += found.suggestion is not None
    assert flagged <= 10


def test_what_follows_a_loss_that_is_not_finite_is_left_out():
    values = losses()
    values[90:] = np.nan
    found = kd.analysis.judge_learning_rates(RATE, values)
    cut = kd.analysis.judge_learning_rates(RATE[:90], values[:90])
    assert found.least == cut.least
    assert found.diverged <= RATE[90]
    nothing = kd.analysis.judge_learning_rates(RATE, np.full(100, np.nan))
    assert nothing.suggestion is None
    assert "not finite" in nothing.reason


def test_the_table_and_its_words():
    found = kd.analysis.judge_learning_rates(RATE, losses())
    assert len(found.table()) == 100
    assert found.table()[0]["learning_rate"] == pytest.approx(1e-6)
    assert "rose from" in repr(found)


@pytest.mark.parametrize(
    ("rate", "loss"),
    [(RATE[:5], RATE[:5]), (RATE[::-1], RATE), (RATE, RATE[:50]), (0 * RATE, RATE)],
)
def test_wrong_input(rate, loss):
    with pytest.raises(ValueError, match="Received"):
        kd.analysis.judge_learning_rates(rate, loss)
