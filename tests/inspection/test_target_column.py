"""A column of the inputs that is the target, and batches that are the same."""

import numpy as np
import pytest

from keras_dlbasic.inspection.different_batches import different_batches
from keras_dlbasic.inspection.target_column import target_column


@pytest.fixture
def x(rng):
    return rng.normal(size=(300, 5)).astype("float32")


@pytest.mark.parametrize(
    "copy",
    [
        lambda column: column,
        lambda column: 100 - 7 * column[:, None],
        lambda column: (column / 3).astype("float32"),
    ],
)
def test_a_copy_is_found(x, copy):
    assert target_column(x, copy(x[:, 2])) == 2


def test_class_numbers_under_other_names(x, rng):
    y = rng.integers(0, 4, 300)
    leaked = np.column_stack([x, np.array([7, 3, 9, 1])[y]])
    assert target_column(leaked, y) == 5
    codes = np.column_stack([x, np.where(rng.random(300) < 0.02, 7, y)])
    assert target_column(codes, y) is None


@pytest.mark.parametrize(
    "target",
    [
        lambda x, rng: x[:, 2] + 1e-3 * rng.normal(size=300),  # close, but no copy
        lambda x, rng: x @ np.ones(5),
        lambda x, rng: (x[:, 2] > 0).astype(int),
        lambda x, rng: np.ones(300),
        lambda x, rng: np.where(x[:, 2] > 2, np.nan, x[:, 2]),
        lambda x, rng: x,  # an autoencoder
    ],
)
def test_what_is_no_copy(x, rng, target):
    assert target_column(x, target(x, rng)) is None


def test_what_is_not_looked_at(x):
    assert target_column(x[:, :1], x[:, 0]) is None  # a line through points
    assert target_column(x[:40], x[:40, 0]) is None
    assert target_column(x[:, :, None, None], x[:, 0]) is None  # pictures
    assert target_column(x.astype(str), x[:, 0]) is None


def test_batches_that_come_again(x):
    first, second = (x[:9], x[:9, 0]), (x[9:18], x[9:18, 0])
    assert different_batches([first, second, first, first]) == 2
    other = (x[:9], -x[:9, 0])
    assert different_batches([first, other]) == 2
    assert different_batches([]) == 0


def test_windows_of_kinds_and_of_ids():
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(200, 8, 2)).astype("float32")
    windows[:, 3, 1] = rng.integers(0, 3, 200)
    assert target_column(windows, windows[:, 3, 1]) is None  # which kind is the task
    ids = rng.integers(0, 999, (200, 8, 2))
    assert target_column(ids, ids[:, 7, 0]) is None


def test_what_is_close_is_no_copy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5))
    assert target_column(x, x[:, 2] + 3e-4 * rng.normal(size=300)) is None
    assert target_column(x, x[:, 2] + 5e-5 * rng.normal(size=300)) == 2
