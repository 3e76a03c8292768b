"""The claims as notebooks, made from the same scripts by jupytext.

A notebook holds all it needs: what the claims share (`gallery.py`) is its first code,
so that it runs in a folder of its own, in Colab too. Each ends with the numbers and
the picture, as the script does.

    python docs/extensions/notebooks.py notebooks              writes all
    python docs/extensions/notebooks.py notebooks --run 3      and runs three of them

The documentation offers them for download on the page of each claim.
"""

import argparse
import ast
import re
import sys
import textwrap
from pathlib import Path

CLAIMS = Path(__file__).parents[2] / "examples" / "claims"
QUICK = ("b1_vanishing_gradients", "b3_saturation", "b5_initializers")
"""What is run where not all are: a few seconds each."""

INSTALL = """
The package is needed, with Keras 3 and one of its backends. In a clone of the project:

```sh
pip install '.[torch]' scikit-learn jupyter
```
"""

START = """
# %matplotlib inline
import os

os.environ.setdefault("KERAS_BACKEND", "torch")
""".strip()
"""The first code. Jupytext makes a magic of the comment; without it the picture, which
no `pyplot` made, would be shown as text."""

END = """
found = measure(seed=0)
for name, value in found.items():
    if isinstance(value, (int, float, np.number)):
        print(f"{name}: {value:.4g}")
print("the claim holds" if holds(found) else "the claim does NOT hold")
picture(draw, found)
"""


def setup(app):
    # behind sphinx-gallery (500), which writes notebooks that lack what claims share
    app.connect("builder-inited", _replace, priority=600)
    return {"parallel_read_safe": True}


def _replace(app):
    folder = Path(app.srcdir) / "gallery"
    if folder.is_dir():
        write_all(folder)


def script(path):
    """Return the script of a claim as cells in the percent format of jupytext."""
    title, words = headline(ast.get_docstring(ast.parse(path.read_text("utf-8"))))
    name = path.stem
    cells = [
        markdown(f"# {title}\n\n{words}\n{INSTALL}"),
        code(START),
        markdown("What all claims share: data, and how they are shown."),
        code(shared()),
        markdown("## The claim"),
        code(body(path)),
        markdown("## What comes out"),
        code(END.strip()),
        markdown(f"The script is `examples/claims/{name}.py`."),
    ]
    return "\n\n".join(cells) + "\n"


def headline(docstring):
    """Return the title of a claim, and the words below it."""
    title, _, words = docstring.partition("\n")
    return title, re.sub(r"^=+\n?", "", words).strip()


def body(path):
    """Return the code of a claim without its docstring, its call and the import."""
    text = path.read_text("utf-8")
    first = ast.parse(text).body[0]
    lines = text.splitlines()[first.end_lineno :]
    kept = [line for line in lines if not line.startswith("from gallery import")]
    return "\n".join(kept).partition('if __name__ == "__main__":')[0].strip()


def shared():
    """Return the code of `gallery.py` without what only a script needs."""
    text = (CLAIMS / "gallery.py").read_text("utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    for node in reversed(tree.body):
        is_docstring = node is tree.body[0]
        if is_docstring or (isinstance(node, ast.FunctionDef) and node.name == "show"):
            del lines[node.lineno - 1 : node.end_lineno]
    wanted = [line for line in lines if line not in ("import sys", *PATHS)]
    return re.sub(r"\n{3,}", "\n\n\n", "\n".join(wanted)).strip()


PATHS = ("from pathlib import Path",)


def markdown(text):
    return "# %% [markdown]\n" + textwrap.indent(text.strip(), "# ", lambda line: True)


def code(text):
    return f"# %%\n{text}"


def write_all(folder):
    """Write the notebook of each claim into a folder; return their paths."""
    import jupytext

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for path in sorted(CLAIMS.glob("[abc]*_*.py")):
        notebook = jupytext.reads(script(path), fmt="py:percent")
        notebook.metadata["kernelspec"] = {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        }
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"  # the same at each build
        paths.append(folder / f"{path.stem}.ipynb")
        jupytext.write(notebook, paths[-1])
    return paths


def run(path):
    """Run a notebook in place; an error in it is one here."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, resources=resources).execute()
    nbformat.write(notebook, path)
    return notebook


def shown(notebook):
    """Return what the cells of a notebook show, by its types."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.get("data", {}) for output in outputs]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=int, default=0, metavar="N")
    options = parser.parse_args(arguments)
    paths = {path.stem: path for path in write_all(options.folder)}
    ordered = [*QUICK, *(name for name in paths if name not in QUICK)]
    for name in ordered[: options.run]:
        notebook = run(paths[name])
        texts = [
            output.get("text", "")
            for cell in notebook.cells
            for output in cell.get("outputs", [])
        ]
        if not any("image/png" in data for data in shown(notebook)):
            sys.exit(f"{name} shows no picture")
        print(f"{name}: {''.join(texts).strip().splitlines()[-1]}", flush=True)
    print(f"{len(paths)} notebooks in {options.folder}")


if __name__ == "__main__":
    sys.exit(main())
