"""What targets are beside the inputs: one step on, padding, or in order of a column."""

import numpy as np
import pytest

from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.next_step_of import next_step_of
from keras_dlbasic.inspection.padded_targets import padded_targets
from keras_dlbasic.inspection.row_number_column import row_number_column

pytestmark = pytest.mark.once


def words(rng, n=32, steps=9):
    return rng.integers(1, 20, (n, steps))


def test_targets_one_step_on(rng):
    text = words(rng)
    x, y = text[:, :-1], text[:, 1:]
    assert next_step_of(y, [("x", x)]) == "x"
    assert next_step_of(y[..., None].astype("float32"), [("a", x[:5]), ("x", x)]) == "x"
    assert next_step_of(x, [("x", x)]) is None  # the same step: an autoencoder
    assert next_step_of(x, [("x", y)]) is None  # the step before
    assert next_step_of(y[:, -1], [("x", x)]) is None  # one answer a row
    assert next_step_of(rng.permutation(y), [("x", x)]) is None


def test_padding_is_no_evidence_of_a_next_step(rng):
    """Zeros are zeros one step on too: of ten steps nine are padding here."""
    x, y = np.zeros((32, 10), int), np.zeros((32, 10), int)
    x[:, :2], y[:, :2] = words(rng, steps=2), words(rng, steps=2)
    assert next_step_of(y, [("x", x)]) is None


def test_series_that_hardly_change_are_no_copies(rng):
    still = np.repeat(rng.normal(size=(32, 1)), 9, axis=1)
    assert next_step_of(still, [("x", still)]) is None


def padded(rng, used=3, steps=10):
    x = np.where(np.arange(steps) < used, words(rng, steps=steps), 0)
    return x, np.where(x > 0, x % 4 + 1, 0)


def test_targets_at_padding(rng):
    x, tags = padded(rng)
    share = pytest.approx(0.7)
    assert padded_targets(tags, [(x, True)]) == share
    assert padded_targets(np.eye(5)[tags], [(x, True)]) == share
    vectors = np.repeat(x[..., None], 2, axis=2).astype("float32")
    assert padded_targets(tags, [(vectors, False)]) == share
    drawn = rng.integers(0, 4, tags.shape)  # something is asked of padding as well
    assert padded_targets(drawn, [(x, True)]) == 0
    assert padded_targets(words(rng), [(words(rng), True)]) == 0  # no padding
    assert np.isnan(padded_targets(tags[:, 0], [(x, True)]))
    zeros = np.eye(5)[tags] * (x > 0)[..., None]  # of these a cross-entropy is zero
    assert padded_targets(zeros, [(x, True)]) == 0
    dark = np.where(np.arange(10)[:, None] < 6, rng.random((32, 10, 8)), 0.0)
    assert np.isnan(padded_targets((dark > 0.5) * 1, [(dark, False)]))  # a mask


def numbered(rng, n=300, drawn=None):
    """Rows that were numbered after they were sorted by class."""
    x, y = rng.normal(size=(n, 4)), np.repeat(np.arange(3), n // 3)
    x[:, 2] = np.arange(n)
    order = rng.permutation(n)[:drawn]
    return x[order], y[order]


def test_a_column_that_numbers_the_rows(rng):
    x, y = numbered(rng)
    assert row_number_column(x, y) == 2
    assert row_number_column(x, np.eye(3)[y]) == 2
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    assert row_number_column(scaled.astype("float32"), y) == 2
    assert row_number_column(*numbered(rng, drawn=220)) == 2  # some held out


def test_numbers_that_tell_no_class(rng):
    x, y = numbered(rng)
    assert row_number_column(x, rng.permutation(y)) is None
    x[:, 2] = y + 0.1 * rng.normal(size=len(y))  # a good feature, but no number
    assert row_number_column(x, y) is None
    x[:, 2] = np.arange(len(y)) // 10  # numbers of patients, ten rows each
    assert row_number_column(x, y) is None


def test_facts_of_data_hold_them(rng):
    text = words(rng)
    facts = data_facts(text[:, :-1], text[:, 1:])
    assert facts.targets[0].next_step_of == "0"
    assert data_facts(*numbered(rng)).inputs[0].row_number == 2
