"""What a model of pairs gives for two inputs that are the same."""

import keras
import numpy as np
import pytest
from keras import ops
from made_runs import edited_facts, found, made_run

from keras_dlbasic.inspection.twin_inputs import twin_facts

RNG = np.random.default_rng(0)
ONE = RNG.normal(size=(120, 5)).astype("float32")
SAME = (np.arange(120) % 2)[:, None].astype("float32")
OTHER = np.where(SAME == 1, ONE + 0.1, RNG.normal(size=(120, 5))).astype("float32")


def contrastive(y, d):
    return ops.mean(y * d**2 + (1 - y) * ops.relu(1 - d) ** 2, axis=-1)


def reversed_labels(y, d):
    return contrastive(1 - y, d)


def pairs(join):
    a, b = keras.Input((5,)), keras.Input((5,))
    tower = keras.layers.Dense(4)
    return keras.Model([a, b], keras.layers.Lambda(join)([tower(a), tower(b)]))


def distance(two):
    return ops.mean(ops.abs(two[0] - two[1]), axis=-1, keepdims=True)


def likeness(two):
    return ops.exp(-distance(two))


@pytest.mark.parametrize(
    ("join", "loss", "same", "of_0", "of_1"),
    [
        (distance, contrastive, 0.0, 1.0, 0.0),
        (distance, reversed_labels, 0.0, 0.0, 1.0),
        (likeness, contrastive, 1.0, 0.0, 1.0),
    ],
)
def test_the_loss_of_the_same_inputs(join, loss, same, of_0, of_1):
    facts = twin_facts(pairs(join), [ONE, OTHER], SAME, loss)
    assert facts.same == same
    assert facts.loss_of_0 == pytest.approx(of_0, abs=1e-4)
    assert facts.loss_of_1 == pytest.approx(of_1, abs=1e-4)
    assert facts.nearer > 0.95
    assert facts.told > 0.95


def test_models_that_do_not_compare():
    joined = pairs(lambda two: two[0][:, :1] + two[1][:, :1])
    assert twin_facts(joined, [ONE, OTHER], SAME, "mse") is None
    values = RNG.normal(size=(120, 1))
    assert twin_facts(pairs(distance), [ONE, OTHER], values, contrastive) is None


APART = {"same": 0.0, "loss_of_0": 0.0, "loss_of_1": 1.0, "nearer": 0.8, "told": 0.5}
ROWS = {"rows_of_0": 120, "rows_of_1": 130}


@pytest.mark.parametrize(
    ("twins", "val_loss", "is_named"),
    [
        ({}, None, True),
        ({"loss_of_0": 1.0, "loss_of_1": 0.0}, None, False),  # as the inputs are
        ({"loss_of_1": 0.0}, None, False),
        ({"nearer": 0.7}, None, False),  # by which pairs were chosen
        ({"rows_of_0": 4, "rows_of_1": 4}, None, False),  # by chance
        ({"told": 0.05}, None, False),  # it has learned what is wanted
        ({"told": 0.05}, 0.12, False),
        ({"told": 0.05}, 0.3, True),  # by heart only
        ({}, np.geomspace(2.0, 0.24, 20), False),  # not yet
        ({"nearer": 0.2, "loss_of_0": 1.0, "loss_of_1": 0.0}, None, True),
    ],
)
def test_labels_the_other_way_round(twins, val_loss, is_named):
    curve = None if val_loss is None else np.full(20, 1.0) * val_loss
    record = made_run(loss=np.full(20, 0.25), val_loss=curve)
    with edited_facts(record) as facts:
        truth = {"truth": 0.2, "constant": 0.25, "shuffled": 0.3, "moved": 0.1}
        facts["probe"] |= {"twins": APART | ROWS | twins, "truth": truth}
    finding = found(record, "disagreeing_loss")
    assert (finding is not None) is is_named
    if finding is not None:
        assert finding.severity == "warning"
        assert "The output is a distance" in finding.message
