"""What the code blocks of a page print and draw, written below them.

Each ```python block of a page is run, one after the other in one namespace. What it
prints follows it as a ```text block, what it draws as a picture in `_static/pages`.
`tests/test_documentation.py` runs the pages, and fails where they print something else.

    KERAS_BACKEND=torch python docs/extensions/page_output.py            all pages
    KERAS_BACKEND=torch python docs/extensions/page_output.py README.md docs/start.md

A comment `<!-- output varies -->` below a block says that its output depends on the
machine, such as times: it is not compared, but written anew with the pictures, which
are of the same run. A comment
`<!-- drawn above -->` says that the pictures of a block stand at another place, and
`<!-- first 9 lines -->` where to cut what it prints.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "_static" / "pages"
FOLDERS = ("guide", "questions", "textbook")
TRANSLATIONS = {
    "README.ko.md": "README.md",
    "docs/ko/index.md": "docs/start.md",
    **{
        f"docs/ko/textbook/{page.name}": f"docs/textbook/{page.name}"
        for page in sorted((ROOT / "docs" / "textbook").glob("*.md"))
        if page.stem != "index"
    },
}
"""Pages that have the code of another one, and that other one."""

MAX_LINES = 30
"""Longer output is cut, so that a page stays a page."""

MAX_RATIO = 3.0
"""Numbers may differ between machines and versions, by a factor of up to this."""

BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n"
    r"(?P<varies>\n<!-- output varies -->\n)?"
    r"(?P<above>\n<!-- drawn above -->\n)?"
    r"(?P<first>\n<!-- first \d+ lines -->\n)?"
    r"(?P<printed>\n```text\n.*?^```\n)?"
    r"(?P<drawn>(?:\n!\[[^\]]*\]\([^)]*_static/pages/[^)]*\)\n)*)",
    re.DOTALL | re.MULTILINE,
)
NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)


class Output:
    """What a block printed and drew."""

    def __init__(self, printed, figures):
        self.printed, self.figures = printed, figures


def run(page):
    """Run the code of a page where we are; return its namespace and its outputs."""
    import matplotlib.pyplot as plt

    namespace, outputs = {"__name__": "page"}, []
    for block in BLOCK.finditer(page.read_text("utf-8")):
        printed = io.StringIO()
        line = page.read_text("utf-8")[: block.start()].count("\n") + 1
        # an error names the line of the page
        code = compile("\n" * line + block["code"], str(page), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        figures = [plt.figure(number) for number in plt.get_fignums()]
        plt.close("all")
        outputs.append(Output(printed.getvalue(), figures))
    return namespace, outputs


def cut(printed, first=None):
    """Return output as a page shows it, "" for none."""
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    most = int(re.search(r"\d+", first)[0]) if first else MAX_LINES
    if len(lines) > most:
        lines = [*lines[: most if first else most - 3], "..."]
    return "\n".join(lines)


def problems(page, outputs):
    """Compare a page with what its blocks print and draw; return what differs."""
    text, found = page.read_text("utf-8"), []
    for block, output in zip(BLOCK.finditer(text), outputs, strict=True):
        line = text[: block.start()].count("\n") + 1
        shown = _inside(block["printed"])
        printed = cut(output.printed, block["first"])
        if not block["varies"] and not agree(shown, printed):
            found.append(f"line {line} prints\n{printed}\nnot\n{shown}")
        n = block["drawn"].count("![")
        if not block["above"] and n != len(output.figures):
            found.append(f"line {line} draws {len(output.figures)} pictures, not {n}")
    return found


def agree(shown, printed):
    """Return whether two outputs have the same words and nearly the same numbers.

    Line breaks do not count, and a line "..." stands for anything.

    >>> agree("loss 2.31", "loss 2.28"), agree("loss 2.31", "loss 9.9")
    (True, False)
    >>> agree("a\\n...", "a\\nb\\nc")
    True
    """
    pattern, begin, words = "", 0, " ".join(shown.split())
    for number in NUMBER.finditer(words):
        pattern += re.escape(words[begin : number.start()]) + f"({NUMBER.pattern})"
        begin = number.end()
    pattern += re.escape(words[begin:])
    pattern = re.sub(r"(\\ )?\\\.\\\.\\\.(\\ )?", r".*?", pattern)
    match = re.fullmatch(pattern, " ".join(printed.split()), re.IGNORECASE)
    if match is None:
        return False
    pairs = zip(NUMBER.findall(words), match.groups(), strict=True)
    return all(_near(*map(_value, pair)) for pair in pairs)


def _value(number):
    return float(number.replace(",", "") or 0)


def _near(a, b):
    small = max(abs(a), abs(b)) < 1e-3
    return small or a == b or (a * b > 0 and 1 / MAX_RATIO <= a / b <= MAX_RATIO)


def _inside(fence):
    return "\n".join(fence.strip().splitlines()[1:-1]) if fence else ""


def written(page, outputs, name):
    """Return the text of a page with the outputs below its blocks."""
    remaining = iter(outputs)
    count = 0

    def replaced(block):
        nonlocal count
        output = next(remaining)
        text = f"```python\n{block['code']}```\n"
        text += (block["varies"] or "") + (block["above"] or "")
        text += block["first"] or ""
        shown = cut(output.printed, block["first"])
        if shown:
            text += f"\n```text\n{shown}\n```\n"
        for figure in output.figures:
            count += 1
            if block["above"]:
                continue
            path = PICTURES / f"{name}-{count}.png"
            link = Path(os.path.relpath(path, page.parent)).as_posix()
            text += f"\n![{_title(figure)}]({link})\n"
        return text

    return BLOCK.sub(replaced, page.read_text("utf-8"))


def _title(figure):
    """Return words for a picture: the titles of its axes."""
    titles = [axes.get_title() or axes.get_title("left") for axes in figure.axes]
    named = [title.replace("\n", " ") for title in titles if title]
    text = ", ".join(dict.fromkeys(named)) or "What the code draws"
    return text.replace("[", "(").replace("]", ")")


def save(figures, name):
    """Save the pictures of a page, small, and remove those that it no longer has."""
    from PIL import Image

    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob(f"{name}-*.png"):
        if re.fullmatch(rf"{re.escape(name)}-\d+", old.stem):
            old.unlink()
    for number, figure in enumerate(figures, 1):
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=90, format="png")
        image = Image.open(drawn).convert("RGB")
        image = image.quantize(96, dither=Image.Dither.NONE)
        image.save(PICTURES / f"{name}-{number}.png", optimize=True)


def name_of(page):
    """Return the name of a page's pictures, such as `start`, `guide-diagnosis`."""
    folder = page.parent.name
    return f"{folder}-{page.stem}" if folder in FOLDERS else page.stem.lower()


def pages():
    """Return all pages with code of their own."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    made = {ROOT / name for name in TRANSLATIONS}
    return [
        page
        for page in every
        if page not in made
        and not {"_build", "gallery", "reference"} & set(page.parts)
        and BLOCK.search(page.read_text("utf-8"))
    ]


def update(page):
    """Run a page, write its output and pictures, and do so for its translations."""
    import keras

    import keras_dlbasic as kd

    keras.utils.clear_session()  # layers are named as in a process of their own
    keras.utils.set_random_seed(0)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, kd.plots.style("light"):
        os.chdir(folder)
        try:
            _, outputs = run(page)
        finally:
            os.chdir(before)
        name = name_of(page)
        save([figure for output in outputs for figure in output.figures], name)
    page.write_text(written(page, outputs, name), "utf-8")
    for translation, original in TRANSLATIONS.items():
        if ROOT / original == page:
            path = ROOT / translation
            path.write_text(written(path, outputs, name), "utf-8")


if __name__ == "__main__":
    for page in [Path(name).resolve() for name in sys.argv[1:]] or pages():
        print(page.relative_to(ROOT), flush=True)
        update(page)
