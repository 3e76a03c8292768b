"""The reference: a page a subpackage with every public name, made from `__all__`.

After the build each public name must be in the inventory; one that misses is a warning,
which `make docs` takes for an error.
"""

import inspect
import re
import textwrap
from importlib import import_module
from pathlib import Path

PACKAGE = "keras_dlbasic"
FOLDER = "reference"
SEE_ALSO = {
    "analysis": ("guide/overfitting", "guide/landscape", "guide/formulas"),
    "augmentation": ("guide/overfitting-toolbox", "textbook/more-data"),
    "callbacks": ("questions/index", "guide/watching"),
    "diagnosis": ("guide/diagnosis", "guide/extending", "reference/rules"),
    "ensembles": ("guide/overfitting-toolbox", "textbook/ensembles"),
    "gradients": ("questions/loss-is-nan", "guide/watching"),
    "initializers": ("guide/building_blocks", "textbook/initialization"),
    "inspection": ("guide/diagnosis", "guide/inside"),
    "landscape": ("guide/landscape", "textbook/saddle-points"),
    "layers": ("guide/building_blocks", "textbook/batch-normalization"),
    "plots": ("questions/index", "textbook/index", "gallery/index"),
    "propagation": ("questions/gradients-vanish", "guide/building_blocks"),
    "records": ("guide/reports", "guide/inside"),
    "regularizers": ("guide/building_blocks", "textbook/regularization"),
    "remedies": ("guide/remedies", "guide/extending"),
    "reports": ("guide/reports", "questions/notebook"),
    "studies": ("questions/which-batch-size", "guide/overfitting-toolbox"),
    "treatment": ("guide/remedies",),
}
"""Pages that show what a subpackage is for."""


def setup(app):
    app.connect("builder-inited", _write)
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True}


def _write(app):
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    for name, text in {**pages(), "rules": _rules(), "index": _index()}.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _check(app, env):
    from sphinx.util import logging

    for name in missing(env.get_domain("py").objects):
        logging.getLogger(__name__).warning("%s is not in the reference", name)


def subpackages():
    """Return the names of the subpackages, by the alphabet."""
    return sorted(import_module(PACKAGE)._MODULES)


def public_names():
    """Return the full names of all that is public."""
    return [
        f"{PACKAGE}.{package}.{name}"
        for package in subpackages()
        for name in import_module(f"{PACKAGE}.{package}").__all__
    ]


def missing(documented):
    """Return the public names that are not documented."""
    return [name for name in public_names() if name not in documented]


def pages():
    """Return the text of the page of each subpackage, by its name; needs no Sphinx."""
    return {name: _page(name) for name in subpackages()}


def _index():
    package = import_module(PACKAGE)
    rows = "\n".join(f"   {name}" for name in (*subpackages(), "rules"))
    short = "\n".join(
        f"- ``{PACKAGE}.{name}`` is :py:obj:`{PACKAGE}.{home}.{name}`"
        for name, home in sorted(package._FUNCTIONS.items())
    )
    return (
        f"{_title('Reference')}\n{package.__doc__.splitlines()[0]}\n\n"
        f"The short names:\n\n{short}\n\n"
        f"{_names()}\n"
        f".. toctree::\n   :hidden:\n   :maxdepth: 1\n\n{rows}\n"
    )


def _names():
    """Return a section for each subpackage, one line a name."""
    parts = []
    for name in subpackages():
        module = import_module(f"{PACKAGE}.{name}")
        parts += [_title(f":doc:`{name} <{name}>`", "-")]
        parts += [
            f"- :py:obj:`{entry} <{PACKAGE}.{name}.{entry}>`: {text}"
            for entry, text in _described(module)
        ]
        parts.append("")
    parts += [_title(":doc:`rules <rules>`", "-"), "What ``diagnose`` looks for.", ""]
    return "\n".join(parts)


def _page(package):
    full = f"{PACKAGE}.{package}"
    module = import_module(full)
    words, *_ = module.__doc__.split("\n- `")
    parts = [_title(full), f".. module:: {full}\n", words.strip(), ""]
    described = dict(_described(module))
    parts += [
        f"- :py:obj:`{name} <{full}.{name}>`: {text}"
        for name, text in described.items()
    ]
    parts.append("")
    if package in SEE_ALSO:
        pages = ", ".join(f":doc:`/{page}`" for page in SEE_ALSO[package])
        parts.append(f".. seealso:: {pages}\n")
    for name in module.__all__:
        found, text = getattr(module, name), described.get(name, "")
        if inspect.ismodule(found):
            parts.append(f".. py:module:: {full}.{name}\n\n{text}\n")
            inner = {n: getattr(found, n) for n in found.__all__}
            parts += [_entry(f"{full}.{name}.{n}", inner[n], "") for n in inner]
            parts.append(f".. currentmodule:: {full}\n")
        else:
            parts.append(_entry(name, found, text))
    return "\n".join(parts)


def _described(module):
    """Return the names of a subpackage's docstring with what it says of them."""
    listed = re.findall(r"^- `(\w+)`: (.+(?:\n  .+)*)", module.__doc__, re.MULTILINE)
    return [(name, " ".join(text.split())) for name, text in listed]


def _entry(name, found, text):
    if inspect.isclass(found):
        return f".. autoclass:: {name}\n   :members:\n{_inherited(found)}"
    if inspect.isfunction(found):
        return f".. autofunction:: {name}\n"
    # what a constant is, its own type does not say
    return f".. py:data:: {name}\n\n   {text}\n"


def _inherited(found):
    """Return the option that shows what a class has from bases of the package.

    Only where all bases are the package's: the methods of Keras' are in its reference.
    """
    bases = found.__mro__[1:-1]
    is_own = bases and all(base.__module__.startswith(PACKAGE) for base in bases)
    return "   :inherited-members: object\n" if is_own else ""


def _rules():
    """Return a page on the rules: what they look for, their thresholds and why."""
    from keras_dlbasic.diagnosis import all_rules

    parts = [_title("Rules"), "What `diagnose` judges by; see :doc:`/guide/extending`."]
    parts.append("Thresholds are changed by ``diagnose(record, thresholds=...)``.\n")
    for rule in all_rules():
        text = inspect.cleandoc(rule.function.__doc__)
        # the anchor is the name itself: what `Finding.docs` leads to
        anchor = f'.. raw:: html\n\n   <span id="{rule.name}"></span>\n'
        parts += [anchor, _title(rule.name, "-"), f"*{rule.kind}*", ""]
        for words in ("explains", "explained_by", "needs"):
            names = ", ".join(f"``{name}``" for name in getattr(rule, words))
            if names:
                parts += [f"{words.replace('_', ' ').capitalize()}: {names}.", ""]
        parts += [_google(text), ""]
        if rule.thresholds:
            values = ", ".join(f"``{n}={v!r}``" for n, v in rule.thresholds.items())
            parts += [f"Defaults: {values}.", ""]
    return "\n".join(parts)


def _google(text):
    """Return a docstring of Google's style, without its `run`, as reStructuredText."""
    from sphinx.ext.napoleon import Config, GoogleDocstring

    from extensions.docstrings import indented

    lines = [
        line for line in indented(text.splitlines()) if line != "    run: The run."
    ]
    if lines[-1:] == ["Args:"]:
        lines.pop()
    config = Config(napoleon_use_param=False)
    return str(GoogleDocstring(lines, config)) or textwrap.dedent(text)


def _title(text, line="="):
    return f"{text}\n{line * len(text)}\n"
