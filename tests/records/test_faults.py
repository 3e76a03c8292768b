"""Files that are damaged, hostile, or cannot be written."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic._trials.store import DirectoryStore, TrialResult
from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.plots import plot_gradient_norm
from keras_dlbasic.records import LayerTable, TrainingRecord, VariableInfo
from keras_dlbasic.records.printable import printable, printable_text
from keras_dlbasic.reports import print_diagnosis

HOSTILE = "a\x1b[2J\x1b]0;owned\x07\nCRITICAL forged\u202e[red]$\\frac$"


def a_record(layer="dense"):
    variables = [VariableInfo(f"{layer}/kernel", layer, "kernel", (3, 2), 0)]
    record = TrainingRecord(variables, {"model": layer})
    for step in range(200):
        record.append_step(step, {"epoch": 0}, np.full((7, 1), step, np.float32))
    record.append_epoch(0, {"loss": 1.0, layer: 2.0})
    table = record.tables["activations"] = LayerTable([layer], ["mean"])
    table.append(1, 0, {"mean": [0.5]})
    return record


WHOLE = None


def whole():
    global WHOLE
    if WHOLE is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.npz"
            a_record().save(path)
            WHOLE = path.read_bytes()
    return bytearray(WHOLE)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_a_file_with_wrong_bytes_loads_whole_or_is_named_damaged(changes):
    data = whole()
    for place, byte in changes:
        data[place % len(data)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        path.write_bytes(data)
        try:
            record = TrainingRecord.load(path)
        except ValueError as error:
            assert "run.npz" in str(error)
        else:
            np.testing.assert_array_equal(record.steps, np.arange(200))
            assert record.variables[0].layer == "dense"


@given(
    st.dictionaries(
        st.sampled_from(["about", "steps", "scalars", "measures"]),
        st.sampled_from([0, "x", "[]", "{}", "null", [1.5, np.nan]]),
    )
)
def test_a_file_with_wrong_parts_is_named_so(parts):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        path.write_bytes(whole())
        with np.load(path) as file:
            arrays = {**file, **{name: np.array(part) for name, part in parts.items()}}
        np.savez(path, **arrays)
        try:
            TrainingRecord.load(path)
        except ValueError as error:
            assert "damaged" in str(error)
        else:
            assert not parts


@pytest.mark.parametrize("text", ['["t", [1], ["m"]]', '["t", ["a"], [null]]'])
def test_names_in_tables_are_texts(tmp_path, text):
    record = TrainingRecord()
    record.tables["t"] = LayerTable(["a"], ["m"])
    record.tables["t"].append(1, 0, {"m": [1.0]})
    path = tmp_path / "run.npz"
    record.save(path)
    with np.load(path) as file:
        arrays = {**file, "table_0": np.array(text)}
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="damaged"):
        TrainingRecord.load(path)


class Payload:
    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


def test_loading_never_runs_what_a_file_holds(tmp_path):
    payload = Payload()
    payload.path = str(tmp_path / "owned")
    for name in ("about", "steps", "format"):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(whole())
        with np.load(path) as file:
            arrays = dict(file)
        arrays[name] = np.array([payload], dtype=object)
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match="cannot be read"):
            TrainingRecord.load(path)
    assert not (tmp_path / "owned").exists()


def test_a_full_disk_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")  # not on Windows
    path = tmp_path / "run.npz"
    a_record().save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(OSError, match="large"):
            a_record("other").save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_names_from_files_do_not_reach_the_terminal(tmp_path, capsys):
    path = tmp_path / "run.npz"
    a_record(HOSTILE).save(path)
    record = TrainingRecord.load(path)
    shown = [
        *record.layers,
        *record.epochs,
        *record.tables["activations"].labels,
        record.variables[0].path,
        record.facts.model_name,
    ]
    assert all(name.isprintable() for name in shown)
    assert record.layers == (printable(HOSTILE),)
    (tmp_path / "log.csv").write_text('epoch,loss,"lo\x1b[2Jss"\n0,1,1\n')
    loaded = TrainingRecord.from_csv(tmp_path / "log.csv")
    assert list(loaded.epochs) == ["epoch", "loss", "lo\\x1b[2Jss"]
    finding = Finding("plateau", "symptom", "critical", f"Layer '{HOSTILE}'.", HOSTILE)
    diagnosis = Diagnosis([finding], outcome=HOSTILE)
    print_diagnosis(diagnosis, title=HOSTILE)
    out = capsys.readouterr().out
    assert printable_text(out) == out
    assert "[red]" in out


def test_names_are_not_part_of_paths(tmp_path):
    store = DirectoryStore(tmp_path, {})
    settings = [
        {"remedy": "../../" * 9},
        {"remedy": HOSTILE},
        {"remedy": "\N{GRINNING FACE}" * 90},
    ]
    for trial in settings:
        store.add(TrialResult({**trial, "seed": 0}))
        assert store.get({**trial, "seed": 0}) is not None
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) == 4
    assert {p.parent for p in files} == {tmp_path, tmp_path / "trials"}
    assert all(p.name.isascii() and p.name.isprintable() for p in files)
    assert all(json.loads(p.read_text()) for p in files)


@pytest.mark.parametrize("layer", ["_hidden", "a $\\frac$ b", "$x$"])
def test_names_are_drawn_as_they_are(layer):
    ax = plot_gradient_norm(a_record(layer))
    ax.figure.canvas.draw()
    (text,) = ax.get_legend().get_texts()
    assert text.get_text().replace("\\$", "$").strip("\N{ZERO WIDTH SPACE}") == layer
