"""Examples in docstrings, the README and the guide run."""

import doctest
import importlib
import pkgutil
import re
import sys
from pathlib import Path
from types import FunctionType

import keras
import matplotlib.axes
import numpy as np
import pytest

import keras_dlbasic as kd

ROOT = Path(__file__).parent.parent
OTHER_BACKENDS = {"tensorflow", "jax", "torch"} - {keras.backend.backend()}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(kd.__path__, "keras_dlbasic.")
    if not any(f"._backends.{name}" in module.name for name in OTHER_BACKENDS)
)
TAPPED = ("gradients", "gradient_norm_monitor", "training_doctor")
"""What differs between backends; the examples of the rest run on one."""

PAGES = [
    pytest.param(page, marks=pytest.mark.once)
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if page.parent.name != "ko"  # has the same code, see below
]
TRANSLATIONS = {"README.ko.md": "README.md", "docs/ko/index.md": "docs/start.md"}
BLOCKS = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
MADE_BY_THE_BUILD = ("reference", "gallery")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=[pytest.mark.once] * (not {*TAPPED} & {*name.split(".")})
        )
        for name in MODULES
    ],
)
def test_docstring_examples(name):
    module = importlib.import_module(name)
    keras.utils.set_random_seed(0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    with np.printoptions(legacy=False):
        failed, _ = doctest.testmod(module, optionflags=flags)
    assert failed == 0


def readme(page):
    found = page["doctor"].diagnosis
    assert "vanishing_gradients" in found.names
    assert not found.is_healthy
    assert page["record"].by_layer("gradient_norm").shape[1] == 9
    assert page["monitor"].non_finite is None
    assert len(page["report"].layers) == 9
    drawn = kd.propagation_report(page["mended"], page["x"][:256])
    variances = [layer.preactivation_variance for layer in drawn.layers]
    np.testing.assert_allclose(variances, 1.0, atol=0.1)


def remedies(page):
    assert page["result"].kept[0].finding == "output_activation_mismatch"
    assert page["result"].score > 0.5
    error = page["new"].evaluate(page["x"], page["y"], verbose=0)[0]
    assert error < 10  # in units of the targets' variance, not of the targets


def batch_size(page):
    assert page["size"] == 256
    steps = page["optimizer"].gradient_accumulation_steps or 1
    assert len(page["data"]) == steps
    assert [trial.status for trial in page["result"].trials] == ["done"] * 6
    assert page["estimate"].low <= page["estimate"].value <= page["estimate"].high


def building_blocks(page):
    assert page["initializer"].gain == 1.0
    assert page["smaller"].count_params() <= page["model"].count_params()
    assert set(page["monitor"].record.tables) == {"activations"}


def overfitting(page):
    assert page["detector"].verdict.detected
    assert page["verdict"].detected
    assert page["stopping"].report.stopped
    assert Path("history.png").stat().st_size > 0


def start(page):
    names = page["doctor"].diagnosis.names
    assert "vanishing_gradients" in names
    assert page["first"].kind == "cause"
    assert page["score"] > 0.8
    assert page["result"].kept


def extending(page):
    kept = page["result"].kept[0]
    assert (kept.remedy, kept.finding) == ("center_inputs()", "inputs_off_center")
    assert "kd.remedies.center_inputs(model, x)" in page["result"].code
    assert page["result"].score > 0.9
    assert "inputs_off_center" not in page["result"].diagnosis.names
    assert page["diagnosis"].names == ("loss_spikes",)
    assert page["found"].value == 9.0
    assert page["found"].step == 4
    assert "loss_spikes" in page["fine"]
    assert not page["without"].layers[0].use_bias
    assert page["ax"].get_ylabel() == "learning rate"


def reports(page):
    assert len(page["again"].epochs["global_gradient_norm"]) == 3
    assert len(page["table"]) == len(Path("steps.csv").read_text().splitlines()) - 1
    assert list(Path("events").iterdir())


def landscape(page):
    assert page["point"].verdict == "saddle"
    assert page["point"].certain
    assert page["probe"].points[23].verdict == "saddle"
    assert "saddle point" in page["plateau"].message
    assert page["on_the_ridge"][1] == 0
    assert abs(page["left"][1]) > 0.3


CLAIMS = {
    "README.md": readme,
    "batch-size.md": batch_size,
    "building_blocks.md": building_blocks,
    "extending.md": extending,
    "landscape.md": landscape,
    "overfitting.md": overfitting,
    "remedies.md": remedies,
    "reports.md": reports,
    "start.md": start,
}
"""What the examples of a page are to have led to."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_examples(page, tmp_path, monkeypatch):
    """Code blocks marked ```python run, one after the other, in one namespace."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert page.read_text().count("```python") == len(blocks)
    keras.utils.set_random_seed(0)
    namespace = {"__name__": "page"}
    exec(compile("\n".join(blocks), str(page), "exec"), namespace)
    if page.name in CLAIMS:
        CLAIMS[page.name](namespace)
    for value in list(namespace.values()):
        if isinstance(value, matplotlib.axes.Axes):
            assert value.has_data() or value.texts


@pytest.mark.once
@pytest.mark.parametrize(("page", "original"), TRANSLATIONS.items())
def test_translations_have_the_same_code(page, original):
    translated, own = (
        BLOCKS.findall((ROOT / name).read_text("utf-8")) for name in (page, original)
    )
    assert translated == own


@pytest.mark.once
@pytest.mark.parametrize(
    "page",
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_to_files(page):
    text = BLOCKS.sub("", page.read_text("utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    broken = []
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if "://" in target or file.parent.name in MADE_BY_THE_BUILD:
            continue
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(page):
    """Return the anchors of the headings of a page, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles
    }


@pytest.fixture
def reference(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    yield importlib.import_module("extensions.reference")
    for name in [
        name for name in sys.modules if name.partition(".")[0] == "extensions"
    ]:
        sys.modules.pop(name)


@pytest.mark.once
def test_the_reference_has_every_public_name(reference):
    pages = reference.pages()
    for name in kd._MODULES:
        entries = re.findall(
            r"^\.\. (?:auto\w+|py:data|py:module):: (?:keras_dlbasic\.\w+\.)?(\w+)$",
            pages[name],
            re.MULTILINE,
        )
        assert sorted(entries) == sorted(getattr(kd, name).__all__)


@pytest.mark.once
def test_examples_at_the_margin_are_a_section(reference):
    indented = importlib.import_module("extensions.docstrings").indented
    lines = ["Text.", "", "Example:", ">>> 1", "1"]
    assert indented(lines) == ["Text.", "", "Example:", "    >>> 1", "    1"]
    assert indented(lines[:2]) == lines[:2]


@pytest.mark.once
def test_the_build_tells_what_is_missing_from_the_reference(reference):
    names = reference.public_names()
    assert reference.missing(names) == []
    assert reference.missing(names[1:]) == names[:1]


@pytest.mark.once
@pytest.mark.parametrize("page", ["diagnosis.md", "extending.md"])
def test_tables_of_rules_are_current(reference, page):
    """If not: `python docs/extensions/rule_tables.py` writes them anew."""
    tables = importlib.import_module("extensions.rule_tables")
    text = (ROOT / "docs" / "guide" / page).read_text("utf-8")
    assert tables.current(page, text) == text
    stale = text.replace("<!-- end of", "| an older row |\n<!-- end of")
    assert tables.current(page, stale) == text


@pytest.mark.once
def test_the_guide_lists_every_claim():
    page = (ROOT / "docs" / "guide" / "claims.md").read_text()
    scripts = re.findall(r"^\| [ABC].* \| `(\w+)` \|", page, re.MULTILINE)
    folder = ROOT / "examples" / "claims"
    assert sorted(scripts) == sorted(p.stem for p in folder.glob("[abc]*_*.py"))


def test_public_objects_are_documented():
    missing = []
    for name in MODULES:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            found = getattr(module, public, None)
            if (
                isinstance(found, (type, FunctionType))
                and not (found.__doc__ or "").strip()
            ):
                missing.append(f"{name}.{public}")
    assert missing == []


@pytest.mark.once
def test_the_reference_shows_what_a_class_has_from_our_own_bases(reference):
    pages = reference.pages()
    assert ":inherited-members: object" in pages["records"].split("TrainingRecord")[-1]
    assert ":inherited-members:" not in pages["callbacks"]
