"""Order of rows against simulated draws."""

import numpy as np
import pytest

from keras_dlbasic.analysis.row_order import order_of_classes, order_of_values


def split(values, size):
    return [values[i : i + size] for i in range(0, len(values), size)]


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.1] * 10, [0.97, 0.02, 0.01]])
@pytest.mark.parametrize("size", [4, 32])
def test_the_bound_holds_for_random_draws(rng, shares, size):
    chances, seen, expected = [], [], []
    for _ in range(300):
        drawn = rng.choice(len(shares), 20 * size, p=shares)
        order = order_of_classes(split(drawn, size))
        if order is not None:
            chances.append(order.log10_chance)
            seen.append(order.seen)
            expected.append(order.expected)
    # a bound: such a small probability is at least as rare as it says
    for level in (0.1, 0.03):
        assert np.mean(np.array(chances) <= np.log10(level)) <= 1.5 * level
    assert np.mean(expected) == pytest.approx(np.mean(seen), rel=0.02)


@pytest.mark.parametrize("n_classes", [2, 5, 40])
def test_sorted_rows(rng, n_classes):
    y = np.sort(rng.integers(0, n_classes, 640))
    assert order_of_classes(split(y, 32)).log10_chance < -20


def test_a_shuffle_buffer_smaller_than_a_class(rng):
    """Each batch is drawn from the next 60 rows of sorted ones."""
    rows, out = list(np.repeat(np.arange(4), 150)), []
    while rows:
        out.append(rows.pop(rng.integers(min(60, len(rows)))))
    order = order_of_classes(split(np.array(out), 16))
    assert order.log10_chance < -6
    assert order.seen < 0.6 * order.expected


def test_stratified_batches_are_in_no_order():
    assert order_of_classes([np.arange(8)] * 12).log10_chance == 0.0


def test_values(rng):
    chances = [
        order_of_values(split(rng.standard_cauchy(320), 16)).log10_chance
        for _ in range(200)
    ]
    assert np.mean(np.array(chances) < -1) < 0.2
    assert min(chances) > -4
    order = order_of_values(split(np.sort(rng.standard_cauchy(320)), 16))
    assert order.log10_chance < -6
    assert order.seen < 0.05 < order.expected < 1


def test_too_little_to_tell():
    assert order_of_classes([np.zeros(9)] * 9) is None
    assert order_of_classes([np.zeros(9), np.ones(9)]) is None
    assert order_of_values([np.ones(9)] * 9) is None
    assert order_of_values([np.arange(9)] * 3) is None


def test_batches_of_a_single_value_each():
    order = order_of_values([np.full(8, float(i)) for i in range(6)])
    assert order.seen == 0.0
    assert order.log10_chance < -6
