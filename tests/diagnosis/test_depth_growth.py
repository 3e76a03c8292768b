"""Signals that grow from layer to layer, by what was measured before training."""

import numpy as np
import pytest
from made_runs import made_run

from keras_dlbasic.diagnosis import Finding, Fine, Run, all_rules
from keras_dlbasic.diagnosis.depth_growth import depth_growth
from keras_dlbasic.records import TrainingRecord

pytestmark = pytest.mark.once
RULE = {rule.name: rule for rule in all_rules()}["exploding_activations"]


def with_sizes(*sizes, record=None):
    """A run whose layers give outputs of these root mean squares at each look."""
    from keras_dlbasic.records.table_row import append_row

    record = TrainingRecord() if record is None else record
    labels = [f"layer{i}" for i in range(len(sizes))]
    row = {
        label: {"mean": 0.0, "variance": float(size) ** 2}
        for label, size in zip(labels, sizes, strict=True)
    }
    record.tables.pop("activations", None)
    append_row(record.tables, "activations", ("mean", "variance"), 0, -1, row)
    return Run(record)


def test_growth_over_the_depth():
    growth = depth_growth(with_sizes(1, 7, 50, 360, 400))
    assert (growth.first, growth.last) == ("layer0", "layer3")
    assert growth.factor == pytest.approx(360)


@pytest.mark.parametrize(
    "sizes",
    [
        (1, 1, 1, 1, 1, 1),
        (1, 50, 1, 50, 1, 50),  # something scales it down again
        (1, 1.9, 3.6, 6.8, 13, 24, 40),  # slowly: what He's law does not even out
        (1, 3, 9, 400),  # the last layer gives the output
        (0, 0, 0, 0, 1),
        (1, 9, 80, 1),  # three layers may be a matter of one wide one
        (1, np.nan, 50, 360, 5000, 1),
    ],
)
def test_no_growth(sizes):
    growth = depth_growth(with_sizes(*sizes))
    assert growth is None or growth.factor < 30


def test_the_rule_names_the_layers():
    record = made_run()
    grown = RULE(with_sizes(1, 7, 50, 360, 1, record=record))
    assert isinstance(grown, Finding)
    assert grown.layer == "layer3"
    assert isinstance(RULE(with_sizes(1, 1, 2, 3, 1, record=record)), Fine)


def summed(*sizes, first_loss=14.0, record=None, **changes):
    """A run of few layers, with a first loss ten times that of a constant."""
    record = made_run(**changes) if record is None else record
    table = record.tables["probe"]
    table._rows.measures[0, table.measures.index("loss"), 0] = first_loss
    return with_sizes(*sizes, record=record)


@pytest.mark.parametrize(
    ("case", "is_named"),
    [
        (lambda: summed(4.5, 40.0, 0.5), True),
        (lambda: summed(4.5, 40.0, 0.5, first_loss=1.6), False),
        (lambda: summed(1.5, 40.0, 0.5), False),  # one layer makes it
        (lambda: summed(3.0, 15.0, 0.5), False),
        (lambda: summed(4.5, 40.0, 0.5, inputs={"rms": 30.0}), False),
        (lambda: summed(4.5, 40.0, 0.5, inputs={"is_integer": True}), False),
        (lambda: summed(4.5, 40.0, 0.5, second={"gain": 5.0}), False),
    ],
)
def test_growth_from_the_inputs_of_a_shallow_model(case, is_named):
    verdict = RULE(case())
    assert isinstance(verdict, Finding) is is_named
    assert not is_named or "in the inputs" in verdict.message
