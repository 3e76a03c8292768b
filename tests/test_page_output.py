"""What pages print and draw is written below their blocks, and compared."""

import doctest
import importlib.util
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def output():
    path = ROOT / "docs" / "extensions" / "page_output.py"
    spec = importlib.util.spec_from_file_location("page_output", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(tmp_path):
    def made(*blocks):
        path = tmp_path / "guide" / "page.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text("# Page\n\n" + "\n".join(blocks), "utf-8")
        return path

    return made


def block(code, *below):
    return "\n".join([f"```python\n{code}\n```\n", *below])


def test_doctests(output):
    assert doctest.testmod(output).failed == 0


def test_output_is_written_once_and_then_agrees(output, page):
    drawn = "import matplotlib.pyplot as plt\nplt.subplots()[1].set_title('A [b]')"
    path = page(block("n = 3\nprint('n is', n)"), block(drawn), block("print(n + 1)"))
    for _ in range(2):
        _, outputs = output.run(path)
        path.write_text(output.written(path, outputs, "guide-page"), "utf-8")
    text = path.read_text("utf-8")
    assert text.count("```text\nn is 3\n```") == 1
    assert text.count("```text\n4\n```") == 1
    assert text.count("![A (b)](") == 1
    assert text.count("_static/pages/guide-page-1.png") == 1
    assert output.problems(path, outputs) == []
    assert plt.get_fignums() == []


def test_what_differs_is_found(output, page):
    path = page(block("print('the loss is stuck')", "```text\nthe loss falls\n```\n"))
    _, outputs = output.run(path)
    assert "the loss is stuck" in output.problems(path, outputs)[0]
    path = page(block("import matplotlib.pyplot as plt\nplt.subplots()"))
    _, outputs = output.run(path)
    assert output.problems(path, outputs) == ["line 3 draws 1 pictures, not 0"]


def test_output_that_varies_is_not_compared_but_written(output, page):
    """The pictures beside it are of the same run."""
    varies = "<!-- output varies -->\n"
    for shown in ([], ["```text\n99 seconds\n```\n"]):
        path = page(block("print('1 second')", varies, *shown))
        _, outputs = output.run(path)
        assert output.problems(path, outputs) == []
        text = output.written(path, outputs, "guide-page")
        assert text.count("```text") == text.count("```text\n1 second\n```") == 1


def test_long_output_is_cut(output, page):
    code = "print(*range(40), sep=chr(10))"
    path = page(block(code), block(code, "<!-- first 2 lines -->\n"))
    _, outputs = output.run(path)
    path.write_text(output.written(path, outputs, "guide-page"), "utf-8")
    assert "\n26\n...\n```" in path.read_text("utf-8")
    assert "```text\n0\n1\n...\n```" in path.read_text("utf-8")
    assert output.problems(path, outputs) == []


def test_pictures_may_stand_at_another_place(output, page):
    code = "import matplotlib.pyplot as plt\nplt.subplots()"
    path = page(block(code, "<!-- drawn above -->\n"))
    _, outputs = output.run(path)
    assert output.problems(path, outputs) == []
    assert "![" not in output.written(path, outputs, "guide-page")


@pytest.mark.parametrize(
    ("shown", "printed", "is_alike"),
    [
        ("a 1.0 b", "a  2.5\nb", True),
        ("a 1.0 b", "a 9.0 b", False),
        ("a 1.0 b", "a -1.0 b", False),
        ("a 1e-9", "a 4e-7", True),
        ("a\n...\nz", "a\nb 5\nz", True),
        ("a\n...", "b", False),
        ("", "x", False),
        ("", "", True),
        ("1,200 rows (50%)", "1,300 rows (52%)", True),
    ],
)
def test_words_must_be_the_same_and_numbers_near(output, shown, printed, is_alike):
    assert output.agree(shown, printed) == is_alike


def test_every_picture_of_a_page_is_shown(output):
    files = {path.name for path in output.PICTURES.glob("*.png")}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    text = "".join(page.read_text("utf-8") for page in pages)
    assert [name for name in files if f"_static/pages/{name}" not in text] == []
