"""Codes of categories in a model that knows its rows by heart."""

import numpy as np
import pytest
from made_runs import edited_facts, made_run, severity

import keras_dlbasic as kd

CODES = {"columns": [0, 3], "as_numbers": 0.1, "as_categories": 0.8}
PROBE = {"rows": 256, "baseline_loss": 1.386, "references": {"linear": 0.1}}


@pytest.mark.parametrize(("at_end", "expected"), [(1.3, "warning"), (0.2, None)])
def test_what_is_reached_on_new_rows_counts(at_end, expected):
    record = made_run(
        facts={"probe": {**PROBE, "categories": CODES}},
        skill=0.95,
        val_loss=np.linspace(1.4, at_end, 20),
    )
    assert severity(record, "codes_as_numbers") == expected


@pytest.mark.parametrize("has_codes", [True, False])
def test_rows_with_codes_are_not_unrelated_to_their_targets(has_codes):
    loss = 1.4 * np.exp(-np.arange(20) / 5) + 0.02
    record = made_run(loss=loss, val_loss=1.4 + 0.02 * np.arange(20))
    with edited_facts(record) as facts:
        facts["probe"].update(references={"linear": 0.0})
        facts["probe"]["categories"] = CODES if has_codes else None
    causes = [cause.name for cause in kd.diagnose(record).causes if cause.rank]
    assert causes == ["codes_as_numbers" if has_codes else "unrelated_targets"]
