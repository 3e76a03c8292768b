"""Every kind of input that `fit` knows, and data frames, goes in everywhere."""

import random

import keras
import numpy as np
import pytest
from front.inputs import DATA_SETS, KINDS, NAMES, Batches, X, Y

import keras_dlbasic as kd
from keras_dlbasic._data.batch import read_batch
from keras_dlbasic._data.batches import MAX_BATCHES
from keras_dlbasic._data.read import read, read_validation
from keras_dlbasic._data.row_sample import drawn_from_loader
from keras_dlbasic.callbacks.given_data import GivenData
from keras_dlbasic.diagnosis.reasons import Reasons

L = keras.layers


def make(units=1, loss="binary_crossentropy", inputs=(3,)):
    model = keras.Sequential(
        [keras.Input(inputs), L.Dense(4, "tanh"), L.Dense(units, "sigmoid")]
    )
    model.compile("sgd", loss)
    return model


@pytest.fixture(scope="module")
def model():
    return make()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(kind, tmp_path, model):
    x, y = KINDS[kind](tmp_path)
    found = read(x, y, model=model, needs_y=True)
    (array,), (target,) = keras.tree.flatten(found.x), keras.tree.flatten(found.y)
    wanted = np.column_stack([X[:, 0] > 0, X[:, 1:]]) if "mixed" in kind else X
    np.testing.assert_array_equal(array, wanted)
    np.testing.assert_array_equal(np.ravel(target), Y)
    assert found.n_rows == 64
    assert array.dtype.kind == "f"
    assert isinstance(array, np.memmap) == (kind == "memory map")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_judged_before_training(kind, tmp_path, model):
    x, y = KINDS[kind](tmp_path)
    same = read(x, y)
    same = keras.tree.map_structure(lambda leaf: leaf[:8], (same.x, same.y))
    diagnosis = kd.preflight(model, x, y, validation_data=same)
    assert diagnosis.coverage.is_judged, diagnosis.coverage.text
    assert "train_validation_overlap" in [finding.name for finding in diagnosis]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_given_to_the_doctor(kind, tmp_path, model):
    x, y = KINDS[kind](tmp_path)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    given = doctor._data.arrays(model)[0]
    assert (given is None) == (y is None)  # batches of data sets are read as they pass
    assert doctor._data.names == (("x", "y") if y is not None else ())


@pytest.mark.parametrize("kind", DATA_SETS)
def test_each_data_set_goes_in_as_validation_data(kind, tmp_path, model):
    data, _ = KINDS[kind](tmp_path)
    x, y = read_validation(data, model=model)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(np.ravel(y), Y)
    found = kd.preflight(model, X, Y, validation_data=data)
    assert "train_validation_overlap" in [finding.name for finding in found]
    study = kd.studies.BatchSizeStudy(model, X, Y, validation_data=data, verbose=0)
    np.testing.assert_array_equal(study._data.held_out[0], X)
    # read as it passes in `fit`, where what is read beside it would be missing
    doctor = kd.callbacks.TrainingDoctor(X, Y, validation_data=data, verbose=0)
    assert doctor._data.arrays(model)[2] is None
    record = kd.records.TrainingRecord(facts={"given": doctor._data.names})
    assert "give both as arrays" in Reasons(record.facts).validation


class Counting(Batches):
    asked = 0

    def __getitem__(self, i):
        self.asked += 1
        return super().__getitem__(i)


def test_a_sample_of_a_data_set_is_bounded_and_always_the_same():
    x = np.arange(1600.0)[:, None]
    data = Counting(x, x, size=16)
    found = read(data, most=2048)
    assert data.asked == MAX_BATCHES
    assert found.is_sample
    assert (found.batch_size, found.n_batches) == (16, 100)
    assert found.x.max() > 1500  # from all over
    np.testing.assert_array_equal(read(data, most=2048).x, found.x)
    assert not read(data).is_sample
    assert read(data).n_rows == 1600


def test_few_rows_of_a_sorted_data_set_are_from_all_over():
    x = np.arange(1600.0)[:, None]
    found = read(Batches(x, x, size=16), most=64)
    assert len(found.x) == 64
    assert found.x.max() - found.x.min() > 400
    few = read(Batches(x[:320], x[:320], size=16), most=64)
    assert few.x.max() - few.x.min() > 80


def sorted_dataset(n):
    tensorflow = pytest.importorskip("tensorflow")
    rows = np.arange(n, dtype="float32")
    return tensorflow.data.Dataset.from_tensor_slices((rows[:, None], rows)).batch(16)


class Tenfold:
    """PyTorch's way of giving rows, of which it counts those that were asked for."""

    def __init__(self, n):
        self.n, self.asked = n, []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        self.asked.append(i)
        return np.float32([10 * i]), np.float32(i)


def sorted_loader(n, torch, **options):
    rows = Tenfold(n)
    data = torch.utils.data
    rows = type("Rows", (Tenfold, data.Dataset), {})(n)
    return data.DataLoader(rows, **{"batch_size": 16, **options}), rows


def test_rows_of_a_sorted_dataset_are_from_all_over():
    data = sorted_dataset(16_000)
    found = read(data, most=200)
    assert (len(found.x), found.batch_size, found.n_batches) == (200, 16, 1000)
    assert found.is_sample
    assert found.is_from_all
    assert found.x.min() < 500
    assert found.x.max() > 15_500
    np.testing.assert_array_equal(found.x[:, 0], found.y)
    assert (np.diff(found.y) > 0).all()  # in their order, as series need
    np.testing.assert_array_equal(read(data, most=200).x, found.x)
    part = read(data.take(5), most=200)
    assert (len(part.x), part.is_sample) == (80, False)


def test_batches_and_bytes_that_are_read_are_limited(monkeypatch):
    data = sorted_dataset(1600)
    monkeypatch.setattr("keras_dlbasic._data.batches.MAX_PASSED", 50)
    found = read(data, most=100)
    assert found.y.max() < 800
    assert not found.is_from_all
    endless = read(data.repeat(), most=100)
    assert (len(endless.x), endless.n_batches) == (100, None)
    monkeypatch.setattr("keras_dlbasic._data.batches.MAX_PASSED_BYTES", 2000)
    assert read(data, most=1000).y.max() == 255  # 16 batches of 128 bytes


def test_rows_of_a_data_loader_are_drawn_without_reading_the_others():
    torch = pytest.importorskip("torch")
    loader, rows = sorted_loader(16_000, torch)
    state = torch.get_rng_state()
    found = read(loader, most=200)
    assert len(found.x) == len(rows.asked) == 200
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(found.x[:, 0], 10 * found.y)  # by its `__getitem__`
    assert found.y.max() - found.y.min() > 15_000
    assert (found.is_sample, found.is_from_all, found.batch_size) == (True, True, 16)
    np.testing.assert_array_equal(read(loader, most=200).x, found.x)

    def collate(rows):
        x, y = zip(*rows, strict=True)
        return np.stack(x) + 1, np.stack(y)

    found = read(sorted_loader(900, torch, collate_fn=collate)[0], most=200)
    np.testing.assert_array_equal(found.x[:, 0], 10 * found.y + 1)


@pytest.mark.once
@pytest.mark.parametrize("option", [{"num_workers": 1}, {"worker_init_fn": print}])
def test_what_workers_read_is_not_opened_in_the_process_of_the_fit(option):
    torch = pytest.importorskip("torch")
    assert drawn_from_loader(sorted_loader(900, torch)[0], 200) is not None
    loader, rows = sorted_loader(900, torch, **option)
    assert drawn_from_loader(loader, 200) is None
    assert rows.asked == []


def test_a_sampler_of_ones_own_says_which_rows_there_are():
    torch = pytest.importorskip("torch")
    half = torch.utils.data.SubsetRandomSampler(range(500))
    loader, _ = sorted_loader(1000, torch, sampler=half)
    found = read(loader, most=200)
    assert len(found.x) == 200
    assert found.y.max() < 500
    assert found.is_from_all


@pytest.mark.once
def test_one_class_in_the_first_batches_is_not_called_constant(monkeypatch):
    torch = pytest.importorskip("torch")
    y = np.repeat([0, 1], 400)
    data = torch.utils.data
    rows = data.TensorDataset(torch.zeros(800, 3), torch.tensor(y))
    batches = data.BatchSampler(data.SequentialSampler(rows), 16, drop_last=False)
    loader = data.DataLoader(rows, batch_sampler=list(batches))
    found = kd.preflight(make(), loader)
    assert "constant_targets" not in [one.name for one in found]
    assert "constant_targets" not in found.skipped
    monkeypatch.setattr("keras_dlbasic._data.batches.MAX_PASSED", 20)
    found = kd.preflight(make(), loader)
    assert "constant_targets" not in [one.name for one in found]
    assert "first 20 batches" in found.skipped["constant_targets"]


class Padded(Batches):
    """Batches of sentences that are padded to the longest of each."""

    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        return np.pad(x, ((0, 0), (0, i % 2))), y


def test_no_batch_is_lost_without_a_word():
    with pytest.raises(ValueError, match="differ in shape.*pad them"):
        read(Padded())
    found = read(Padded(), most=1000)
    assert found.is_sample
    assert found.n_rows < len(X)


def test_weights_beside_a_data_set_are_refused():
    with pytest.raises(ValueError, match="Put the weights into its batches"):
        read(Batches(), sample_weight=np.ones(len(X)))


def test_arrays_of_pandas_are_arrays():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": pandas.array([1, 2, 3], "Int64")})
    for y in (frame["n"].values, pandas.Index([1, 2, 3])):
        np.testing.assert_array_equal(read(np.ones((3, 1)), y).y, [1, 2, 3])


def test_columns_of_lists_are_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"tokens": [[1, 2], [3]], "n": [1, 2]})
    with pytest.raises(ValueError, match="tokens"):
        read(frame)


def test_rows_that_come_one_by_one():
    tensorflow = pytest.importorskip("tensorflow")
    data = tensorflow.data.Dataset.from_tensor_slices((X, np.arange(len(X))))
    with pytest.raises(ValueError, match=r"data.batch\(32\)"):
        read(data)


def test_image_iterators_of_keras_can_be_read_again():
    class Images(Batches):
        def __next__(self):
            raise AssertionError("read one batch after the other")

    assert read(Images()).n_rows == len(X) // 16 * 16


def test_generators_of_the_process_stay_as_they_are():
    drawn = []

    class Drawing(Batches):
        def __getitem__(self, i):
            drawn.append(random.random())
            rows = np.random.permutation(64)[:16]
            return X[rows], Y[rows]

    # of NumPy's state the keys alone stay the same for hundreds of draws
    before = random.getstate(), str(np.random.get_state(legacy=False))
    read(Drawing())
    assert len(set(drawn)) == 4
    assert (random.getstate(), str(np.random.get_state(legacy=False))) == before


def test_a_data_set_is_too_large_to_be_read_as_a_whole(monkeypatch):
    monkeypatch.setattr("keras_dlbasic._data.batches.MAX_BYTES", 100)
    with pytest.raises(ValueError, match="numpy.memmap"):
        read(Batches())


def test_a_one_shot_generator_is_never_read():
    drawn = []

    def batches():
        drawn.append(1)
        yield X, Y

    for use in (
        lambda data: kd.preflight(make(), data),
        lambda data: kd.treat(make(), data, epochs=2),
        lambda data: kd.propagation_report(make(), data),
        lambda data: kd.studies.LearningRateRangeTest(make(), data),
        lambda data: read_validation((data, Y)),
    ):
        with pytest.raises(ValueError, match=r"only once.*x, y = next\(data\)"):
            use(batches())
    assert GivenData(batches(), None, None).names == ()
    assert not drawn


def two_inputs():
    inputs = [keras.Input((1,), name=name) for name in ("age", "weight")]
    hidden = L.Dense(4)(L.Concatenate()(inputs))
    model = keras.Model(inputs, [L.Dense(1, name=n)(hidden) for n in ("a", "b")])
    model.compile("sgd", ["mse", "mse"])
    return model


TABLES = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "table"}


@pytest.mark.parametrize("package", TABLES)
def test_a_table_becomes_what_several_inputs_and_outputs_want(package):
    make_table = getattr(pytest.importorskip(package), TABLES[package])
    columns = {name: X[:, i] for i, name in enumerate(NAMES)}
    table = make_table({**columns, "name": ["Ann"] * len(X)})
    targets = make_table({"b": Y, "a": X[:, 0], "c": np.zeros(len(X))})
    found = read(table, targets, model=two_inputs())
    assert list(found.x) == ["age", "weight"]
    assert list(found.y) == ["a", "b"]
    np.testing.assert_array_equal(found.y["b"], Y)
    doctor = kd.callbacks.TrainingDoctor(table, targets, verbose=0)
    assert list(doctor._data.arrays(two_inputs())[0]) == ["age", "weight"]
    pair = (table, targets)
    doctor = kd.callbacks.TrainingDoctor(validation_data=pair, verbose=0)
    assert list(doctor._data.arrays(two_inputs())[2][0]) == ["age", "weight"]
    # studies and ensembles know the model that they are given, too
    study = kd.studies.BatchSizeStudy(two_inputs(), *pair, validation_data=pair)
    for x, y in (study._data.train, study._data.held_out):
        assert (list(x), list(y)) == (["age", "weight"], ["a", "b"])


def test_a_model_without_weights_is_built_from_the_rows():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(1, "sigmoid")

        def call(self, x):
            return self.dense(x)

    for unbuilt in (Own(), keras.Sequential([L.Dense(1, "sigmoid")])):
        unbuilt.compile("sgd", "binary_crossentropy")
        assert kd.preflight(unbuilt, X, Y).coverage.is_judged
        assert unbuilt.built
        assert kd.propagation_report(unbuilt, X).layers


def test_studies_and_ensembles_take_a_model_or_a_function_and_data_sets():
    model = make()
    study = kd.studies.BatchSizeStudy(model, Batches(), seeds=2, verbose=0)
    made = [study._build_model() for _ in range(2)]
    kernels = [np.asarray(one.get_weights()[0]) for one in (model, *made)]
    assert not np.allclose(kernels[0], kernels[1])
    assert not np.allclose(kernels[1], kernels[2])
    assert made[0].loss == "binary_crossentropy"
    assert study._data.train[0].shape == X.shape
    study = kd.studies.CapacityStudy(model, X, Y, sizes=(0.5, 2), verbose=0)
    assert [study._build_model(s).layers[0].units for s in (0.5, 2)] == [2, 8]


@pytest.mark.once
def test_a_data_set_is_treated_and_a_model_makes_an_ensemble():
    result = kd.treat(make(), Batches(), epochs=1, verbose=0)
    assert result.cost >= 1
    ensemble = kd.ensembles.fit_ensemble(make(), 2, Batches(), verbose=0)
    first, second = (member.get_weights()[0] for member in ensemble.members)
    assert not np.allclose(first, second)


class Fragile(keras.Model):
    """Runs on two rows and on no others."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, x):
        if x.shape[0] != 2:
            raise RuntimeError("out of paper")
        return self.dense(x)


def test_a_model_that_could_not_be_run_is_not_called_healthy():
    model = Fragile()
    model.compile("sgd", "mse")
    diagnosis = kd.preflight(model, X, X[:, 0] + X[:, 1])
    assert not diagnosis.is_judged
    assert "out of paper" in diagnosis.headline
    assert "Nothing wrong" not in str(diagnosis)
    bare = keras.Sequential([keras.Input((3,)), L.Dense(1)])
    diagnosis = kd.preflight(bare, X, X[:, 0] + X[:, 1])
    assert "because the model is not compiled; call" in diagnosis.headline


def test_an_optional_input_may_be_left_out():
    first, left_out = read_batch([X, None])
    np.testing.assert_array_equal(first, X)
    assert left_out is None
    assert kd.gradients.localize_non_finite(Either(), [X, None]) is None


class Either(keras.Model):
    """Takes the first of two inputs if there is no second."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)

    def call(self, inputs):
        first, second = inputs
        return self.dense(first if second is None else first + second)
