"""Pieces of HTML for the output of a notebook's cell.

They stand in the notebook's own page, not in a frame, so that nothing is cut off. Text
has the color of the notebook, in light and dark; what is ours is between both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from keras_dlbasic.diagnosis import Diagnosis, Finding, RemedySuggestion
from keras_dlbasic.diagnosis.rivals import rivals_text
from keras_dlbasic.diagnosis.skipped_line import skipped_line

COLORS = {
    "critical": "#d64545",
    "warning": "#c98a1b",
    "info": "#3d8fd1",
    "fine": "#2f9e62",
    "unjudged": "#8a8f98",
}

STYLE = """<style>
.kd-cell{max-width:60rem;line-height:1.45;overflow-wrap:anywhere}
.kd-cell p{margin:.3rem 0}
.kd-cell .kd-card{border-left:.3rem solid;padding:.4rem .8rem;margin:.5rem 0;
background:rgba(127,127,127,.09);border-radius:.2rem}
.kd-cell .kd-card>*{color:var(--jp-content-font-color1,inherit)}
.kd-cell summary{cursor:pointer}
.kd-cell .kd-dim{opacity:.75;font-size:.92em}
.kd-cell pre,.kd-cell code{font-family:var(--jp-code-font-family,monospace)}
.kd-cell pre{background:rgba(127,127,127,.14);padding:.4rem .6rem;margin:.25rem 0;
border-radius:.2rem;white-space:pre-wrap;word-break:normal;overflow-wrap:break-word;
color:inherit}
.kd-cell pre code{background:none;padding:0;color:inherit}
.kd-cell .kd-words{white-space:pre;overflow-x:auto}
.kd-cell table{border-collapse:collapse;margin:.4rem 0}
.kd-cell.kd-cell th,.kd-cell.kd-cell td{text-align:left;padding:.15rem .7rem .15rem 0;
vertical-align:top;border-bottom:1px solid rgba(127,127,127,.35)}
.kd-cell img{max-width:100%}
</style>"""


def cell(*parts: str) -> str:
    """Return parts as the output of a cell."""
    return f'{STYLE}<div class="kd-cell">{"".join(parts)}</div>'


def words(text: str) -> str:
    """Return text as it is laid out, such as a table in columns."""
    return f'<pre class="kd-words">{escape(text)}</pre>'


def folded(title: str, *parts: str) -> str:
    """Return parts under a title that opens them."""
    inside = "".join(parts)
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"


def code(text: str) -> str:
    """Return code to copy."""
    return f"<pre><code>{escape(text)}</code></pre>"


def paragraph(text: str, *, dim: bool = False) -> str:
    """Return a paragraph; empty for no text."""
    kind = ' class="kd-dim"' if dim else ""
    return f"<p{kind}>{escape(text)}</p>" if text else ""


def headline(text: str, kind: str) -> str:
    """Return the sentence that stands first, in the color of a severity."""
    color = COLORS.get(kind, COLORS["unjudged"])
    return f'<p><strong style="color:{color}">{escape(text)}</strong></p>'


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(str(value))}</th>'
            if place == 0
            else f"<td>{escape(str(value))}</td>"
            for place, value in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>" if columns else ""
    return f"<table>{head}<tbody>{body}</tbody></table>"


def remedy(suggestion: RemedySuggestion, number: int | None = None) -> str:
    """Return what to try, why, and the code."""
    start = "" if number is None else f"{number}. "
    text = f"{start}{suggestion.title}: {suggestion.reason}"
    call = suggestion.call or (suggestion.code if suggestion.name else "")
    return paragraph(text) + (code(call) if call else "")


def finding(
    found: Finding, beneath: Sequence[Finding] = (), *, is_said: bool = False
) -> str:
    """Return a finding as a card with what it explains, and what to try, to open.

    Args:
        found: The finding.
        beneath: What it explains. Defaults to nothing.
        is_said: Whether its message stands above the card. Defaults to `False`.
    """
    color = COLORS[found.severity]
    title = f"{found.severity.upper()} {found.name}"
    parts = [
        f'<p><strong style="color:{color}">{escape(title)}</strong> '
        f'<span class="kd-dim">{escape(found.where)}</span></p>',
        "" if is_said else paragraph(found.message),
        *(paragraph(f"\N{RIGHTWARDS ARROW} {s.name}: {s.message}") for s in beneath),
    ]
    if found.explained_by:
        parts.append(paragraph(f"Perhaps by: {', '.join(found.explained_by)}."))
    if found.remedies:
        tried = [remedy(part, n) for n, part in enumerate(found.remedies, start=1)]
        is_open = " open" if found.rank else ""
        parts.append(
            f"<details{is_open}><summary>What to try</summary>"
            f"{''.join(tried)}</details>"
        )
    return f'<div class="kd-card" style="border-color:{color}">{"".join(parts)}</div>'


def diagnosis(judged: Diagnosis) -> str:
    """Return a diagnosis: the headline, a card for each finding, and what was skipped.

    The headline has the color of the first finding.
    """
    serious = [found for found in judged.top_level if found.rank]
    if serious:
        kind: str = serious[0].severity
    else:
        kind = "fine" if judged.coverage.is_complete else "unjudged"
    notes = judged.notes
    parts = [headline(judged.headline, kind), paragraph(judged.outcome)]
    # the headline is the message of the first finding
    parts += [
        finding(found, judged.beneath(found), is_said=found is serious[0])
        for found in serious
    ]
    parts += [paragraph(rivals_text(group)) for group in judged.rivals]
    if notes:
        lines = (paragraph(f"{note.name}: {note.message}") for note in notes)
        parts.append(folded(f"Notes: {len(notes)}", *lines))
    parts.append(paragraph(skipped_line(judged.skipped), dim=True))
    return "".join(parts)
