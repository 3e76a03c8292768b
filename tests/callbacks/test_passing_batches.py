"""What is read of the batches that pass, and what that tells the doctor."""

from itertools import pairwise

import keras
import numpy as np
import pandas as pd
import pytest

import keras_dlbasic as kd
from keras_dlbasic.callbacks import passing_batches
from keras_dlbasic.callbacks.passing_batches import PassingBatches
from keras_dlbasic.callbacks.step_plan import StepPlan
from keras_dlbasic.gradients import tapped_step
from keras_dlbasic.gradients.sampling import reading_plan
from keras_dlbasic.inspection.preflight import preflight

L = keras.layers
Doctor = kd.callbacks.TrainingDoctor


def test_batches_from_all_over_an_epoch_are_read():
    for n_steps in (1, 5, 40, 3000):
        plan = reading_plan(n_steps)
        read = [step for step in range(n_steps) if plan(step)]
        assert read[:16] == list(range(min(16, n_steps)))
        assert len(read) <= 32
        assert max(np.diff([-1, *read, n_steps])) <= max(16, n_steps / 15)
    plan = reading_plan(None)
    read = [step for step in range(100_000) if plan(step)]
    assert len(read) <= 64 + 4
    assert all(later <= 1.25 * step for step, later in pairwise(read[16:]))


def test_the_second_step_is_not_measured_only_to_be_read():
    """It compiles the plain step, from the state that the fit begins with."""
    plan = StepPlan({"steps": 4})
    plan.ask("epoch")
    plan.ask_to_read()
    said = []
    for _ in range(2):
        plan.epoch_begins()
        for step in range(4):
            said.append((plan.steps_begin(step, 1), plan.is_read, plan.must_read))
        plan.epoch_ends(4)
    assert said[:2] == [(True, True, False), (False, True, False)]
    assert said[2:4] == [(False, True, True)] * 2
    assert not any(is_read for _, is_read, _ in said[4:])


def test_the_memory_of_rows_is_bounded(monkeypatch):
    monkeypatch.setattr(passing_batches, "MOST_BYTES", 64 * 400)
    batches = PassingBatches()
    for _ in range(3):
        x, y = np.zeros((32, 24), "float32"), np.arange(32)
        assert not batches.take(x, y, None)
    x, y = batches.joined()
    assert x.shape == (9, 24)
    assert y[:3].tolist() == [0, 16, 31]  # evenly chosen: classes may be in order
    assert [len(part) for part in batches.targets] == [32] * 3
    assert batches.take((), None, None)  # sparse: nothing can be had


def test_lengths_that_cannot_be_joined():
    batches = PassingBatches()
    for length in (3, 5, 3):
        batches.take({"a": np.ones((4, length))}, np.ones((4, 1)), np.ones(4))
    assert batches.joined()[0]["a"].shape == (8, 3)
    assert len(batches.targets) == len(batches.weights) == 3


def test_rows_that_are_not_in_step_are_not_kept():
    batches = PassingBatches()
    batches.take(np.ones((6, 3)), np.ones(16), np.ones(16))
    assert not batches.parts
    assert len(batches.targets[0]) == 16
    batches.take(np.ones((16, 3)), np.ones(16), np.ones(6))
    assert len(batches.parts) == len(batches.targets) == 1


def test_wide_inputs_stay_in_step_with_their_targets(monkeypatch):
    monkeypatch.setattr(tapped_step, "KEPT_ENTRIES", 32)
    x = np.arange(640, dtype="float32").reshape(80, 8)
    y = x[:, :1].copy()
    kept, drop = [], PassingBatches.drop

    def dropped(self):
        kept.extend(self.parts)
        drop(self)

    monkeypatch.setattr(PassingBatches, "drop", dropped)
    model = keras.Sequential([keras.Input((8,)), L.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-9), "mse")
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[Doctor(verbose=0)])
    assert {(len(a), len(b)) for a, b in kept} == {(4, 4)}
    assert all((a[:, :1] == b).all() for a, b in kept)


def blobs(rng, n_classes=4, n=256):
    y = rng.integers(0, n_classes, n)
    centers = 2 * rng.normal(size=(n_classes, 6))
    return (centers[y] + rng.normal(size=(n, 6))).astype("float32"), y


def make(units=4, optimizer=keras.optimizers.Adam, rate=0.01):
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((6,)), L.Dense(16, "relu"), L.Dropout(0.1), L.Dense(units)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(rate), loss, metrics=["accuracy"])
    return model


def drawn_batches(x, y, drawn):
    """Batches drawn with NumPy's generator for all, with weights."""
    while True:
        rows = np.random.permutation(len(x))[:16]
        drawn.append(rows.tolist())
        yield x[rows], y[rows], 0.5 + (y[rows] == 1).astype("float32")


@pytest.mark.parametrize(
    "every", ["auto", pytest.param("epoch", marks=pytest.mark.once)]
)
def test_reading_changes_no_bit_and_draws_nothing(rng, every):
    x, y = blobs(rng)
    seen = []
    for watched in (False, True):
        model, drawn = make(), []
        doctor = Doctor(every=every, verbose=0)
        history = model.fit(
            drawn_batches(x, y, drawn),
            steps_per_epoch=20,
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[doctor] if watched else [],
        )
        state = [keras.ops.convert_to_numpy(v) for v in model.variables]
        state += [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
        seen.append((state, history.history, drawn[:40]))
        # data threads draw ahead, never the same number of batches: the state is that
        # of this many draws, and of no other one
        now, n_drawn = np.random.get_state()[1], len(drawn)
        make()
        for _ in range(n_drawn):
            np.random.permutation(len(x))
        np.testing.assert_array_equal(np.random.get_state()[1], now)
    for one, other in zip(*seen, strict=True):
        np.testing.assert_equal(one, other)
    facts = doctor.record.facts.data
    assert facts.batches.n_batches == 18 + (every == 1)
    assert facts.weights[0].by_class[:2] == (0.5, 1.5)
    if every == "epoch":  # what was measured only to be read is in no record
        assert len(doctor.record.steps) == 2


def as_dataset(x, y):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(256, seed=1).batch(16)


def as_loader(x, y):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    own = torch.Generator().manual_seed(3)  # Keras seeds PyTorch's on PyTorch only
    return torch.utils.data.DataLoader(data, 16, shuffle=True, generator=own)


class Sequence(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 16

    def __getitem__(self, place):
        rows = slice(16 * place, 16 * place + 16)
        return self.x[rows], self.y[rows]


@pytest.mark.once
@pytest.mark.parametrize("kind", [as_dataset, as_loader, Sequence])
def test_data_sets_serve_as_they_pass(rng, kind):
    x, y = blobs(rng)
    seen = []
    for watched in (False, True):
        model = make()
        data = kind(x, y)
        doctor = Doctor(verbose=0)
        callbacks = [doctor] if watched else []
        model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
        seen.append([keras.ops.convert_to_numpy(w) for w in model.weights])
    np.testing.assert_equal(*seen)
    facts = doctor.record.facts
    assert facts.data.n_rows == 256
    assert facts.probe.rows == 240  # all batches but the second
    assert facts.data.targets[0].distinct == (0, 1, 2, 3)
    assert facts.data.batches.different == facts.data.batches.compared == 15
    assert preflight(model, data).coverage.is_judged


@pytest.mark.once
def test_what_is_no_data(rng):
    x, y = blobs(rng)
    with pytest.raises(ValueError, match=r"x, y = next\(data\)"):
        preflight(make(), drawn_batches(x, y, []))
    with pytest.raises(ValueError, match="Received an object of type object"):
        Doctor(object())


@pytest.mark.once
def test_the_probe_is_made_once(rng, monkeypatch):
    made = []
    make_probe = Doctor._join.__globals__["ProbeLooks"]._make_probe

    def counted(self, *args, **kwargs):
        made.append(make_probe(self, *args, **kwargs))

    looks = Doctor._join.__globals__["ProbeLooks"]
    monkeypatch.setattr(looks, "_make_probe", counted)
    x, y = blobs(rng, n=100)
    doctor = Doctor(verbose=0)
    make().fit(x, y, epochs=6, verbose=0, callbacks=[doctor])
    assert len(made) == 1
    assert doctor.record.facts.data.n_rows == 100
    assert doctor.record.facts.probe.rows == 68
    assert len(doctor.record.tables["probe"]) == 4
    assert set(doctor.record.tables["probe"]["rows"][:, 0]) == {32}


@pytest.mark.once
@pytest.mark.parametrize("form", ["arrays", "frames"])
def test_the_rows_that_fit_holds_out(rng, form):
    x, y = blobs(rng, n=300)
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    given = (x, y) if form == "arrays" else (pd.DataFrame(x), pd.Series(y))
    doctor = Doctor(*given, verbose=0)
    fit = {"validation_split": 0.2, "epochs": 3, "verbose": 0}
    make().fit(x, y, callbacks=[doctor], **fit)
    facts = doctor.record.facts.data
    assert (facts.held_out, facts.n_rows, facts.validation.n_rows) == (60, 240, 60)
    assert facts.validation.new_classes == tuple(set(y[240:]) - set(y[:240]))
    assert facts.targets[0].n_rows == 240
    known = {row.tobytes() for row in x[:240]}
    assert all(row.tobytes() in known for row in doctor._looks.probe.x)
    assert "unrepresentative_validation" in doctor.diagnosis.names
    # given apart, the same rows give the same facts
    apart = Doctor(x[:240], y[:240], validation_data=(x[240:], y[240:]), verbose=0)
    val = {"validation_data": (x[240:], y[240:]), "epochs": 3, "verbose": 0}
    make().fit(x[:240], y[:240], callbacks=[apart], **val)
    assert apart.record.facts.data.validation == facts.validation
    assert apart.record.facts.data.held_out is None
    assert apart.record.facts.probe == doctor.record.facts.probe


@pytest.mark.once
def test_a_split_at_random_holds_out_no_tail(rng):
    x, y = blobs(rng, n=300)
    mixed = rng.permutation(300)
    own, other = mixed[:240], mixed[240:]
    doctor = Doctor(x, y, verbose=0)
    val = {"validation_data": (x[other], y[other]), "epochs": 2, "verbose": 0}
    make().fit(x[own], y[own], callbacks=[doctor], **val)
    assert doctor.record.facts.data.held_out is None
    assert doctor.record.facts.data.n_rows == 300


@pytest.mark.once
def test_sorted_rows_and_mixed_ones(rng):
    x, y = blobs(rng, n=640)
    order = np.argsort(y, kind="stable")
    names = []
    for shuffle in (False, True):
        doctor = Doctor(verbose=0)
        fit = {"shuffle": shuffle, "batch_size": 16, "epochs": 12, "verbose": 0}
        model = make(4, keras.optimizers.SGD, 0.5)
        model.fit(x[order], y[order], callbacks=[doctor], **fit)
        names.append(doctor.diagnosis.names)
        assert set(doctor.record.facts.data.targets[0].distinct) == {0, 1, 2, 3}
    assert names[0][0] == "rows_in_order"
    assert "rows_in_order" not in names[1]


@pytest.mark.once
def test_a_probe_of_one_class(rng):
    """The epoch ends within the first class."""
    x, y = blobs(rng, n=640)
    order = np.argsort(y, kind="stable")
    doctor = Doctor(verbose=0)
    x, y = x[order], y[order]

    def batches():
        for start in range(0, 640, 16):
            yield x[start : start + 16], y[start : start + 16]

    fit = {"shuffle": False, "epochs": 2, "verbose": 0, "steps_per_epoch": 4}
    make().fit(batches(), callbacks=[doctor], **fit)
    assert doctor.record.facts.data.one_sided
    assert "may not represent" in doctor.diagnosis.skipped["constant_targets"]
    assert "may not represent" in doctor.diagnosis.skipped["underfitting"]
    assert "constant_targets" not in doctor.diagnosis.names
    assert len(doctor.record.tables["activations"]) == 2


@pytest.mark.once
def test_a_class_that_never_counts(rng):
    x, y = blobs(rng)
    doctor = Doctor(x, y, verbose=0)
    weights = {0: 1.0, 1: 1.0, 2: 0.0, 3: 1.0}
    make().fit(x, y, class_weight=weights, epochs=3, verbose=0, callbacks=[doctor])
    assert doctor.diagnosis[0].name == "zero_weights"
    assert "Class 2 " in doctor.diagnosis[0].message


@pytest.mark.once
def test_a_generator_that_starts_anew_at_every_batch(rng):
    x, y = blobs(rng)

    def batches():
        while True:
            yield x[:8], y[:8]

    doctor = Doctor(verbose=0)
    fit = {"epochs": 1, "steps_per_epoch": 8, "shuffle": False, "verbose": 0}
    make().fit(batches(), callbacks=[doctor], **fit)
    found = doctor.record.facts.data.batches
    assert (found.different, found.compared) == (1, 7)
    assert "repeated_batches" in doctor.diagnosis.names


class Kept(keras.callbacks.Callback):
    """Notes after each epoch of how many batches a doctor keeps rows."""

    def __init__(self, doctor):
        super().__init__()
        self.doctor = doctor
        self.counts = []

    def on_epoch_end(self, epoch, logs=None):
        self.counts.append(len(self.doctor._looks.batches.targets))


@pytest.mark.once
@pytest.mark.parametrize(
    ("fit", "is_kept"),
    [
        ({}, [False] * 4),
        ({"validation_freq": 2}, [True, False, False, False]),
        ({"validation_freq": 9}, [True] * 4),
    ],
)
def test_rows_are_let_go_when_nothing_more_is_asked_of_them(rng, fit, is_kept):
    x, y = blobs(rng)
    doctor = Doctor(verbose=0)
    kept = Kept(doctor)
    if fit:
        fit = {**fit, "validation_data": (x[:64], y[:64])}
    make().fit(x, y, epochs=4, verbose=0, callbacks=[doctor, kept], **fit)
    assert [bool(count) for count in kept.counts] == is_kept
    assert not doctor._looks.batches.targets
    assert doctor.record.facts.data.batches is not None
