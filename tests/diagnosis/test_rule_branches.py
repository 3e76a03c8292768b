"""Branches of rules that one pair of records does not reach: they fire, or are silent."""

import numpy as np
import pytest
from made_batches import weighed, with_batches
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, Run, all_rules
from keras_dlbasic.diagnosis.response import does_well
from keras_dlbasic.inspection.respond import respond

RULES = {rule.name: rule for rule in all_rules()}
RISING = np.linspace(1.4, 3.0, 20)


def severity(name, record):
    """Return the severity that a rule itself gives; None where it is silent."""
    verdict = RULES[name](Run(record))
    return verdict.severity if isinstance(verdict, Finding) else None


def answering(record, **response):
    with edited_facts(record) as facts:
        facts["probe"]["response"] = {"noise": 0.0, **response}
    return record


@pytest.mark.parametrize(
    ("change", "said"), [(0.3, "critical"), (0.05, "info"), (0.01, None)]
)
def test_a_model_that_sees_the_next_step(change, said):
    record = answering(made_run(), later_steps=change)
    assert severity("target_leakage", record) == said


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"frequencies": [0.3, 0.3, 0.4]}, "warning"),
        ({"frequencies": [0.5, 0.5]}, "info"),
    ],
)
def test_rows_that_are_numbered(targets, said):
    record = made_run(inputs={"row_number": 2}, targets=targets)
    assert severity("target_leakage", record) == said


def test_numbered_rows_of_a_regression_are_fine():
    assert severity("target_leakage", of_values()) is None


def padded(share=0.7, *, masks=False, rank=3, loss=None):
    facts = {} if loss is None else {"loss": loss}
    record = made_run(targets={"padded": share}, facts=facts)
    with edited_facts(record) as edited:
        edited["network"]["makes_masks"] = masks
        edited["network"]["outputs"][0]["rank"] = rank
    return record


IGNORES = {"class_name": "SparseCategoricalCrossentropy", "ignore_class": 0}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (lambda: padded(), "warning"),
        (lambda: padded(0.4), "info"),
        (lambda: padded(0.2), None),
        (lambda: padded(masks=True), None),
        (lambda: padded(masks=None), None),
        (lambda: padded(rank=2), None),  # as many labels of a row as it has steps
        (lambda: padded(loss=IGNORES), None),
        (lambda: padded(loss={"class_name": "masked", "own": True}), None),
        (lambda: with_batches(padded(), *weighed(1.0, 0.0, 0.0, 1.0)), None),
        (lambda: with_batches(padded(), *weighed(1.0, 0.5, 0.5, 1.0)), "warning"),
    ],
)
def test_padding_that_the_loss_counts(record, said):
    assert severity("unmasked_padding", record()) == said


def test_a_softmax_over_one_entry():
    hidden = made_run(second={"softmax_over_one": True}, **STUCK)
    found = RULES["wrong_axis"](Run(hidden))
    assert (found.severity, found.layer) == ("warning", "second")
    last = made_run(out={"softmax_over_one": True}, **STUCK)
    assert severity("wrong_axis", last) is None  # said by another rule


def of_values(baseline=1.4, **targets):
    """A regression whose first look has a loss of 1.4."""
    given = {"kind": "continuous", "frequencies": None, **targets}
    record = made_run(targets=given, inputs={"row_number": 2}, facts={"loss": "mse"})
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=1)
        facts["probe"]["baseline_loss"] = baseline
    return record


def narrow(baseline=4e-4, **targets):
    return of_values(baseline, **{"mean": 5.0, "rms": 5.0, "std": 0.02, **targets})


def test_targets_that_lie_close_together():
    found = RULES["unscaled_targets"](Run(narrow()))
    assert "The targets vary little" in found.message
    assert severity("unscaled_targets", narrow(baseline=1.4)) is None  # starts near
    assert severity("unscaled_targets", narrow(std=0.5)) is None
    assert severity("unscaled_targets", narrow(is_constant=True)) is None


def test_whether_a_run_does_well():
    good = {"skill": 0.95, "loss": np.full(20, 0.1)}
    assert does_well(Run(made_run(**good)))
    assert does_well(Run(made_run(val_loss=np.full(20, 0.12), **good)))
    assert not does_well(Run(made_run(val_loss=RISING, **good)))
    assert not does_well(Run(made_run(skill=0.5)))


def test_a_model_that_does_well_is_asked_only_about_the_next_step():
    record = made_run(skill=0.95)
    assert respond(None, np.ones((8, 4)), record).not_needed
    with edited_facts(record) as facts:
        facts["data"]["targets"][0]["next_step_of"] = "x"
    assert respond(None, np.ones((8, 4)), record) is None  # asked, and is no model


@pytest.mark.parametrize(
    ("name", "record", "said"),
    [
        ("collapsed_embeddings", lambda: answering(made_run(), spread=0.004), None),
        (
            "rows_mixed",
            lambda: answering(made_run(facts={"batch_size": 10**6}), other_rows=0.3),
            None,
        ),
        (
            "random_at_inference",
            lambda: answering(made_run(), noise=0.01, dropping="first"),
            None,
        ),
        ("order_is_lost", lambda: answering(made_run(skill=0.5), order=0.0), "info"),
        ("order_is_lost", lambda: answering(made_run(**STUCK), order=0.0), "warning"),
        (
            "order_is_lost",
            lambda: answering(
                made_run(
                    facts={
                        "probe": {
                            "rows": 256,
                            "baseline_loss": 1.386,
                            "references": {"counts": 0.4},
                        }
                    },
                    **STUCK,
                ),
                order=0.0,
            ),
            None,
        ),
    ],
)
def test_guards_of_what_was_asked(name, record, said):
    assert severity(name, record()) == said


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"noise": 0.54, "skill": 0.6, "skill_without": 0.8}, "warning"),
        ({"noise": 0.54, "skill": 0.6, "skill_without": 0.61}, "info"),
        ({"noise": 0.54, "skill": 0.8, "skill_without": 0.6}, "info"),
        ({"noise": 0.54}, "info"),
        ({"noise": 0.15, "skill": 0.6, "skill_without": 0.8}, "info"),
        ({"noise": 0.54, "loss": 0.9, "loss_without": 0.5}, "warning"),
        ({"noise": 0.54, "loss": 0.52, "loss_without": 0.5}, "info"),
    ],
)
def test_dropout_in_prediction_weighs_what_it_costs(response, said):
    record = answering(made_run(), dropping="first", **response)
    assert severity("random_at_inference", record) == said


def test_a_model_that_learns_nothing_where_nothing_is_found():
    facts = {
        "probe": {"rows": 256, "baseline_loss": 1.386, "references": {"linear": 0}}
    }
    assert severity("unrelated_targets", made_run(facts=facts, **STUCK)) == "info"
    for other in ({"references": {"linear": 0.4}}, {"rows": 60}):
        known = {"probe": {**facts["probe"], **other}}
        assert severity("unrelated_targets", made_run(facts=known, **STUCK)) is None
    assert severity("unrelated_targets", made_run(facts=facts)) is None


@pytest.mark.parametrize(
    ("skill", "usual", "end", "named"),
    [
        (0.21, 0.2, 1.1, True),
        (0.5, 0.2, 1.1, False),
        (0.21, 0.2, 0.5, False),  # the loss still falls
        (0.96, 0.98, 1.1, False),  # most of each picture is the same in all
        (0.46, 0.45, 1.1, True),
        (0.61, 0.6, 1.1, False),
        (0.03, 0.02, 1.1, False),
        (0.23, 0.2, 1.1, True),
        (0.26, 0.2, 1.1, False),
    ],
)
def test_pictures_that_are_known_by_their_places_only(skill, usual, end, named):
    known = {"rows": 256, "baseline_loss": 1.386, "by_position": usual}
    loss = np.r_[1.3, np.linspace(1.2, end, 19)] if end < 1 else np.full(20, end)
    record = made_run(loss=loss, skill=skill, end_loss=end, facts={"probe": known})
    found = [f for f in kd.diagnose(record) if f.name == "unrelated_targets"]
    assert [f.severity for f in found] == ["info"] * named


def by_heart(val_loss=RISING, val_accuracy=None, rows=256, **changes):
    record = made_run(loss=np.full(20, 0.1), val_loss=val_loss, **changes)
    if val_accuracy is not None:
        record.append_epoch(19, {"val_accuracy": val_accuracy})
    with edited_facts(record) as facts:
        facts["probe"].update(rows=rows, references={"linear": 0.0})
        facts["data"]["targets"][0]["commonest"] = 0.25
    return record


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (lambda: by_heart(), "warning"),
        (lambda: by_heart(rows=199), "info"),
        (lambda: by_heart(rows=99), None),
        (lambda: by_heart(val_accuracy=0.3), "warning"),
        (lambda: by_heart(val_accuracy=0.5), None),
        (lambda: by_heart(skill=0.2), None),
        (lambda: by_heart(val_loss=np.linspace(1.4, 0.5, 20)), None),
        (lambda: by_heart(inputs={"is_ids": True}), None),
        (lambda: by_heart(inputs={"shape": [256, 8, 8, 3]}), None),
    ],
)
def test_inputs_that_tell_nothing(record, said):
    assert severity("unrelated_targets", record()) == said


def test_what_nothing_predicts_is_no_unknown_cause():
    names = kd.diagnose(by_heart()).names
    assert "unrelated_targets" in names
    assert "unknown_cause" not in names
