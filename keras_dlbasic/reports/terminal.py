"""A diagnosis on the terminal."""

from __future__ import annotations

import sys
from importlib import import_module
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

from keras_dlbasic._display import is_notebook
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.diagnosis.rivals import rivals_text
from keras_dlbasic.diagnosis.skipped_line import skipped_line
from keras_dlbasic.records.printable import printable, printable_text
from keras_dlbasic.reports import cell
from keras_dlbasic.reports.given import diagnosis_of

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80
MOST_REMEDIES = 3
COLORS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}


@names_nearest
def print_diagnosis(
    diagnosis: Diagnosis,
    file: IO[str] | None = None,
    *,
    title: str = "Diagnosis",
    verbose: bool = False,
    reasons_in: str = "`diagnosis.skipped`",
) -> None:
    """Print a diagnosis: in color on a terminal, else as plain text.

    In a notebook it is shown as HTML, unless `verbose` is True.

    Args:
        diagnosis: The diagnosis, or a `TrainingDoctor` that has one.
        file: The output stream. Defaults to None: standard output.
        title: The first line.
        verbose: Whether to list why checks were skipped. Defaults to `False`: only
            their number is printed.
        reasons_in: Where the user can find the reasons for skipped checks; part of the
            message. Defaults to the attribute of the diagnosis.

    Example:
    >>> import keras_dlbasic as kd
    >>> diagnosis = kd.diagnosis.Diagnosis(checked_fine={"plateau": "it falls"})
    >>> kd.reports.print_diagnosis(diagnosis, title="Run 7")
    Run 7
    Nothing wrong was found. 1 of 1 checks ran.
    1 check passed.
    """
    from rich.console import Console

    diagnosis = diagnosis_of(diagnosis)
    out = sys.stdout if file is None else file
    if out is None:  # a program without a console
        return
    if is_notebook(out) and not verbose:
        _show(diagnosis, title)
        return
    is_terminal = bool(getattr(out, "isatty", lambda: False)())
    # rich fills lines up with spaces, which do no good in a file or when copied
    text = StringIO()
    console = Console(
        file=out if is_terminal else text,
        width=WIDTH,
        force_terminal=is_terminal,
        force_jupyter=False,  # there it would show each line by itself
        no_color=not is_terminal,
        highlight=False,
        emoji=False,
        markup=False,
    )
    title = printable(title)
    if is_terminal:
        console.rule(title, style="dim")
    else:
        console.print(title)
    _print(console, diagnosis)
    lines = skipped_lines(diagnosis)
    if not verbose:
        lines = [skipped_line(diagnosis.skipped, reasons_in)]
    for line in filter(None, lines):
        console.print(printable_text(line), style="dim")
    if not is_terminal:
        lines = [line.rstrip() for line in text.getvalue().splitlines()]
        out.write("\n".join(lines) + "\n")


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """Return what `print_diagnosis` prints where there is no terminal.

    Example:
    >>> from keras_dlbasic.diagnosis import Diagnosis
    >>> print(diagnosis_text(Diagnosis(checked_fine={"plateau": "it falls"})))
    Diagnosis
    Nothing wrong was found. 1 of 1 checks ran.
    1 check passed.
    """
    text = StringIO()
    print_diagnosis(diagnosis, text)
    return text.getvalue().rstrip("\n")


def _show(diagnosis: Diagnosis, title: str) -> None:
    text = StringIO()
    print_diagnosis(diagnosis, text, title=title)
    head = cell.paragraph(printable(title), dim=True)
    shown = {
        "text/html": cell.cell(head, cell.diagnosis(diagnosis)),
        "text/plain": text.getvalue(),
    }
    import_module("IPython.display").display(shown, raw=True)


def _print(console: Console, diagnosis: Diagnosis) -> None:
    if diagnosis.outcome:
        console.print(printable_text(diagnosis.outcome))
    serious = [f for f in diagnosis.top_level if f.rank]
    coverage = diagnosis.coverage
    if not serious:
        # green only where it means that all is well
        style = "green" if coverage.is_complete else "yellow"
        console.print(printable_text(diagnosis.headline), style=style)
    elif not coverage.is_complete:
        console.print(printable_text(coverage.text), style="yellow")
    for finding in serious:
        _finding(console, finding, diagnosis)
    for group in diagnosis.rivals:
        _put(console, rivals_text(group), 0)
    if diagnosis.notes:
        console.print("Notes (no effect on this run):", style="dim")
        for remark in diagnosis.notes:
            _put(console, f"{remark.name}: {remark.message}", 2, "dim")
    if diagnosis.checked_fine:
        n = len(diagnosis.checked_fine)
        console.print(f"{n} {'check' if n == 1 else 'checks'} passed.", style="dim")


def skipped_lines(diagnosis: Diagnosis) -> list[str]:
    """Return the reasons for which checks were skipped, a line each."""
    # the first line: that of a rule that failed is followed by its traceback
    reasons = {n: why.partition("\n")[0] for n, why in diagnosis.skipped.items()}
    return [
        f"Skipped: {', '.join(n for n, why in reasons.items() if why == reason)}: "
        f"{reason}."
        for reason in dict.fromkeys(reasons.values())
    ]


def _finding(console: Console, finding: Finding, diagnosis: Diagnosis) -> None:
    style = COLORS[finding.severity]
    title = f"{finding.severity.upper()} {finding.name} ({finding.where})"
    _put(console, title, 0, style)
    _put(console, finding.message, 2)
    for symptom in diagnosis.beneath(finding):
        _put(console, f"-> {symptom.name}: {symptom.message}", 2)
    if finding.explained_by:
        _put(console, f"Perhaps by: {', '.join(finding.explained_by)}.", 2)
    for number, remedy in enumerate(finding.remedies[:MOST_REMEDIES], start=1):
        _put(console, f"try {number}. {remedy.title}: {remedy.reason}", 4, "dim")
        if remedy.call:
            _put(console, remedy.call, 11, "dim")


def _put(console: Console, text: Any, indent: int, style: str = "") -> None:
    from rich.padding import Padding
    from rich.text import Text

    words = Text(printable_text(str(text)), style=style)
    console.print(Padding(words, (0, 0, 0, indent), expand=False))
