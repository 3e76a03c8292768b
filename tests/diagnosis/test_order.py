"""One order for all that shows a diagnosis, and what is said where causes tie."""

import json

import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Diagnosis, Finding, Fine, rule, suggest
from keras_dlbasic.diagnosis.rivals import rivals_text
from keras_dlbasic.reports.html import html_text
from keras_dlbasic.reports.terminal import diagnosis_text


def finds(name, kind, given=None, **about):
    """A rule that finds the problem of this name in any run."""

    def function(run):
        """Find it."""
        return Finding(message=f"There is {name}.", **(given or {}))

    function.__name__ = name
    return rule(kind, **about)(function)


WARNING, CRITICAL = {"severity": "warning"}, {"severity": "critical"}
MAYBE = {"severity": "info", "risk": "critical"}


def judged(*rules):
    return kd.diagnose(made_run(), rules=rules)


def test_by_severity_then_causes_then_confidence():
    diagnosis = judged(
        finds("note", "cause", {"severity": "info"}),
        finds("sign", "symptom", CRITICAL),
        finds("doubtful", "cause", {**WARNING, "confidence": 0.6}),
        finds("likely", "cause", {**WARNING, "confidence": 0.9}),
        finds("hint", "symptom", WARNING),
    )
    assert diagnosis.names == ("sign", "likely", "doubtful", "hint", "note")


def test_what_is_shown_has_the_order_of_the_sequence():
    diagnosis = judged(
        finds("sign", "symptom", CRITICAL, explained_by=("weak",)),
        finds("weak", "cause", WARNING),
        finds("strong", "cause", CRITICAL, explains=("below",)),
        finds("below", "symptom", WARNING),
    )
    assert diagnosis.names == ("strong", "sign", "weak", "below")
    assert [f.name for f in diagnosis.top_level] == ["strong", "sign", "weak"]
    assert [f.name for f in diagnosis.beneath(diagnosis[0])] == ["below"]
    for text in (str(diagnosis), diagnosis_text(diagnosis), html_text(diagnosis)):
        places = [text.rindex(f"There is {name}.") for name in ("sign", "weak")]
        assert text.index("There is strong.") < places[0] < places[1]
        assert text.count("Perhaps by") == 1
    names = [entry["name"] for entry in json.loads(diagnosis.to_json())["findings"]]
    assert tuple(names) == diagnosis.names
    assert diagnosis.headline.startswith("There is strong.")


@pytest.mark.parametrize("make", [{}, {"dead": 1.0, "ratio": 0.5, **STUCK}, STUCK])
def test_the_first_finding_is_the_first_line(make):
    diagnosis = kd.diagnose(made_run(**make))
    assert diagnosis.top_level[:1] == diagnosis[:1]
    ranks = [finding.rank for finding in diagnosis]
    assert ranks == sorted(ranks, reverse=True)


def test_causes_that_fit_equally_are_said_to():
    cause = {**MAYBE, "remedies": (suggest.lower_learning_rate("shorter"),)}
    other = {**MAYBE, "told_apart_by": "look at the inputs", "confidence": 0.95}
    diagnosis = judged(
        finds("sign", "symptom", CRITICAL, explained_by=("one", "two", "three")),
        finds("one", "cause", cause),
        finds("two", "cause", other),
        finds("three", "cause", {**MAYBE, "confidence": 0.5}),
    )
    (group,) = diagnosis.rivals
    assert [found.name for found in group] == ["one", "two"]
    words = rivals_text(group)
    assert words.startswith("one and two explain this equally well.")
    assert words.endswith(
        "change one thing at a time: for one, change learning rate; for two, look at "
        "the inputs."
    )
    for text in (str(diagnosis), diagnosis_text(diagnosis), html_text(diagnosis)):
        assert words in " ".join(text.split())


def test_a_certain_cause_has_no_rivals():
    diagnosis = judged(
        finds("sign", "symptom", CRITICAL, explained_by=("sure", "maybe")),
        finds("sure", "cause", CRITICAL),
        finds("maybe", "cause", MAYBE),
    )
    assert diagnosis.rivals == ()
    assert kd.diagnose(made_run()).rivals == ()


def test_the_last_rules_judge_by_the_others():
    seen = {}

    @rule("symptom", last=True)
    def after(run):
        """Look at the others."""
        seen.update(run.verdicts)
        return Fine("looked")

    kd.diagnose(
        made_run(),
        rules=[
            after,
            finds("sign", "symptom", CRITICAL, explained_by=("cause",)),
            finds("cause", "cause", MAYBE),
        ],
    )
    assert sorted(seen) == ["cause", "sign"]
    assert seen["sign"].explained_by == ("cause",)
    assert seen["cause"].severity == "critical"


def test_a_diagnosis_made_by_hand_keeps_its_order():
    findings = [
        Finding("b", "symptom", "warning", "There is b."),
        Finding("a", "cause", "critical", "There is a."),
    ]
    assert Diagnosis(findings).names == ("b", "a")


def test_what_a_rule_decides_is_a_known_area():
    with pytest.raises(ValueError, match=r"`decides`.*'los'.*Did you mean 'loss'"):
        finds("odd", "cause", decides="los")


UNRELATED = {"reference": -0.02}
RISING = np.linspace(1.4, 1.9, 20)


def named(record):
    return {f.name: f for f in kd.diagnose(record)}.get("unknown_cause")


def test_a_failure_that_a_cause_explains_is_not_unknown():
    assert named(made_run(**STUCK)).severity == "warning"
    for cause in ({"ratio": 1e-6}, {"targets": {"max": 7.0}}, {"ratio": 0.5}):
        diagnosis = kd.diagnose(made_run(**{**STUCK, **cause}))
        assert diagnosis.causes
        words = diagnosis.checked_fine["unknown_cause"]
        assert words == f"explained by {diagnosis[0].name}"


def test_it_says_what_was_ruled_out_and_how_to_go_on():
    found = named(made_run(**STUCK))
    assert "is no better than a constant prediction" in found.message
    assert "Ruled out: loss_target_mismatch, output_activation_" in found.message
    assert "poor_initialization" in found.evidence["ruled_out"]
    assert "batch_size=32, epochs=300" in found.remedies[0].code
    skipped = kd.diagnose(made_run(**STUCK)).skipped
    assert set(found.evidence["not_checked"]) <= set(skipped)


def test_what_other_findings_advise_is_not_ruled_out():
    """As to train longer, above the words that too few updates are ruled out."""
    loss = np.linspace(1.386, 1.375, 20)
    record = made_run(loss=loss, end_loss=1.375, skill=0.0, reference=0.5)
    found = {finding.name: finding for finding in kd.diagnose(record)}
    advised = found["unknown_cause"].evidence["advised"]
    assert {"too_few_updates", "learning_rate_too_low"} <= set(advised)
    assert not set(advised) & set(found["unknown_cause"].evidence["ruled_out"])
    assert (
        "No sign was found of learning_rate_too_low" in found["unknown_cause"].message
    )
    # two findings about the same curve
    assert "still decreasing" in found["slow_convergence"].message
    assert "hardly decreases" in found["plateau"].message


def test_a_loss_that_breaks_for_no_known_reason():
    lost = np.r_[1.3, 1.2, np.full(18, np.nan)]
    found = named(made_run(loss=lost, steps=0))  # no gradients tell what broke
    assert "NaN or infinite" in found.message
    assert "before the first update" in found.remedies[0].code


def test_inputs_and_labels_that_have_nothing_to_do_with_each_other():
    """Training rows are memorized a little; nothing carries over."""
    half = {"end_loss": 1.36, "skill": 0.1, "val_loss": RISING, **UNRELATED}
    diagnosis = kd.diagnose(made_run(loss=np.linspace(1.39, 1.36, 20), **half))
    assert "check that inputs and labels match" in str(diagnosis)
    assert "slow_convergence" not in diagnosis.names
    assert "model_too_large" not in diagnosis.names
    memorised = kd.diagnose(
        made_run(val_loss=RISING, n_trainable_weights=10**6, **UNRELATED)
    )
    assert memorised[0].name == "unrelated_targets"
    assert "unknown_cause" not in memorised.names
    assert "model_too_large" not in memorised.names
    overfitting = next(f for f in memorised if f.name == "overfitting")
    assert "ten rows of `x`" in overfitting.remedies[0].code


def test_a_model_that_finds_what_simple_predictors_miss_is_fine():
    falling = np.linspace(1.3, 0.4, 20)
    assert named(made_run(val_loss=falling, **UNRELATED)) is None
    few = {"loss": np.linspace(1.39, 1.36, 20), "end_loss": 1.36, "skill": 0.1}
    assert named(made_run(val_loss=falling, **few, **UNRELATED)) is None
    assert named(made_run(**few, **UNRELATED)) is None  # no validation: not evident


def test_before_twenty_updates_nothing_has_failed():
    record = made_run(loss=np.full(3, 1.387), steps=9, end_loss=1.386, skill=0.0)
    assert named(record) is None


def test_what_a_finding_explains_is_no_note_as_well():
    cause = Finding("unscaled_inputs", "cause", "warning", "The cause.")
    by = ("unscaled_inputs",)
    effect = Finding("dead_units", "symptom", "info", "Its effect.", explained_by=by)
    alone = Finding("constant_inputs", "cause", "info", "Harmless.")
    assert Diagnosis([cause, effect, alone]).notes == (alone,)
    assert Diagnosis([effect, alone]).notes == (effect, alone)
