"""What a rule must be is checked: where it is defined, named, and each time it judges."""

import inspect
import json
import pickle
import re
import sys
import types
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import (
    NEEDS,
    Finding,
    Fine,
    Found,
    RemedySuggestion,
    Rule,
    Run,
    Skipped,
    all_rules,
    rule,
)
from keras_dlbasic.diagnosis.registry import all_rules as load_rules
from keras_dlbasic.records import LayerTable, ModelFacts, TrainingRecord
from keras_dlbasic.reports.html import html_text

SAID = {"severity": "warning", "message": "It is odd."}


def finds(name="odd", kind="cause", finding=None, **about):
    """Return a rule that finds something in each run."""

    def function(run):
        """Find it."""
        return finding or Finding(**SAID)

    function.__name__ = name
    return rule(kind, **about)(function)


def judge(*rules, record=None):
    return kd.diagnose(record or made_run(), rules=rules)


# -- where a rule is defined ---------------------------------------------------------


def test_a_misspelled_kind():
    with pytest.raises(ValueError, match=r"'symtom'.*Did you mean 'symptom'"):
        finds(kind="symtom")


def test_no_brackets():
    with pytest.raises(TypeError, match=r"brackets.*@rule\(kind='cause'\)"):

        @rule
        def odd(run):
            """Find it."""


@pytest.mark.parametrize(
    ("about", "error", "words"),
    [
        ({"needs": ("batch_los",)}, ValueError, "Did you mean 'batch_loss'"),
        ({"needs": "probe"}, TypeError, r"tuple of names.*Received: 'probe'"),
        ({"explains": "plateau"}, TypeError, r"tuple of names.*Received: 'plateau'"),
        ({"explains": (finds,)}, TypeError, "tuple of names"),
        ({"explained_by": ("odd",)}, ValueError, "must be empty, as it is a cause"),
        (
            {"kind": "symptom", "explains": ("plateau",)},
            ValueError,
            "must be empty, as it is a symptom",
        ),
    ],
)
def test_what_a_rule_says_of_itself(about, error, words):
    with pytest.raises(error, match=words):
        finds(**about)


def no_run(): ...
def other_name(record): ...
def by_place(run, most=0.5): ...
def no_default(run, *, most): ...
def anything(run, **options): ...
def run_by_name(*, run): ...


@pytest.mark.parametrize(
    "function",
    [no_run, other_name, by_place, no_default, anything, run_by_name],
    ids=lambda function: function.__name__,
)
def test_what_a_rule_takes(function):
    words = rf"`run` first.*Received: {function.__name__}\("
    with pytest.raises(TypeError, match=words):
        rule("cause")(function)


def test_what_stands_below_the_decorator():
    with pytest.raises(TypeError, match="must be above a function"):
        rule("cause")(finds())

    def silent(run):
        return Fine("fine")

    with pytest.raises(ValueError, match="docstring"):
        rule("cause")(silent)


def test_a_rule_says_its_thresholds():
    thresholds = {r.name: r.thresholds for r in all_rules()}
    assert thresholds["dead_units"]["most"] == 0.5
    assert thresholds["constant_inputs"] == {}


# -- where rules name each other -----------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        ({"explains": ("plateu",)}, "'plateu' is not a rule. Did you mean 'plateau'"),
        ({"explains": ("too_few_updates",)}, "'too_few_updates' is a cause"),
        (
            {"kind": "symptom", "explained_by": ("dead_unit",)},
            r"must name causes, but 'dead_unit' is not a rule",
        ),
    ],
)
def test_a_name_that_there_is_none_of(mine, words):
    with pytest.raises(ValueError, match=words):
        judge(finds(**mine))


def test_the_names_of_the_package_are_checked_as_it_is_loaded(monkeypatch):
    name = "keras_dlbasic.diagnosis.rules.plateau"
    module = types.ModuleType(name)
    module.plateau = finds("plateau", "symptom", explained_by=("dead_units",))
    monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(ValueError, match="'dead_units' is a symptom"):
        load_rules.__wrapped__()
    del module.plateau
    with pytest.raises(TypeError, match=r"rules\.plateau must have a function `plat"):
        load_rules.__wrapped__()


def test_a_symptom_may_name_its_causes():
    cause = finds(
        "my_cause", finding=Finding(risk="critical", **{**SAID, "severity": "info"})
    )
    named = finds("my_symptom", "symptom", explained_by=("my_cause",))
    diagnosis = judge(cause, named)
    assert [f.name for f in diagnosis] == ["my_cause", "my_symptom"]
    assert diagnosis[0].explains == ("my_symptom",)
    assert diagnosis[0].severity == "warning"  # that of the symptom
    assert diagnosis[1].explained_by == ("my_cause",)
    alone = judge(cause, finds("my_symptom", "symptom"))
    assert {f.severity for f in alone.causes} == {"info"}


def test_only_rules_are_applied_each_once():
    def odd(run):
        """Find it."""

    with pytest.raises(TypeError, match="@rule"):
        judge(odd)
    with pytest.raises(ValueError, match="called 'plateau'"):
        judge(*all_rules(), finds("plateau", "symptom"))
    assert judge(finds("plateau", "symptom")).names == ("plateau",)  # instead of ours


# -- each time it judges -------------------------------------------------------------


def failing(body):
    """Return a rule with a body that fails, and what `diagnose` makes of it."""

    def odd(run):
        """Find it."""
        return body(run)

    healthy = finds("other")
    with pytest.warns(UserWarning, match="Rule 'odd' was skipped") as warned:
        diagnosis = judge(rule("cause")(odd), healthy)
    assert diagnosis.names == ("other",)  # the failure costs that rule only
    assert len(warned) == 1
    assert warned[0].filename == __file__
    return diagnosis.skipped["odd"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            lambda run: None,
            r"Received: None of type NoneType.* Is a `return` missing\?",
        ),
        (lambda run: True, "must return `Finding"),
        (lambda run: "", "must return `Finding"),
        (
            lambda run: Finding(**{**SAID, "severity": "error"}),
            "one of.*Received: 'error'",
        ),
        (lambda run: Finding(**{**SAID, "risk": "high"}), "`risk`.*Received: 'high'"),
        (lambda run: Finding(message="It is odd."), "`severity`.*Received: ''"),
        (lambda run: Finding(severity="info"), "`message`"),
        (
            lambda run: Finding(treshold=3, **SAID),
            "argument 'treshold'. Did you mean 'threshold'",
        ),
        (lambda run: Finding(value="3", **SAID), "`value`.*a number.*'3'"),
        (lambda run: Finding(confidence=90, **SAID), "from 0 to 1"),
        (lambda run: Finding(evidence=3, **SAID), "dictionary"),
        (lambda run: Finding(step=0.5, **SAID), "`step`"),
        (lambda run: Finding(remedies=RemedySuggestion(None, "x"), **SAID), "tuple of"),
        (lambda run: Finding(remedies=("lower it",), **SAID), "RemedySuggestion"),
        (lambda run: Finding(explains=("plateau",), **SAID), r"leave \['explains'\]"),
        (lambda run: Fine(""), "says what was measured"),
        (lambda run: Skipped(3), "Received: 3"),
        (lambda run: undefined, "NameError"),  # noqa: F821
    ],
)
def test_a_slip_costs_that_rule_only(body, words):
    reason = failing(body)
    assert re.search(words, reason.splitlines()[0])
    assert "Traceback (most recent call last)" in reason
    assert __file__ in reason  # where the rule is, to be found


def test_a_rule_of_ours_that_fails_says_so_too():
    record = made_run()
    record.note(model=ModelFacts(layers=(3,)))
    with pytest.warns(UserWarning, match="the form that this check expects"):
        reason = kd.diagnose(record).skipped["missing_nonlinearity"]
    assert "Traceback" in reason
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kd.diagnose(record, live=True)  # not after each epoch


def test_reports_of_a_rule_that_failed():
    record = made_run()
    record.note(model=ModelFacts(layers=(3,)))
    with pytest.warns(UserWarning, match="skipped"):
        diagnosis = kd.diagnose(record)
    page = html_text(diagnosis)
    assert "Traceback" in page
    json.loads(diagnosis.to_json())


def test_skipped_can_be_returned_or_raised():
    def deeper():
        raise Skipped("raised")

    def odd(run, *, raises=True):
        """Find it."""
        return deeper() if raises else Skipped("returned")

    odd = rule("cause")(odd)
    assert judge(odd).skipped == {"odd": "raised"}
    verdict = odd(Run(made_run()), raises=False)
    assert verdict.reason == str(verdict) == "returned"
    assert str(pickle.loads(pickle.dumps(verdict))) == "returned"
    assert str(Skipped(reason="by name")) == "by name"


def test_the_old_form_still_works():
    def odd(run, *, most=1):
        """Find it."""
        if most:
            details = {"value": 2.0, "layer": "dense"}
            return Found("info", "It is odd.", risk="warning", details=details)
        return "fine"

    odd = rule("cause", explains=("plateau",))(odd)
    with pytest.warns(DeprecationWarning, match="Finding"):
        found = kd.diagnose(made_run(), rules=[odd])[0]
    assert (found.name, found.value, found.layer) == ("odd", 2.0, "dense")
    with pytest.warns(DeprecationWarning, match="Fine"):
        diagnosis = kd.diagnose(
            made_run(), rules=[odd], thresholds={"odd": {"most": 0}}
        )
    assert diagnosis.checked_fine == {"odd": "fine"}


# -- what a rule needs ---------------------------------------------------------------


def full_record():
    table = LayerTable(("model",), ("verdict",))
    table.append(1, 0, {"verdict": [0.0]})
    record = made_run(val_loss=np.linspace(1.4, 1.0, 20))
    record.tables["curvature"] = table
    return record


@pytest.mark.parametrize("need", sorted(NEEDS))
def test_a_rule_is_skipped_without_what_it_needs(need):
    picky = finds(needs=(need,))
    assert judge(picky, record=full_record()).names == ("odd",)
    nothing = judge(picky, record=TrainingRecord())
    assert set(nothing.skipped) == {"odd"}
    assert len(nothing.skipped["odd"]) > 10


def test_every_need_is_used_or_shown():
    used = {need for r in all_rules() for need in r.needs}
    assert used <= set(NEEDS)
    assert len(used) > 8


def test_every_question_of_a_run_is_documented():
    questions = [name for name in dir(Run) if not name.startswith("_")]
    assert len(questions) > 25
    assert [name for name in questions if not inspect.getdoc(getattr(Run, name))] == []
    asked = {
        need.question.removeprefix("run.").partition("(")[0] for need in NEEDS.values()
    }
    attributes = {name.partition(".")[0] for name in asked}
    assert attributes <= {*questions, "record"}


# -- findings ------------------------------------------------------------------------

texts = st.text(min_size=1)
numbers = st.floats() | st.none()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda parts: st.lists(parts) | st.dictionaries(texts, parts),
    max_leaves=5,
)


@given(
    st.builds(
        Finding,
        name=st.text(),
        kind=st.sampled_from(["cause", "symptom"]),
        severity=st.sampled_from(["info", "warning", "critical"]),
        message=texts,
        layer=st.none() | texts,
        epoch=st.none() | st.integers(0),
        step=st.none() | st.integers(0),
        value=numbers,
        threshold=numbers,
        confidence=st.floats(0, 1),
        evidence=st.dictionaries(texts, json_values),
        remedies=st.just((RemedySuggestion("clip_gradients", "x", "", {"norm": 1.0}),)),
        explains=st.lists(texts).map(tuple),
        explained_by=st.lists(texts).map(tuple),
        unit=st.text(),
        risk=st.none() | st.sampled_from(["warning", "critical"]),
        note=st.booleans(),
    )
)
def test_findings_come_back_from_json(finding):
    entry = json.loads(json.dumps(finding.to_dict(), allow_nan=False))
    again = Finding.from_dict(entry)
    assert again.remedies == finding.remedies
    # repr: NaN is not equal to itself
    assert repr(replace(again, remedies=())) == repr(replace(finding, remedies=()))
    assert again.to_dict() == finding.to_dict()


def test_findings_of_older_versions_are_read():
    entry = kd.diagnose(made_run(dead=1.0, ratio=0.5, **STUCK))[0].to_dict()
    for newer in ("unit", "risk", "note"):
        del entry[newer]
    again = Finding.from_dict(entry)
    assert again.value == entry["value"]
    assert (again.unit, again.risk, again.note) == ("", None, True)


def test_numbers_of_numpy_are_numbers():
    finding = Finding(value=np.float32(0.5), step=np.int64(3), **SAID)
    assert json.loads(json.dumps(finding.to_dict()))["step"] == 3


# -- the rules of the package --------------------------------------------------------


@pytest.mark.parametrize("own", all_rules(), ids=lambda own: own.name)
def test_rules_of_the_package_are_files_that_explain_their_thresholds(own):
    assert own.function.__module__.endswith(f"rules.{own.name}")
    text = inspect.getdoc(own.function)
    for name in own.thresholds:
        assert re.search(rf"^    {name}: ", text, re.MULTILINE), name
    source = inspect.getsource(inspect.getmodule(own.function))
    assert "Found(" not in source
    assert "details=" not in source
    assert isinstance(own, Rule)
    assert own.is_own


def typo():
    @rule(kind="cause", explains=("diverging_los",))
    def mine(run):
        """Name a symptom that there is none of."""
        return Fine("so")

    return mine


def never_built():
    raise AssertionError("a model was built")


@pytest.mark.parametrize(
    "use",
    [
        lambda rules: kd.callbacks.TrainingDoctor(rules=rules),
        lambda rules: kd.treat(
            never_built, np.ones((4, 1)), np.ones(4), epochs=1, rules=rules
        ),
    ],
)
def test_rules_are_checked_before_anything_is_trained(use):
    with pytest.raises(ValueError, match="Did you mean 'diverging_loss'"):
        use([typo()])


def test_a_misspelled_field_is_named_with_the_nearest():
    with pytest.raises(
        TypeError, match="argument 'treshold'. Did you mean 'threshold'"
    ):
        Finding(severity="info", message="So.", treshold=1.0)
