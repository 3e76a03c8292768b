"""Processes that train together agree, or find out that they do not."""

import pytest

from keras_dlbasic._backends.processes import Processes

pytestmark = pytest.mark.once


class Board:
    """As much of a key-value store as is needed."""

    def __init__(self):
        self.texts = {}

    def put(self, key, text):
        self.texts[key] = text

    def get(self, key, seconds):
        return self.texts.get(key)


def test_all_are_told_the_same():
    texts = ["a", "b", "c"]
    assert Processes(0, 1, None, "one").together("topic", "a") == ["a"]
    boards = Board()
    boards.texts = {"keras_dlbasic/f/topic/1/1": "b", "keras_dlbasic/f/topic/1/2": "c"}
    assert Processes(0, 3, boards, "f").together("topic", "a") == texts
    assert boards.texts["keras_dlbasic/f/topic/1/all"] == '["a", "b", "c"]'
    follower = Board()
    follower.texts = {"keras_dlbasic/g/topic/1/all": '["a", "b", "c"]'}
    assert Processes(2, 3, follower, "g").together("topic", "c") == texts
    assert follower.texts["keras_dlbasic/g/topic/1/2"] == "c"


def test_one_that_does_not_ask_is_not_waited_for_for_ever():
    board = Board()
    assert Processes(0, 2, board, "h").together("topic", "a", 0.01) is None
    # who comes late is told the same
    late = Processes(1, 2, board, "i")
    board.texts["keras_dlbasic/i/topic/1/all"] = "null"
    assert late.together("topic", "b", 0.01) is None


def test_who_gave_up_is_not_counted_on():
    board = Board()
    assert Processes(1, 2, board, "j").together("topic", "b", 0.01) is None
    assert board.texts["keras_dlbasic/j/topic/1/1"] == "late"
    board.texts["keras_dlbasic/k/topic/1/1"] = "late"
    assert Processes(0, 2, board, "k").together("topic", "a", 0.01) is None


def test_any():
    board = Board()
    board.texts["keras_dlbasic/l/topic/1/1"] = "true"
    assert Processes(0, 2, board, "l").any("topic", is_so=False)
    assert Processes(0, 1).any("topic", is_so=True)
    assert not Processes(0, 1).any("topic", is_so=False)
    assert not Processes(0, 2, None).any("topic", is_so=True)
