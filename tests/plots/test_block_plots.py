"""What the plots of signals, penalties and activations hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis import LayerSignal, PropagationReport
from keras_dlbasic.analysis.activations.propagation import signal_trend
from keras_dlbasic.records import LayerTable, TrainingRecord


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def report(n, factor=0.5):
    layers = tuple(
        LayerSignal(
            layer=f"dense_{i}",
            activation="relu",
            fan_in=8.0,
            preactivation_mean_square=factor**i,
            preactivation_variance=3 * factor**i,
            activation_variance=factor**i,
            gradient_variance=factor ** (n - i),
            expected_preactivation=1.0,
            spread=0.1 * i**0.5,
            forward_verdict="ok" if i < 3 else "shrinking",
        )
        for i in range(n)
    )
    trend = signal_trend([factor**i for i in range(n)])
    return PropagationReport(layers, trend, trend, "noise")


@pytest.mark.parametrize("n", [1, 3, 200])
def test_signal_propagation(n):
    ax = kd.plots.plot_signal_propagation(report(n, 0.9))
    pre, post, gradients, *_ = ax.get_lines()
    np.testing.assert_allclose(pre.get_ydata(), 0.9 ** np.arange(n))
    np.testing.assert_allclose(post.get_ydata(), 0.9 ** np.arange(n))
    assert gradients.get_ydata()[max(n - 2, 0)] == pytest.approx(1)
    assert len(ax.get_xticks()) <= 12
    assert ax.get_yscale() == "log"


def test_signals_that_are_zero_are_named():
    ax = kd.plots.plot_signal_propagation(report(4, 0.0))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any("(zero)" in label for label in labels)


def record(n_layers=2, n_epochs=3):
    result = TrainingRecord()
    labels = [f"dense_{i}/kernel" for i in range(n_layers)]
    penalties = LayerTable(labels, ("penalty",))
    activations = LayerTable(labels, ("dead_units", "saturated_units"))
    drift = LayerTable(labels, ("mean_drift",))
    for epoch in range(n_epochs):
        row = np.linspace(0.1, 0.2, n_layers)
        result.append_epoch(epoch, {"loss": 2.0})
        penalties.append(10 * epoch + 10, epoch, {"penalty": row})
        activations.append(10 * epoch + 10, epoch, {"dead_units": row})
        drift.append(10 * epoch + 10, epoch, {"mean_drift": row})
    result.tables.update(
        penalties=penalties, activations=activations, normalization=drift
    )
    result.facts["penalties"] = {labels[0]: "L2(l2=0.1)"}
    return result


@pytest.mark.parametrize("n_epochs", [1, 3])
def test_penalty(n_epochs):
    ax = kd.plots.plot_penalty(record(2, n_epochs))
    assert "15.0%" in ax.get_title()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any("L2(l2=0.1)" in label for label in labels)


def test_many_penalties_are_summed():
    ax = kd.plots.plot_penalty(record(30))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["all weights"]


def test_unit_health():
    ax = kd.plots.plot_unit_health(record())
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), 0.2)
    np.testing.assert_array_equal(ax.get_lines()[1].get_xdata(), [10, 20, 30])
    many = kd.plots.plot_unit_health(record(40))
    assert many.collections[0].get_array().size == 40 * 3
    empty = kd.plots.plot_unit_health(record(), "saturated_units")
    assert "no layer" in empty.texts[0].get_text()
    with pytest.raises(ValueError, match="'health'"):
        kd.plots.plot_unit_health(record(), "health")


def test_drift():
    ax = kd.plots.plot_normalization_drift(record())
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), 0.1)


@pytest.mark.parametrize(
    "plot", ["plot_penalty", "plot_unit_health", "plot_normalization_drift"]
)
def test_empty_record(plot):
    ax = getattr(kd.plots, plot)(TrainingRecord())
    assert "no " in ax.texts[0].get_text()


def test_given_axes_are_drawn_on():
    _, ax = plt.subplots()
    assert kd.plots.plot_penalty(record(), ax=ax) is ax
    _, other = plt.subplots()
    assert kd.plots.plot_signal_propagation(report(3), ax=other) is other
    _, axes = plt.subplots(2)
    assert kd.plots.plot_activations(["tanh"], ax=axes)[0] is axes[0]


def test_activations():
    values, slopes = kd.plots.plot_activations(["tanh", "relu"])
    z = values.get_lines()[0].get_xdata()
    np.testing.assert_allclose(values.get_lines()[0].get_ydata(), np.tanh(z))
    thick = slopes.get_lines()[1].get_ydata()
    assert np.isnan(thick[z < -2.2]).all()
    labels = [text.get_text() for text in values.get_legend().get_texts()]
    assert labels == ["tanh (Xavier, gain 1)", "relu (He, gain 1)"]
    with pytest.raises(ValueError, match="softmax"):
        kd.plots.plot_activations(["softmax"])
