"""Style sheets of the plots."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib as mpl

from keras_dlbasic._wrong_arguments import names_nearest

STYLES = ("light", "dark")


@names_nearest
def style(name: str = "light") -> AbstractContextManager[None]:
    """Use one of the styles of this package: color-blind-safe, legible in print.

    Args:
        name: `"light"` (default) or `"dark"`.

    Returns:
        A context manager; plots drawn within it have the style.

    Raises:
        ValueError: If there is no such style.

    Example:
    >>> import keras_dlbasic as kd
    >>> with kd.plots.style("dark"):
    ...     ax = kd.plots.plot_gradient_norm(kd.records.TrainingRecord())
    """
    if name not in STYLES:
        raise ValueError(f"`name` must be one of {STYLES}. Received: {name!r}")
    path = Path(__file__).parent / "styles" / f"{name}.mplstyle"
    return mpl.rc_context(fname=str(path))
