import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._data.arrays import as_arrays
from keras_dlbasic._trials.stored_batches import StoredBatches, is_on_disk
from keras_dlbasic._trials.watch import TrialWatch

sys.path.insert(0, str(Path(__file__).parent))
study_models = importlib.import_module("study_models")


class OnDisk:
    """Rows that can be read few at a time only, as of a file larger than memory."""

    most = 20

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, rows):
        got = self._array[rows]
        if len(got) > self.most:
            raise MemoryError(f"{len(got)} rows do not fit into memory")
        if not isinstance(rows, slice):
            assert np.all(np.diff(rows) > 0)  # what HDF5 asks for
        return got

    def __array__(self, *args, **kwargs):
        raise MemoryError("the whole array does not fit into memory")


def build_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    return model


def build_normalised_model():
    layers = [keras.Input((4,)), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model


def study(x, y, build=build_model, **options):
    given = {"batch_sizes": ("full",), "seeds": 1, "verbose": 0, **options}
    given.setdefault("budget", {"updates": 4})
    return kd.studies.BatchSizeStudy(build, x, y, **given)


@pytest.fixture
def small_memory(monkeypatch):
    module = importlib.import_module("keras_dlbasic.studies.batch_size.trial")
    for name, rows in (
        ("EVALUATED_ROWS", 20),
        ("NOISE_ROWS", 40),
        ("EVALUATED_AT_ONCE", 20),
        ("MICRO_BATCH", 20),
    ):
        monkeypatch.setattr(module, name, rows)
    module = importlib.import_module("keras_dlbasic._trials.seeded_model")
    monkeypatch.setattr(module, "DIGESTED_ROWS", 20)


@pytest.mark.once
@pytest.mark.usefixtures("small_memory")
def test_full_batch_study_beyond_memory():
    """Give what the same study gives with the data in memory."""
    x, y = study_models.data(47)
    far = [OnDisk(x), OnDisk(y)]
    options = {"batch_sizes": ("full", 10)}
    found = study(*far, validation_data=tuple(far), **options).run()
    assert [t.error for t in found.trials] == ["", ""]
    near = study(x, y, validation_data=(x, y), **options).run()
    assert found.table()["updates"].tolist() == [4, 4]
    assert found.table()["samples"].tolist() == [188, 40]
    full, expected = found.trials[0].values, near.trials[0].values
    for name in ("train_loss", "val_loss", "update_noise", "gradient_cosine"):
        assert full[name] == pytest.approx(expected[name], rel=1e-4), name
    np.testing.assert_allclose(full["curve_loss"], expected["curve_loss"], rtol=1e-5)


@pytest.mark.once
def test_micro_batches_of_data_in_memory():
    x, y = study_models.data(47)
    whole = study(x, y).run().trials[0].values
    parts = study(x, y, micro_batch=16).run().trials[0].values
    assert parts["updates"] == whole["updates"] == 4
    np.testing.assert_allclose(parts["curve_loss"], whole["curve_loss"], rtol=1e-5)


def test_what_cannot_be_exact_is_a_row_with_the_reason():
    x, y = study_models.data(47)
    (trial,) = study(x, y, build_normalised_model, micro_batch=16).run().trials
    assert trial.status == "failed"
    assert "batch normalization" in trial.error


@pytest.mark.once
def test_clock_and_end_go_by_whole_updates():
    model = SimpleNamespace(trainable_variables=[], stop_training=False)
    watch = TrialWatch(lambda updates: False, None, updates=2, micro_steps=3)
    watch.set_model(model)
    watch.on_train_begin()
    seen = []
    for _ in range(2):
        watch.on_epoch_begin(0)
        for step in range(3):
            watch.on_train_batch_begin(step)
            seen.append((watch.updates, model.stop_training))
        watch.on_epoch_end(0)
    assert seen == [(0, False)] * 2 + [(1, False)] * 3 + [(2, True)]
    assert [updates for _, updates in watch.spans] == [1, 1]


@pytest.mark.once
def test_first_update_of_an_epoch_is_not_timed_where_others_follow():
    model = SimpleNamespace(trainable_variables=[], stop_training=False)
    watch = TrialWatch(lambda updates: updates == 3, lambda *now: True, updates=9)
    watch.set_model(model)
    watch.on_train_begin()
    watch.on_epoch_begin(0)
    for step in range(5):
        watch.on_train_batch_begin(step)
    watch.on_epoch_end(0)
    assert [updates for _, updates in watch.spans] == [2, 2]


@pytest.mark.once
def test_stored_batches(tmp_path):
    x = np.arange(14.0).reshape(7, 2)
    data = StoredBatches(x, x[:, 0], batch_size=3, seed=0)
    for _ in range(2):
        rows = np.concatenate([data[i][1] for i in range(len(data))])
        assert sorted(rows) == x[:, 0].tolist()
        assert rows.tolist() != x[:, 0].tolist()
        data.on_epoch_end()


@pytest.mark.once
def test_what_is_on_disk(tmp_path):
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=(4, 2))
    assert is_on_disk({"a": np.zeros(3), "b": [mapped]})
    assert is_on_disk(mapped[1:].reshape(-1))
    assert is_on_disk(OnDisk(np.zeros((3, 1))))
    assert not is_on_disk((np.zeros(3)[1:], keras.ops.zeros(3), None))


def test_tables_and_tensors_become_arrays():
    import pandas as pd

    x = study_models.data(9)[0]
    table = pd.DataFrame(x)
    mixed = table.assign(word=range(9))
    given = {"a": table, "b": [keras.ops.array(x), table[0], x], "c": mixed, "d": None}
    made = as_arrays(given)
    assert all(type(a) is np.ndarray for a in (made["a"], made["c"], *made["b"]))
    np.testing.assert_array_equal(made["b"][0], x)
    np.testing.assert_array_equal(made["a"], x)
    assert made["b"][2] is x
    assert made["c"].dtype.kind == "f"
