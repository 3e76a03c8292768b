import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_dlbasic as kd
from keras_dlbasic.records import MEASURES, RunFacts, TrainingRecord, VariableInfo
from keras_dlbasic.records.record_data import global_norm


def make_record(n=5, n_variables=3):
    """Return a record whose every value can be told from the others."""
    variables = [
        VariableInfo(
            f"layer{i // 2}/v{i}", f"layer{i // 2}", f"v{i}", (i + 1, 2), i // 2
        )
        for i in range(n_variables)
    ]
    record = TrainingRecord(variables, {"backend": "none", "batch_size": 8})
    for step in range(n):
        values = np.arange(7 * n_variables).reshape(7, n_variables) + 100 * step
        scalars = {
            "epoch": step // 2,
            "batch_loss": 1 / (step + 1),
            "learning_rate": 0.1,
            "skipped": step == 3,
            "batch_size": 8,
        }
        record.append_step(10 * step, scalars, values)
    record.append_epoch(0, {"loss": 1.0, "note": "text"})
    record.append_epoch(1, {"loss": 0.5, "val_loss": 0.75})
    record.trained_steps = 99
    return record


def assert_same(one, other):
    for name in (*MEASURES, "steps", "step_epochs", "batch_loss", "skipped"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.variables == other.variables
    assert one.facts == other.facts
    assert one.trained_steps == other.trained_steps
    assert list(one.epochs) == list(other.epochs)
    for name, values in one.epochs.items():
        np.testing.assert_array_equal(values, other.epochs[name])


def test_shapes_and_meaning():
    record = make_record()
    assert record.steps.tolist() == [0, 10, 20, 30, 40]
    assert record.gradient_norm.shape == (5, 3)
    assert record.clip_factor[1].tolist() == [118, 119, 120]
    assert record.skipped.tolist() == [False, False, False, True, False]
    assert record.epochs["val_loss"].tolist()[1] == 0.75
    assert np.isnan(record.epochs["val_loss"][0])
    assert "note" not in record.epochs


def test_layers_join_their_variables():
    record = make_record(1)
    assert record.layers == ("layer0", "layer1")
    np.testing.assert_allclose(record.by_layer("gradient_norm")[0], [1, 2])
    np.testing.assert_allclose(record.by_layer("non_finite")[0], [25, 14])
    with pytest.raises(ValueError, match="must be one of"):
        record.by_layer("clip_factor")


def test_global_norm_of_missing_and_wrong_gradients():
    norms = np.array([[3, 4], [3, np.nan], [3, np.nan], [np.nan, np.nan], [1, np.inf]])
    non_finite = np.array([[0, 0], [0, 0], [0, 2], [0, 0], [0, 1]])
    np.testing.assert_array_equal(
        global_norm(norms, non_finite), [5, 3, np.nan, np.nan, np.inf]
    )


def test_save_and_load(tmp_path):
    record = make_record()
    record.save(tmp_path / "run.npz")
    assert_same(TrainingRecord.load(tmp_path / "run.npz"), record)
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


def test_files_of_older_versions_have_fewer_values_of_a_step(tmp_path):
    record = make_record()
    record.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"]))
    assert about["scalars"].pop() == "replica_gradient_norm"
    arrays["about"] = np.array(json.dumps(about))
    arrays["scalars"] = arrays["scalars"][:, :-1]
    np.savez(tmp_path / "old.npz", **arrays)
    old = TrainingRecord.load(tmp_path / "old.npz")
    np.testing.assert_array_equal(old.batch_loss, record.batch_loss)
    assert np.isnan(old.replica_gradient_norm).all()


def test_an_empty_record_can_be_saved(tmp_path):
    TrainingRecord().save(tmp_path / "run")
    assert len(TrainingRecord.load(tmp_path / "run").steps) == 0


def test_a_loaded_record_can_be_continued(tmp_path):
    make_record().save(tmp_path / "run.npz")
    record = TrainingRecord.load(tmp_path / "run.npz")
    record.append_step(50, {}, np.zeros((7, 3)))
    assert len(record.steps) == 6


def test_loading_needs_no_keras(tmp_path):
    make_record().save(tmp_path / "run.npz")
    code = (
        "import sys; sys.modules['keras'] = None\n"
        "from keras_dlbasic.records import TrainingRecord\n"
        f"print(TrainingRecord.load({str(tmp_path / 'run.npz')!r}).gradient_norm.shape)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "(5, 3)"


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    make_record(2).save(path)

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="No space"):
        make_record(5).save(path)
    monkeypatch.undo()
    assert_same(TrainingRecord.load(path), make_record(2))
    assert len(list(tmp_path.iterdir())) == 1


@given(st.integers(0, 400))
def test_a_truncated_file_is_named_so(cut):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        make_record().save(path)
        path.write_bytes(path.read_bytes()[: cut * 7])
        with pytest.raises(ValueError, match="truncated|damaged"):
            TrainingRecord.load(path)


def test_foreign_and_newer_files_are_named_so(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "bare.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("loss,val_loss\n1,2\n")
    record = make_record()
    record.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as file:
        arrays = dict(file)
    arrays["format_version"] = np.array(999)
    np.savez(tmp_path / "new.npz", **arrays)
    for name, words in (
        ("other.npz", "not a record"),
        ("bare.npy", "not a record"),
        ("text.npz", "from_csv"),
        ("new.npz", "Install a newer keras_dlbasic"),
    ):
        with pytest.raises(ValueError, match=words):
            TrainingRecord.load(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no file"):
        TrainingRecord.load(tmp_path / "none.npz")


def test_from_history():
    class History:
        def __init__(self):
            self.history = {"loss": [3, 2, 1, 0.5], "val_loss": [4, 3]}
            self.epoch = [2, 3, 4, 5]
            self.params = {"steps": 7, "epochs": 6}

    record = TrainingRecord.from_history(History())
    assert record.epochs["epoch"].tolist() == [2, 3, 4, 5]
    # validation_freq=2: values belong to every second epoch
    np.testing.assert_array_equal(record.epochs["val_loss"], [np.nan, 4, np.nan, 3])
    assert record.facts == RunFacts(steps_per_epoch=7)
    assert len(TrainingRecord.from_history({}).epochs["epoch"]) == 0


@pytest.mark.parametrize("history", [None, 3, [1, 2]])
def test_what_is_no_history(history):
    with pytest.raises(TypeError, match=r"model\.fit"):
        TrainingRecord.from_history(history)


def test_lists_of_unequal_length():
    with pytest.raises(ValueError, match="one length"):
        TrainingRecord.from_history({"loss": [1, 2, 3], "accuracy": [1]})


def test_from_csv(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,accuracy,loss,val_loss\n0,0.5,1.5,NA\n1,0.75,1.0,1.25\n")
    record = TrainingRecord.from_csv(path)
    assert record.epochs["loss"].tolist() == [1.5, 1.0]
    np.testing.assert_array_equal(record.epochs["val_loss"], [np.nan, 1.25])
    path.write_text("loss;note\n2;fast\n1;slow\n")
    record = TrainingRecord.from_csv(path)
    assert list(record.epochs) == ["epoch", "loss"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("epoch,loss\n", "no epoch"),
        ("epoch,loss\n0,1\n1\n", "truncated"),
        ("name,kind\na,b\n", "no column of numbers"),
    ],
)
def test_what_is_no_table(tmp_path, text, words):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        TrainingRecord.from_csv(tmp_path / "log.csv")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_clear_error(data):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_bytes(data)
        try:
            TrainingRecord.from_csv(path)
        except ValueError as error:
            assert "log.csv" in str(error)


def test_to_pandas():
    table = make_record().to_pandas()
    assert len(table) == 15
    row = table[(table.step == 20) & (table.variable == 1)].iloc[0]
    assert (row.gradient_norm, row.path, row.epoch) == (201, "layer0/v1", 1)


def test_pandas_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        make_record().to_pandas()


def test_facts_are_plain_json(tmp_path):
    """Facts survive a file with their types, so another language can read them."""
    facts = {"a": 1, "b": 0.5, "c": None, "d": [True, "x"], "e": {"f": {"g": -1}}}
    record = TrainingRecord(facts=facts)
    record.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
    assert about["facts"] == facts
    assert TrainingRecord.load(tmp_path / "run.npz").facts.to_dict() == facts


OF_OTHER_TOOLS = {
    "Keras": "epoch,accuracy,loss,val_loss\n0,.5,.7,.8\n1,.6,.5,.6\n",
    "Lightning": (
        "epoch,step,train_loss,val_loss,train_acc\n"
        "0,9,,.8,\n0,9,.7,,.5\n1,19,,.6,\n1,19,.5,,.6\n"
    ),
    "Hugging Face": (
        "loss,eval_loss,epoch,learning_rate,train_loss\n"
        ".8,,0.5,.1,\n.6,,1.0,.1,\n,.8,1.0,,\n.6,,1.5,.1,\n.4,,2.0,.1,\n,.6,2.0,,\n"
    ),
    "Weights & Biases": (
        '"Step","run - loss","run - loss__MIN","run - val_loss"\n'
        "0,.7,.7,.8\n1,.5,.5,.6\n"
    ),
    "WandbMetricsLogger": "epoch/epoch,epoch/loss,epoch/val_loss\n0,.7,.8\n1,.5,.6\n",
    "a loop of your own": "Epoch;Train Loss;Valid Loss\n0;.7;.8\n1;.5;.6\n",
    "rows apart": "loss,val_loss\n.7,\n,.8\n.5,\n,.6\n",
}


@pytest.mark.parametrize("tool", OF_OTHER_TOOLS)
def test_tables_of_other_tools(tool, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(OF_OTHER_TOOLS[tool])
    epochs = TrainingRecord.from_csv(path).epochs
    assert epochs["loss"].tolist() == pytest.approx([0.7, 0.5])
    assert epochs["val_loss"].tolist() == [0.8, 0.6]
    assert epochs["epoch"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        # `fit(epochs=1)` again and again, with `CSVLogger(append=True)`
        ("epoch,loss\n0,.9\n0,.7\n0,.5\n", [0.9, 0.7, 0.5]),
        ("epoch,loss,step\n0,.9,8\n0,.7,8\n", [0.9, 0.7]),
        # a log that begins again, or goes on at the epoch it had ended with
        ("epoch,loss\n0,.9\n1,.7\n0,.8\n1,.6\n", [0.9, 0.7, 0.8, 0.6]),
        ("epoch,loss\n0,.9\n1,.7\nepoch,loss\n1,.6\n2,.5\n", [0.9, 0.7, 0.6, 0.5]),
        # an epoch that is not known
        ("epoch,loss\n0,.9\nnan,.7\n2,.5\n", [0.9, 0.7, 0.5]),
        ("epoch,loss\n0.5,.9\nnan,.7\n1.5,.5\n", [0.9, 0.7, 0.5]),
        ("epoch,loss\ninf,.9\n1e300,.7\n", [0.9, 0.7]),
        # batches: as many for each epoch, or counted
        ("epoch,loss\n0,.9\n0,.7\n1,.6\n1,.4\n", [0.8, 0.5]),
        ("epoch,loss,step\n0,.9,0\n0,.7,1\n0,.5,2\n", [0.7]),
    ],
)
def test_rows_that_have_the_same_epoch(tmp_path, text, loss):
    path = tmp_path / "log.csv"
    path.write_text(text)
    epochs = TrainingRecord.from_csv(path).epochs
    assert epochs["loss"].tolist() == pytest.approx(loss)
    assert len(set(epochs["epoch"])) == len(loss)


def test_a_table_without_a_loss_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,cost,acc\n0,.7,.5\n1,.5,.6\n")
    with pytest.raises(ValueError, match="no column `loss`; found epoch, cost, acc"):
        TrainingRecord.from_csv(path)
    record = TrainingRecord.from_csv(path, columns={"loss": "cost"})
    assert record.epochs["loss"].tolist() == [0.7, 0.5]
    with pytest.raises(ValueError, match="no column 'costs'"):
        TrainingRecord.from_csv(path, columns={"loss": "costs"})


def test_a_loss_that_is_nan_is_no_empty_cell(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,.7\n1,nan\n")
    assert np.isnan(TrainingRecord.from_csv(path).epochs["loss"][1])


FIRST = Path(__file__).parent / "first_edition.npz"
"""A file of version 0.1.0: a softmax over one unit, watched for three epochs."""


def test_files_of_the_first_edition_load():
    record = TrainingRecord.load(FIRST)
    assert record.facts.model_name == "first_edition"
    assert record.layers == ("hidden", "out")
    assert record.trained_steps == 6
    assert record.epochs["val_loss"].shape == (3,)
    assert record.tables["probe"].labels == ("model",)
    assert np.isfinite(record.gradient_norm).all()
    assert record.facts.versions["keras_dlbasic"] == "0.1.0"


def test_files_of_the_first_edition_are_judged(tmp_path):
    diagnosis = kd.diagnose(TrainingRecord.load(FIRST))
    assert diagnosis[0].name == "output_activation_mismatch"
    TrainingRecord.load(FIRST).save(tmp_path / "again.npz")
    assert kd.diagnose(TrainingRecord.load(tmp_path / "again.npz")) == diagnosis


def test_what_a_later_version_adds_is_passed_over(tmp_path):
    with np.load(FIRST) as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"]))
    about["facts"]["weather"] = {"rain": True}
    about["mood"] = "good"
    about["measures"] = [*about["measures"], "later"]
    about["scalars"] = [*about["scalars"], "later"]
    arrays["about"] = np.array(json.dumps(about))
    n, measures, variables = arrays["measures"].shape
    more = np.zeros((n, 1, variables))
    arrays["measures"] = np.concatenate([arrays["measures"], more], axis=1)
    arrays["scalars"] = np.pad(arrays["scalars"], ((0, 0), (0, 1)))
    np.savez(tmp_path / "later.npz", later=np.ones(3), **arrays)
    found, first = (
        TrainingRecord.load(tmp_path / "later.npz"),
        TrainingRecord.load(FIRST),
    )
    np.testing.assert_array_equal(found.gradient_norm, first.gradient_norm)
    np.testing.assert_array_equal(found.batch_loss, first.batch_loss)
    assert kd.diagnose(found) == kd.diagnose(first)
