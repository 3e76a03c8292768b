"""Pictures of your own in the HTML report."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import TrainingRecord

Plot = TypeVar("Plot", bound=Callable[..., Any])


@dataclass(frozen=True)
class ContributedPicture:
    """A plot that the HTML report shows.

    Attributes:
        name: What it is called in the report.
        caption: What it shows and how to read it.
        plot: Called with the record and `ax=`.
        when: Tells of a record whether there is anything to draw.
        size: Width and height in inches.
    """

    name: str
    caption: str
    plot: Callable[..., Any]
    when: Callable[[TrainingRecord], bool]
    size: tuple[float, float]


CONTRIBUTED: dict[str, ContributedPicture] = {}
"""Pictures of users, by the name of the function, in the order of their definition."""


@names_nearest
def picture(
    caption: str,
    *,
    when: Callable[[TrainingRecord], bool] | None = None,
    size: tuple[float, float] = (9.0, 4.2),
) -> Callable[[Plot], Plot]:
    """Add a plot of your own to the HTML report, after those of the package.

    The report contains it in a light and a dark version. If the plot or `when` raises
    an error, the report is written without it, with a warning.

    Args:
        caption: What the plot shows and how to read it, in a sentence or two. It is
            also the alternative text of the image.
        when: Function that takes the `TrainingRecord` and returns whether to draw the
            plot. Defaults to None: always.
        size: Width and height of the figure in inches. Defaults to `(9.0, 4.2)`.

    Returns:
        A decorator that returns the function unchanged. A function with the same name
        replaces the earlier one, for example when a notebook cell is run again.

    Raises:
        TypeError: If `@picture` is used without parentheses, `caption` is not a string,
            or the function cannot be called as `plot(record, ax=ax)`.

    Example:
    >>> import keras_dlbasic as kd
    >>> @kd.reports.picture("The learning rate at each step that was measured.")
    ... def plot_rate(record, *, ax=None):
    ...     ax.plot(record.steps + 1, record.learning_rate)
    ...     return ax
    >>> plot_rate.__name__  # the function itself, to be called as before
    'plot_rate'
    """
    if callable(caption):
        name = getattr(caption, "__name__", caption)
        raise TypeError(
            "`@picture` needs brackets with a caption: `@picture('What it shows.')`. "
            f"Received: `@picture` directly above {name!r}"
        )
    if not isinstance(caption, str) or not caption.strip():
        raise TypeError(
            "`caption` must say in a sentence what the plot shows. "
            f"Received: {caption!r} of type {type(caption).__name__}"
        )

    def register(plot: Plot) -> Plot:
        _check(plot)
        name = plot.__name__
        title = name.removeprefix("plot_").replace("_", " ").capitalize()
        CONTRIBUTED[name] = ContributedPicture(
            title, caption, plot, when or (lambda record: True), size
        )
        return plot

    return register


def _check(plot: Any) -> None:
    if not inspect.isfunction(plot):
        raise TypeError(
            "`@picture(...)` goes above a function, whose name the report shows. "
            f"Received: {plot!r} of type {type(plot).__name__}"
        )
    try:
        inspect.signature(plot).bind(None, ax=None)
    except (TypeError, ValueError) as error:
        name = getattr(plot, "__name__", plot)
        raise TypeError(
            "A plot for the report must be callable as `plot(record, ax=ax)`. "
            f"Received: {name!r} ({error})"
        ) from error
