"""How well the last value of a series forecasts."""

import numpy as np
import pytest

from keras_dlbasic.inspection.last_value import last_value_skill

RNG = np.random.default_rng(0)
WALK = RNG.normal(size=400).cumsum()
WINDOWS = np.stack([WALK[i : i + 10] for i in range(380)])
NEXT = WALK[10:390]


def square_of_correlation(last, y):
    return np.corrcoef(last, y)[0, 1] ** 2


def test_it_is_the_square_of_the_correlation():
    expected = square_of_correlation(WINDOWS[:-1, -1], NEXT[:-1])
    assert last_value_skill(WINDOWS, NEXT) == pytest.approx(expected)
    others = RNG.normal(size=(380, 10))
    scaled = np.stack([others, (WINDOWS - 3) / 7], axis=2)
    assert last_value_skill(scaled, NEXT[:, None]) == pytest.approx(expected)
    order = RNG.permutation(380)  # windows of one series are known in any order
    mixed = last_value_skill(WINDOWS[order], NEXT[order])
    assert mixed == pytest.approx(expected, abs=0.01)


def test_several_steps_ahead():
    ahead = np.stack([WALK[10 + h : 380 + h] for h in range(4)], axis=1)
    last, known = WINDOWS[:369, -1], ahead[:369]
    lines = [np.polyfit(last, column, 1) for column in known.T]
    left = sum(
        ((column - np.polyval(line, last)) ** 2).sum()
        for line, column in zip(lines, known.T, strict=True)
    )
    whole = ((known - known.mean(axis=0)) ** 2).sum()
    found = last_value_skill(WINDOWS[:370], ahead)
    assert found == pytest.approx(1 - left / whole)


NOISE = RNG.normal(size=(380, 10, 2))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (RNG.normal(size=(380, 10)), NEXT),  # a table
        (WINDOWS[:40], NEXT[:40]),  # few rows
        (NOISE, NOISE[:, -1, 0] + 0.1 * NEXT),  # a reading of now
        (WINDOWS[:, :, None], 5 - 2 * WINDOWS[:, -1]),  # a function of now
        (WINDOWS, np.ones(380)),
        (WINDOWS.astype(object), NEXT),
        (WINDOWS[:, :, None], np.where(NEXT > 3, np.nan, NEXT)),
        (WINDOWS[:, :, None, None], NEXT),
        (WINDOWS, NEXT[:200]),
        (np.float64(3.0), np.float64(1.0)),
    ],
)
def test_where_it_is_not_known(x, y):
    assert np.isnan(last_value_skill(np.asarray(x), np.asarray(y)))
