"""Kinds of faults, each on a record that shows it and on one that does not."""

import numpy as np
import pytest
from made_runs import STUCK, edited_facts, found, made_run, severity

import keras_dlbasic as kd


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


@pytest.mark.parametrize(
    ("units", "label", "named"), [(2, "second", False), (48, "second", True)]
)
def test_a_softmax_of_few_units_may_be_a_classifier_below(units, label, named):
    record = made_run(second={"activation": "softmax", "units": units}, **STUCK)
    with edited_facts(record) as facts:
        facts["network"]["is_sequential"] = True
    assert (severity(record, "saturating_activations") == "warning") is named


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
