"""Methods replaced for one thread."""

import threading

import pytest

from keras_dlbasic._backends.intercept import wrapped_method

pytestmark = pytest.mark.once


class Owner:
    def apply(self):
        return "plain"


def test_a_thread_that_comes_while_the_last_one_goes_meets_its_own():
    owner, met = Owner(), []
    first_is_in, second_begins, first_is_out = (threading.Event() for _ in range(3))

    def first():
        with wrapped_method(owner, "apply", lambda method: lambda: "first"):
            first_is_in.set()
            second_begins.wait(10)
        first_is_out.set()

    def second():
        first_is_in.wait(10)

        def make(method):
            second_begins.set()
            first_is_out.wait(10)
            return lambda: "second"

        with wrapped_method(owner, "apply", make):
            met.append(owner.apply())

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert met == ["second"]
    assert owner.apply() == "plain"
    assert vars(owner) == {}


def test_nothing_is_left_behind_where_making_fails():
    owner = Owner()

    def make(method):
        raise RuntimeError("cannot")

    with pytest.raises(RuntimeError), wrapped_method(owner, "apply", make):
        pass
    assert vars(owner) == {}
