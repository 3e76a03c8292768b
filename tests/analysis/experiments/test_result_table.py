"""Tables of results, with and without pandas."""

import sys

import numpy as np
import pytest

from keras_dlbasic.analysis.experiments.constant_error import constant_error
from keras_dlbasic.analysis.experiments.result_table import ResultTable, as_table

COLUMNS = {"name": np.array(["a", "<b>"]), "n": np.array([1, 20]), "x": [0.5, np.nan]}


def test_a_data_frame_where_pandas_is_installed():
    pandas = pytest.importorskip("pandas")
    table = as_table(COLUMNS)
    assert isinstance(table, pandas.DataFrame)
    assert table["n"].tolist() == [1, 20]


def test_a_small_table_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = as_table(COLUMNS)
    assert isinstance(table, ResultTable)
    assert list(table) == ["name", "n", "x"]
    np.testing.assert_array_equal(table["n"], [1, 20])
    lines = str(table).splitlines()
    assert [line.split() for line in lines] == [
        ["name", "n", "x"],
        ["a", "1", "0.5"],
        ["<b>", "20", "nan"],
    ]
    assert len({len(line) for line in lines}) == 1
    assert "&lt;b&gt;" in table._repr_html_()
    assert str(as_table({})) == ""


def test_the_error_of_a_constant_answer():
    assert constant_error(np.eye(3)[[0, 0, 1, 2]], "classes") == 0.5
    assert constant_error(np.array([[0], [1], [1], [1]]), "classes") == 0.25
    assert constant_error(np.array([[1, 0], [1, 1], [1, 0]]), "labels") == (
        pytest.approx(1 / 6)
    )
    assert constant_error(np.arange(4.0), "numbers") == 1
    assert constant_error(np.array([-1, 1, 1, 1]), "labels") == 0.25  # hinge
    assert constant_error([[0], [1], [1], [1]], "classes") == 0.25
    parts = np.arange(3), np.arange(3) % 2
    for kind in ("classes", "labels", "numbers"):
        for several in ({"a": parts[0]}, parts, list(parts)):
            assert np.isnan(constant_error(several, kind))
