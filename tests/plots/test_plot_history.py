import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.plots import plot_history

T = np.arange(40)
LOGS = {
    "loss": list(np.exp(-T / 10)),
    "val_loss": list(0.5 + 0.5 * np.exp(-T / 5) + 0.01 * np.maximum(0, T - 20)),
    "accuracy": list(1 - 0.5 * np.exp(-T / 10)),
    "val_accuracy": list(0.8 - 0.3 * np.exp(-T / 10)),
    "learning_rate": [0.1] * 40,
}


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_one_panel_a_metric_with_gap_onset_and_best_epoch():
    axes = plot_history(LOGS)
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy"]
    np.testing.assert_allclose(axes[0].lines[0].get_ydata(), LOGS["loss"])
    np.testing.assert_allclose(axes[0].lines[0].get_xdata(), T + 1)
    np.testing.assert_allclose(axes[0].lines[1].get_ydata(), LOGS["val_loss"])
    assert "gap" in labels(axes[0])
    onset = kd.analysis.detect_overfitting(LOGS["loss"], LOGS["val_loss"]).onset
    assert f"overfitting since epoch {onset + 1}" in labels(axes[0])
    best = int(np.argmin(LOGS["val_loss"])) + 1
    assert f"best epoch by val_loss: {best}" in labels(axes[0])


def test_the_stop_reason_is_told():
    report = kd.analysis.StoppingReport(
        True, "patience", "val_loss", 5, 5, 39, 34, 0.6, 0.7, True, "end", 5, 0.1, 9
    )
    axes = plot_history(LOGS, report=report)
    for ax in axes:
        assert "stopped: no better 'val_loss' for 5 epochs" in labels(ax)
        assert "best epoch by val_loss: 35" in labels(ax)


def test_all_sources_give_the_same_lines(tmp_path):
    history = keras.callbacks.History()
    history.history, history.epoch = LOGS, list(range(40))
    record = kd.records.TrainingRecord.from_history(LOGS)
    record.save(tmp_path / "run.npz")
    table = tmp_path / "log.csv"
    rows = [",".join(["epoch", *LOGS])]
    rows += [",".join(map(str, (i, *v))) for i, v in enumerate(zip(*LOGS.values()))]  # noqa: B905
    table.write_text("\n".join(rows))
    for source in (history, record, tmp_path / "run.npz", str(table)):
        axes = plot_history(source)
        assert len(axes) == 2
        np.testing.assert_allclose(axes[0].lines[1].get_ydata(), LOGS["val_loss"])


def test_given_axes_and_metrics():
    _, axes = plt.subplots(2)
    assert list(plot_history(LOGS, ax=axes)) == list(axes)
    assert len(plot_history(LOGS, metrics=["accuracy"])) == 1
    with pytest.raises(ValueError, match="one axes per panel"):
        plot_history(LOGS, ax=axes[0])
    with pytest.raises(ValueError, match="auc"):
        plot_history(LOGS, metrics=["auc"])
    with pytest.raises(TypeError, match="history"):
        plot_history(3)


NAN = np.nan
ODD = [
    # logs, and for each panel the (epochs, values) of training and of validation
    ({}, [[]]),
    ({"loss": [1.0]}, [[([1], [1.0])]]),
    ({"loss": [NAN] * 3, "val_loss": [NAN] * 3}, [[]]),
    (
        {"loss": [1.0, np.inf, NAN], "val_loss": [1.0, 2.0, NAN]},
        [[([1], [1.0]), ([1, 2], [1.0, 2.0])]],
    ),
    (  # `validation_freq=2`
        {"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [2.0, 1.0]},
        [[([1, 2, 3, 4], [4.0, 3.0, 2.0, 1.0]), ([2, 4], [2.0, 1.0])]],
    ),
    ({"val_loss": [1e4, 1.0]}, [[([1, 2], [1e4, 1.0])]]),
    (
        {"loss": [-1.0, -2.0], "a_loss": [1.0, 2.0], "b_loss": [1, 2], "c": [1, 2]},
        [[([1, 2], [-1.0, -2.0])], *[[([1, 2], [1.0, 2.0])]] * 3],
    ),
]


def curves(ax):
    """Return the data of the lines drawn, without marks of single epochs."""
    drawn = [line for line in ax.lines if line.get_label().startswith(("tr", "val"))]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in drawn]


@pytest.mark.parametrize("style", ["light", "dark"])
@pytest.mark.parametrize(("logs", "expected"), ODD)
def test_odd_logs_can_be_drawn(logs, expected, style):
    with kd.plots.style(style):
        axes = plot_history(logs)
        axes[0].figure.canvas.draw()
    assert [curves(ax) for ax in axes] == expected
    wrong = sum(not np.isfinite(v) for v in logs.get("loss", []))
    dotted = [line for line in axes[0].lines if line.get_linestyle() == ":"]
    assert len(dotted) == wrong
    assert bool(axes[0].texts) == (not logs)  # said to be empty


def test_what_was_measured_in_inference_mode_is_drawn_too():
    record = kd.records.TrainingRecord.from_history(LOGS)
    for epoch in range(40):
        record.append_epoch(epoch, {"evaluated_loss": 0.1})
    axes = plot_history(record)
    assert len(axes) == 2
    assert "training (inference mode)" in labels(axes[0])


def test_small_changes_look_small():
    rng = np.random.default_rng(0)
    flat = {
        "loss": list(2.3 + 0.001 * rng.random(30)),
        "val_loss": list(2.3 + 0.001 * rng.random(30)),
        "accuracy": list(0.1 + 0.0016 * rng.random(30)),
        "auc": list(0.001 * rng.random(30)),
    }
    loss, accuracy, auc = (np.ptp(ax.get_ylim()) for ax in plot_history(flat))
    assert loss == pytest.approx(0.05 * 2.3, rel=0.01)
    assert accuracy == pytest.approx(0.1)
    assert auc == pytest.approx(0.1)
    assert plot_history(flat)[2].get_ylim()[0] == 0  # a share is not negative


def test_legends_are_off_the_data():
    axes = plot_history(LOGS)
    axes[0].figure.canvas.draw()
    for ax in axes:
        legend = ax.get_legend().get_window_extent()
        assert legend.y1 <= ax.get_window_extent().y0
