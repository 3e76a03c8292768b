"""Processes that train together agree, or find out that they do not."""

import itertools
import threading
from collections import Counter

import keras
import pytest

import keras_dlbasic as kd
from keras_dlbasic._backends import processes
from keras_dlbasic._backends.processes import Processes
from keras_dlbasic.callbacks import fit_watch

pytestmark = pytest.mark.once


class Board:
    """As much of a key-value store as is needed."""

    def __init__(self):
        self.texts = {}

    def put(self, key, text):
        self.texts[key] = text

    def put_first(self, key, text):
        return self.texts.setdefault(key, text)

    def get(self, key, seconds):
        return self.texts.get(key)


class TimedBoard(Board):
    """A store on a clock of its own, which goes on when all processes wait."""

    def __init__(self, alive, stall):
        super().__init__()
        self.now, self.alive, self.stall = 0.0, alive, stall
        self.asleep = {}
        self.turn = threading.Condition()

    def put(self, key, text):
        super().put(key, text)
        self.wake()

    def put_first(self, key, text):
        if threading.current_thread().name == "0":
            self.sleep(self.now + self.stall)
        stands = super().put_first(key, text)
        self.wake()
        return stands

    def get(self, key, seconds):
        end = self.now + seconds
        while key not in self.texts and self.now < end:
            self.sleep(end)
        return self.texts.get(key)

    def wake(self):
        self.asleep.clear()
        self.turn.notify_all()

    def sleep(self, until):
        while self.now < until:
            self.asleep[threading.get_ident()] = until
            self.go_on()
            while threading.get_ident() in self.asleep:
                self.turn.wait()

    def go_on(self):
        if self.asleep and len(self.asleep) == self.alive:
            self.now = min(self.asleep.values())
            self.wake()

    def leave(self):
        self.alive -= 1
        self.go_on()


def found_by_all(starts, stall):
    """What processes find that begin to ask at given seconds, and how long it took."""
    board, found = TimedBoard(len(starts), stall), {}

    def run(number, start):
        with board.turn:
            board.sleep(start)
            own = Processes(number, len(starts), board, "fit")
            texts = own.together("topic", str(number))
            found[number] = texts, board.now - start
            board.leave()

    threads = [
        threading.Thread(target=run, args=given, name=str(given[0]), daemon=True)
        for given in enumerate(starts)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "_asked", OwnCounts())
        patch.setattr(processes.time, "monotonic", lambda: board.now)
        with board.turn:
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join()
    return [found[number] for number in range(len(starts))]


class OwnCounts(dict):
    """Each process counts for itself, and each asks once."""

    def __getitem__(self, name):
        return dict.get(self, (threading.get_ident(), name), 0)

    def __setitem__(self, name, count):
        dict.__setitem__(self, (threading.get_ident(), name), count)


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
    # who comes late gets the same decision
    late = Processes(1, 2, board, "i")
    board.texts["keras_dlbasic/i/topic/1/all"] = "null"
    assert late.together("topic", "b", 0.01) is None


def test_who_gave_up_is_not_counted_on():
    board = Board()
    assert Processes(1, 2, board, "j").together("topic", "b", 0.01) is None
    assert board.texts["keras_dlbasic/j/topic/1/all"] == "null"
    processes._asked.clear()  # process 0, which comes later
    assert Processes(0, 2, board, "j").together("topic", "a", 0.01) is None


def test_who_puts_first_on_a_store_of_pytorch():
    torch = pytest.importorskip("torch")
    from keras_dlbasic._backends.torch.processes import _Board

    board = _Board(torch.distributed.HashStore())
    assert [board.put_first("key", text) for text in ("a", "b")] == ["a", "a"]
    assert board.get("key", 0.1) == "a"


@pytest.mark.parametrize("stall", [0, 50])
def test_all_find_the_same_in_whatever_order_they_ask(stall):
    """Else those that agree would train on and wait for the one that does not."""
    times = (0, 20, 41, 65, 99)
    for starts in itertools.product(times, repeat=3):
        found = found_by_all(starts, stall)
        texts = [said for said, _ in found]
        assert texts in ([["0", "1", "2"]] * 3, [None] * 3), starts
        assert max(took for _, took in found) <= 61 + stall
        if max(starts) - min(starts) < processes.SECONDS and not stall:
            assert texts[0] is not None, starts


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"1": "other"}, "the processes were given different callbacks. Pass the same"),
        ({}, "not all 2 processes started .* within 30 s. Pass the same callbacks in"),
    ],
)
def test_why_gradients_are_not_watched(others, expected, monkeypatch):
    board = Board()
    key = "keras_dlbasic/fit/the steps to measure/1"
    board.texts = {f"{key}/{number}": said for number, said in others.items()}
    monkeypatch.setattr(processes, "_asked", Counter())
    several = Processes(0, 2, board, "fit")
    monkeypatch.setattr(fit_watch, "processes_of", lambda _: several)
    monkeypatch.setattr(fit_watch, "reason_not_to_watch", lambda *_, **__: None)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    monitor = kd.callbacks.GradientNormMonitor()
    monitor.set_params({"epochs": 1, "steps": 1, "verbose": 0})
    monitor.set_model(model)
    monitor.on_train_begin()
    with pytest.warns(UserWarning, match=f"Gradients are not watched: {expected}"):
        monitor.on_epoch_begin(0)


def test_any():
    board = Board()
    board.texts["keras_dlbasic/l/topic/1/1"] = "true"
    assert Processes(0, 2, board, "l").any("topic", is_so=False)
    assert Processes(0, 1).any("topic", is_so=True)
    assert not Processes(0, 1).any("topic", is_so=False)
    assert not Processes(0, 2, None).any("topic", is_so=True)
