"""What holds for every public plot: each has a case here, or a test fails."""

import inspect
import pkgutil
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis import LayerSignal, PropagationReport
from keras_dlbasic.analysis.activations.propagation import signal_trend
from keras_dlbasic.analysis.experiments.learning_rate_range import judge_learning_rates
from keras_dlbasic.analysis.landscape.critical_point import MEASURES as CURVATURE
from keras_dlbasic.analysis.landscape.loss_surface import LossLine, LossSurface
from keras_dlbasic.records import (
    MEASURES,
    LayerTable,
    TrainingRecord,
    TrialResult,
    VariableInfo,
)

T = np.linspace(-0.25, 1.25, 31)
RATE = np.geomspace(1e-5, 1, 50)


def record():
    """Return a record that has something for each plot of records."""
    names = [f"dense_{i}/kernel" for i in range(3)]
    made = TrainingRecord(
        [VariableInfo(n, n, "kernel", (4, 4), i) for i, n in enumerate(names)]
    )
    tables = {
        "penalties": LayerTable(names, ("penalty",)),
        "activations": LayerTable(names, ("dead_units", "saturated_units")),
        "normalization": LayerTable(names, ("mean_drift",)),
        "curvature": LayerTable(("model",), (*CURVATURE, "verdict")),
    }
    made.tables.update(tables)
    for epoch in range(4):
        measures = np.full((len(MEASURES), 3), 0.5 + 0.1 * epoch)
        measures[MEASURES.index("non_finite")] = 0
        made.append_step(epoch, {"epoch": epoch}, measures)
        made.append_epoch(epoch, {"loss": 2.0 - 0.1 * epoch, "val_loss": 2.0})
        for table in tables.values():
            row = np.linspace(0.1, 0.2, len(table.labels))
            table.append(epoch + 1, epoch, dict.fromkeys(table.measures, row))
    made.note(penalties={names[0]: "L2(l2=0.1)"})
    return made


def trials(settings, seeds=2, **values):
    """Return trials of scripted values, one for each seed of each of `settings`."""
    return [
        TrialResult(
            {**own, "seed": seed}, values={k: f(own) for k, f in values.items()}
        )
        for own in settings
        for seed in range(seeds)
    ]


def batch_size_study():
    u = np.arange(9.0)
    made = trials(
        [{"batch_size": b} for b in (64, 8, 1)],
        curve_updates=lambda s: u,
        curve_samples=lambda s: u * s["batch_size"],
        curve_seconds=lambda s: u / s["batch_size"],
        curve_loss=lambda s: 1 / (1 + u),
        updates_per_second=lambda s: 100.0 / s["batch_size"],
        loss_jitter=lambda s: 1.0 / s["batch_size"],
    )
    return kd.analysis.BatchSizeResult(made, rows=64)


def capacity_study():
    made = trials(
        [{"size": size} for size in (1, 2, 4)],
        parameters=lambda s: 40 * s["size"],
        depth=lambda s: s["size"],
        kind=lambda s: "classes",
        train_error=lambda s: 0.0,
        val_error=lambda s: 0.3 / s["size"],
        train_loss=lambda s: 0.1,
        val_loss=lambda s: 0.3,
    )
    about = {"rows": 50, "outputs": 2, "by": "depth"}
    return kd.analysis.CapacityResult(made, about=about)


def sample_size_study():
    made = trials(
        [{"size": n} for n in (25, 50, 100, 200)],
        val_error=lambda s: s["size"] ** -0.5,
        train_error=lambda s: 0.0,
        val_loss=lambda s: s["size"] ** -0.5,
        train_loss=lambda s: 0.0,
    )
    return kd.analysis.SampleSizeResult(made)


def outlier_study():
    made = trials(
        [{"kind": k, "share": s} for k, s in (("none", 0.0), ("labels", 0.2))],
        val_error=lambda s: 0.1 + s["share"],
        train_error=lambda s: 0.0,
        row_scores=lambda s: np.arange(30.0),
        average_precision=lambda s: 0.9,
    )
    return kd.analysis.OutlierResult(made)


def remedy_study():
    made = trials(
        [{"remedy": r, "strength": None} for r in ("untreated", "L2")],
        kind=lambda s: "classes",
        train_error=lambda s: 0.01,
        train_loss=lambda s: 0.02,
        val_error=lambda s: 0.2,
        val_loss=lambda s: 0.5,
        row_errors=lambda s: np.arange(40) % 5 == 0.0,
        row_brier=lambda s: np.full(40, 0.2),
        training_seconds=lambda s: 2.0,
        inference_seconds=lambda s: 0.02,
        parameters=lambda s: 100,
    )
    return kd.analysis.RemedyResult(made, names={})


def propagation_report():
    signals = tuple(
        LayerSignal(
            layer=f"dense_{i}",
            activation="relu",
            fan_in=8.0,
            preactivation_mean_square=0.5**i,
            preactivation_variance=0.5**i,
            activation_variance=0.5**i,
            gradient_variance=0.5 ** (3 - i),
            expected_preactivation=1.0,
            spread=0.1,
            forward_verdict="ok",
        )
        for i in range(3)
    )
    trend = signal_trend([0.5**i for i in range(3)])
    return PropagationReport(signals, trend, trend, "noise")


class Halves:
    """Predicts class 1 right of zero."""

    def predict(self, x, **given):
        right = x[:, 0] > 0
        return np.stack([~right, right], axis=1).astype(float)


class Constant:
    """Predicts the same class for all rows."""

    def __init__(self, chosen):
        self.chosen, self.logits, self.members = chosen, None, ()

    def predict(self, x, **given):
        return np.tile(np.eye(2)[self.chosen], (len(x), 1))


def ensemble():
    made = Constant(1)
    made.members = [Constant(0), Constant(1)]
    return made


PLANE = np.random.default_rng(0).normal(size=(12, 2))

CASES = {
    "plot_activations": lambda: (["relu", "tanh"],),
    "plot_augmentation": lambda: (lambda images: images, np.ones((4, 3, 3, 1))),
    "plot_batch_size_study": lambda: (batch_size_study(),),
    "plot_capacity": lambda: (capacity_study(),),
    "plot_clipping": lambda: (record(),),
    "plot_curvature": lambda: (record(),),
    "plot_decision_regions": lambda: (Halves(), PLANE, (PLANE[:, 0] > 0).astype(int)),
    "plot_descent_path": lambda: (kd.analysis.descend("saddle", updates=4),),
    "plot_dropout": lambda: (0.5,),
    "plot_ensemble": lambda: (ensemble(), PLANE, (PLANE[:, 0] > 0).astype(int)),
    "plot_gradient_flow": lambda: (record(),),
    "plot_gradient_norm": lambda: (record(),),
    "plot_history": lambda: (record(),),
    "plot_initializers": lambda: ("relu",),
    "plot_learning_curve": lambda: (sample_size_study(),),
    "plot_learning_rate_range": lambda: (
        judge_learning_rates(RATE, 1 - 0.5 / (1 + 1e-2 / RATE)),
    ),
    "plot_loss_line": lambda: (LossLine(T, 0.1 + (T * (T - 1)) ** 2),),
    "plot_loss_surface": lambda: (
        LossSurface(T, T, T[:, None] ** 2 + T**2, ("a", "b")),
    ),
    "plot_noise_scale": lambda: (
        kd.analysis.NoiseScaleCurve(np.arange(9), np.full(9, 3.0), np.ones(9)),
    ),
    "plot_normalization": lambda: (PLANE,),
    "plot_normalization_drift": lambda: (record(),),
    "plot_outlier_study": lambda: (outlier_study(),),
    "plot_penalty": lambda: (record(),),
    "plot_remedy_study": lambda: (remedy_study(),),
    "plot_signal_propagation": lambda: (propagation_report(),),
    "plot_suspects": lambda: (outlier_study(),),
    "plot_unit_health": lambda: (record(),),
    "plot_update_ratio": lambda: (record(),),
    "plot_weights": lambda: ({"none": PLANE, "L2": 0.1 * PLANE},),
}
"""By name of the plot: makes the arguments that it takes."""


def axes_of(name, **given):
    """Draw a plot; return its axes as an array."""
    drawn = getattr(kd.plots, name)(*CASES[name](), **given)
    return drawn if isinstance(drawn, np.ndarray) else np.array(drawn)


def defined():
    """Yield the names of the plots in all modules of `plots`, public or forgotten."""
    for module in pkgutil.iter_modules(kd.plots.__path__, "keras_dlbasic.plots."):
        for name, value in vars(import_module(module.name)).items():
            is_own = getattr(value, "__module__", None) == module.name
            if name.startswith("plot_") and is_own and inspect.isfunction(value):
                yield name


def test_every_public_plot_has_a_case():
    public = {name for name in kd.plots.__all__ if name.startswith("plot_")}
    assert set(CASES) == public == set(defined())


def is_drawn(ax):
    """Tell whether there are data; what has none is an axes with a text alone."""
    return bool([*ax.lines, *ax.collections, *ax.images, *ax.patches])


@pytest.mark.parametrize("name", CASES)
def test_it_draws_its_data_on_axes_of_its_own_or_on_given_ones_in_any_style(name):
    before = dict(plt.rcParams)
    with kd.plots.style("light"):
        own = axes_of(name)
        plt.gcf().canvas.draw()
    assert all(map(is_drawn, own.flat))
    plt.close("all")
    with kd.plots.style("dark"):
        _, grid = plt.subplots(1, own.size, squeeze=False)
        given = grid.reshape(own.shape) if own.shape else grid[0, 0]
        drawn = axes_of(name, ax=given)
        plt.gcf().canvas.draw()
    assert [*drawn.flat] == [*grid.flat]
    assert all(map(is_drawn, drawn.flat))
    assert len(plt.get_fignums()) == 1
    assert dict(plt.rcParams) == before
