"""Which tensors are reduced together: no backend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic._backends.stacking import STACKED_ENTRIES, groups_of_shapes

pytestmark = pytest.mark.once  # knows no backend

LARGE = (STACKED_ENTRIES + 1,)


def test_small_tensors_of_a_shape_go_together():
    shapes = [(3, 2), (2,), (3, 2), LARGE, (2,), LARGE, (2, 3)]
    groups, places = groups_of_shapes(shapes)
    assert groups == [[0, 2], [1, 4], [3], [5], [6]]
    assert places == [0, 2, 1, 4, 3, 5, 6]


def test_tensors_of_unknown_shape_stay_alone():
    groups, _ = groups_of_shapes([None, (None, 3), None, (None, 3), (), ()])
    assert groups == [[0], [1], [2], [3], [4, 5]]


@given(st.lists(st.sampled_from([(), (2,), (2, 3), LARGE, None, (None, 1)])))
def test_what_groups_give_in_turn_is_put_back_in_order(shapes):
    groups, places = groups_of_shapes(shapes)
    given_in_turn = [place for group in groups for place in group]
    assert [given_in_turn[place] for place in places] == list(range(len(shapes)))
