"""The fall of the error with planted outliers."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.outlier_result import OutlierResult
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of
from keras_dlbasic.plots.interval_points import draw_intervals


@names_nearest
def plot_outlier_study(result: OutlierResult, *, ax: Axes | None = None) -> Axes:
    """Draw the held-out error against the share of planted wrong rows.

    Points are means over seeds with 95 % intervals. The numbers are average precisions:
    how well the planted rows are found.

    Args:
        result: The result of `studies.OutlierStudy(...).run()`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> trials = [
    ...     kd.records.TrialResult(
    ...         {"kind": kind, "share": share, "seed": 0},
    ...         values={
    ...             "val_error": 0.1 + share, "row_scores": np.eye(8)[5],
    ...             "average_precision": 0.9,
    ...         },
    ...     )
    ...     for kind, share in (("none", 0.0), ("labels", 0.2))
    ... ]
    >>> ax = kd.plots.plot_outlier_study(kd.analysis.OutlierResult(trials))
    """
    result = result_of(result, OutlierResult)
    ax = axes_or_new(ax, figsize=(7, 4.4))
    ax.set_title("Held-out error with planted outliers")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    beside = 0.008 * max(result.shares)  # so that no interval hides another
    drawn = False
    for place, kind in enumerate(result.kinds):
        found = {s: i for s, i in result.intervals(kind).items() if i.n}
        if not found:
            continue
        drawn = True
        draw_intervals(
            ax,
            [share + place * beside for share in found],
            list(found.values()),
            fmt="o-",
            color=colors[place],
            label=f"wrong {kind}",
        )
        for share, precision in result.intervals(kind, "average_precision").items():
            if share in found and precision.n:
                ax.annotate(
                    f"{precision.mean:.2f}",
                    (share + place * beside, found[share].mean),
                    xytext=(6, -11 if place else 6),
                    textcoords="offset points",
                    fontsize=8.5,
                    color=colors[place],
                )
    if not drawn:
        return say_empty(ax, "no trial finished")
    ax.set_xlim(right=max(result.shares) * 1.12)
    ax.set_ylim(0, 1.06 * ax.get_ylim()[1])  # room for the numbers
    ax.set_xlabel("share of wrong training rows")
    ax.set_ylabel("held-out error")
    ax.legend(title="numbers: average precision\nof finding them again")
    return ax


plot_of.register(OutlierResult, plot_outlier_study)
