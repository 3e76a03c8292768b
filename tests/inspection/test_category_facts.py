"""Columns that hold codes of categories."""

import numpy as np
import pytest

from keras_dlbasic.inspection.category_facts import category_facts

RNG = np.random.default_rng(0)
N = 300
CODES = RNG.integers(0, 20, (N, 2))
EFFECTS = RNG.normal(size=(2, 20))
VALUES = (EFFECTS[0][CODES[:, 0]] + EFFECTS[1][CODES[:, 1]])[:, None]
CLASSES = np.eye(2)[(VALUES[:, 0] > 0).astype(int)]
OTHER = RNG.normal(size=(N, 1))


@pytest.mark.parametrize(("y", "task"), [(VALUES, "values"), (CLASSES, "classes")])
@pytest.mark.parametrize("scale", [1, 1 / 20], ids=["codes", "scaled"])
def test_codes_of_categories(y, task, scale):
    found = category_facts(np.hstack([OTHER, scale * CODES]), y, task)
    assert found.columns == (1, 2)
    assert found.as_categories > found.as_numbers + 0.3


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (CODES, CODES @ [[1.0], [2.0]]),  # counts, which have an order
        (CODES, RNG.normal(size=(N, 1))),
        (OTHER, VALUES),
        (CODES[:60], VALUES[:60]),  # few rows
        ((CODES > 9).astype(int), VALUES),  # two values are what they are
        (RNG.permutation(N)[:, None], VALUES),  # a number for each row
        (CODES[:, :, None], VALUES),
        (np.where(CODES > 18, np.nan, CODES), VALUES),
    ],
    ids=["ordered", "unrelated", "values", "few", "two", "rows", "3d", "missing"],
)
def test_other_columns(x, y):
    assert category_facts(x, y, "values") is None
