"""Judgements about signals, activations, clipping and normalization, on arrays."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlbasic.analysis import (
    LayerSignal,
    PropagationReport,
    clipping_summary,
    suggest_clip,
)
from keras_dlbasic.analysis.activations.normalization_drift import normalization_drift
from keras_dlbasic.analysis.activations.propagation import signal_trend, signal_verdict
from keras_dlbasic.analysis.activations.statistics import activation_statistics
from keras_dlbasic.analysis.activations.table import ACTIVATIONS
from keras_dlbasic.records import MEASURES, TrainingRecord, VariableInfo

DEPTH = np.arange(1, 31)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.2, 5).filter(lambda f: abs(np.log(f)) > 0.1))
def test_exponential(factor):
    trend = signal_trend(3.0 * factor**DEPTH)
    assert trend.kind == "exponential"
    assert trend.factor == pytest.approx(factor, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.5, 3), st.sampled_from([-1, 1]), st.booleans())
def test_power_law(size, sign, from_the_far_end):
    values = DEPTH ** float(sign * size)
    trend = signal_trend(1 / values[::-1] if from_the_far_end else values)
    assert trend.kind == "power_law"
    assert trend.exponent == pytest.approx(sign * size, rel=1e-6)


def test_a_steep_power_of_depth_is_an_exponential():
    """No law of initialization gives one, and it is not a slow fall."""
    depth = np.arange(10.0)
    trend = signal_trend(np.exp(-1.2 * depth - 0.05 * depth**2))
    assert trend.kind == "exponential"
    assert "exponentially" in str(trend)
    # a power that an exponential does not fit is no exponential
    assert signal_trend(np.arange(1.0, 31) ** 10).kind == "irregular"


def test_constant_but_for_chance():
    noise = np.exp(0.05 * np.random.default_rng(0).normal(size=30).cumsum())
    assert signal_trend(noise, spread=0.05 * np.sqrt(30)).kind == "constant"
    assert signal_trend([1.0] * 30).kind == "constant"


@pytest.mark.parametrize(
    "logs",
    [
        np.r_[np.arange(10), np.arange(10)[::-1]],  # up and down again
        3 * np.sin(np.arange(30)),
        np.r_[np.zeros(10), [5.0], np.zeros(10)],  # one layer stands out
        np.random.default_rng(0).normal(0, 3, 30),
    ],
)
def test_no_law_is_told_where_none_is(logs):
    trend = signal_trend(np.exp(logs))
    assert trend.kind == "irregular"
    assert trend.extent == pytest.approx(np.exp(np.ptp(logs)))
    assert "no law of depth" in str(trend)


@pytest.mark.parametrize("seed", range(20))
def test_chance_alone_is_no_law(seed):
    steps = np.random.default_rng(seed).normal(size=50)
    trend = signal_trend(np.exp(steps.cumsum()), spread=np.sqrt(50))
    assert trend.kind == "constant"


def report(kernel_scale=1.0, verdict="ok", **arguments):
    layer = LayerSignal(
        *("dense", "relu", 8.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
        kernel_scale=kernel_scale,
        forward_verdict=verdict,
    )
    trend = signal_trend([0.5**n for n in range(9)])
    return PropagationReport((layer,) * 3, trend, trend, "noise", **arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kernel_scale": 0.7, "verdict": "vanishing"}, "0.7 times.*initialize"),
        ({"verdict": "vanishing"}, "not the size.*lsuv"),
        ({"kernel_scale": float("nan"), "verdict": "zero"}, "not the size.*lsuv"),
        ({"input_scale": 128.0}, "mean square of 1.3e\\+02.*Normalization"),
    ],
)
def test_likely_cause_and_remedy(arguments, text):
    (cause,) = report(**arguments).causes
    assert re.search(text, cause)
    assert cause in " ".join(str(report(**arguments)).split())


def test_no_cause_is_named_where_nothing_is_wrong():
    assert report(kernel_scale=0.7, input_scale=0.3).causes == ()
    trained = report(kernel_scale=0.7, verdict="vanishing", is_trained=True)
    assert trained.causes == ()
    assert "To check the initialization" in str(trained)


@pytest.mark.parametrize(
    "values", [[], [1.0, 0.5], [1, 1, 1, 0, 1, 1, 1], [np.nan] * 9]
)
def test_unknown(values):
    assert signal_trend(values).kind == "unknown"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (0.5, "ok"),
        (1e-3, "shrinking"),
        (1e-7, "vanishing"),
        (1e3, "growing"),
        (1e7, "exploding"),
        (0.0, "zero"),
        (np.inf, "non_finite"),
    ],
)
def test_verdict(value, verdict):
    assert signal_verdict(value, 1.0) == verdict


def test_verdict_allows_for_chance():
    assert signal_verdict(1e-3, 1.0, spread=3.0) == "ok"


def test_statistics_of_units():
    outputs = np.ones((10, 4))
    outputs[:, 0] = 0
    outputs[:, 1] = 0.01
    outputs[0, 3] = 0  # alive for the others
    statistics = activation_statistics(outputs)
    assert statistics["dead_units"] == 0.25
    assert statistics["dormant_units"] == 0.5
    assert statistics["mean"] == pytest.approx(outputs.mean())
    assert statistics["variance"] == pytest.approx(outputs.var())
    assert np.isnan(statistics["saturated_units"])


def test_saturation_on_both_sides():
    z = np.array([[-9.0, 0.1], [9.0, 0.2], [-9.0, 9.0]])
    statistics = activation_statistics(np.tanh(z), z, "tanh")
    assert statistics["saturated_units"] == 0.5
    assert statistics["saturated_share"] == pytest.approx(4 / 6)
    relu = activation_statistics(np.maximum(z, 0), z, "relu")
    assert np.isnan(relu["saturated_units"])
    six = activation_statistics(np.clip(z, 0, 6), z, "relu6")
    assert six["saturated_share"] == pytest.approx(2 / 6)


def test_units_on_another_axis():
    outputs = np.ones((3, 5, 2))
    outputs[:, 1] = 0
    assert activation_statistics(outputs, axis=1)["dead_units"] == 0.2


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "hard_sigmoid", "softsign"])
def test_saturation_range(name):
    activation = ACTIVATIONS[name]
    low, high = activation.saturation
    assert low == -high
    steepest = activation.slope(np.array([0.0]))[0]
    beyond = activation.slope(np.array([low - 0.05, high + 0.05]))
    assert (beyond < 0.05 * steepest).all()
    assert activation.slope(np.array([high - 0.05]))[0] > 0.045 * steepest


def test_relu_does_not_saturate_for_large_inputs():
    assert ACTIVATIONS["relu"].saturation == (0.0, None)
    assert ACTIVATIONS["leaky_relu"].saturation == (None, None)


def record_of(norms, factors=1.0):
    norms = np.asarray(norms, float)
    variables = [
        VariableInfo(f"v{i}", f"l{i}", "kernel", (2, 2), i)
        for i in range(norms.shape[1])
    ]
    record = TrainingRecord(variables)
    factors = np.broadcast_to(factors, norms.shape)
    for step, (row, factor) in enumerate(zip(norms, factors, strict=True)):
        measures = np.zeros((len(MEASURES), norms.shape[1]))
        measures[MEASURES.index("gradient_norm")] = row
        measures[MEASURES.index("clip_factor")] = factor
        record.append_step(step, {"skipped": 0.0}, measures)
    return record


def test_suggested_threshold():
    norms = np.arange(1, 101)[:, None] * np.array([[3.0, 4.0]])
    suggestion = suggest_clip(record_of(norms), percentile=90)
    assert suggestion.global_clipnorm == pytest.approx(np.percentile(5 * DEPTH_100, 90))
    assert suggestion.clipnorm == pytest.approx(np.percentile(4 * DEPTH_100, 90))
    assert suggestion.share_cut == pytest.approx(0.1)
    assert "global_clipnorm=" in str(suggestion)


DEPTH_100 = np.arange(1, 101)


def test_suggestion_needs_steps():
    with pytest.raises(ValueError, match="a record with 3"):
        suggest_clip(record_of(np.ones((3, 1))))
    with pytest.raises(ValueError, match="percentile=101"):
        suggest_clip(record_of(np.ones((30, 1))), percentile=101)


def test_how_often_and_how_hard():
    factors = np.ones((10, 2))
    factors[:4, 0] = [0.5, 0.5, 0.1, 0.9]
    whole, first, second = clipping_summary(record_of(np.ones((10, 2)), factors))
    assert first.share_cut == 0.4
    assert first.hardest_factor == pytest.approx(0.1)
    assert first.median_factor == pytest.approx(0.5)
    assert second.share_cut == 0
    assert whole.share_cut == 0.4


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.999), st.integers(0, 99))
def test_drift_recovers_the_batch(momentum, seed):
    generator = np.random.default_rng(seed)
    moving = generator.normal(size=5), generator.uniform(0.5, 2, 5)
    batch = generator.normal(size=5), generator.uniform(0.5, 2, 5)
    after = tuple(
        momentum * m + (1 - momentum) * b for m, b in zip(moving, batch, strict=True)
    )
    drift = normalization_drift(moving, after, momentum)
    expected = np.sqrt(np.mean((batch[0] - moving[0]) ** 2 / moving[1]))
    assert drift["mean_drift"] == pytest.approx(expected, rel=1e-6)
    ratio = np.exp(np.mean(np.log(batch[1] / moving[1])))
    assert drift["variance_ratio"] == pytest.approx(ratio, rel=1e-6)
