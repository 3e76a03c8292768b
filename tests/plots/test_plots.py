import numpy as np
import pytest
from matplotlib.collections import QuadMesh

import keras_dlbasic as kd
from keras_dlbasic.plots.axes import axes_or_new, draw_over_steps
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


def series(plot, record):
    """Return what a plot is to draw, `[steps, series]`, by the definitions."""
    if plot is kd.plots.plot_gradient_norm:
        return record.gradient_norm
    if plot is kd.plots.plot_gradient_flow:
        return record.gradient_norm / record.weight_norm
    if plot is kd.plots.plot_update_ratio:
        return record.update_norm / record.weight_norm
    clipped = np.linalg.norm(record.gradient_norm * record.clip_factor, axis=1)
    return (clipped / np.linalg.norm(record.gradient_norm, axis=1))[:, None]


def data_lines(ax):
    """Return the lines with data: neither levels nor marks of single steps."""
    return [line for line in ax.lines if line.get_linestyle() == "-"]


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
class TestPlotsOfSteps:
    def test_an_empty_record_is_said_to_be_empty(self, plot):
        ax = plot(TrainingRecord())
        assert "no " in ax.texts[0].get_text()

    @pytest.mark.parametrize("n_steps", [1, 2])
    @pytest.mark.parametrize("n_layers", [1, 40])
    def test_few_steps(self, plot, n_steps, n_layers):
        record = make_record(n_layers, n_steps)
        ax = plot(record)
        ax.figure.canvas.draw()
        expected = series(plot, record)
        is_map = plot in (kd.plots.plot_gradient_norm, kd.plots.plot_update_ratio)
        if is_map and n_layers > 12:
            (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
            np.testing.assert_allclose(mesh.get_array(), expected.T, rtol=1e-6)
            return
        lines = data_lines(ax)
        if plot is kd.plots.plot_gradient_flow:  # first and last step, over layers
            drawn = [line.get_ydata() for line in lines]
            np.testing.assert_allclose(drawn, expected[[0, -1]], rtol=1e-6)
            assert [line.get_marker() for line in lines] == ["o", "s"]
        else:
            assert [list(line.get_xdata()) for line in lines] == [
                list(range(1, n_steps + 1)) for _ in expected.T
            ]
            drawn = [line.get_ydata() for line in lines]
            np.testing.assert_allclose(drawn, expected.T, rtol=1e-6)
            assert all(line.get_marker() == "o" for line in lines)  # else not seen

    def test_values_that_are_zero_or_not_finite(self, plot):
        record = make_record(3)
        values = record._rows.measures
        row = {name: MEASURES.index(name) for name in MEASURES}
        values[3, row["gradient_norm"], 0] = np.nan
        values[7, row["gradient_norm"], 0] = np.inf
        values[5, row["gradient_norm"], 1] = 0.0
        values[9, row["weight_norm"], 2] = 0.0
        values[11, row["clip_factor"], 0] = np.nan
        values[13, row["update_norm"], 0] = np.inf
        ax = plot(record)
        ax.figure.canvas.draw()
        dotted = [ln.get_xdata()[0] for ln in ax.lines if ln.get_linestyle() == ":"]
        missing = {
            kd.plots.plot_gradient_norm: {0: [3, 7], 1: [5], 2: []},
            kd.plots.plot_update_ratio: {0: [13], 1: [], 2: [9]},
        }
        if plot in missing:
            for layer, line in enumerate(data_lines(ax)):
                left_out = [step + 1 for step in missing[plot][layer]]
                assert sorted(set(range(1, 41)) - set(line.get_xdata())) == left_out
            infinite = 8 if plot is kd.plots.plot_gradient_norm else 14
            assert dotted == [infinite]
        elif plot is kd.plots.plot_gradient_flow:
            flow = record.gradient_norm / np.where(
                record.weight_norm > 0, record.weight_norm, np.nan
            )
            flow[~np.isfinite(flow) | (flow <= 0)] = np.nan
            for line, rows in zip(data_lines(ax), (flow[:4], flow[-4:]), strict=True):
                np.testing.assert_allclose(line.get_ydata(), np.nanmedian(rows, axis=0))
        else:
            (line,) = data_lines(ax)
            assert line.get_xdata().tolist() == list(range(1, 41))
            assert np.isfinite(line.get_ydata()).all()
            norms, factors = record.gradient_norm[11, 1:], record.clip_factor[11, 1:]
            whole = np.linalg.norm(norms * factors) / np.linalg.norm(norms)
            assert line.get_ydata()[11] == pytest.approx(whole)


def test_an_unknown_style():
    with pytest.raises(ValueError, match="light"):
        kd.plots.style("blue")


def test_nothing_is_cut_off_in_a_figure_of_our_own():
    labels = [f"encoder/block_{i}/multi_head_attention" for i in range(3)]
    ax = axes_or_new(None)
    draw_over_steps(
        ax,
        np.arange(5),
        np.geomspace(2e-1, 3e-1, 15).reshape(5, 3),
        labels,
        quantity="gradient norm / weight norm",
    )
    ax.figure.draw_without_rendering()
    drawn, page = ax.get_tightbbox(), ax.figure.bbox
    assert drawn.x0 >= page.x0
    assert drawn.x1 <= page.x1
    assert drawn.y0 >= page.y0
    assert drawn.y1 <= page.y1


@pytest.mark.parametrize(
    "plot",
    [
        kd.plots.plot_gradient_flow,
        kd.plots.plot_gradient_norm,
        kd.plots.plot_update_ratio,
    ],
)
def test_a_record_without_layers_is_said_to_have_none(plot):
    record = kd.records.TrainingRecord()
    record.append_step(0, {"epoch": 0}, np.zeros((len(kd.records.MEASURES), 0)))
    ax = plot(record)
    assert "no layers in this record" in [text.get_text() for text in ax.texts]
