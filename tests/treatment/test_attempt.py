"""Which of two attempts is kept."""

import pytest

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.treatment.attempt import Attempt, better_first
from keras_dlbasic.treatment.plan import Plan

CAUSE = Finding("saturating_activations", "cause", "critical", "They are.")


def attempt(name, progress, *, kept=True):
    remedy = RemedySuggestion(name, "it may help")
    return Attempt(CAUSE, remedy, Plan(9, 8), 0.0, 0.1, kept, "it is gone", progress)


@pytest.mark.parametrize(
    ("progress", "kept", "expected"),
    [
        (0.3, True, "insert_normalization"),
        (0.3, False, "swap_activations"),
        (0.1, True, "swap_activations"),
        (0.2, True, "swap_activations"),
    ],
)
def test_the_one_that_comes_to_more(progress, kept, expected):
    first = attempt("swap_activations", 0.2)
    second = attempt("insert_normalization", progress, kept=kept)
    better, other = better_first(first, second)
    assert better.remedy.name == expected
    assert better in (first, second)
    assert {better.remedy, other.remedy} == {first.remedy, second.remedy}
    assert not other.kept
    assert other.note == f"it is gone; {better.remedy.title} brings more"
