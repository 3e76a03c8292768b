import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import QuadMesh

import keras_dlbasic as kd
from keras_dlbasic.records import MEASURES, TrainingRecord, VariableInfo

PLOTS = [
    kd.plots.plot_gradient_norm,
    kd.plots.plot_gradient_flow,
    kd.plots.plot_update_ratio,
    kd.plots.plot_clipping,
]


def make_record(n_layers, n_steps=40):
    variables = [
        VariableInfo(f"l{i}/kernel", f"l{i}", "kernel", (4, 4), i)
        for i in range(n_layers)
    ]
    record = TrainingRecord(variables)
    rng = np.random.default_rng(0)
    for step in range(n_steps):
        measures = np.exp(rng.normal(size=(len(MEASURES), n_layers)))
        measures[0] *= np.logspace(-3, 0, n_layers)
        measures[MEASURES.index("non_finite")] = 0
        measures[MEASURES.index("clip_factor")] = np.linspace(0.5, 1, n_layers)
        record.append_step(step, {"epoch": 0}, measures)
    return record


def test_few_layers_are_lines_with_the_data():
    record = make_record(3)
    ax = kd.plots.plot_gradient_norm(record)
    assert len(ax.lines) == 3
    np.testing.assert_allclose(ax.lines[1].get_ydata(), record.gradient_norm[:, 1])
    assert ax.lines[1].get_xdata()[0] == 1  # 1-based for readers
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(
        record.layers
    )


def test_many_layers_are_a_heat_map():
    ax = kd.plots.plot_gradient_norm(make_record(200))
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    assert mesh.get_array().shape == (200, 40)
    assert len(ax.get_yticks()) <= 12
    assert ax.yaxis_inverted()


def test_gradient_flow_compares_start_and_end():
    record = make_record(5)
    ax = kd.plots.plot_gradient_flow(record)
    flow = record.gradient_norm / record.weight_norm
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(flow[:4], axis=0))
    np.testing.assert_allclose(ax.lines[1].get_ydata(), np.median(flow[-4:], axis=0))
    assert [t.get_text() for t in ax.get_xticklabels()] == list(record.layers)


def test_update_ratio_is_the_quotient():
    record = make_record(2)
    ax = kd.plots.plot_update_ratio(record)
    drawn = ax.lines[0].get_ydata()
    np.testing.assert_allclose(
        drawn, record.update_norm[:, 0] / record.weight_norm[:, 0], rtol=1e-5
    )


def test_clipping_says_how_often():
    ax = kd.plots.plot_clipping(make_record(3))
    assert "100% of the sampled steps" in ax.get_title(loc="left") + ax.get_title()


@pytest.mark.parametrize("plot", PLOTS)
class TestAllPlots:
    def test_draws_on_given_axes(self, plot):
        _, ax = plt.subplots()
        assert plot(make_record(3), ax=ax) is ax

    def test_an_empty_record_is_said_to_be_empty(self, plot):
        ax = plot(TrainingRecord())
        assert "no " in ax.texts[0].get_text()

    @pytest.mark.parametrize("n_steps", [1, 2])
    @pytest.mark.parametrize("n_layers", [1, 40])
    def test_few_steps(self, plot, n_steps, n_layers):
        plot(make_record(n_layers, n_steps)).figure.canvas.draw()

    def test_values_that_are_zero_or_not_finite(self, plot):
        record = make_record(3)
        values = record._rows.measures
        values[3:6, 0, :] = np.nan
        values[7, 0, :] = np.inf
        values[:, 0, 1] = 0.0
        values[:, 1, 2] = 0.0
        plot(record).figure.canvas.draw()

    @pytest.mark.parametrize("name", ["light", "dark"])
    def test_styles(self, plot, name):
        before = plt.rcParams["axes.facecolor"]
        with kd.plots.style(name):
            plot(make_record(14)).figure.canvas.draw()
        assert plt.rcParams["axes.facecolor"] == before


def test_an_unknown_style():
    with pytest.raises(ValueError, match="light"):
        kd.plots.style("blue")
