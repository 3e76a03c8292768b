"""Models without a bias, and what else may move their outputs."""

import numpy as np
from made_runs import STUCK, edited_facts, found, made_run

OFFSET = {"rows": 256, "baseline_loss": 1.4, "offset": {"loss": 0.9, "moved": 0.2}}


def of(*weights, **changes):
    record = made_run(**changes)
    with edited_facts(record) as facts:
        facts["probe"] |= OFFSET
        facts["data"]["weights"] = list(weights)
    return record


def test_weights_make_another_constant_best():
    assert found(of(), "missing_bias") is not None
    assert found(of({"min": 1.0, "max": 12.0}), "missing_bias") is None


def test_while_the_loss_falls_it_is_a_warning():
    assert found(of(**STUCK), "missing_bias").severity == "critical"
    falling = np.linspace(3.0, 1.38, 20)
    record = of(**STUCK | {"loss": falling})
    assert found(record, "missing_bias").severity == "warning"
