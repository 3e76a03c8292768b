"""Values as JSON."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.records.json_text import json_text, plain

LEAVES = st.none() | st.booleans() | st.integers() | st.text()
LEAVES |= st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=8
)


@given(VALUES)
def test_what_json_knows_is_read_back_unchanged(value):
    assert json.loads(json_text(value)) == value


def test_numpy_becomes_numbers_and_lists():
    value = {1: (np.float32(0.5), np.arange(3)), "b": np.bool_(True)}
    assert plain(value) == {"1": [0.5, [0, 1, 2]], "b": True}
    assert type(plain(np.float64(0.25))) is float


def test_non_finite_numbers_become_text_unless_kept():
    assert plain([np.nan, -np.inf, np.float32(np.inf)]) == ["nan", "-inf", "inf"]
    assert np.isnan(plain(np.nan, keep_non_finite=True))
    json.loads(json_text({"loss": np.nan}), parse_constant=lambda name: 1 / 0)


def test_the_caller_says_what_stands_for_other_objects():
    assert plain([print, 1], other=lambda value: value.__name__) == ["print", 1]


@given(st.integers(1, 500), st.integers(1, 500))
def test_an_even_choice(n, most):
    chosen = evenly(n, most)
    assert len(chosen) == min(n, most) == len(set(chosen.tolist()))
    assert chosen[0] == 0
    assert chosen[-1] == n - 1 or most == 1
    gaps = np.diff(chosen)
    assert not len(gaps) or gaps.max() - gaps.min() <= 1
