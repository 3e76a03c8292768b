"""The pictures and notebooks of the claims are made from the scripts as they are."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CLAIMS = sorted(p.stem for p in (ROOT / "examples" / "claims").glob("[abc]*_*.py"))

pytestmark = pytest.mark.once


@pytest.fixture
def docs(monkeypatch):
    for folder in ("docs", "docs/pictures"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    yield importlib.import_module
    for name in [n for n in sys.modules if n.partition(".")[0] == "extensions"]:
        sys.modules.pop(name)
    sys.modules.pop("claims", None)


def test_pictures_are_current(docs):
    """If not: `make gallery` draws them."""
    claims = docs("claims")
    assert [name for name in CLAIMS if not claims.is_current(name)] == []
    drawn = {path.stem for path in claims.FOLDER.glob("*.png")}
    assert drawn == set(CLAIMS)
    assert all(p.stat().st_size < 40_000 for p in claims.FOLDER.glob("*.png"))


def test_only_a_change_of_code_makes_a_picture_stale(docs, tmp_path, monkeypatch):
    claims = docs("claims")
    monkeypatch.setattr(claims, "CLAIMS", tmp_path)
    (tmp_path / "gallery.py").write_text("SHARED = 1\n")
    digests = []
    for text in ('"""A."""\nx = 1\n', '"""B."""\n# c\n\nx = 1\n', '"""A."""\nx = 2\n'):
        (tmp_path / "a1.py").write_text(text)
        digests.append(claims.digest("a1"))
    assert digests[0] == digests[1] != digests[2]
    (tmp_path / "gallery.py").write_text("SHARED = 2\n")
    assert claims.digest("a1") != digests[2]


@pytest.mark.parametrize("name", CLAIMS)
def test_notebooks_need_no_other_file(docs, name):
    notebooks = docs("extensions.notebooks")
    text = notebooks.script(notebooks.CLAIMS / f"{name}.py")
    assert "import gallery" not in text
    assert "from gallery" not in text
    assert "sys.argv" not in text
    compile(text, name, "exec")


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_runs(docs, capsys):
    notebooks = docs("extensions.notebooks")
    text = notebooks.script(notebooks.CLAIMS / "b3_saturation.py")
    namespace = {"__name__": "__main__"}
    exec(compile(text, "notebook", "exec"), namespace)
    assert "the claim holds" in capsys.readouterr().out
    assert namespace["found"]


def test_cells_of_a_notebook(docs):
    jupytext = pytest.importorskip("jupytext")
    notebooks = docs("extensions.notebooks")
    text = notebooks.script(notebooks.CLAIMS / "b3_saturation.py")
    cells = jupytext.reads(text, fmt="py:percent").cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# B3")
    assert [cell.cell_type for cell in cells].count("code") == 4
    assert cells[1].source.startswith("%matplotlib inline")  # shows the last line
    assert cells[-2].source.endswith("picture(draw, found)")
