"""The page of a report: all of it there, nothing runs in it, nothing leaves it."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Diagnosis, Finding, RemedySuggestion
from keras_dlbasic.records import MEASURES, TrainingRecord, VariableInfo
from keras_dlbasic.reports.html import html_text, write_html

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
VOID = {"meta", "img", "source"}


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.open, self.ids = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    def all(self, tag):
        return [given for name, given in self.tags if name == tag]

    @property
    def words(self):
        return re.sub(r"\s+", " ", " ".join(self.text))


def page_of(record, **given):
    return Page(html_text(kd.diagnose(record), record, **given))


@pytest.fixture(scope="module")
def sick():
    return made_run(dead=1.0, ratio=0.5, **STUCK)


@pytest.fixture(scope="module")
def drawn(sick):
    """The page of the sick run, and the figures that drawing it left to pyplot."""
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    text = html_text(kd.diagnose(sick), sick)
    return text, sorted(set(plt.get_fignums()) - set(before))


@pytest.fixture
def text(drawn):
    return drawn[0]


def test_verdict_first_then_causes_with_remedies(sick, text):
    page, diagnosis = Page(text), kd.diagnose(sick)
    words = page.words
    cause = diagnosis[0]
    assert words.index(cause.message) < words.index("What was found")
    assert "What to try, in this order" in words
    for remedy in cause.remedies:
        assert remedy.reason.rstrip(".") in words
        assert " ".join(remedy.call.split()) in words
        assert remedy.code in words
    for symptom in diagnosis.symptoms_of(cause):
        assert symptom.message in words
    for name in (*diagnosis.checked_fine, *diagnosis.skipped):
        assert name in words


def test_a_healthy_run_is_told_so():
    words = Page(html_text(kd.diagnose(made_run()))).words  # pictures take seconds
    assert "Nothing wrong was found." in words
    assert "What to try" not in words


def test_sections_are_linked_and_pictures_have_words(text):
    page = Page(text)
    ids = {given["id"] for _, given in page.tags if "id" in given}
    linked = {given["href"][1:] for given in page.all("a")}
    assert linked <= ids
    assert {"findings", "pictures", "layers", "checks", "facts"} <= ids
    for image in page.all("img"):
        assert len(image["alt"]) > 20
        assert base64.b64decode(image["src"].split(",")[1])[8:12] == b"WEBP"
    assert len(page.all("source")) == len(page.all("img")) > 3
    assert page.all("html") == [{"lang": "en"}]
    assert all("scope" in given for given in page.all("th"))


def test_nothing_leaves_the_page(text):
    assert not re.search(r"https?://|url\(|@import|<link|<iframe", text)
    (policy,) = [
        given["content"]
        for given in Page(text).all("meta")
        if given.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; img-src data:;")


def deep_record(labels, steps):
    """Return a record of layers with these labels."""
    record = TrainingRecord(
        VariableInfo(f"{label}/kernel", label, "kernel", (4, 4), depth)
        for depth, label in enumerate(labels)
    )
    rng = np.random.default_rng(0)
    for step in steps:
        measured = np.exp(rng.normal(size=(len(MEASURES), len(labels))))
        record.append_step(step, {"epoch": step // 1000}, measured)
    return record


def test_names_from_models_and_records_are_escaped():
    record = deep_record([HOSTILE, "second", "out"], range(20))
    record.append_epoch(0, {"loss": 1.0, HOSTILE: 2.0})
    record.note(model_name=HOSTILE, extra={HOSTILE: {"key": HOSTILE}})
    finding = Finding(
        HOSTILE,
        "cause",
        "critical",
        HOSTILE,
        layer=HOSTILE,
        evidence={HOSTILE: HOSTILE},
        remedies=(RemedySuggestion(None, HOSTILE, HOSTILE),),
    )
    diagnosis = Diagnosis([finding], {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE})
    page = Page(html_text(diagnosis, record, title=HOSTILE))
    assert len(page.all("script")) == 1
    assert not [g for _, g in page.tags if any(k.startswith("on") for k in g)]
    assert HOSTILE in page.words


def test_hovering_tells_the_values_of_epochs_and_layers(sick, text):
    words = Page(text).words
    loss = sick.epochs["loss"]
    assert f"epoch 1: loss {loss[0]:.4g}" in words
    assert "at first" in words


def test_a_record_of_curves_only():
    record = TrainingRecord.from_history({"loss": [0.7, np.nan, np.nan]})
    page = page_of(record)
    assert "non_finite_values" in page.words
    assert "layers" not in {given.get("id") for _, given in page.tags}
    assert Page(html_text(kd.diagnose(record))).all("img") == []


def test_a_record_without_anything():
    page = page_of(TrainingRecord())
    assert "skipped" in page.words


def test_a_deep_run_stays_small():
    labels = [f"block_{i}/dense" for i in range(200)]
    record = deep_record(labels, range(0, 100_000, 250))
    for epoch in range(100):
        record.append_epoch(epoch, {"loss": np.exp(-epoch / 30), "accuracy": 0.5})
    text = html_text(kd.diagnose(record), record)
    assert len(text.encode()) < 2_000_000
    assert "block_199/dense" in Page(text).words


def test_a_file_is_replaced_as_a_whole(tmp_path):
    resource = pytest.importorskip("resource")  # not on Windows
    record = TrainingRecord.from_history({"loss": [0.7, 0.5, 0.4]})
    path = tmp_path / "report.html"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))  # as on a full disk
    try:
        with pytest.raises(OSError, match="File too large"):
            write_html(kd.diagnose(record), path, record)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    kd.diagnose(record).to_html(path, title="Run 7")
    assert "Run 7" in Page(path.read_text()).words


def test_no_figure_is_left_to_pyplot(drawn):
    assert drawn[1] == []


def test_in_a_notebook(sick):
    page = Page(kd.diagnose(sick)._repr_html_())
    assert kd.diagnose(sick)[0].message in page.words
    assert page.all("img") == page.all("iframe") == []


def test_a_record_in_a_notebook():
    record = deep_record([HOSTILE, "out"], range(20))
    record.append_epoch(0, {"loss": 0.5, HOSTILE: 1.0})
    record.note(model_name=HOSTILE)
    page = Page(record._repr_html_())
    assert "20 of 20" in page.words
    assert page.words.count(HOSTILE) == 2
    assert "0.5 at first" in page.words
    tags = {"style", "div", "p", "table", "tbody", "tr", "th", "td"}
    assert {name for name, _ in page.tags} == tags
    Page(TrainingRecord()._repr_html_())
