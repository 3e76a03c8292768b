"""The small pictures of the claims: docs/_static/gallery, shown in README and guide.

    python docs/pictures/claims.py             draws those that are out of date
    python docs/pictures/claims.py b3_saturation
    python docs/pictures/claims.py --check     names those out of date, runs nothing

A picture is out of date when the code of its script, or of `gallery.py` beside it (but
for `show`, which draws nothing), is other than the code that drew it: the picture
carries a digest of both.
"""

import ast
import hashlib
import importlib
import io
import sys
from pathlib import Path

from PIL import Image, PngImagePlugin

DOCS = Path(__file__).parents[1]
FOLDER = DOCS / "_static" / "gallery"
CLAIMS = DOCS.parent / "examples" / "claims"
KEY = "made-from"
COLORS = 48
"""Enough for lines and bars, and a third of the size of full color."""


def names():
    """Return the names of all claims."""
    return sorted(path.stem for path in CLAIMS.glob("[abc]*_*.py"))


def digest(name):
    """Return what a picture is made from, in a few letters."""
    code = "".join(code_of(CLAIMS / f"{part}.py") for part in (name, "gallery"))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def code_of(path):
    """Return the lines of a script that run: no docstrings, comments, empty lines."""
    text = path.read_text("utf-8")
    words = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(node, ast.FunctionDef) and node.name == "show":
            words.update(range(node.lineno, node.end_lineno + 1))
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            words.update(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    kept = [line for n, line in lines if n not in words]
    return "\n".join(x for x in kept if x.strip() and not x.strip().startswith("#"))


def is_current(name, folder=FOLDER):
    """Return whether there is a picture that was made from the script as it is."""
    path = folder / f"{name}.png"
    if not path.exists():
        return False
    with Image.open(path) as image:
        return image.info.get(KEY) == digest(name)


def draw(name, folder=FOLDER):
    """Measure a claim, and save its picture; return whether the claim holds."""
    gallery = importlib.import_module("gallery")
    claim = importlib.import_module(name)
    found = claim.measure(seed=0)
    drawn = io.BytesIO()
    gallery.picture(claim.draw, found).savefig(drawn, dpi=80, format="png")
    image = Image.open(drawn).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    note = PngImagePlugin.PngInfo()
    note.add_text(KEY, digest(name))
    image.save(folder / f"{name}.png", optimize=True, pnginfo=note)
    return bool(claim.holds(found))


def main(arguments):
    stale = [name for name in names() if not is_current(name)]
    if arguments == ["--check"]:
        print("\n".join(f"out of date: {name}" for name in stale) or "all are current")
        return len(stale)
    sys.path.insert(0, str(CLAIMS))
    for name in arguments or stale:
        holds = draw(name)
        size = (FOLDER / f"{name}.png").stat().st_size / 1000
        print(
            f"{name}: {size:.0f} kB{'' if holds else ', and the claim does NOT hold'}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
