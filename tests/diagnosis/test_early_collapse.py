"""Long first steps that put units out of action, and long ones that do no harm."""

import numpy as np
import pytest
from made_runs import LAYERS, STUCK, edited_facts, made_run, severity

from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.diagnosis.early_collapse import has_collapsed
from keras_dlbasic.records import LayerTable

NAME = "learning_rate_too_high"


def run(first=0.15, later=0.005, before=0.0, after=0.8, end=0.9, at=0, **changes):
    """A run with first steps and later ones of these sizes, and these dead units."""
    ratio = np.r_[np.full(3, first), np.full(57, later)]
    record = made_run(**{**STUCK, "ratio": ratio, **changes})
    table = LayerTable(LAYERS, ACTIVATIONS)
    for step, epoch, dead in ((0, -1, before), (16, at, after), (320, 19, end)):
        values = {m: [0.1] * 3 for m in ACTIVATIONS} | {"dead_units": [0.0, dead, 0.0]}
        table.append(step, epoch, values)
    record.tables["activations"] = table
    return record


@pytest.mark.parametrize(
    ("changes", "collapsed"),
    [
        ({}, True),
        ({"before": 0.4}, False),  # dead from the start
        ({"after": 0.3}, False),
        ({"end": 0.2}, False),  # they came back
        ({"at": 3}, False),  # when they died is not known
        ({"later": 0.05}, False),  # all steps are that long
    ],
)
def test_what_a_collapse_is(changes, collapsed):
    assert has_collapsed(Run(run(**changes))) is collapsed


def test_a_rate_that_kills_units_at_once():
    assert severity(run(), NAME) == "critical"
    assert severity(run(first=0.08), NAME) is None
    assert severity(run(after=0.2, end=0.2), NAME) is None
    # a run that has learned with them
    learned = {"loss": 1.4 * np.exp(-np.arange(20) / 5), "skill": 0.9, "end_loss": 0.2}
    assert severity(run(**learned), NAME) is None


def test_short_steps_after_weights_that_are_too_small():
    """What was seen before any step comes first, but not where the rate is low."""
    small = {name: {"kernel_rms": 0.01, "gain": 0.02} for name in LAYERS}
    record = made_run(ratio=1e-6, **small, **STUCK)
    names = _causes(record, "SGD")
    assert names.index("poor_initialization") < names.index("learning_rate_too_low")
    names = _causes(record, "Adam")
    assert names.index("learning_rate_too_low") < names.index("poor_initialization")
    assert "learning_rate_too_low" in _causes(made_run(ratio=1e-6, **STUCK), "SGD")


def _causes(record, optimizer):
    import keras_dlbasic as kd

    with edited_facts(record) as facts:
        facts["optimizer"] = {"class_name": optimizer, "learning_rate": 1e-3}
    return [f.name for f in kd.diagnose(record).causes if f.rank]
