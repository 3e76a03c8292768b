"""The training rows that are suspected most."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.outlier_result import OutlierResult
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of


@names_nearest
def plot_suspects(
    result: OutlierResult,
    x: Any = None,
    y: Any = None,
    *,
    n: int = 12,
    columns: int = 6,
    kind: str = "labels",
    ax: Any = None,
) -> Any:
    """Draw the training rows that are most likely wrong, the most suspicious first.

    Args:
        result: The result of `studies.OutlierStudy(...).run()`.
        x: The training images `(n, height, width[, channels])`: `x[study.rows]`.
            Defaults to None: the scores of all rows are drawn, as for data other than
            images.
        y: Their class numbers or one-hot rows, for the titles. Defaults to None.
        n: Number of rows to show. Defaults to 12.
        columns: Number of images per row. Defaults to 6.
        kind: What is suspected, as for `OutlierResult.suspects`: `"labels"` (default)
            or `"inputs"`.
        ax: For images an array of `n` axes, else a single axes. Defaults to None: a new
            figure.

    Returns:
        An array of axes for images, else a single axes.

    Raises:
        ValueError: If `x` has another number of rows than the training data, `kind` is
            neither, or `ax` has too few axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> trials = [
    ...     kd.records.TrialResult(
    ...         {"kind": "none", "share": 0.0, "seed": 0},
    ...         values={"val_error": 0.1, "row_scores": np.eye(8)[5]},
    ...     )
    ... ]
    >>> result = kd.analysis.OutlierResult(trials)
    >>> images = np.zeros((8, 6, 6))
    >>> axes = kd.plots.plot_suspects(result, images, n=2, columns=2)  # row 5 first
    """
    result = result_of(result, OutlierResult)
    images = None if x is None else np.asarray(x)
    chosen = result.suspects(n, kind)
    if not len(chosen):
        return say_empty(axes_or_new(ax), "no trial finished")
    if images is None or images.ndim not in (3, 4):
        return _draw_scores(result, chosen, kind, axes_or_new(ax, figsize=(7, 3.8)))
    if len(images) != len(result.scores):
        raise ValueError(
            f"`x` must have the {len(result.scores)} rows that were trained on, "
            f"`x[study.rows]`. Received: {len(images)} rows"
        )
    if ax is None:
        wide = min(columns, len(chosen))
        high = -(-len(chosen) // wide)
        _, ax = plt.subplots(
            high,
            wide,
            figsize=(1.35 * wide, 1.6 * high),
            layout="constrained",
            squeeze=False,
        )
    axes = np.asarray(ax)
    if axes.size < len(chosen):
        raise ValueError(
            f"`ax` must be an array of {len(chosen)} axes. Received: {axes.size}"
        )
    labels = _labels(y)
    for panel, row in zip(axes.reshape(-1), chosen, strict=False):
        image = images[row]
        if image.ndim == 3 and image.shape[-1] == 1:
            image = image[..., 0]
        low, high_ = float(image.min()), float(image.max())
        shown = (image - low) / ((high_ - low) or 1.0)
        panel.imshow(shown, cmap=None if shown.ndim == 3 else "gray")
        title = f"row {row}" if labels is None else f"row {row}: {labels[row]}"
        panel.set_title(title, fontsize=8.5)
    for panel in axes.reshape(-1):
        panel.grid(False)
        panel.set_xticks([])
        panel.set_yticks([])
    for panel in axes.reshape(-1)[len(chosen) :]:
        panel.set_visible(False)
    return axes


def _labels(y: Any) -> np.ndarray | None:
    if y is None:
        return None
    labels = np.asarray(y)
    if labels.ndim > 1 and labels.shape[1] > 1:
        return labels.argmax(axis=1)
    return labels.reshape(-1)


def _draw_scores(result: OutlierResult, first: np.ndarray, kind: str, ax: Any) -> Any:
    color = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    scores = result.scores if kind == "labels" else result.input_scores
    ordered = np.sort(scores)[::-1]
    ax.plot(np.arange(1, len(ordered) + 1), ordered, color=color[0])
    ax.plot(np.arange(1, len(first) + 1), ordered[: len(first)], "o", color=color[1])
    listed = ", ".join(map(str, first.tolist()))
    ax.set_title(
        "Labels to check: their loss stays high"
        if kind == "labels"
        else "Inputs to check: they are far from all others"
    )
    ax.set_xlabel(f"rank (first rows: {listed})", wrap=True)
    ax.set_ylabel("mean rank over seeds")
    return ax
