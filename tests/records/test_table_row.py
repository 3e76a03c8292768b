"""Rows of the tables of a record."""

import numpy as np

from keras_dlbasic.records.table_row import append_row

MEASURES = ("mean", "variance")


def test_rows_follow_each_other():
    tables = {}
    for step in (2, 5):
        table = append_row(tables, "t", MEASURES, step, 0, {"a": {"mean": step}})
        assert table is tables["t"]
    assert table.steps.tolist() == [2, 5]
    assert table["mean"].tolist() == [[2], [5]]
    assert np.isnan(table["variance"]).all()


def test_a_step_has_one_row():
    tables = {}
    append_row(tables, "t", MEASURES, 3, 0, {"a": {"mean": 1}})
    assert append_row(tables, "t", MEASURES, 3, 1, {"a": {"mean": 2}}) is None
    assert tables["t"]["mean"].tolist() == [[1]]


def test_other_layers_or_measures_begin_a_new_table():
    tables = {}
    first = append_row(tables, "t", MEASURES, 1, 0, {"a": {}})
    second = append_row(tables, "t", MEASURES, 1, 0, {"b": {}})
    third = append_row(tables, "t", ("mean",), 1, 0, {"b": {}})
    assert first is not second is not third
    assert tables["t"].labels == ("b",)
    assert tables["t"].measures == ("mean",)
