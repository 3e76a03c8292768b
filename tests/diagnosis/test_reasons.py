"""A reason for which a check is skipped never asks for what was given."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made_runs import edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run, Skipped, all_rules
from keras_dlbasic.records import TrainingRecord

REQUESTS = {
    "x": r"`x=`",
    "y": r"`y=`",
    "validation_data": r"`validation_data=",
    "watched": r"watch the run|`TrainingDoctor` (?!or)",
    "loss": r"a loss that is known|loss is not known",
}
"""What asks for something, by what it asks for."""


def run(*given, source="given", loss="sparse_categorical_crossentropy", **facts):
    """A run of `made_run` of which only what was given is known."""
    record = made_run(facts={"given": list(given), "loss": loss})
    with edited_facts(record) as known:
        known["data"]["source"] = source
        if "y" not in given and source == "given":
            known["data"]["targets"] = []
        if "validation_data" not in given:
            known["data"].pop("validation")
        known.update(facts)
    return record


def without_data(*given, **facts):
    """A run in which nothing could be seen of the data."""
    record = run(*given, data=None, probe=None, **facts)
    record.tables.clear()
    return record


def failed_probe():
    record = run("x", "y", "validation_data", probe={"failed": "ValueError: shapes"})
    record.tables.clear()
    return record


def unbuilt():
    return without_data("x", "y", "validation_data", network=None)


def own_loss():
    record = run("x", "y", "validation_data", loss=None, probe={"rows": 256})
    with edited_facts(record) as known:
        known["network"]["outputs"][0]["activation"] = None
    record.tables["probe"] = made_run(end_loss=np.nan, skill=np.nan).tables["probe"]
    return record


def own_loss_in_the_model():
    """As with `compute_loss`: there is no compiled loss to try on anything."""
    record = own_loss()
    failed = "NotImplementedError: "
    record.note(probe=replace(record.facts.probe, baseline_failed=failed))
    return record


def several_outputs():
    record = run("x", "y", "validation_data", probe={"rows": 256})
    with edited_facts(record) as known:
        known["data"]["targets"] *= 2
        known["network"]["outputs"] *= 2
        known["loss"] = ["mse", "mse"]
    record.tables.pop("probe")
    return record


def values_in_the_inputs_are_not_finite():
    record = run("x", "y", "validation_data", probe=None)
    inputs = tuple(replace(f, non_finite=3) for f in record.facts.inputs)
    record.note(data=replace(record.facts.data, inputs=inputs))
    record.tables.clear()
    return record


def curves_only():
    return TrainingRecord.from_history({"loss": [0.7, 0.5, 0.4]})


EVERYTHING = {"x", "y", "validation_data", "watched", "loss"}

SET_UPS = {
    "all given": (lambda: run("x", "y", "validation_data"), EVERYTHING),
    "x and y": (lambda: run("x", "y"), EVERYTHING - {"validation_data"}),
    "x only": (
        lambda: run("x", probe={"rows": 256}),
        EVERYTHING - {"y", "validation_data"},
    ),
    # validation data have to be given with `x=` and `y=`, to be compared
    "first batches": (
        lambda: run(source="first batches"),
        {"watched", "loss"},
    ),
    "batches without targets": (
        lambda: run(
            source="first batches",
            data={"source": "first batches", "inputs": [{"dtype": "float32"}]},
            probe={"rows": 256},
        ),
        {"watched", "loss"},
    ),
    "nothing seen": (without_data, {"loss"}),
    "own loss": (own_loss, EVERYTHING - {"loss"}),
    "failed probe": (failed_probe, EVERYTHING),
    "unbuilt model": (unbuilt, EVERYTHING),
    "several outputs": (several_outputs, EVERYTHING),
    "inputs not finite": (values_in_the_inputs_are_not_finite, EVERYTHING),
}
"""What makes a record, and what the user gave or the record has."""


@pytest.mark.parametrize("name", SET_UPS)
def test_no_reason_asks_for_what_was_given(name):
    make, has = SET_UPS[name]
    record = make()
    for rule in all_rules():
        verdict = rule(Run(record))
        if isinstance(verdict, Skipped):
            asked = [w for w in has if re.search(REQUESTS[w], verdict.reason)]
            assert not asked, f"{rule.name}: {verdict.reason}"


@pytest.mark.parametrize("name", ["first batches", "batches without targets"])
def test_what_the_batches_tell_is_not_asked_for(name):
    skipped = kd.diagnose(SET_UPS[name][0]()).skipped
    for rule in ("train_validation_overlap", "unrepresentative_validation"):
        skipped.pop(rule)
    assert not [why for why in skipped.values() if "`x=`" in why or "`y=`" in why]


def test_reasons_ask_for_what_is_missing():
    """The patterns above find what they are to find."""
    bare = kd.diagnose(curves_only()).skipped
    for wanted in ("x", "y", "watched"):
        assert any(re.search(REQUESTS[wanted], why) for why in bare.values())
    known = kd.diagnose(run("x", "y")).skipped
    assert re.search(REQUESTS["validation_data"], known["train_validation_overlap"])
    mine = kd.diagnose(own_loss()).skipped
    assert re.search(REQUESTS["loss"], mine["loss_target_mismatch"])


@pytest.mark.parametrize(
    ("make", "rule", "words"),
    [
        (lambda: run("x", probe={"rows": 256}), "underfitting", "no targets were gi"),
        (failed_probe, "dead_units", "could not be run .*ValueError: shapes"),
        (unbuilt, "unscaled_inputs", "was not built before the first step"),
        (own_loss, "underfitting", "the loss is not known"),
        (own_loss, "slow_convergence", "the loss is not known"),
        (own_loss_in_the_model, "slow_convergence", "the loss is not known"),
        (several_outputs, "loss_target_mismatch", "which of the targets belong"),
        (without_data, "constant_inputs", "no batches could be kept"),
        (values_in_the_inputs_are_not_finite, "plateau", "NaN or infinity"),
    ],
)
def test_a_reason_says_what_is_so(make, rule, words):
    assert re.search(words, kd.diagnose(make()).skipped[rule])


def test_one_loss_of_ones_own_is_not_several():
    own = {"class_name": "likelihood", "own": True}
    record = run("x", "y", loss=own, probe={"rows": 256})
    record.tables.clear()
    assert "`likelihood`" in Run(record).reasons.outcome
