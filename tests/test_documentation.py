"""Examples in docstrings, the README and the guide run."""

import doctest
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from types import FunctionType

import keras
import matplotlib.axes
import numpy as np
import pytest
import reference as versions

import keras_dlbasic as kd
from keras_dlbasic.reports.contributed import CONTRIBUTED

ROOT = Path(__file__).parent.parent


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OTHER_BACKENDS = {"tensorflow", "jax", "torch"} - {keras.backend.backend()}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(kd.__path__, "keras_dlbasic.")
    if not any(f"._backends.{name}" in module.name for name in OTHER_BACKENDS)
)
TAPPED = ("gradients", "gradient_norm_monitor", "training_doctor")
"""What differs between backends; the examples of the rest run on one."""

OUTPUT = load(ROOT / "docs" / "extensions" / "page_output.py")
TRANSLATIONS = OUTPUT.TRANSLATIONS
"""Pages with the code of another one, which is the one that is run."""

HEAVY = {
    "batch-size",
    "ensembles",
    "gradient-descent",
    "overfitting-toolbox",
    "remedies",
    "reports",
}
"""Pages whose studies take longer than all others together."""

ALWAYS = {"loss-is-nan", "ci-gate", "README", "start"}
"""Pages with fits that `make test` runs, besides the guide."""


def marks(page):
    """Leave pages to `make test-everywhere` that train only what others train too."""
    trains = any(
        word in page.read_text("utf-8") for word in ("model.fit(", "study.run(")
    )
    in_guide = page.parent.name == "guide"
    left = trains and not in_guide and page.stem not in ALWAYS
    left |= page.stem in HEAVY
    return [pytest.mark.once, *([pytest.mark.everywhere] if left else [])]


PAGES = [pytest.param(page, marks=marks(page)) for page in OUTPUT.pages()]
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


def remedies(page):
    assert page["result"].kept[0].finding == "output_activation_mismatch"
    assert page["result"].score > 0.5
    error = page["new"].evaluate(page["x"], page["y"], verbose=0)[0]
    assert error < 10  # in units of the targets' variance, not of the targets


def batch_size(page):
    assert page["size"] == 256
    steps = page["optimizer"].gradient_accumulation_steps or 1
    assert len(page["data"]) == steps
    assert [trial.status for trial in page["result"].trials] == ["done"] * 12
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
    assert page["fixed"].evaluate(page["x"], page["y"], verbose=0)[1] > 0.8
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
    report = Path("report.html").read_text("utf-8")
    assert "The learning rate at the steps that were measured." in report
    CONTRIBUTED.clear()  # other tests write reports, too


def reports(page):
    assert len(page["again"].epochs["global_gradient_norm"]) == 3
    assert (
        len(page["table"]) == len(Path("steps.csv").read_text("utf-8").splitlines()) - 1
    )
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
    "docs/guide/batch-size.md": batch_size,
    "docs/guide/building_blocks.md": building_blocks,
    "docs/guide/extending.md": extending,
    "docs/guide/landscape.md": landscape,
    "docs/guide/overfitting.md": overfitting,
    "docs/guide/remedies.md": remedies,
    "docs/guide/reports.md": reports,
    "docs/start.md": start,
}
"""What the examples of a page are to have led to."""


# as an error it would fail a trial of `treat`, to which all that follows is then compared
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning")
@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_page_examples(page, tmp_path, monkeypatch):
    """Code blocks marked ```python run, one after the other, in one namespace.

    Below each stands what it prints and draws. If not: `make pages` writes it.
    """
    monkeypatch.chdir(tmp_path)
    assert page.read_text("utf-8").count("```python") == len(
        OUTPUT.BLOCK.findall(page.read_text("utf-8"))
    )
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    namespace, outputs = OUTPUT.run(page)
    name = page.relative_to(ROOT).as_posix()
    if name in CLAIMS:
        CLAIMS[name](namespace)
    for value in list(namespace.values()):
        if isinstance(value, matplotlib.axes.Axes):
            assert value.has_data() or value.texts
    if versions.KERAS < (3, 16) and keras.backend.backend() == "torch":
        assert not OUTPUT.problems(page, outputs), OUTPUT.problems(page, outputs)[0]


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
    page = (ROOT / "docs" / "guide" / "claims.md").read_text("utf-8")
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
    doctor = pages["callbacks"].split("autoclass:: TrainingDoctor")[-1]
    assert ":inherited-members:" not in doctor.partition("autoclass::")[0]
