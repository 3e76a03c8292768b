"""A small table that is updated in place, where what is written can be updated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import IO, Any

from keras_dlbasic._display import is_notebook
from keras_dlbasic.records.printable import printable
from keras_dlbasic.reports import cell

Rows = Sequence[Sequence[str]]


class LiveTable(ABC):
    """A table and a line below it, shown once and changed with each `update`."""

    @abstractmethod
    def update(self, columns: Sequence[str], rows: Rows, line: str) -> None:
        """Show a table in place of the one before.

        Args:
            columns: The headings.
            rows: The rows, a text for each column; none: the line alone is shown.
            line: What stands below.
        """

    @abstractmethod
    def stop(self) -> None:
        """Leave what was shown last where it is."""


class _TerminalTable(LiveTable):
    def __init__(self, file: IO[str]) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=file, highlight=False, markup=False)
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def update(self, columns: Sequence[str], rows: Rows, line: str) -> None:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns)
        for row in rows:
            table.add_row(*(Text(printable(text)) for text in row))
        shown = [table] if rows else []
        self._live.update(Group(*shown, Text(printable(line))), refresh=True)

    def stop(self) -> None:
        self._live.stop()


class _NotebookTable(LiveTable):
    # IPython's own display and not that of rich, which needs ipywidgets for what
    # changes and shows nothing without.

    def __init__(self) -> None:
        self._display: Any = import_module("IPython.display")
        self._handle: Any = None

    def update(self, columns: Sequence[str], rows: Rows, line: str) -> None:
        table = cell.table(columns, rows) if rows else ""
        shown = {
            "text/html": cell.cell(table, cell.paragraph(printable(line))),
            "text/plain": printable(line),
        }
        if self._handle is None:
            self._handle = self._display.display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def stop(self) -> None:
        pass  # the cell keeps what it shows


def live_table(file: IO[str]) -> LiveTable | None:
    """Return a table for where a file is shown; None where lines are to be written.

    That is a terminal that can move its cursor, or a notebook.

    Args:
        file: Where to write, such as `sys.stdout`.
    """
    if is_notebook(file):
        return _NotebookTable()
    if not getattr(file, "isatty", lambda: False)():
        return None
    from rich.console import Console

    # a terminal without a cursor, as in some editors, would show nothing until the end
    if Console(file=file).is_dumb_terminal:
        return None
    return _TerminalTable(file)
