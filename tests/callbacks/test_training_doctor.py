"""The doctor watches a fit, judges it, and changes nothing."""

import contextlib
import copy
import io
import random
import time

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection import probe_questions

L = keras.layers
Doctor = kd.callbacks.TrainingDoctor


@pytest.fixture
def xy(rng):
    x = rng.normal(size=(192, 4)).astype("float32")
    return x, (x[:, 0] * x[:, 1] > 0).astype("float32")


def make(output="sigmoid", rate=0.02, dropout=False, loss="binary_crossentropy"):
    keras.utils.set_random_seed(3)
    layers = [keras.Input((4,)), L.Dense(16, "tanh"), L.BatchNormalization()]
    layers += [L.Dropout(0.2)] if dropout else []
    model = keras.Sequential([*layers, L.Dense(1, output)])
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    return model


def fit(model, xy, doctor=None, epochs=12, **given):
    callbacks = [] if doctor is None else [doctor]
    return model.fit(
        *xy, epochs=epochs, batch_size=32, verbose=0, callbacks=callbacks, **given
    )


@pytest.mark.once
@pytest.mark.parametrize("has_data", [True, False])
def test_training_is_the_same_bit_for_bit(xy, has_data):
    seen = []
    for doctor in (None, Doctor(*xy if has_data else (), verbose=0)):
        model = make(dropout=True)
        history = fit(model, xy, doctor, epochs=3, validation_data=xy)
        states = (random.getstate(), np.random.get_state()[1].tolist())
        weights = [np.array(w) for w in model.get_weights()]
        weights += [np.array(v) for v in model.optimizer.variables]
        draw = np.array(keras.random.normal((3,)))
        seen.append((weights, history.history, states, draw))
    for one, other in zip(*seen, strict=True):
        np.testing.assert_equal(one, other)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
def test_the_live_verdict_is_that_of_the_saved_record(xy, tmp_path, capsys):
    doctor = Doctor(*xy, validation_data=xy)
    fit(make("softmax"), xy, doctor, epochs=4)
    assert doctor.diagnosis[0].name == "output_activation_mismatch"
    doctor.record.save(tmp_path / "run.npz")
    record = kd.records.TrainingRecord.load(tmp_path / "run.npz")
    assert kd.diagnose(record) == doctor.diagnosis
    said = capsys.readouterr().out
    assert "CRITICAL output_activation_mismatch" in said
    report = said[said.index("Diagnosis\n") :]
    assert max(len(line) for line in report.splitlines()) <= 80


@pytest.mark.parametrize(
    "is_built",
    [True, pytest.param(False, marks=pytest.mark.once)],
)
def test_labels_out_of_range_are_named_before_the_first_step(xy, is_built, capsys):
    layers = [L.Dense(8, "relu"), L.Dense(3, "softmax")]
    model = keras.Sequential([*([keras.Input((4,))] if is_built else []), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = 1 + np.arange(len(xy[0])) % 3
    doctor = Doctor(xy[0], labels)
    # PyTorch and TensorFlow refuse such labels in the first step
    with contextlib.suppress(Exception):
        fit(model, (xy[0], labels), doctor, epochs=1)
    assert doctor.diagnosis[0].name == "loss_target_mismatch"
    said = capsys.readouterr().out
    assert said.count("CRITICAL loss_target_mismatch: Some targets are class") >= 1
    assert "CRITICAL loss_target_mismatch" in said.partition("Diagnosis\n")[0]


@pytest.mark.once
def test_nothing_is_said_before_the_first_step_of_a_healthy_run(xy, capsys):
    doctor = Doctor(*xy)
    stop = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make().fit(*xy, verbose=0, callbacks=[doctor, stop])
    assert not hasattr(doctor, "diagnosis")
    assert capsys.readouterr().out == ""


@pytest.mark.once
def test_a_question_that_fails_does_not_keep_others_from_being_asked(xy, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("no rows")

    monkeypatch.setattr(probe_questions, "run_inference", fail)
    doctor, model = Doctor(*xy, verbose=0), make()
    with pytest.warns(UserWarning, match="ZeroDivisionError: no rows"):
        fit(model, xy, doctor, epochs=2)
    assert doctor.record.facts.probe.inference is None
    assert doctor.record.facts.probe.response is not None


class Interrupt(keras.callbacks.Callback):
    """Interrupts a fit in the second step of the fourth epoch, as Ctrl-C does."""

    epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (3, 1):
            raise KeyboardInterrupt


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
def test_after_an_interrupt_the_diagnosis_is_there_at_once(xy):
    doctor, model = Doctor(*xy, verbose=0), make("softmax")
    with pytest.raises(KeyboardInterrupt):
        model.fit(*xy, epochs=12, verbose=0, callbacks=[doctor, Interrupt()])
    begin = time.process_time()  # others may share the cores
    found = doctor.diagnosis
    whole = kd.diagnose(doctor.record)  # as if the run had ended there
    assert time.process_time() - begin < 1
    for diagnosis in (found, whole):
        assert diagnosis[0].name == "output_activation_mismatch"
    assert len(doctor.record.epochs["epoch"]) == 3
    # the same doctor and the same model go on
    fit(model, xy, doctor, epochs=1)
    assert doctor.diagnosis[0].name == "output_activation_mismatch"


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
def test_fits_with_the_same_findings_are_reported_once(xy, capsys):
    doctor, model = Doctor(*xy), make("softmax")
    for times in range(3):
        fit(model, xy, doctor, epochs=2)
        said = capsys.readouterr().out
        assert ("as after the last fit, CRITICAL output_acti" in said) is (times > 0)
        assert ("try 1." in said) is (times == 0)
        assert times == 0 or said.count("output_activation_mismatch") == 1
    fit(make(rate=1e-7), xy, doctor, epochs=4)
    assert "CRITICAL learning_rate_too_low" in capsys.readouterr().out


def test_the_same_finding_of_another_layer_is_new(capsys):
    from keras_dlbasic.reports.repeated import print_new

    first, other = (
        kd.diagnosis.Diagnosis(
            [kd.diagnosis.Finding("dead_units", "symptom", "critical", "m", layer=at)]
        )
        for at in ("dense", "dense_1")
    )
    for last, is_short in ((None, False), (first, True), (other, False)):
        print_new(first, last)
        assert ("as after the last fit" in capsys.readouterr().out) is is_short


@pytest.mark.once
def test_a_healthy_run_is_silent(xy, capsys):
    doctor = Doctor(*xy)
    fit(make(), xy, doctor, epochs=25)
    assert doctor.diagnosis.is_healthy, str(doctor.diagnosis)
    assert "Nothing wrong was found." in capsys.readouterr().out


@pytest.mark.once
def test_the_first_batches_serve_where_no_data_are_given(xy):
    doctor = Doctor(verbose=0, rows=96)
    fit(make(rate=1e-7), xy, doctor, epochs=4)
    assert doctor.record.facts.data.source == "first batches"
    assert doctor.record.facts.probe.rows == 96
    assert doctor.diagnosis[0].name == "learning_rate_too_low"
    assert "validation_data" in doctor.diagnosis.skipped["train_validation_overlap"]


@pytest.mark.once
def test_it_speaks_up_early_and_stops_only_if_asked(xy):
    x = xy[0].copy()
    x[7, 1] = np.nan
    for stop_on, epochs in ((None, 4), ("critical", 1)):
        doctor = Doctor(x, xy[1], verbose=0, stop_on=stop_on)
        history = fit(make(loss="mse"), (x, xy[1]), doctor, epochs=4)
        assert len(history.history["loss"]) == epochs
        assert doctor.diagnosis[0].name == "non_finite_data"


@pytest.mark.once
def test_it_can_be_copied_before_and_used_again(xy):
    doctor = copy.deepcopy(Doctor(*xy, verbose=0))
    model = make()
    fit(model, xy, doctor, epochs=2)
    first = doctor.record
    fit(model, xy, doctor, epochs=2)
    assert doctor.record is not first
    assert len(doctor.record.epochs["loss"]) == 2


@pytest.mark.once
def test_a_shared_record_goes_on(xy):
    record = kd.records.TrainingRecord()
    doctor = Doctor(*xy, verbose=0, record=record)
    model = make()
    fit(model, xy, doctor, epochs=2)
    fit(model, xy, doctor, epochs=2)
    assert list(record.epochs["epoch"]) == [0, 1, 2, 3]
    for name in ("probe", "activations"):  # a look before each fit, and by epoch
        assert list(record.tables[name].epochs) == [-1, 0, 1, 1, 2, 3]


@pytest.mark.once
def test_several_outputs_with_and_without_targets(rng):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [L.Dense(1)(inputs), L.Dense(2)(inputs)])
    model.compile(optimizer="sgd", loss=["mse", "mse"])
    x = rng.normal(size=(64, 4)).astype("float32")
    y = [x[:, :1], x[:, :2]]
    for given in ((x, y), (x,)):
        doctor = Doctor(*given, verbose=0)
        model.fit(x, y, epochs=2, verbose=0, callbacks=[doctor])
        assert "output_activation_mismatch" in doctor.diagnosis.checked_fine
        is_known = "underfitting" not in doctor.diagnosis.skipped
        assert is_known == (len(given) == 2)
    assert "y=" in doctor.diagnosis.skipped["constant_targets"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"y": np.ones(3)}, "without `x`"),
        ({"x": object()}, "array"),
        ({"stop_on": "info"}, "stop_on"),
        ({"rows": 0}, "rows"),
        ({"verbose": 2}, "verbose"),
        ({"record": "run.npz"}, "record"),
    ],
)
def test_arguments(given, text):
    with pytest.raises(ValueError, match=text):
        Doctor(**given)


@pytest.mark.once
def test_the_report_has_colours_on_a_terminal_only(xy):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    diagnosis = kd.preflight(make(), 1e4 + 99 * xy[0], xy[1])
    plain, coloured = io.StringIO(), Terminal()
    kd.reports.print_diagnosis(diagnosis, plain)
    kd.reports.print_diagnosis(diagnosis, coloured)
    assert "\x1b[" not in plain.getvalue()
    assert "\x1b[" in coloured.getvalue()
    assert "WARNING unscaled_inputs" in plain.getvalue()


@pytest.mark.once
def test_a_report_of_the_fit(xy, tmp_path):
    doctor = Doctor(*xy, verbose=0)
    with pytest.raises(ValueError, match="TrainingDoctor is not fitted yet"):
        doctor.report_html(tmp_path / "report.html")
    model = make()
    fit(model, xy, doctor, epochs=2, validation_data=xy)
    doctor.report_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert f"Training of {model.name}" in text
    assert "Gradient flow" in text


class Decoder(keras.Model):
    """A model whose loss is its own: it is trained without targets."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        outputs = self.dense(x)
        self.add_loss(keras.ops.mean((outputs - x) ** 2))
        return outputs


def test_no_targets():
    model = Decoder()
    model.compile(optimizer="sgd")
    doctor = kd.callbacks.TrainingDoctor(verbose=0, every=1)
    x = np.ones((16, 3), "float32")
    model.fit(x, batch_size=8, shuffle=False, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.data.targets == ()
    assert doctor._looks.probe.x.shape == (16, 3)


@pytest.mark.once
def test_batches_of_several_lengths():
    """The rows of one length serve."""
    model = keras.Sequential(
        [keras.Input((None, 2)), keras.layers.GRU(3), keras.layers.Dense(1)]
    )
    model.compile(optimizer="sgd", loss="mse")

    def batches():
        for length in (3, 3, 5, 3):
            yield np.ones((4, length, 2), "float32"), np.ones((4, 1), "float32")

    doctor = kd.callbacks.TrainingDoctor(verbose=0, every=1)
    arguments = {"steps_per_epoch": 4, "shuffle": False, "verbose": 0}
    model.fit(batches(), callbacks=[doctor], **arguments)
    assert doctor._looks.probe.x.shape == (12, 3, 2)


@pytest.mark.once
def test_a_word_in_a_long_silent_run(xy, capsys):
    layers = [keras.layers.Dense(8, "sigmoid") for _ in range(8)]
    model = keras.Sequential(
        [keras.Input(xy[0].shape[1:]), *layers, L.Dense(1, "sigmoid")]
    )
    model.compile("sgd", "binary_crossentropy")
    said = []
    tell = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: said.append(capsys.readouterr().out)
    )
    model.fit(*xy, epochs=5, verbose=0, callbacks=[Doctor(*xy), tell])
    assert not said[0]
    words = "".join(said)
    assert words.count("After 2 epochs the predictions are nearly the same") == 1
    assert "saturating_activations (vanishing_gradients" in " ".join(words.split())
    assert "Diagnosis" not in words
