"""The pictures of a report, in light and dark, with what they show as text."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.reports.contributed import CONTRIBUTED, ContributedPicture

DPI = 110

SMALL = {"quality": 82, "method": 4}

MOST_AREAS = 400
"""More epochs or layers than this cannot be pointed at one by one."""


@dataclass(frozen=True)
class Area:
    """A part of a picture that says its values: sides as shares of the picture."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Picture:
    """A picture of a run.

    Attributes:
        light: WebP on white, base64.
        dark: The same on black.
        alt: What it shows, for those who do not see it.
        caption: What it shows and how to read it.
        width: In pixels.
        height: In pixels.
        areas: Parts that say their values.
    """

    light: str
    dark: str
    alt: str
    caption: str
    width: int
    height: int
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True)
class _Drawing:
    name: str
    caption: str
    draw: Callable[[TrainingRecord, Any], Any]
    is_there: Callable[[TrainingRecord], bool]
    size: Callable[[TrainingRecord], tuple[float, float]] = lambda record: (9.0, 4.2)
    areas: Callable[[TrainingRecord, Any], Iterator[Area]] | None = field(default=None)


def pictures_of(record: TrainingRecord) -> list[Picture]:
    """Draw what was recorded; what was not is left out.

    Pictures of users come last. One that fails costs that picture, with a warning.
    """
    found = [_picture(d, record) for d in _drawings() if d.is_there(record)]
    for name, given in CONTRIBUTED.items():
        try:
            if given.when(record):
                found.append(_picture(_contributed(given), record))
        except Exception as error:  # whatever users write
            warnings.warn(
                f"The report was written without the picture of {name!r}, which "
                f"failed: {type(error).__name__}: {error}",
                stacklevel=2,
            )
    return found


def _contributed(given: ContributedPicture) -> _Drawing:
    def draw(record: TrainingRecord, figure: Any) -> Any:
        return given.plot(record, ax=figure.subplots())

    return _Drawing(
        given.name, given.caption, draw, given.when, lambda record: given.size
    )


def _picture(drawing: _Drawing, record: TrainingRecord) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from keras_dlbasic import plots

    images: list[str] = []
    areas: list[Area] = []
    width = height = 0
    # The page has both versions, and shows the one for the reader's light or dark mode.
    for style in ("light", "dark"):
        with plots.style(style):
            figure = Figure(figsize=drawing.size(record), layout="constrained")
            canvas = FigureCanvasAgg(figure)  # of no window, whatever backend is set
            axes = drawing.draw(record, figure)
            file = io.BytesIO()
            figure.savefig(file, format="webp", dpi=DPI, pil_kwargs=SMALL)
            images.append(base64.b64encode(file.getvalue()).decode("ascii"))
            if style == "light" and drawing.areas is not None:
                canvas.draw()
                areas = list(drawing.areas(record, axes))
            width, height = (round(side * DPI) for side in figure.get_size_inches())
    words = f"{drawing.name}. {drawing.caption}"
    return Picture(images[0], images[1], words, words, width, height, tuple(areas))


def _drawings() -> list[_Drawing]:
    from keras_dlbasic import plots

    def on_one(plot: Any) -> Callable[[TrainingRecord, Any], Any]:
        return lambda record, figure: plot(record, ax=figure.subplots())

    def steps(record: TrainingRecord) -> bool:
        return len(record.steps) > 0 and len(record.layers) > 0

    def table(name: str) -> Callable[[TrainingRecord], bool]:
        return lambda record: len(record.tables.get(name, ())) > 0

    return [
        _Drawing(
            "History",
            "Training and validation over the epochs, the gap shaded; the best epoch "
            "is marked.",
            _history,
            lambda record: len(record.epochs["epoch"]) > 0,
            lambda record: (9.0, 3.4 * -(-len(_panels(record)) // 2)),
            _epoch_areas,
        ),
        _Drawing(
            "Gradient flow",
            "Gradient norm over weight norm from input to output, at the start and at "
            "the end: a line that falls by orders of magnitude towards the input means "
            "that the first layers hardly learn.",
            on_one(plots.plot_gradient_flow),
            steps,
            areas=_layer_areas,
        ),
        _Drawing(
            "Gradient norms",
            "Gradient norm of each layer at the sampled steps.",
            on_one(plots.plot_gradient_norm),
            steps,
        ),
        _Drawing(
            "Update ratios",
            "Norm of the update over norm of the weights: about 0.001 is usual; far "
            "above it steps are too long, far below it weights hardly change.",
            on_one(plots.plot_update_ratio),
            steps,
        ),
        _Drawing(
            "Clipping",
            "Share of the gradient norm that remains after clipping.",
            on_one(plots.plot_clipping),
            lambda record: bool(np.any(record.clip_factor < 1)),
        ),
        _Drawing(
            "Units",
            "Share of units that are dead on the probe.",
            on_one(plots.plot_unit_health),
            table("activations"),
        ),
        _Drawing(
            "Curvature",
            "Largest and smallest eigenvalue of the Hessian: if one is negative, "
            "the loss falls in its direction, as at a saddle point.",
            on_one(plots.plot_curvature),
            table("curvature"),
        ),
        _Drawing(
            "Penalties",
            "Share of weight penalties in the loss.",
            on_one(plots.plot_penalty),
            table("penalties"),
        ),
        _Drawing(
            "Normalization",
            "Difference between batch statistics and moving statistics.",
            on_one(plots.plot_normalization_drift),
            table("normalization"),
        ),
    ]


# -- history ---------------------------------------------------------------------------


def _panels(record: TrainingRecord) -> list[str]:
    from keras_dlbasic.plots.history import panels_of

    return panels_of(record.epochs, None)


def _history(record: TrainingRecord, figure: Any) -> Any:
    from keras_dlbasic import plots

    n = len(_panels(record))
    columns = min(n, 2)
    grid = figure.subplots(-(-n // columns), columns, squeeze=False)
    for spare in grid.flat[n:]:
        spare.remove()
    return plots.plot_history(record, ax=list(grid.flat[:n]))


def _epoch_areas(record: TrainingRecord, axes: Any) -> Iterator[Area]:
    numbers = record.epochs["epoch"] + 1
    if len(numbers) * len(axes) > MOST_AREAS:
        return
    for ax, name in zip(axes, _panels(record), strict=True):
        for place, number in enumerate(numbers):
            values = [
                f"{key} {_short(record.epochs[key][place])}"
                for key in (name, f"val_{name}")
                if key in record.epochs
            ]
            text = f"epoch {int(number)}: {', '.join(values)}"
            yield _column(ax, float(number), _spacing(numbers), text)


def _layer_areas(record: TrainingRecord, ax: Any) -> Iterator[Area]:
    layers = record.layers
    if len(layers) > MOST_AREAS:
        return
    norms = record.by_layer("gradient_norm") / record.by_layer("weight_norm")
    for place, layer in enumerate(layers):
        first, last = norms[0, place], norms[-1, place]
        text = f"{layer}: {_short(first)} at first, {_short(last)} in the end"
        yield _column(ax, float(place), 1.0, text)


def _column(ax: Any, x: float, width: float, text: str) -> Area:
    """Return a strip of axes around a place, as high as they are."""
    # From data coordinates to shares of the picture, which a page counts from its top.
    figure = ax.figure.bbox
    low = ax.transData.transform((x - width / 2, 0))[0]
    high = ax.transData.transform((x + width / 2, 0))[0]
    box = ax.get_window_extent()
    low, high = max(low, box.x0), min(high, box.x1)
    return Area(
        round(low / figure.width, 4),
        round(1 - box.y1 / figure.height, 4),
        round(max(high - low, 0) / figure.width, 4),
        round(box.height / figure.height, 4),
        text,
    )


def _spacing(numbers: np.ndarray) -> float:
    return float(np.diff(numbers).min()) if len(numbers) > 1 else 1.0


def _short(value: Any) -> str:
    return f"{float(value):.4g}"
