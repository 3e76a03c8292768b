"""What a table of layers says of itself, and where a record says that it is."""

import pytest

from keras_dlbasic.records import LayerTable, TrainingRecord


def make_record():
    record = TrainingRecord()
    table = LayerTable(["dense", "dense_1"], ["mean", "dead_units"])
    for step in (10, 20):
        table.append(step, 0, {"mean": [0.5, 1.0]})
    record.tables["activations"] = table
    record.append_epoch(0, {"loss": 1.0})
    return record


def test_repr():
    text = repr(make_record().tables["activations"])
    assert "2 rows about 2 layers, after steps 10 to 20" in text
    assert "'mean', 'dead_units'" in text
    assert repr(LayerTable(["a"], ["b"])).startswith(
        "<LayerTable: 0 rows about 1 layer;"
    )
    assert "tables 'activations'" in repr(make_record())


@pytest.mark.parametrize(
    ("measure", "place"),
    [
        ("dead_units", r"record.tables\['activations'\]`: <LayerTable: 2 rows"),
        ("activations", r"record.tables\['activations'\]"),
        ("loss", r"record.epochs\['loss'\]"),
        ("clip_factor", "record.clip_factor"),
        ("fame", r"record.tables\[...\]`; there are: 'activations'"),
    ],
)
def test_by_layer_says_where_else_to_look(measure, place):
    with pytest.raises(ValueError, match=place):
        make_record().by_layer(measure)


def test_an_unknown_measure_is_named():
    with pytest.raises(KeyError, match="'fame'.*'mean', 'dead_units'"):
        make_record().tables["activations"]["fame"]
