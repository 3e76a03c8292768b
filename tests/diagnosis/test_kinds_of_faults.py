"""Kinds of faults, each on a record that shows it and on one that does not."""

import numpy as np
import pytest
from made_runs import STUCK, edited_facts, found, made_run, severity

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.frozen_judge import has_frozen_judge


@pytest.mark.parametrize(
    ("chain", "activation", "named"),
    [(True, "softmax", True), (True, "relu", False), (False, "softmax", False)],
)
def test_a_softmax_in_the_middle(chain, activation, named):
    record = made_run(second={"activation": activation, "units": 32}, **STUCK)
    with edited_facts(record) as facts:
        facts["network"]["is_sequential"] = chain
    finding = found(record, "saturating_activations")
    assert (finding is not None and "softmax" in finding.message) is named


@pytest.mark.parametrize(
    ("jump", "one_sided", "expected"),
    [(0.6, "all rows have the same target", "warning"), (0.6, None, None)],
)
def test_rows_that_come_in_blocks(jump, one_sided, expected):
    loss = 1.0 + jump * np.sin(np.arange(20) * 2.0)
    record = made_run(loss=loss)
    with edited_facts(record) as facts:
        facts["data"]["one_sided"] = one_sided
    assert severity(record, "rows_in_order") == expected
    still = made_run()
    with edited_facts(still) as facts:
        facts["data"]["one_sided"] = one_sided
    assert found(still, "rows_in_order") is None


@pytest.mark.parametrize(("rows", "named"), [(128, True), (60, False)])
def test_validation_that_is_not_known_and_never_predicted(rows, named):
    record = made_run(val_loss=np.linspace(1.5, 6.0, 20), skill=0.95)
    with edited_facts(record) as facts:
        del facts["data"]["validation"]
        facts["probe"].update(rows=rows, looked=60)
    assert (found(record, "unrepresentative_validation") is not None) is named


def test_pictures_known_by_their_places_do_not_miss_a_class():
    missed = {"missed": 1, "missed_class": 1, "missed_rows": 99, "missed_ratio": 9.0}
    facts = {"probe": {"rows": 256, "baseline_loss": 1.386, "by_position": 0.2}}
    record = made_run(skill=0.2, end_loss=1.1, missed=missed, facts=facts)
    assert found(record, "imbalanced_classes") is None
    assert found(made_run(missed=missed), "imbalanced_classes") is not None


@pytest.mark.parametrize(("is_ids", "said"), [(True, False), (False, True)])
def test_simple_predictors_say_nothing_of_token_ids(is_ids, said):
    """They take ids for numbers, and may find nothing where a bag of words does."""
    facts = {
        "probe": {"rows": 256, "baseline_loss": 1.386, "references": {"linear": 0}}
    }
    record = made_run(inputs={"is_ids": is_ids}, facts=facts, **STUCK)
    text = " ".join(str(kd.diagnose(record)).split())
    assert ("imple predictors" in text) is said


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"units": 8}, True),
        ({"units": 7}, False),
        ({"units": 48, "label": "base/second"}, False),
        ({"units": 48, "kind": "conv"}, False),
    ],
)
def test_where_a_softmax_counts(changes, named):
    record = made_run(second={"activation": "softmax", **changes}, **STUCK)
    with edited_facts(record) as facts:
        facts["network"]["is_sequential"] = True
    finding = found(record, "saturating_activations")
    assert (finding is not None and "softmax" in finding.message) is named


@pytest.mark.parametrize(("skill", "expected"), [(0.79, "warning"), (0.8, "info")])
def test_layers_that_are_not_found_in_a_good_run(skill, expected):
    record = made_run(skill=skill)
    with edited_facts(record) as facts:
        facts["network"]["untracked"] = ["part"]
    assert severity(record, "frozen_layers") == expected


@pytest.mark.parametrize(
    "targets",
    [
        {"kind": "one_hot", "n_columns": 2, "max": 1.0},
        {"kind": "multi_label", "n_columns": 12, "max": 1.0},
    ],
)
def test_binary_accuracy_where_it_suits(targets):
    asked = {"loss": "binary_crossentropy", "metrics": ["binary_accuracy"]}
    assert severity(made_run(targets=targets, facts=asked), "metric_mismatch") is None


def test_a_rate_beside_a_simple_predictor():
    rate = "learning_rate_too_high"
    near = made_run(ratio=3.0, skill=0.41, reference=0.5)
    assert severity(near, rate) in (None, "info")
    behind = made_run(ratio=1.1, skill=0.39, reference=0.5)
    assert severity(behind, rate) == "warning"


ONE, OFF = {"is_constant": True, "frequencies": [1.0]}, {"trainable": False}


@pytest.mark.parametrize(
    ("changes", "judges"),
    [
        ({"targets": ONE, "second": OFF, "out": OFF}, True),
        ({"targets": ONE, "out": OFF}, False),
        ({"second": OFF, "out": OFF}, False),
        ({"targets": ONE, "first": OFF}, False),
        ({"targets": ONE, "first": OFF, "second": OFF, "out": OFF}, False),
    ],
)
def test_what_a_frozen_judge_is(changes, judges):
    assert has_frozen_judge(made_run(**changes).facts) is judges
