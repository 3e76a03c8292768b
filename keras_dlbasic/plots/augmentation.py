"""Originals beside what augmentation makes of them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new

WRAP = 46


@names_nearest
def plot_augmentation(
    augment: Callable[..., Any],
    x: Any,
    *,
    rows: int = 4,
    copies: int = 5,
    ax: Any = None,
) -> Any:
    """Draw originals beside augmented ones.

    Args:
        augment: A layer or function that changes images, such as
            `augmentation.ImageAugmentation`, or texts, such as
            `augmentation.BackTranslation`.
        x: Images `(n, height, width, channels)` or `(n, height, width)`, or a list of
            texts.
        rows: Number of images or texts to draw. Defaults to 4.
        copies: Number of augmented versions of each image. Defaults to 5. Texts have
            one.
        ax: For images an array of axes, `copies + 1` for each row; for texts a single
            axes. Defaults to None: a new figure.

    Returns:
        An array of axes with one row per image; for texts a single axes.

    Raises:
        ValueError: If there is nothing to draw, or `ax` has the wrong number of axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> images = np.zeros((3, 8, 8, 1), "float32")
    >>> axes = kd.plots.plot_augmentation(
    ...     kd.augmentation.ImageAugmentation(0.1), images, rows=2, copies=3
    ... )
    >>> axes.shape
    (2, 4)
    """
    if len(x) == 0 or rows < 1 or copies < 1:
        raise ValueError(
            "There must be something to draw. Received: "
            f"{len(x)} samples, rows={rows}, copies={copies}"
        )
    if isinstance(x[0], (str, bytes)):
        return _draw_texts(augment, list(x[:rows]), ax)
    return _draw_images(augment, np.asarray(x)[:rows], copies, ax)


def _draw_images(augment: Any, images: np.ndarray, copies: int, ax: Any) -> Any:
    shown = images if images.ndim == 4 else images[..., None]
    shape = len(images), copies + 1
    if ax is None:
        figure, ax = plt.subplots(
            *shape,
            figsize=(1.15 * shape[1] + 0.2, 1.15 * shape[0] + 0.4),
            layout="constrained",
            squeeze=False,
        )
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
    axes = np.asarray(ax)
    if axes.size != shape[0] * shape[1]:
        raise ValueError(
            f"`ax` must be an array of {shape[0]} x {shape[1]} axes. Received: "
            f"{axes.size}"
        )
    axes = axes.reshape(shape)
    versions = [_changed(augment, shown) for _ in range(copies)]
    # One scale for all images, that of the originals: changes of brightness would not
    # show if each image were stretched by itself.
    low, high = float(shown.min()), float(shown.max())
    for row, panels in enumerate(axes):
        for panel, batch in zip(panels, (shown, *versions), strict=True):
            _draw_image(panel, batch[row], low, high)
    axes[0, 0].set_title("original", fontsize=9)
    axes[0, 1].set_title("augmented", fontsize=9, loc="left")
    return axes


def _draw_image(ax: Axes, image: np.ndarray, low: float, high: float) -> None:
    scaled = np.clip((image - low) / ((high - low) or 1.0), 0, 1)
    if scaled.shape[-1] in (3, 4):
        ax.imshow(scaled)
    else:
        ax.imshow(scaled[..., 0], cmap="gray", vmin=0, vmax=1)
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])


def _changed(augment: Any, images: np.ndarray) -> np.ndarray:
    call = augment
    if getattr(augment, "mix", None):
        # labels are mixed too; here only the images are looked at
        labels = np.eye(len(images), dtype="float32")
        changed = augment.batch(images, labels)[0]
    elif hasattr(augment, "batch"):
        changed = augment.batch(images)
    elif hasattr(augment, "get_config"):  # a layer
        changed = call(images, training=True)
    else:
        changed = call(images)
    return np.asarray(changed, np.float64).reshape(images.shape)


def _draw_texts(augment: Any, texts: list[Any], ax: Axes | None) -> Axes:
    changed = list(augment(texts))
    ax = axes_or_new(ax, figsize=(9, 0.6 + 0.62 * len(texts)))
    cells = [
        [_wrapped(before), _wrapped(after) if after != before else "(as it was)"]
        for before, after in zip(texts, changed, strict=True)
    ]
    # Wrapped texts differ in height, so the rows are placed in units of a line of text.
    heights = [max(cell.count("\n") + 1 for cell in row) for row in cells]
    ax.set_axis_off()
    line = 1 / (sum(heights) + 0.6 * len(cells) + 1.4)
    top = 1 - 1.2 * line
    for place, title in ((0.0, "original"), (0.52, "augmented")):
        ax.text(place, 1 - 0.2 * line, title, weight="bold", va="top", fontsize=10)
    for row, height in zip(cells, heights, strict=True):
        ax.axhline(top, color="0.6", lw=0.6, clip_on=False)
        for place, cell in zip((0.0, 0.52), row, strict=True):
            faint = cell == "(as it was)"
            ax.text(
                place,
                top - 0.3 * line,
                cell,
                va="top",
                fontsize=9,
                alpha=0.6 if faint else 1.0,
                style="italic" if faint else "normal",
            )
        top -= (height + 0.6) * line
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    return ax


def _wrapped(text: Any) -> str:
    text = text.decode() if isinstance(text, bytes) else str(text)
    lines = textwrap.wrap(text, WRAP) or [""]
    if len(lines) > 3:
        lines = [*lines[:2], lines[2][: WRAP - 2] + " …"]
    return "\n".join(lines)
