"""Codes of categories in a model that knows its rows by heart."""

import numpy as np
import pytest
from made_runs import made_run, severity

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
