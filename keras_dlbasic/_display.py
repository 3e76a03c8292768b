"""How results are shown: they ask here, and what draws and reports registers how.

So what judges knows nothing of pictures and pages. A new plot of a result is made known
by one line, `plot_of.register(Result, plot_result)`, beside the plot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import singledispatch
from itertools import pairwise
from textwrap import shorten, wrap
from typing import Any

from keras_dlbasic._fields import known_fields

WIDTH = 80

REPR_WIDTH = 130
"""Maximum number of characters of the text in a `repr`."""

_fillers: list[Callable[[], object]] = []


class Displayed:
    """A result with a `repr` of a line, its own words by `str`, and HTML in notebooks.

    A subclass says its words in `__str__`, else its fields are listed; dataclasses
    leave `repr` to this class.
    """

    def __repr__(self) -> str:
        has_words = type(self).__str__ is not Displayed.__str__
        words = _first_paragraph(str(self)) if has_words else _in_a_row(self)
        return brief(self, words or "nothing known")

    def __str__(self) -> str:
        lines = [f"{name}: {words}" for name, words in known_fields(self)]
        return "\n".join(lines) or repr(self)

    def _repr_html_(self) -> str:
        return html_of(self)


class Plotted(Displayed):
    """A result of which there is a plot."""

    def plot(self, **options: Any) -> Any:
        """Draw it.

        Args:
            **options: What the plot of this result in `plots` takes, such as `ax`.

        Returns:
            The matplotlib axes that `plots` returns.
        """
        return plot_of(self, **options)


def brief(result: Any, words: str) -> str:
    """Return a `repr` that says some words of a result, cut where it would be long."""
    text = shorten(words, REPR_WIDTH, placeholder=" ...")
    return f"<{type(result).__name__}: {text}>"


def one_line(result: Any) -> str:
    """Return the words of a result without line breaks, to stand in a sentence."""
    return " ".join(str(result).split())


def _first_paragraph(text: str) -> str:
    # A line that goes on is indented, and its first word had no room on the one before.
    # A table below is not the gist.
    first, *others = text.strip().splitlines() or [""]
    said = [first]
    for before, line in pairwise([first, *others]):
        word = line.split(maxsplit=1)[:1]
        if not line.startswith(" ") or not word or len(before) + len(word[0]) < WIDTH:
            break
        said.append(line.strip())
    return " ".join(said)


def _in_a_row(result: Displayed) -> str:
    return ", ".join(f"{name} {words}" for name, words in known_fields(result))


def wrapped(text: str) -> str:
    """Return a text with no line of prose longer than 80 columns.

    A line that goes on is indented by two more than it began.
    """
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if len(line) <= WIDTH:
            lines.append(line)
        else:
            lines += wrap(
                line.strip(),
                WIDTH,
                initial_indent=indent,
                subsequent_indent=f"{indent}  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join(lines)


def is_notebook(file: Any) -> bool:
    """Return whether a file is the output of a cell, and not sent somewhere else."""
    return "IPython" in sys.modules and type(file).__module__.startswith("ipykernel")


@singledispatch
def plot_of(result: Any, **options: Any) -> Any:
    """Draw a result and return the axes.

    Raises:
        TypeError: If there is no plot of such a result.
    """
    return _way(plot_of, result)(result, **options)


@singledispatch
def html_of(result: Any) -> str:
    """Return what a notebook shows of a result.

    Raises:
        TypeError: If nothing is known of such a result.
    """
    return _way(html_of, result)(result)


@singledispatch
def page_of(result: Any, *, title: str) -> str:
    """Return a page of HTML on a result that needs no network and no other file.

    Raises:
        TypeError: If nothing is known of such a result.
    """
    return _way(page_of, result)(result, title=title)


def is_plotted(result: Any) -> bool:
    """Return whether there is a plot of a result."""
    fill()
    return plot_of.dispatch(type(result)) is not plot_of.dispatch(object)


def fill_on_demand(filler: Callable[[], object]) -> None:
    """Have something imported that registers displays, once a result is shown."""
    _fillers.append(filler)


def fill() -> None:
    """Import what registers displays."""
    for filler in _fillers:
        filler()


def _way(show: Any, result: Any) -> Callable[..., Any]:
    """Return how to show a result, now that what can show it is imported."""
    fill()
    way: Callable[..., Any] = show.dispatch(type(result))
    if way is show.dispatch(object):  # else it would ask here again, for ever
        name = show.dispatch(object).__name__
        raise TypeError(f"`{name}` knows no {type(result).__name__}: {result!r}")
    return way
