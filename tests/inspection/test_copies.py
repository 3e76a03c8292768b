"""Validation rows that are training rows, wholly or nearly."""

import numpy as np
import pytest

from keras_dlbasic.inspection.near_copies import near_copies
from keras_dlbasic.inspection.repeats_by_nature import repeats_by_nature
from keras_dlbasic.inspection.shared_pieces import shared_pieces
from keras_dlbasic.inspection.validation_facts import validation_facts


def parted(x, y, rng):
    order = rng.permutation(len(x))
    cut = int(0.7 * len(x))
    first, last = order[:cut], order[cut:]
    return x[first], y[first], x[last], y[last]


@pytest.mark.parametrize("columns", [3, 12])
def test_noisy_copies_before_and_after_the_split(rng, columns):
    x, y = rng.normal(size=(200, columns)), rng.integers(0, 2, 200)
    noise = 0.01 * rng.normal(size=(800, columns))
    before = parted(np.tile(x, (4, 1)) + noise, np.tile(y, 4), rng)
    assert near_copies(*before) > 0.8
    own, own_y, new, new_y = parted(x, y, rng)
    augmented = np.tile(own, (4, 1)) + noise[: 4 * len(own)]
    assert near_copies(augmented, np.tile(own_y, 4), new, new_y) < 0.1


def test_near_rows_with_another_answer_are_no_copies(rng):
    x = rng.normal(size=(400, 6))
    y = rng.integers(0, 2, 400)
    near = x[:100] + 1e-3
    assert near_copies(x, y, near, y[:100]) > 0.9
    assert near_copies(x, y, near, 1 - y[:100]) == 0


@pytest.mark.parametrize("columns", [1, 2, 3, 8, 40])
def test_rows_drawn_at_random_are_no_copies(rng, columns):
    x = rng.normal(size=(900, columns))
    assert not near_copies(x[:600], None, x[600:], None) > 0.1  # NaN on a line


def test_what_cannot_be_told_to_be_a_copy(rng):
    few = rng.normal(size=(60, 3))
    assert np.isnan(near_copies(few, None, few, None))
    same = np.zeros((300, 3))
    assert np.isnan(near_copies(same, None, same, None))
    assert np.isnan(near_copies(np.where(few > 1, np.nan, few), None, few, None))


@pytest.mark.parametrize("columns", [1, 3])
def test_windows_of_one_recording(rng, columns):
    series = np.cumsum(rng.normal(size=(600, columns)), axis=0).astype("float32")
    windows = np.stack([series[i : i + 20] for i in range(0, 580, 2)])
    mixed = rng.permutation(windows)
    assert shared_pieces(mixed[:200], mixed[200:]) > 0.9
    assert shared_pieces(windows[:200], windows[200:]) < 0.2
    apart = rng.permutation(series[:580].reshape(29, 20, columns))
    assert shared_pieces(apart[:20], apart[20:]) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_copies_of_another_precision_are_copies(rng, dtype):
    series = rng.normal(size=(400, 2)).cumsum(axis=0)
    windows = rng.permutation(np.stack([series[i : i + 20] for i in range(300)]))
    other = {"float32": "float64", "float64": "float32"}[dtype]
    own, held = windows[:200].astype(dtype), windows[200:].astype(other)
    assert shared_pieces(own, held) > 0.9
    y = np.zeros(300)
    same = validation_facts(own, y[:200], own[:50].astype(other), y[:50])
    assert same.overlap == 1.0
    assert validation_facts(own, y[:200], held, y[200:]).overlap == 0.0


def test_windows_that_tell_nothing(rng):
    quiet = np.zeros((50, 20, 1))
    assert np.isnan(shared_pieces(quiet, quiet))
    gray = rng.integers(0, 17, (400, 64)) / 16  # some four in a row come again
    assert np.isnan(shared_pieces(gray[:200], gray[200:]))
    table = rng.normal(size=(60, 20))
    table[:, :4] = [0.5, 1.5, 2.5, 3.5]  # the same in all rows, at the same place
    assert shared_pieces(table[:30], table[30:]) == 0
    words = rng.integers(0, 9, (50, 20))
    assert np.isnan(shared_pieces(words, words))
    assert np.isnan(shared_pieces(rng.normal(size=(50, 5)), rng.normal(size=(50, 5))))


def test_coarse_rows_repeat_by_nature(rng):
    answers = rng.integers(0, 4, (500, 6))
    assert repeats_by_nature(answers)
    assert repeats_by_nature(np.eye(4)[answers].reshape(500, -1))  # as one-hot columns
    table = rng.normal(size=(100, 10))
    assert not repeats_by_nature(table[rng.integers(0, 100, 2000)])  # copies
    gray = rng.integers(0, 17, (300, 64))
    assert not repeats_by_nature(gray)


@pytest.mark.parametrize("one_hot", [False, True])
def test_windows_of_a_text_that_repeats_itself_are_excused(rng, one_hot):
    verses = rng.integers(0, 40, (6, 30))
    text = verses[rng.integers(0, 6, 60)].reshape(-1)
    windows = np.stack([text[i : i + 12] for i in range(len(text) - 12)])
    y = text[12:]
    x = np.eye(40)[windows] if one_hot else windows
    facts = validation_facts(x[:1200], y[:1200], x[1200:], y[1200:])
    assert facts.overlap > 0.5
    assert facts.repeats_by_nature is True
    assert abs(facts.overlap - facts.repeats) < 0.05
    rows = rng.integers(0, 40, (200, 12))  # copies of rows that are no windows
    copies = rows[rng.integers(0, 200, 900)]
    facts = validation_facts(*parted(copies, copies[:, 0], rng))
    assert facts.repeats_by_nature is False


def test_copies_made_before_the_split_are_not_excused(rng):
    x, y = rng.normal(size=(150, 9)), rng.integers(0, 2, 150)
    more = rng.integers(0, 150, 600)
    facts = validation_facts(*parted(x[more], y[more], rng))
    assert facts.overlap > 0.8
    assert facts.repeats > 0.8
    assert facts.repeats_by_nature is False
    coarse = rng.integers(0, 3, (600, 4))
    facts = validation_facts(*parted(coarse, coarse[:, 0], rng))
    assert facts.repeats_by_nature is True


def test_blank_rows_are_counted(rng):
    x = rng.normal(size=(100, 6))
    x[:30] = 0.0
    facts = validation_facts(x, None, x, None)
    assert (facts.overlap, facts.blank) == (1.0, 0.3)
    assert validation_facts(x[:, :1], None, x[:, :1], None).blank == 0


def test_sizes_of_pictures_are_compared_and_codes_are_not(rng):
    pictures = rng.integers(0, 256, (40, 4, 4, 1))
    assert validation_facts(pictures, None, pictures / 255, None).scale < 0.01
    assert validation_facts(pictures, None, pictures // 99, None).scale < 0.1
    codes = pictures.reshape(40, -1)
    assert np.isnan(validation_facts(codes, None, codes // 99, None).scale)


def test_ids_of_an_only_column_repeat_by_nature(rng):
    assert repeats_by_nature(rng.integers(0, 70, 2000))
    assert not repeats_by_nature(rng.integers(0, 70, 2000) / 7)
    assert not repeats_by_nature(np.arange(2000))


def test_rows_that_have_several_answers_repeat_by_nature(rng):
    kinds = rng.normal(size=(40, 6))[rng.integers(0, 40, 900)]
    drawn, fixed = rng.integers(0, 3, 900), (kinds[:, 0] > 0).astype(int)
    for y, expected in ((drawn, True), (fixed, False)):
        facts = validation_facts(*parted(kinds, y, rng))
        assert facts.repeats_by_nature is expected


def test_inputs_side_by_side_are_no_windows(rng):
    series = rng.normal(size=1200)
    windows = np.stack([series[i : i + 12] for i in range(1000)])
    own, own_y, new, new_y = parted(windows, np.zeros(1000), rng)
    assert validation_facts(own, own_y, new, new_y).shared_pieces > 0.9
    # an input that is a window beside one that is none
    day, new_day = own[:, :1], new[:, :1]
    both, new_both = np.hstack([own, day]), np.hstack([new, new_day])
    parts = [(own, new), (day, new_day)]
    facts = validation_facts(both, own_y, new_both, new_y, parts=parts)
    assert facts.shared_pieces > 0.9
    # rows of a table that are the first input of some pairs and the second of others
    x = rng.normal(size=(300, 12))
    first, second = (x[rng.integers(0, 300, 1000)] for _ in range(2))
    one, other = np.split(first, [700]), np.split(second, [700])
    pairs = [np.hstack(part) for part in zip(one, other, strict=True)]
    answers = np.zeros(700), np.zeros(300)
    args = pairs[0], answers[0], pairs[1], answers[1]
    assert validation_facts(*args).shared_pieces > 0.5
    parts = [(one[0], one[1]), (other[0], other[1])]
    assert validation_facts(*args, parts=parts).shared_pieces == 0


def test_a_few_rows_with_several_answers_hide_no_copies(rng):
    x, y = rng.normal(size=(150, 8)), rng.integers(0, 2, 150)
    x, y = np.tile(x, (4, 1)) + 0.01 * rng.normal(size=(600, 8)), np.tile(y, 4)
    own, own_y, new, new_y = parted(x, y, rng)
    own, own_y = np.vstack([own, own[:12]]), np.r_[own_y, 1 - own_y[:12]]
    facts = validation_facts(own, own_y, new, new_y)
    assert facts.repeats_by_nature is False
    assert facts.near_copies > 0.8
