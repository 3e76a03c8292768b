"""Traits of a set-up that count where what they do was measured."""

import keras
import numpy as np
import pytest
from made_runs import LAYERS, STUCK, found, made_run

from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.records import MEASURES, LayerTable

L = keras.layers


# -- recurrent cells without a limit ---------------------------------------------------


def recurrent(activation, *squares, **run):
    """A run of a recurrent layer whose outputs have these mean squares at two looks."""
    record = made_run(
        first={"kind": "recurrent", "cell_activation": activation}, **(run or STUCK)
    )
    table = LayerTable(LAYERS, ACTIVATIONS)
    for row, square in enumerate(squares):
        values = {name: np.full(3, 0.1) for name in ACTIVATIONS}
        values["variance"][0] = square
        table.append(320 * row, 20 * row - 1, values)
    record.tables["activations"] = table
    return record


@pytest.mark.parametrize(
    ("activation", "last", "severity"),
    [
        ("relu", 1e17, "critical"),
        ("leaky_relu", 500.0, "critical"),
        ("relu", 4.0, None),
        ("relu", np.nan, None),  # nothing was seen before
        ("tanh", 1e17, None),  # cannot be: it is of another layer
    ],
)
def test_recurrent_values_that_nothing_limits(activation, last, severity):
    finding = found(recurrent(activation, 1.0, last), "exploding_activations")
    assert (finding.severity if finding else None) == severity


def test_values_that_grew_before_they_were_lost():
    record = recurrent("relu", 1e6, np.nan, loss=np.full(20, np.nan))
    finding = found(record, "exploding_activations")
    assert finding.severity == "critical"
    assert "'first'" in finding.message


def test_large_values_do_no_harm_where_the_run_learns():
    record = recurrent("relu", 1.0, 1e4, skill=0.9)
    assert found(record, "exploding_activations").severity == "info"


@pytest.mark.once
@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (L.LSTM(4, activation="relu"), "relu"),
        (L.Bidirectional(L.GRU(4)), "tanh"),
        (L.RNN([L.SimpleRNNCell(4, "linear"), L.GRUCell(4)]), "linear"),
        (L.Dense(4, "relu"), None),
    ],
)
def test_the_activation_of_a_cell(layer, name):
    model = keras.Sequential([keras.Input((5, 2)), layer])
    facts = network_facts(model).layers[0]
    assert facts.cell_activation == name
    assert facts.dtype == "float32"


# -- sigmoids behind layers that fade gradients themselves -----------------------------


def sigmoids(*layers, gradients):
    changes = {layer: {"activation": "sigmoid"} for layer in layers}
    return made_run(gradients=gradients, **changes, **STUCK)


@pytest.mark.parametrize(
    ("layers", "first", "named"),
    [
        (("first", "second"), 1e-5, True),
        (("first", "second"), 1e-2, False),  # gradients get there
        (("first",), 1e-5, False),  # one sigmoid does not do that
    ],
)
def test_two_sigmoids_count_where_gradients_vanish(layers, first, named):
    record = sigmoids(*layers, gradients=(first, 1e-2, 1.0))
    finding = found(record, "saturating_activations")
    assert (finding is not None) == named
    if named:
        assert "'first' gets 1.0e-05 times the gradient" in finding.message


# -- a rate that is next to nothing for most of a run ----------------------------------

BY_BATCH = np.geomspace(5e-3, 1e-12, 60)
SCHEDULE = {"class_name": "ExponentialDecay", "config": {"decay_steps": 1}}
FACTS = {"optimizer": {"class_name": "Adam", "learning_rate": SCHEDULE}}
STOPPED = np.r_[1.3, 0.9, 0.8, 0.78, np.full(16, 0.77)]


@pytest.mark.parametrize(
    ("run", "severity"),
    [
        ({}, "warning"),
        ({"end_loss": 0.1}, "info"),  # next to nothing is left to learn
        ({"loss": np.linspace(1.3, 0.77, 20)}, "info"),  # it moves all the same
        ({"rates": np.geomspace(5e-3, 1e-6, 60)}, "info"),  # not that small
    ],
)
def test_a_rate_that_is_nothing_for_most_steps(run, severity):
    given = {"loss": STOPPED, "end_loss": 0.75, "rates": BY_BATCH, "reference": 0.3}
    record = made_run(facts=FACTS, **{**given, **run})
    record.trained_steps = 300
    finding = found(record, "learning_rate_collapsed")
    assert finding.severity == severity


# -- half precision --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "named"),
    [
        ({"class_name": "Adam", "epsilon": 1e-7}, True),
        ({"class_name": "Adam", "epsilon": 1e-3}, False),
        ({"class_name": "SGD", "learning_rate": 0.1}, False),
        (
            {
                "class_name": "LossScaleOptimizer",
                "inner_optimizer": {"config": {"epsilon": 1e-7}},
            },
            True,
        ),
    ],
)
def test_an_epsilon_that_is_zero(optimizer, named):
    half = {"dtype": "float16"}
    record = made_run(first=half, second=half, facts={"optimizer": optimizer})
    assert (found(record, "epsilon_too_small") is not None) == named


def test_an_epsilon_of_zero_explains_what_is_not_finite():
    half = {"dtype": "float16"}
    loss = np.r_[1.3, np.full(19, np.nan)]
    facts = {"optimizer": {"class_name": "Adam", "epsilon": 1e-7}}
    record = made_run(loss, first=half, facts=facts)
    record._rows.measures[3:, MEASURES.index("non_finite")] = 16.0
    assert found(record, "epsilon_too_small").severity == "critical"
