"""Results show themselves: pictures and pages from what is registered for them."""

import dataclasses
import inspect
import re
import subprocess
import sys
from html import escape, unescape
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
from notebook_output import NotebookOutput, shown_in_notebook

import keras_dlbasic as kd
from keras_dlbasic._display import Displayed, html_of, page_of, plot_of
from keras_dlbasic.analysis.experiments.learning_rate_range import judge_learning_rates
from keras_dlbasic.analysis.gradients.noise_scale import NoiseScaleCurve
from keras_dlbasic.analysis.landscape.loss_surface import LossLine, LossSurface
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.reports import cell

RATE = np.geomspace(1e-5, 1, 50)
T = np.linspace(-0.25, 1.25, 31)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def made(kind):
    return {
        "history": lambda: TrainingRecord.from_history({"loss": [3.0, 2.0]}),
        "range": lambda: judge_learning_rates(RATE, 1 - 0.5 / (1 + 1e-2 / RATE)),
        "noise": lambda: NoiseScaleCurve(np.arange(3), np.ones(3), np.ones(3)),
        "line": lambda: LossLine(T, 0.1 + (T * (T - 1)) ** 2),
        "surface": lambda: LossSurface(T, T, T[:, None] ** 2 + T**2, ("a", "b")),
        "paths": lambda: kd.analysis.descend("saddle"),
    }[kind]()


KINDS = ("history", "range", "noise", "line", "surface", "paths")


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_draws_what_its_plot_draws(kind):
    result = made(kind)
    _, mine = plt.subplots()
    axes = np.ravel(result.plot(ax=mine))
    assert axes[0] is mine
    by_name = plot_of.dispatch(type(result))
    (again,) = np.ravel(by_name(result))
    assert again.get_title() == mine.get_title()
    assert len(again.lines) == len(mine.lines)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_notebook_shows_words_and_picture_and_no_second_figure(kind):
    class Tags(HTMLParser):
        found = ()

        def handle_starttag(self, tag, attributes):
            self.found = (*self.found, (tag, dict(attributes)))

    page = Tags()
    page.feed(made(kind)._repr_html_())
    (picture,) = [given for tag, given in page.found if tag == "img"]
    assert picture["src"].startswith("data:image/png;base64,iVBOR")
    assert picture["alt"]
    assert plt.get_fignums() == []


def test_words_of_a_result_are_escaped():
    class Odd(Displayed):
        def __str__(self):
            return "<b>"

    assert ">&lt;b&gt;</pre>" in Odd()._repr_html_()


def test_results_without_a_plot_show_their_words():
    verdict = kd.analysis.detect_overfitting([1.0, 0.5], [1.0, 0.6])
    assert str(verdict) in verdict._repr_html_()
    assert not hasattr(verdict, "plot")


def test_every_plot_of_a_result_is_known_to_it():
    plot_of(TrainingRecord())
    known = {
        kind: plot for kind, plot in plot_of.registry.items() if kind is not object
    }
    # `plot_suspects` is the second plot of its result, the others draw no result
    others = {"activations", "augmentation", "decision_regions", "suspects"}
    others |= {"dropout", "ensemble", "initializers", "normalization", "weights"}
    others = {f"plot_{name}" for name in others} | {"style"}
    for name in set(kd.plots.__all__) - others:
        plot = getattr(kd.plots, name)
        of_record = "record" in inspect.signature(plot).parameters
        assert of_record or plot in known.values(), name
    assert all(callable(kind.plot) for kind in known)


@pytest.mark.parametrize("show", [plot_of, html_of, lambda r: page_of(r, title="")])
def test_what_nobody_can_show_is_an_error(show):
    with pytest.raises(TypeError, match="knows no int: 3"):
        show(3)


@pytest.mark.once
def test_what_judges_imports_what_shows_only_when_asked(tmp_path):
    code = (
        # Keras is left out for speed
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'keras' else find(n, *a)\n"
        "from keras_dlbasic.diagnosis import diagnose\n"
        "from keras_dlbasic.records import TrainingRecord\n"
        "record = TrainingRecord.from_history({'loss': [3.0, 2.0]})\n"
        "rooms = ('keras_dlbasic.plots', 'keras_dlbasic.reports')\n"
        "diagnosis = diagnose(record)\n"
        "print([room for room in rooms if room in sys.modules])\n"
        "record.plot(), record._repr_html_(), diagnosis._repr_html_()\n"
        "diagnosis.to_html(sys.argv[1])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "page.html")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.strip()) == (0, "[]"), found.stderr


def shown():
    """Results of all kinds that there are without a backend."""
    remedy = kd.diagnosis.RemedySuggestion(
        "add_dropout", "it overfits", "", {"rate": 0.3}
    )
    finding = kd.diagnosis.Finding(
        "overfitting", "symptom", "critical", "It overfits. " * 30, remedies=(remedy,)
    )
    signal = kd.analysis.activations.propagation.LayerSignal(
        "a_layer_with_a_long_name", "sigmoid", 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0
    )
    trend = kd.analysis.activations.propagation.signal_trend
    return [
        remedy,
        finding,
        kd.diagnosis.Diagnosis([finding]),
        kd.analysis.detect_overfitting([1.0, 0.5], [1.0, 0.6]),
        kd.analysis.activations.propagation.PropagationReport(
            (signal,), trend([1.0], 0.1), trend([1.0], 0.1), "noise"
        ),
        *(made(kind) for kind in KINDS),
    ]


SAID = {
    "RemedySuggestion": "it overfits",
    "Finding": "CRITICAL overfitting",
    "Diagnosis": "CRITICAL overfitting",
    "TrainingRecord": "Training record, 2 epochs",
}
"""What notebooks show of results whose HTML is not their own words."""


@pytest.mark.parametrize("result", shown(), ids=lambda result: type(result).__name__)
def test_every_result_has_a_short_repr_words_and_html(result):
    assert len(repr(result)) <= 200
    assert "\n" not in repr(result)
    assert "array(" not in repr(result)
    assert repr(result).startswith(f"<{type(result).__name__}")
    has_words = str(result) != repr(result)  # of its own, for 80 columns
    if has_words and not isinstance(result, kd.diagnosis.Finding):  # a paragraph
        assert max(map(len, str(result).splitlines())) <= 80
    html = result._repr_html_()
    assert "<iframe" not in html
    assert html.startswith(cell.STYLE)
    # what stands in a cell is that result, in words
    said = re.sub("<[^>]*>", " ", html.removeprefix(cell.STYLE))
    first = str(result).strip().partition("\n")[0]
    words = SAID.get(type(result).__name__, first)
    assert " ".join(words.split()) in " ".join(unescape(said).split())


def test_all_results_leave_repr_to_the_class_that_shows_them():
    def kinds(kind):
        for below in kind.__subclasses__():
            yield below
            yield from kinds(below)

    for kind in kinds(Displayed):
        if kind.__module__.startswith("keras_dlbasic"):
            # that of a dataclass is wrapped against recursion
            assert not hasattr(vars(kind).get("__repr__"), "__wrapped__"), kind
            says = kind.__str__ is not Displayed.__str__
            says = says or kind.__repr__ is not Displayed.__repr__
            assert says or dataclasses.is_dataclass(kind) or kind.__subclasses__(), kind


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "not fitted yet"),
        (3, "Received: int"),
        ({"loss": [1.0]}, "from_history"),
    ],
)
def test_plots_that_get_nothing_say_so(given, words):
    for plot in (kd.plots.plot_gradient_norm, kd.plots.plot_unit_health):
        with pytest.raises(TypeError, match=words):
            plot(given)
    with pytest.raises(TypeError, match="draws a `LossLine`"):
        kd.plots.plot_loss_line(given)


def test_a_callback_that_is_not_fitted_says_so():
    doctor = kd.callbacks.TrainingDoctor(verbose=0)
    assert repr(doctor) == "<TrainingDoctor: not fitted yet>"
    assert "not fitted yet" in doctor._repr_html_()
    assert not hasattr(doctor, "diagnosis")
    for ask in (
        lambda: doctor.diagnosis,
        lambda: doctor.record,
        lambda: doctor.report_html("report.html"),
        lambda: kd.plots.plot_history(doctor),
        lambda: kd.plots.plot_gradient_norm(kd.callbacks.GradientNormMonitor()),
    ):
        with pytest.raises(ValueError, match="is not fitted yet, so it has no"):
            ask()


def test_facts_in_a_report_are_words(tmp_path):
    record = kd.records.TrainingRecord.load(saved_run(tmp_path))
    page = kd.diagnose(record)
    page.to_html(tmp_path / "page.html")
    facts = (tmp_path / "page.html").read_text().partition('id="facts"')[2]
    assert not any(mark in facts for mark in ("{&#39;", "[&#39;", "[[", "[]"))


def saved_run(folder):
    from made_runs import STUCK, made_run

    path = folder / "run.npz"
    made_run(dead=1.0, ratio=0.5, **STUCK).save(path)
    return path


@pytest.mark.once
def test_a_diagnosis_is_one_display_in_a_notebook(monkeypatch, tmp_path):
    states, out = shown_in_notebook(monkeypatch), NotebookOutput()
    monkeypatch.setattr("sys.stdout", out)
    diagnosis = kd.diagnose(kd.records.TrainingRecord.load(saved_run(tmp_path)))
    kd.reports.print_diagnosis(diagnosis, title="<run>")
    ((shown,),) = states
    assert out.getvalue() == ""
    assert shown["text/plain"].startswith("<run>")
    html = shown["text/html"]
    assert "&lt;run&gt;" in html
    # what the headline says is not said again in the card below it
    assert html.count(escape(diagnosis[0].message)) == 1
    assert all(escape(found.message) in html for found in diagnosis)
    kd.reports.print_diagnosis(diagnosis, verbose=True)  # reasons are a text
    assert len(states) == 1
    assert "Skipped: " in out.getvalue()
