"""Weights that are too large or too small for the depth of a network."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.analysis.activations.statistics import MEASURES
from keras_dlbasic.records import LayerTable

L = keras.layers
RNG = np.random.default_rng(0)


def deep(factor, n=12, *, units=64, normalizes=False, epoch=-1, noise=0.0, **run):
    """A stuck run of `n` layers whose activations' mean square changes by a factor."""
    record = made_run(**(run or STUCK))
    model = record.facts.model
    hidden = replace(model.layers[0], units=units, gain=1.4 * factor**0.5)
    layers = tuple(replace(hidden, label=f"deep{i}") for i in range(n))
    if normalizes:
        layers = (*layers, replace(hidden, label="norm", normalizes=True))
    record.note(model=replace(model, layers=(*layers, model.layers[-1])))
    labels = [f"deep{i}" for i in range(n)] + ["out"]
    table = LayerTable(labels, MEASURES)
    squares = factor ** np.arange(n + 1) * np.exp(noise * RNG.normal(size=n + 1))
    row = {name: np.zeros(n + 1) for name in MEASURES} | {"variance": squares}
    table.append(0, epoch, row)
    record.tables["activations"] = table
    return record


def found(record):
    diagnosis = kd.diagnose(record)
    return next((f for f in diagnosis if f.name == "poor_initialization"), None)


@pytest.mark.parametrize(
    ("factor", "word"), [(4.0, "large"), (0.25, "small"), (1.0, None), (0.5, None)]
)
def test_weights_that_do_not_suit_the_depth(factor, word):
    finding = found(deep(factor))
    if word is None:  # 0.5 a layer is Xavier's law for rectifiers: 2,000 in all
        assert finding is None
        return
    assert finding.severity == "critical"
    assert f"too {word} for this depth" in finding.message
    assert finding.layer == "deep0"


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizes": True},  # the size of weights does not matter
        {"epoch": 0},  # it was looked at after training had begun
        {"n": 5},  # too few layers for a law
        {"units": 2, "factor": 0.3},  # so narrow that chance does it
        {"noise": 8.0, "factor": 1.0},  # no law
    ],
)
def test_what_does_not_tell(changes):
    assert found(deep(**{"factor": 4.0, **changes})) is None


def test_it_does_no_harm_where_the_run_learns():
    diagnosis = kd.diagnose(deep(4.0, loss=np.exp(-np.arange(20) / 5)))
    assert diagnosis.is_healthy


def tower(scale, normalizes=False):
    keras.utils.set_random_seed(0)
    law = keras.initializers.VarianceScaling(2 * scale**2)
    model = keras.Sequential([keras.Input((8,))])
    for _ in range(12):
        model.add(L.Dense(48, "relu", kernel_initializer=law))
        if normalizes:
            model.add(L.LayerNormalization())
    model.add(L.Dense(1))
    model.compile("sgd", "mse")
    return model


@pytest.mark.once
@pytest.mark.parametrize(
    ("scale", "normalizes", "named"),
    [(2.0, False, True), (0.5, False, True), (1.0, False, False), (2.0, True, False)],
)
def test_preflight_measures_it(scale, normalizes, named):
    x = RNG.normal(size=(64, 8)).astype("float32")
    found = kd.preflight(tower(scale, normalizes), x, x[:, 0])
    assert ("poor_initialization" in found.names) == named
