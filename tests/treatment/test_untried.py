"""Which remedies are still to be tried."""

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.treatment.untried import Untried

BY_HAND = RemedySuggestion(None, "look at the labels: only you know")
SLOWER = RemedySuggestion("change_learning_rate", "it jumps", kwargs={"factor": 0.1})
SLOWEST = RemedySuggestion("change_learning_rate", "it jumps", kwargs={"factor": 0.01})
OUTPUT = RemedySuggestion("fix_output", "it does not fit")
LONGER = RemedySuggestion("train_longer", "it still falls")


def finding(*remedies):
    return Finding("loss_spikes", "symptom", "warning", "It jumps.", remedies=remedies)


def test_what_is_tried_once_is_not_tried_again():
    untried, found = Untried(), finding(SLOWER, SLOWEST, OUTPUT)
    untried.add(SLOWER)
    assert list(untried.remedies_of(found)) == [SLOWEST, OUTPUT]
    assert list(untried.remedies_of(found)) == [SLOWEST, OUTPUT]


def test_what_is_tried_in_between_is_left_out():
    untried = Untried()
    remedies = untried.remedies_of(finding(SLOWER, SLOWEST, OUTPUT))
    assert next(remedies) == SLOWER
    untried.add(SLOWEST)
    assert next(remedies) == OUTPUT


def test_only_what_can_go_further_comes_again_once_it_is_kept():
    untried, found = Untried(), finding(SLOWER, OUTPUT)
    for remedy in (SLOWER, OUTPUT):
        untried.add(remedy)
        untried.was_kept(remedy)
    assert list(untried.remedies_of(found)) == [SLOWER]


def test_short_trials_are_not_for_what_only_a_whole_training_shows():
    untried, found = Untried(), finding(LONGER, OUTPUT)
    assert list(untried.remedies_of(found, in_short_trial=True)) == [OUTPUT]
    assert list(untried.remedies_of(found)) == [LONGER, OUTPUT]


def test_what_is_done_by_hand_is_kept_once():
    untried, found = Untried(), finding(BY_HAND, OUTPUT)
    for _ in range(2):
        assert list(untried.remedies_of(found)) == [OUTPUT]
    assert untried.by_hand == (str(BY_HAND),)
