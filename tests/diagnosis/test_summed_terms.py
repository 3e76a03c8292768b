"""Terms of `add_loss` that are sums over rows, beside a loss that is a mean."""

import pytest
from made_runs import edited_facts, found, made_run

SUMMED = {"added_at_start": 50.0, "added_at_end": 40.0, "added_in_halves": 40.0}


def said(run, loss, batch_size, probe):
    record = made_run(**{"skill": 0.3, "reference": 0.85} | run)
    with edited_facts(record) as facts:
        facts["probe"] |= {"looked": 256, **SUMMED, **probe}
        facts["batch_size"] = batch_size
        facts["loss"] = loss or facts["loss"]
    return found(record, "loss_terms_out_of_balance")


def test_a_sum_beside_a_mean():
    finding = said({}, None, 32, {})
    assert finding.rank > 0
    assert "a sum over the rows of a batch" in finding.message
    assert "With 32 rows it is 5, " in finding.message


@pytest.mark.parametrize(
    ("run", "loss", "batch_size", "probe"),
    [
        ({"skill": 0.7}, None, 32, {}),  # it does no great harm
        ({"reference": 0.05, "skill": 0.0}, None, 32, {}),  # nothing can be learned
        ({}, None, 32, {"added_in_halves": 80.0}),  # a mean
        ({}, None, 32, {"added_in_halves": 41.0}),
        ({}, None, 32, {"added_in_halves": None}),
        ({}, None, 2, {}),  # little more than a mean
        ({}, None, 32, {"added_at_end": 0.5, "added_in_halves": 0.5}),  # small
        (
            {},
            {
                "class_name": "SparseCategoricalCrossentropy",
                "name": "sparse_categorical_crossentropy",
                "reduction": "sum",
            },
            32,
            {},
        ),
    ],
)
def test_terms_that_are_none(run, loss, batch_size, probe):
    finding = said(run, loss, batch_size, probe)
    assert finding is None or "a sum over the rows" not in finding.message
