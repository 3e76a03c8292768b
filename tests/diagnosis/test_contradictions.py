"""Advice that contradicts that of a better finding is an alternative."""

import keras
import numpy as np
import pytest
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, RemedySuggestion, Run, rule, suggest
from keras_dlbasic.diagnosis.contradictions import without_contradictions

pytestmark = pytest.mark.once


def test_in_a_diagnosis():
    @rule(kind="cause", needs=("loss",))
    def too_fast(run: Run) -> Finding:
        """Say so."""
        lower = suggest.lower_learning_rate("shorter steps")
        message = "Too fast."
        return Finding(severity="warning", message=message, remedies=(lower,))

    @rule(kind="cause", needs=("loss",))
    def too_slow(run: Run) -> Finding:
        """Say so."""
        advice = (suggest.raise_learning_rate("longer steps"), suggest.penalty("why"))
        message = "Too slow."
        return Finding(severity="critical", message=message, remedies=advice)

    slow, fast = kd.diagnose(made_run(), rules=[too_fast, too_slow])
    assert [advice.name for advice in slow.remedies] == [
        "change_learning_rate",
        "add_penalty",
    ]
    (lower,) = fast.remedies
    assert lower.reason == "shorter steps; an alternative to the advice of too_slow"


def settled(*advice, **facts):
    """What stands of advice, each of a finding of its own, and what is later."""
    findings = [
        Finding(name=f"f{i}", severity="warning", message="So.", remedies=(one,))
        for i, one in enumerate(advice)
    ]
    run = Run(made_run(facts=facts))
    found = without_contradictions(findings, run)
    return ["alternative" in finding.remedies[0].reason for finding in found]


def test_what_changes_nothing_contradicts_nothing():
    run = Run(made_run())
    size, rate = run.batch_size, float(np.float32(run.record.learning_rate[-1]))
    same_rate = RemedySuggestion(
        "change_learning_rate", "as it is", kwargs={"learning_rate": rate}
    )
    assert settled(
        suggest.batch_size("as it is", size), suggest.batch_size("more", 2 * size)
    ) == [False, False]
    assert settled(same_rate, suggest.raise_learning_rate("longer steps")) == [
        False,
        False,
    ]
    # in whatever place
    larger, smaller = suggest.batch_size("a", 2 * size), suggest.batch_size("b", 1)
    same = suggest.batch_size("as it is", size)
    assert settled(same, larger, same, smaller) == [False, False, False, True]


def test_a_resize_without_a_factor_doubles():
    bare = RemedySuggestion("resize", "more units")
    assert settled(bare, suggest.larger_model("more")) == [False, False]
    assert settled(bare, suggest.smaller_model("fewer")) == [False, True]


CLIPPED = {"class_name": "SGD", "learning_rate": 0.1, "global_clipnorm": 0.01}


def test_looser_against_tighter_clipping():
    looser = suggest.gradient_clipping("looser", norm=1.0)
    tighter = suggest.gradient_clipping("tighter", norm=0.001)
    assert settled(looser, tighter, optimizer=CLIPPED) == [False, True]
    assert settled(tighter, looser, optimizer=CLIPPED) == [False, True]
    assert settled(looser, looser, optimizer=CLIPPED) == [False, False]


SCHEDULE = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
CONFIG = keras.optimizers.schedules.serialize(SCHEDULE)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("change_learning_rate", {"learning_rate": SCHEDULE}),
        ("change_learning_rate", {"learning_rate": CONFIG}),
        ("change_learning_rate", {"learning_rate": float("nan")}),
        ("change_learning_rate", {"learning_rate": None, "factor": None}),
        ("change_learning_rate", {"factor": float("inf")}),
        ("change_batch_size", {"batch_size": "64"}),
        ("change_batch_size", {}),
        ("clip_gradients", {"global_clipnorm": "1"}),
        ("resize", {"width_factor": None}),
    ],
)
def test_advice_without_a_number_contradicts_nothing(name, kwargs):
    odd = RemedySuggestion(name, "as the rule says", kwargs=kwargs)
    plain = [
        suggest.raise_learning_rate("longer steps"),
        suggest.lower_learning_rate("shorter steps"),
    ]
    assert settled(odd, plain[0], optimizer=CLIPPED) == [False, False]
    assert settled(plain[1], odd, optimizer=CLIPPED) == [False, False]


def test_a_rule_that_advises_a_schedule():
    @rule(kind="cause", needs=("loss",))
    def decaying(run: Run) -> Finding:
        """Say so."""
        decay = RemedySuggestion(
            "change_learning_rate", "shorter steps", kwargs={"learning_rate": CONFIG}
        )
        advice = (decay, suggest.raise_learning_rate("longer steps"))
        return Finding(severity="warning", message="Constant.", remedies=advice)

    (found,) = kd.diagnose(made_run(), rules=[decaying])
    assert [advice.reason for advice in found.remedies] == [
        "shorter steps",
        "longer steps",
    ]
