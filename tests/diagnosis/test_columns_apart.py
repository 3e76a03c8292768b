"""Columns of targets whose scales differ, of which the small ones are not learned."""

import pytest
from made_runs import edited_facts, found, made_run


def with_columns(*columns, loss="mse"):
    """A regression whose columns have a deviation, a skill and a reference each."""
    names = ("std", "skill", "reference")
    told = [dict(zip(names, column, strict=False)) for column in columns]
    probe = {"rows": 256, "baseline_loss": 1.0, "columns": told}
    facts = {"loss": loss, "probe": {**probe, "references": {"linear": 0.9}}}
    targets = {"kind": "continuous", "rms": 5.0, "n_columns": len(columns)}
    record = made_run(targets=targets, facts=facts)
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0].update(activation=None, units=len(columns))
    return record


def test_a_small_column_is_not_learned():
    record = with_columns((80.0, 0.95), (0.3, 0.02, 0.6), (0.2, 0.01, 0.5))
    finding = found(record, "unscaled_targets")
    assert finding.severity == "warning"
    assert "columns 1, 2 are not learned" in finding.message
    assert finding.value == pytest.approx(80 / 0.3)
    assert finding.remedies[0].name == "scale_targets"


@pytest.mark.parametrize(
    "columns",
    [
        [(80.0, 0.95), (0.3, 0.02, 0.1)],  # noise, that nobody predicts
        [(80.0, 0.95), (0.3, 0.4, 0.6)],  # learned, if not well
        [(80.0, 0.1), (0.3, 0.02, 0.6)],  # nothing was learned
        [(2.0, 0.95), (0.3, 0.02, 0.6)],  # scales do not differ that much
    ],
)
def test_silent(columns):
    assert found(with_columns(*columns), "unscaled_targets") is None


def test_a_loss_of_ratios_does_not_depend_on_the_scale():
    columns = [(80.0, 0.95), (0.3, 0.02, 0.6)]
    assert found(with_columns(*columns, loss="mape"), "unscaled_targets") is None
