"""Pictures of your own in the HTML report."""

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.reports.contributed import CONTRIBUTED
from keras_dlbasic.reports.html import html_text

CAPTION = "The rate at each step that was measured."


@pytest.fixture(autouse=True)
def none_left():
    yield
    CONTRIBUTED.clear()


def curves():
    """Return a record for which the report has one picture of its own."""
    return TrainingRecord.from_history({"loss": [3.0, 2.0, 1.0]})


def report(record):
    return html_text(kd.diagnose(record), record, title="t")


def test_a_plot_with_a_caption_is_in_the_report():
    record = curves()
    assert report(record).count("<figure") == 1

    @kd.reports.picture(CAPTION)
    def plot_rate(record, *, ax=None):
        return ax.plot(record.epochs["loss"])

    page = report(record)
    assert page.count("<figure") == 2
    assert f"Rate. {CAPTION}" in page


def test_a_plot_without_data_is_left_out():
    @kd.reports.picture(CAPTION, when=lambda record: "none" in record.tables)
    def plot_rate(record, *, ax=None):
        raise AssertionError("drawn")

    assert CAPTION not in report(curves())


def test_a_plot_that_fails_costs_its_picture_only():
    @kd.reports.picture(CAPTION)
    def plot_rate(record, *, ax=None):
        raise KeyError("rate")

    with pytest.warns(UserWarning, match="without the picture of 'plot_rate'.*KeyErr"):
        page = report(curves())
    assert CAPTION not in page
    assert page.count("<figure") == 1


def test_a_plot_that_is_defined_again_replaces_the_first():
    for number in range(2):

        @kd.reports.picture(f"Number {number}.")
        def plot_rate(record, ax=None):
            return ax

    page = report(curves())
    assert "Number 1." in page
    assert "Number 0." not in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: kd.reports.picture(print), "needs brackets with a caption"),
        (lambda: kd.reports.picture(""), "must say in a sentence"),
        (lambda: kd.reports.picture(3), "must say in a sentence"),
        (lambda: kd.reports.picture("a")(lambda record: 1), r"plot\(record, ax=ax\)"),
    ],
)
def test_slips_are_named(wrong, words):
    with pytest.raises(TypeError, match=words):
        wrong()


def test_a_report_without_layers_has_no_pictures_of_them():
    record = kd.records.TrainingRecord()
    record.append_step(0, {"epoch": 0}, np.zeros((len(kd.records.MEASURES), 0)))
    assert "<figure" not in report(record)
