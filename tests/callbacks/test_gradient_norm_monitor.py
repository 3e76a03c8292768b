import csv
from contextlib import nullcontext

import keras
import models
import numpy as np
import pytest
import reference

import keras_dlbasic as kd
from keras_dlbasic.records import MEASURES

Monitor = kd.callbacks.GradientNormMonitor
BACKEND = keras.backend.backend()


def fit(monitor, name="single", *, optimizer="sgd", compile_args=None, **kwargs):
    model, x, y, loss = models.make(name)
    model.compile(optimizer=optimizer, loss=loss, **(compile_args or {}))
    callbacks = monitor if isinstance(monitor, list) else [monitor]
    kwargs = {"batch_size": 8, "verbose": 0, **kwargs}
    if "x" in kwargs:
        kwargs.pop("batch_size")
        history = model.fit(callbacks=callbacks, **kwargs)
    else:
        history = model.fit(x, y, callbacks=callbacks, **kwargs)
    return model, history.history


def test_the_epoch_logs_hold_the_mean_of_the_sampled_steps(tmp_path):
    monitor = Monitor(every=1)
    table = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    stopping = keras.callbacks.EarlyStopping(
        "global_gradient_norm", patience=9, mode="min"
    )
    _, history = fit([monitor, table, stopping], epochs=2)
    norms = monitor.record.global_gradient_norm.reshape(2, 3)
    np.testing.assert_allclose(
        history["global_gradient_norm"], norms.mean(axis=1), rtol=1e-6
    )
    with (tmp_path / "log.csv").open() as file:
        written = [float(row["global_gradient_norm"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(written, history["global_gradient_norm"])
    assert set(monitor.record.epochs) == {"epoch", "loss", "global_gradient_norm"}


@pytest.mark.once
def test_the_key_is_there_where_nothing_was_sampled():
    monitor = Monitor(every=4)
    _, history = fit(monitor, epochs=3)
    assert np.isnan(history["global_gradient_norm"]).tolist() == [False, False, False]
    assert monitor.record.steps.tolist() == [0, 4, 8]
    _, history = fit(Monitor(every=9), epochs=2)
    assert np.isnan(history["global_gradient_norm"]).tolist() == [False, True]


@pytest.mark.once
def test_facts_of_the_run():
    monitor = Monitor()
    fit(monitor, epochs=2, optimizer=keras.optimizers.Adam(0.01, clipnorm=1.0))
    facts = monitor.record.facts
    assert facts.backend == BACKEND
    assert facts.steps_per_epoch == 3
    assert facts.batch_size == 8
    assert facts.optimizer_name == "Adam"
    assert facts.optimizer["clipnorm"] == 1.0
    assert facts.loss["class_name"] == "SparseCategoricalCrossentropy"
    assert facts.versions["keras"] == keras.__version__
    assert monitor.record.trained_steps == 6


def test_a_second_fit_starts_a_new_record_unless_asked():
    model, x, y, loss = models.make("single")
    model.compile(optimizer="sgd", loss=loss)
    for append, steps in ((False, [0, 1, 2]), (True, list(range(6)))):
        monitor = Monitor(every=1, append=append)
        for epoch in range(2):
            model.fit(
                x,
                y,
                batch_size=8,
                initial_epoch=epoch,
                epochs=epoch + 1,
                verbose=0,
                callbacks=[monitor],
            )
        assert monitor.record.steps.tolist() == steps
    assert monitor.record.epochs["epoch"].tolist() == [0, 1]


@pytest.mark.once
def test_callbacks_of_a_fit_share_a_record():
    first, second = Monitor(every=2), Monitor(every=3)
    fit([first, second], epochs=2)
    assert first.record is second.record
    assert first.record.steps.tolist() == [0, 2, 3, 4]
    given = kd.records.TrainingRecord()
    first, second = Monitor(), Monitor(record=given)
    fit([first, second])
    assert first.record is given


def test_two_records_for_one_fit_are_refused():
    one, other = (Monitor(record=kd.records.TrainingRecord()) for _ in range(2))
    with pytest.raises(ValueError, match="share one record"):
        fit([one, other])


@pytest.mark.once
def test_a_record_of_another_model_is_refused():
    monitor = Monitor(every=1)
    fit(monitor)
    with pytest.raises(ValueError, match="same trainable variables"):
        fit(Monitor(record=monitor.record), "cnn")


@pytest.mark.parametrize("every", [0, 1.0, "never", None])
def test_a_wrong_every_is_refused_at_once(every):
    with pytest.raises(ValueError, match=f"every={every!r}"):
        Monitor(every=every)


def test_other_wrong_arguments():
    with pytest.raises(ValueError, match="verbose"):
        Monitor(verbose=3)
    with pytest.raises(ValueError, match="TrainingRecord"):
        Monitor(record={})


def test_an_uncompiled_model_is_refused_by_keras_in_words():
    model, x, y, _ = models.make("single")
    with pytest.raises(ValueError, match="compile"):
        model.fit(x, y, callbacks=[Monitor()])


def says_that_data_ran_out():
    if reference.KERAS >= (3, 16):  # no longer, where the number of steps is not given
        return nullcontext()
    return pytest.warns(UserWarning, match="ran out of data")


def test_data_of_length_zero():
    """The fit goes as ever: on TensorFlow to its end, elsewhere it fails by itself."""
    model, x, y, loss = models.make("single")
    model.compile(optimizer="sgd", loss=loss)
    fit = {"epochs": 2, "verbose": 0, "callbacks": [Monitor()]}
    if BACKEND == "tensorflow":
        with says_that_data_ran_out():
            model.fit(x[:0], y[:0], **fit)
    else:  # before any callback is asked
        is_told = BACKEND == "torch" or reference.KERAS >= (3, 16)
        with pytest.raises(ValueError if is_told else StopIteration):
            model.fit(x[:0], y[:0], **fit)
    model.fit(x, y, verbose=0)


def dataset(x, y):
    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return x[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8]

    return Data()


def endless(x, y):
    while True:
        for i in range(3):
            yield x[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8]


def ending(x, y):
    def batches():
        for i in range(3):
            yield x[8 * i : 8 * i + 8], y[8 * i : 8 * i + 8]

    return batches()


def tf_data(x, y):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)


def torch_loader(x, y):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(
        torch.as_tensor(x), torch.as_tensor(y, dtype=torch.int64)
    )
    return torch.utils.data.DataLoader(data, batch_size=8)


@pytest.fixture(scope="module")
def norms_of_arrays():
    monitor = Monitor(every=1)
    fit(monitor, epochs=2, shuffle=False)
    return monitor.record.gradient_norm


@pytest.mark.parametrize(
    "make",
    [
        dataset,
        tf_data,
        pytest.param(endless, marks=pytest.mark.once),
        pytest.param(torch_loader, marks=pytest.mark.once),
    ],
)
def test_every_kind_of_input(make, norms_of_arrays):
    model, x, y, loss = models.make("single")
    monitor = Monitor(every=1)
    extra = {"steps_per_epoch": 3} if make is endless else {}
    fit(monitor, x=make(x, y), epochs=2, shuffle=False, **extra)
    assert monitor.record.steps.tolist() == list(range(6))
    np.testing.assert_allclose(
        monitor.record.gradient_norm, norms_of_arrays, rtol=1e-4, atol=1e-6
    )


def test_a_generator_of_unknown_length():
    model, x, y, loss = models.make("single")
    monitor = Monitor()
    with says_that_data_ran_out():
        fit(monitor, x=ending(x, y), epochs=1, shuffle=False)
    assert monitor.record.steps.tolist() == [0, 2]


@pytest.mark.skipif(
    BACKEND == "torch" and reference.KERAS < (3, 16),
    reason="Keras refuses it on PyTorch before 3.16",
)
def test_steps_per_execution_measures_the_last_step_of_each():
    monitor = Monitor(every=1)
    fit(monitor, epochs=2, compile_args={"steps_per_execution": 2})
    assert monitor.record.steps.tolist() == [1, 2, 4, 5]
    assert monitor.record.trained_steps == 6


@pytest.mark.once
def test_messages_name_layer_and_step(capsys):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(16, "sigmoid", name=f"deep_{i}") for i in range(8)]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x = np.random.default_rng(0).normal(size=(64, 4))
    model.fit(
        x, x[:, :1], batch_size=8, epochs=2, verbose=2, callbacks=[Monitor(verbose=1)]
    )
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if "vanishing" in line]
    assert said[0].startswith("Gradient is vanishing: layer 'deep_0', step 1")
    assert len(said) == len(set(said))
    assert all("loss" not in line for line in said)  # the progress line is whole


class TestStopOnNonFinite:
    def poisoned(self, at, stop=True, **fit_args):
        """Fit with NaN in the batch of step `at`."""
        model, x, y, loss = models.make("single")
        x = np.concatenate([x, x])
        x[8 * at, 0] = np.nan
        model.compile(optimizer="sgd", loss=loss)
        monitor = Monitor(stop_on_non_finite=stop)
        history = model.fit(
            x,
            np.concatenate([y, y]),
            batch_size=8,
            shuffle=False,
            verbose=0,
            callbacks=[monitor],
            **fit_args,
        )
        return model, monitor, history

    def test_stops_at_the_step(self, capsys):
        _, monitor, _ = self.poisoned(at=3, epochs=2)
        report = monitor.non_finite
        assert (report.step, report.epoch) == (3, 0)
        assert report.weights_before == ()
        assert len(report.gradients) > 0
        assert report.last_finite_step == 2
        np.testing.assert_allclose(
            list(report.last_finite_norms.values()), monitor.record.gradient_norm[2]
        )
        assert monitor.record.trained_steps == 4
        assert "step 4" in capsys.readouterr().out

    def test_a_run_that_goes_on_is_reported_too(self, capsys):
        _, monitor, _ = self.poisoned(at=3, stop=False, epochs=1)
        report = monitor.non_finite
        assert (report.step, report.stopped) == (3, False)
        assert report.last_finite_step == 2
        assert monitor.record.trained_steps > 4
        assert capsys.readouterr().out == ""  # verbose=0

    def test_names_weights_that_were_not_finite_before(self):
        model, x, y, loss = models.make("mlp")
        kernel = model.trainable_variables[2]
        kernel.assign(np.full(kernel.shape, np.inf))
        model.compile(optimizer="sgd", loss=loss)
        monitor = Monitor(stop_on_non_finite=True)
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor])
        assert monitor.non_finite.step == 0
        assert monitor.non_finite.weights_before == (kernel.path,)
        assert monitor.non_finite.last_finite_step is None

    def test_a_finite_run_goes_on(self):
        monitor = Monitor(stop_on_non_finite=True)
        fit(monitor, epochs=2)
        assert monitor.non_finite is None
        assert monitor.record.trained_steps == 6


def test_a_nan_that_relu_hides_from_the_loss():
    """On TensorFlow a NaN feature can leave the loss finite; gradients tell."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    x[9, 2] = np.nan
    monitor = Monitor(stop_on_non_finite=True)
    model.fit(
        x,
        np.arange(16) % 3,
        batch_size=4,
        verbose=0,
        shuffle=False,
        callbacks=[monitor],
    )
    assert monitor.non_finite.step == 2


@pytest.mark.once
def test_evaluate_and_predict_take_the_callback():
    model, x, y, loss = models.make("single")
    model.compile(optimizer="sgd", loss=loss)
    results = []
    for monitor in (None, Monitor(every=1)):
        callbacks = [monitor] if monitor else []
        results.append(model.evaluate(x, y, verbose=0, callbacks=callbacks))
        results.append(model.predict(x, verbose=0, callbacks=callbacks).tolist())
    assert results[:2] == results[2:]
    with pytest.raises(ValueError, match="GradientNormMonitor is not fitted yet"):
        monitor.record
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[monitor])
    assert monitor.record.steps.tolist() == [0, 1, 2]


@pytest.mark.once
def test_steps_before_the_fit_do_not_count_whoever_brings_the_record():
    record = kd.records.TrainingRecord()
    model, _ = fit(Monitor(every=1, record=record))
    measures = np.ones((len(MEASURES), len(record.variables)))
    measures[MEASURES.index("non_finite")] = 1
    record.append_step(record.trained_steps, {"epoch": 0, "skipped": 0}, measures)
    monitor = Monitor()
    _, x, y, _ = models.make("single")
    model.fit(x, y, verbose=0, callbacks=[monitor, Monitor(every=1, record=record)])
    assert monitor.record is record
    assert monitor.non_finite is None
