"""`llms.txt`: the pages and findings of the documentation for language models.

It is written beside the pages. Links are relative, so that it works wherever the pages
are put.
"""

import inspect
import re
from pathlib import Path

INTRO = """# keras_dlbasic

> Find out why a Keras 3 model does not learn or does not generalize, and what fixes it:
> callbacks, plots, studies and remedies for TensorFlow, JAX and PyTorch.

To help a user whose model does not train: have them add
`doctor = kd.callbacks.TrainingDoctor(x, y)` to the callbacks of `fit` and send what
`print(doctor.diagnosis)` prints, or `doctor.diagnosis.to_json()`. Each finding has a
stable name; its `docs` is a link below the root of these pages, and its remedies are
code that runs as printed. A finding at `critical` means that the run cannot succeed,
`warning` that it is likely to cost, `info` is a note. "I cannot tell" is an answer:
`diagnosis.coverage` says which checks did not run, and what to give so that they do.
"""
SECTIONS = {
    "Start": ("start", "guide/cost", "guide/versions"),
    "Questions": ("questions/",),
    "Textbook": ("textbook/",),
    "Guide": ("guide/",),
    "Measurements": ("measurements/",),
    "Reference": ("reference/",),
    "Korean": ("ko/",),
}


def setup(app):
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}


def _write(app, exception):
    if exception is None and app.builder.name == "html":
        titles = {name: node.astext() for name, node in app.env.titles.items()}
        text = llms(titles, Path(app.srcdir))
        (Path(app.outdir) / "llms.txt").write_text(text, "utf-8")


def llms(titles, source):
    """Return the text, given the title of each page by its name."""
    parts, left = [INTRO], dict(sorted(titles.items()))
    for section, prefixes in SECTIONS.items():
        names = [name for name in left if name.startswith(prefixes)]
        lines = [_line(name, left.pop(name), source) for name in names]
        parts.append(f"## {section}\n\n" + "\n".join(lines) + "\n")
    parts.append("## Findings\n\n" + "\n".join(findings()) + "\n")
    return "\n".join(parts)


def _line(name, title, source):
    answer = first_answer(source / f"{name}.md")
    return f"- [{title}]({name}.html)" + (f": {answer}" if answer else "")


def first_answer(page):
    """Return what a page begins with in bold: its answer."""
    found = page.is_file() and re.search(
        r"^\*\*(.+?)\*\*", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return " ".join(found[1].split()) if found else ""


def findings():
    """Return a line for each finding, with what it looks for."""
    from keras_dlbasic.diagnosis import all_rules

    return [
        f"- [{rule.name}](reference/rules.html#{rule.name}) ({rule.kind}): "
        f"{inspect.getdoc(rule.function).splitlines()[0]}"
        for rule in all_rules()
    ]
