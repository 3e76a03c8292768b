"""What a notebook would show, without one."""

import io
import sys
import types


class NotebookOutput(io.StringIO):
    """The output of a cell, as ipykernel has it."""


NotebookOutput.__module__ = "ipykernel.iostream"


def shown_in_notebook(monkeypatch):
    """Replace IPython; return a list of displays, each a list of its states."""
    shown, module = [], types.ModuleType("IPython.display")

    class Handle:
        def update(self, data, raw):
            shown[-1].append(data)

    def display(data, raw, display_id=None):
        shown.append([data])
        return Handle()

    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return shown
