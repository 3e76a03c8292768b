"""Words that do not come back: messages, docstrings, comments and pages say it plainly.

A reader who knows Keras is to understand each sentence at the first reading. What stands
in backquotes is a name, and is not looked at.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STEMS = (
    "normal|general|initial|regular|standard|minim|maxim|penal|memor|orthogonal|optim|"
    "serial|summar|vector|parametr|random|visual|organ|special|character|equal|local|"
    "util|recogn|categor|emphas|synchron|discret|quant|token|custom|stabil"
)
REPLACED = {
    # not this: but that
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bspeaks? up\b": "reports",
    r"\bat the begin\b|\bits begin\b": "at the start",
    r"\b(lies?|lay|stands?|stood) still\b": "is stuck",
    r"\balways giving the same answer\b|\bconstant answers?\b": "a constant prediction",
    r"\bon the probe the loss\b": "loss on training samples",
    r"\btargets reach from\b": "targets range from",
    r"\baround its course\b": "from epoch to epoch",
    r"\bswings\b": "oscillates",
    r"\bleft alone\b": "skipped, not changed",
    r"\b(is|are|was|were) told (apart|by|beneath|of)\b|\btold apart\b": "distinguished",
    r"\bin words\b|\bwith these words\b": "as text, with a message",
    r"\bholds? 1e-": "relative error below",
    r"\bso many\b": "n, this many",
    r"\bin terms JSON knows\b": "JSON-serializable",
    r"\bways to descend\b": "ways of gradient descent",
    r"\b(bring|brings|brought)( \w+){0,2} about\b": "cause",
    r"\bof one's own\b": "of your own",
    r"\bharmless so far\b": "notes (no effect on this run)",
    r"\bcommonest\b(?!:)": "most common",
    r"\b(cannot|could not) be told\b": "is not known, cannot be distinguished",
    r"\bfor want of\b": "because of missing",
    r"\blevelled\b": "saturated, leveled",
    r"\bso-many-th\b": "n-th",
    r"\b(Xavier|He)'s weights\b": "Xavier initialization, He initialization",
    r"\bthe old form\b": "deprecated",
    r"\bin any form that\b": "an array, tensor, data frame, list or a structure of these",
    r"\b(run|ran|runs|trials) beside each other\b": "in parallel",
    r"\bAdam and its (like|kind)\b": "Adam and similar optimizers",
    r"\b(is|are) gone through\b": "are included, are visited",
    rf"\b\w*({STEMS})is(e|es|ed|ing|ation|ations|er|ers)\b": "American: -ize",
    r"\b\w*colour\w*|\bbehaviour|\bneighbour|\bgrey\b|\bcentred\b": "American: -or",
}
"""What is not written, and what is written instead."""

KEPT = re.compile(
    r"`[^`]*`"  # names
    r"|https?://\S+"
    r"|\b\w+_\w*\b"  # names without backquotes, of files and variables
    r"|\bmemorised(?=[:=])"  # a threshold that users may set
)
SELF = Path(__file__).name
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if not {"_build", "gallery", "reference"} & set(path.parts)
)
CODE = sorted(
    path
    for folder in ("keras_dlbasic", "examples", "docs/pictures", "docs/extensions")
    for path in (ROOT / folder).rglob("*.py")
)

pytestmark = pytest.mark.once


def found(text):
    """Return the words of a text that are not written, with what to write."""
    shown = KEPT.sub(" ", " ".join(text.split()))
    return [
        f"{match[0]!r}: write {instead!r}"
        for pattern, instead in REPLACED.items()
        for match in re.finditer(pattern, shown, re.IGNORECASE)
    ]


def texts(path):
    """Yield the strings and comments of a module, with their lines."""
    source = path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        # parts of one message are one string here, however they are broken
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_key = re.fullmatch(r"\w*", node.value)
            if not is_key:
                yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("folder", sorted({path.parent for path in CODE}), ids=str)
def test_code(folder):
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in sorted(folder.glob("*.py"))
        for line, text in texts(path)
        for word in found(text)
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages(page):
    text = page.read_text("utf-8")
    # code has names of its own; what it prints is looked at where it is written
    text = re.sub(r"^```(python|py|sh)\n.*?^```$", "", text, flags=re.M | re.DOTALL)
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "The loss lies still at 2.303.",
        "a remedy that mends it",
        "Up to so many\nrows are used.",
        "Batch normalisation",
        "what brought it about",
        "a colourful picture",
    ],
)
def test_words_are_found(text):
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The loss is stuck at 2.303.",
        "`b8_normalisation`, memorised: 0.05, told_apart_by",
        "Batch normalization is otherwise precise; a promise, an exercise.",
    ],
)
def test_plain_words_pass(text):
    assert found(text) == []
