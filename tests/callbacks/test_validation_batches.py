"""What is read of the batches on which a fit validates."""

import copy
import pickle

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._backends.guard import Guard
from keras_dlbasic.callbacks import passing_batches
from keras_dlbasic.callbacks.validation_batches import ValidationBatches

L = keras.layers
Doctor = kd.callbacks.TrainingDoctor
N_BATCHES = 6


class Model:
    """What the reader asks of a model."""

    steps_per_execution = 1

    def __init__(self):
        self.test_function = lambda *args: None


def passed(n, size=4, shape=(3,), model=None):
    """Return what was kept of `n` batches, whose rows have the number of the batch."""
    batches = ValidationBatches(model or Model(), Guard())
    for place in range(n):
        batches.step_begins(place)
        if batches._armed is not None:
            batches._put_back()
            x = np.full((size, *shape), place, "float32")
            batches._take((x, np.full(size, place)))
    batches.ends()
    return batches


def test_few_batches_are_kept_as_a_whole():
    batches = passed(5)
    x, y = batches.joined()
    assert batches.is_all
    assert x.shape == (20, 3)
    assert y.tolist() == sorted([*range(5)] * 4)


def test_many_batches_are_kept_from_all_over():
    batches = passed(1000)
    assert not batches.is_all
    places = np.unique(batches.joined()[1])
    assert places[0] == 0
    assert set(np.diff(places)) == {16}
    assert 32 <= len(places) <= 64


def test_the_memory_of_rows_is_bounded(monkeypatch):
    monkeypatch.setattr(passing_batches, "MOST_BYTES", 64 * 100)
    batches = passed(3, size=32, shape=(8,))
    assert batches.joined()[1].tolist() == [0, 0, 1, 1, 2, 2]
    assert not batches.is_all


def test_nothing_is_left_on_the_model():
    model = Model()
    own = model.test_function
    batches = ValidationBatches(model, Guard())
    batches.step_begins(0)
    assert model.test_function is not own
    kept = pickle.loads(pickle.dumps(batches))
    assert kept.joined() is None
    copy.copy(batches)
    batches.ends()
    assert model.test_function is own
    batches.step_begins(0)
    assert model.test_function is own


def blobs(rng, n=256, classes=4):
    y = rng.integers(0, classes, n)
    x = rng.normal(size=(n, 8)) + 3 * rng.normal(size=(classes, 8))[y]
    return x.astype("float32"), y


def make(classes=4, **compile_args):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8,)), L.Dense(16, "relu"), L.Dropout(0.1), L.Dense(classes)]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], **compile_args)
    return model


def drawn_batches(x, y, drawn):
    place = 0
    while True:
        rows = np.arange(place, place + 16) % len(x)
        drawn.append(rows.tolist())
        yield x[rows], y[rows]
        place += 16


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, drawn):
        super().__init__()
        self.x, self.y, self.drawn = x, y, drawn

    def __len__(self):
        return N_BATCHES

    def __getitem__(self, place):
        self.drawn.append(place)
        rows = slice(16 * place, 16 * place + 16)
        return self.x[rows], self.y[rows]


def as_dataset(x, y, drawn):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((x, y))
    return data.batch(16).take(N_BATCHES)


def as_loader(x, y, drawn):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    return torch.utils.data.DataLoader(data, 16, shuffle=False)


KINDS = [drawn_batches, Batches, as_dataset, as_loader]


def fitted(data, validation, watched, *, epochs=3, make_model=make, **fit):
    model, doctor = make_model(), Doctor(verbose=0)
    history = model.fit(
        data[0],
        data[1],
        validation_data=validation,
        epochs=epochs,
        batch_size=32,
        verbose=0,
        callbacks=[doctor] if watched else [],
        **fit,
    )
    state = [keras.ops.convert_to_numpy(v) for v in model.variables]
    state += [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
    return doctor, (state, history.history, sorted(vars(model)))


@pytest.mark.parametrize("kind", KINDS)
def test_reading_changes_no_bit_and_draws_nothing(rng, kind):
    x, y = blobs(rng, 352)
    seen = []
    for watched in (False, True):
        drawn = []
        validation = kind(x[256:], y[256:], drawn)
        data = x[:256], y[:256]
        # data threads draw ahead, never the same number of batches: what a generator
        # gives in the second validation is not the same in any two fits
        fit = {"epochs": 1 if kind is drawn_batches else 3}
        fit["validation_steps"] = N_BATCHES
        doctor, left = fitted(data, validation, watched, **fit)
        seen.append((*left, drawn[:N_BATCHES]))
    np.testing.assert_equal(*seen)
    facts = doctor.record.facts.data.validation
    assert facts.n_rows == facts.compared_with == 96
    assert facts.new_classes == facts.missing_classes == ()
    assert "unrepresentative_validation" not in doctor.diagnosis.names


@pytest.mark.parametrize("size", [1, 4])
def test_steps_that_run_together(rng, size):
    if keras.backend.backend() == "torch" and size > 1:
        pytest.skip("Keras runs one step at a time on PyTorch")
    x, y = blobs(rng, 350)
    seen = []
    for watched in (False, True):
        doctor, left = fitted(
            (x[:256], y[:256]),
            (x[256:], y[256:]),
            watched,
            make_model=lambda: make(steps_per_execution=size),
            validation_batch_size=16,
        )
        seen.append(left)
    np.testing.assert_equal(*seen)
    assert doctor.record.facts.data.validation.compared_with == 94


class PartialBatchList(list):
    """As Keras calls it."""


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX only")
@pytest.mark.parametrize("last", ["none", "list", "stacked"])
def test_batches_of_several_steps_are_shown_one_by_one(rng, last, monkeypatch):
    from keras_dlbasic._backends.jax import passing

    monkeypatch.setattr(passing, "STACKS", True)  # as from Keras 3.16 on

    x, y = rng.normal(size=(6, 16, 4)), rng.normal(size=(6, 16))
    drawn = [[x[:4], y[:4], None]]
    if last == "list":
        drawn.append(PartialBatchList([x[i], y[i], None] for i in (4, 5)))
    elif last == "stacked":
        drawn.append([x[4:], y[4:], None])
    taken = []
    state, batches = passing.shown(("state", iter(drawn)), 4, taken.append)
    assert [id(one) for one in batches] == [id(one) for one in drawn]
    n = 4 if last == "none" else 6
    assert len(taken) == n
    for i, (one, target, weights) in enumerate(taken):
        np.testing.assert_equal(one, x[i])
        np.testing.assert_equal(target, y[i])
        assert weights is None


class BrokenError(Exception):
    """Of the user's data."""


def test_an_error_of_the_data_is_that_of_the_user(rng):
    x, y = blobs(rng, 96)

    def batches():
        yield x[:16], y[:16]
        raise BrokenError("the third file is missing")

    doctor = Doctor(verbose=0)
    model = make()
    fit = {"validation_steps": 3, "epochs": 1, "verbose": 0, "callbacks": [doctor]}
    with pytest.raises(Exception, match="the third file is missing"):
        model.fit(x, y, validation_data=batches(), **fit)


@pytest.mark.once
@pytest.mark.parametrize("change", ["none", "shift", "classes", "nan", "copies"])
def test_what_is_wrong_with_a_validation_generator_is_named(rng, change):
    x, y = blobs(rng, 896)
    data, val_x, val_y = (x[:800], y[:800]), x[800:].copy(), y[800:].copy()
    if change == "shift":
        val_x = 40 * val_x + 9
    elif change == "classes":
        data = x[:800][y[:800] > 0], y[:800][y[:800] > 0]
    elif change == "nan":
        val_x[5, 2] = np.nan
    elif change == "copies":
        val_x, val_y = data[0][:96], data[1][:96]
    validation = drawn_batches(val_x, val_y, [])
    doctor, _ = fitted(data, validation, True, epochs=8, validation_steps=N_BATCHES)
    checks = {
        "shift": "unrepresentative_validation",
        "classes": "unrepresentative_validation",
        "nan": "non_finite_data",
        "copies": "train_validation_overlap",
    }
    for name in set(checks.values()):
        assert name not in doctor.diagnosis.skipped
        assert (name in doctor.diagnosis.names) is (name == checks.get(change))


@pytest.mark.once
def test_given_rows_are_compared_with_those_that_pass(rng):
    x, y = blobs(rng, 352)
    doctor = Doctor(x[:256], y[:256], verbose=0)
    fit = {"epochs": 2, "verbose": 0, "callbacks": [doctor]}
    validation = Batches(10 * x[256:], y[256:], [])
    make().fit(x[:256], y[:256], validation_data=validation, **fit)
    assert "unrepresentative_validation" in doctor.diagnosis.names
    # the probe and the facts of all rows given stay
    assert doctor.record.facts.data.source == "given"
    assert doctor.record.facts.data.n_rows == 256


@pytest.mark.once
def test_classes_that_a_sample_may_have_missed(rng):
    """Training batches of one class each, of which some were read."""
    x, y = blobs(rng, 4000, classes=100)
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    mixed = rng.permutation(4000)[:320]
    doctor = Doctor(verbose=0)
    make(100).fit(
        x,
        y,
        batch_size=8,
        shuffle=False,
        epochs=1,
        verbose=0,
        validation_data=(x[mixed], y[mixed]),
        callbacks=[doctor],
    )
    facts = doctor.record.facts.data
    assert facts.validation.new_classes == ()
    assert facts.validation.n_classes < 100


@pytest.mark.once
def test_several_doctors_and_evaluations_of_the_user(rng):
    x, y = blobs(rng, 352)

    class Evaluating(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.evaluate(100 * x, y, verbose=0)

    doctors = [Doctor(verbose=0), Doctor(verbose=0)]
    model = make()
    own = {"validation_data": (x[256:], y[256:]), "epochs": 2, "verbose": 0}
    model.fit(x[:256], y[:256], callbacks=[Evaluating(), *doctors], **own)
    plain = model.test_function
    for doctor in doctors:
        facts = doctor.record.facts.data.validation
        assert facts.n_rows == 96
        assert 0.5 < facts.scale < 2
    model.evaluate(x, y, verbose=0, callbacks=doctors)
    assert model.test_function is plain


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="of data of TensorFlow"
)
def test_a_failure_loses_no_batch(rng, monkeypatch):
    tf = pytest.importorskip("tensorflow")
    x, y = blobs(rng, 352)
    make_dataset, failed = tf.data.Dataset.from_generator, []
    seen = []

    def from_generator(generator, *args, **kwargs):
        if "output_signature" not in kwargs or "shown" not in generator.__qualname__:
            return make_dataset(generator, *args, **kwargs)
        failed.append(1)
        raise ValueError("no such data set")

    for watched in (False, True):
        if watched:
            monkeypatch.setattr(tf.data.Dataset, "from_generator", from_generator)
            with pytest.warns(UserWarning, match="no such data set"):
                _, left = fitted(
                    (x[:256], y[:256]), Batches(x[256:], y[256:], []), True
                )
        else:
            _, left = fitted((x[:256], y[:256]), Batches(x[256:], y[256:], []), False)
        seen.append(left)
    assert failed
    np.testing.assert_equal(*seen)
