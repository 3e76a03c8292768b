"""Looks at the curvature change nothing and are found in the record."""

import copy

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd
from keras_dlbasic._keras.optimizer import current_learning_rate
from keras_dlbasic.landscape.optimizer_limit import stability_limit

L = keras.layers
Probe = kd.callbacks.CurvatureProbe


def data():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(32, 3)).astype("float32")
    y = np.tanh(x[:, :1]) - x[:, 1:2]
    return x, y - y.mean()


def stuck(epochs=8, **options):
    """A net at the saddle where all its weights are zero."""
    x, y = data()
    dense = [
        L.Dense(4, "tanh", kernel_initializer="zeros"),
        L.Dense(1, kernel_initializer="zeros"),
    ]
    model = keras.Sequential([keras.Input((3,)), *dense])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    probe = Probe(x, y, **options)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, callbacks=[doctor, probe])
    return probe, doctor


@pytest.mark.once
def test_the_doctor_tells_the_saddle(tmp_path):
    probe, doctor = stuck(epochs=24)
    assert probe.record is doctor.record
    assert {point.verdict for point in probe.points.values()} == {"saddle"}
    assert set(probe.points) == {5, 10, 15, 23}  # while it is stuck, ever more rarely
    table = probe.record.tables["curvature"]
    assert len(table) == 4
    assert table["smallest"][-1, 0] == pytest.approx(
        probe.points[23].evidence.smallest, rel=1e-5
    )
    found = next(f for f in doctor.diagnosis if f.name == "plateau")
    assert "saddle point" in found.message
    assert found.evidence["point"] == "saddle"
    probe.record.save(tmp_path / "run.npz")
    again = kd.diagnose(kd.records.TrainingRecord.load(tmp_path / "run.npz"))
    assert found.message in [f.message for f in again]


def run(watched):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    x, y = data()
    model = keras.Sequential(
        [
            keras.Input((3,)),
            L.Dense(4),
            L.BatchNormalization(),
            L.Dropout(0.3),
            L.Dense(1),
        ]
    )
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "mse", metrics=["mae"])
    probe = copy.deepcopy(Probe(x, y, every=1, max_products=4, rows=16))
    history = model.fit(
        x, y, batch_size=8, epochs=3, verbose=0, callbacks=[probe] * watched
    )
    variables = [*model.variables, *model.optimizer.variables]
    return (
        [a.tobytes() for a in reference.arrays(variables)],
        history.history,
        sorted(vars(model)),
        [str(part) for part in np.random.get_state()],
        keras.ops.convert_to_numpy(keras.random.normal((3,))).tolist(),
        len(probe.points),
    )


@pytest.mark.once
def test_training_is_the_same_bit_for_bit():
    *plain, _ = run(0)
    *seen, looks = run(1)
    assert looks == 3
    assert seen == plain


@pytest.mark.once
def test_arguments():
    x, y = data()
    with pytest.raises(ValueError, match="every=0"):
        Probe(x, y, every=0)
    with pytest.raises(ValueError, match="rows=0"):
        Probe(x, y, rows=0)


@pytest.mark.once
def test_a_loss_that_breaks_is_no_error(capsys):
    x, y = data()
    model = keras.Sequential([keras.Input((3,)), L.Dense(1)])
    model.compile(keras.optimizers.SGD(1e30), "mse")
    probe = Probe(x, y, every=1)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[probe])
    assert probe.points == {}
    assert "if both are finite" in probe.record.facts.curvature.failed


@pytest.mark.once
def test_it_says_what_it_saw(capsys):
    stuck(epochs=2, every=2, verbose=1)
    assert "Epoch 2: saddle: the curvature is" in capsys.readouterr().out


@pytest.mark.once
def test_a_function_that_gives_the_learning_rate_is_not_asked():
    """It may give another one each time."""
    asked = []

    def rate():
        asked.append(1)
        return 0.1

    model = keras.Sequential([keras.Input((3,)), L.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
    asked.clear()
    assert np.isnan(current_learning_rate(model.optimizer))
    assert np.isnan(stability_limit(model))
    assert not asked
    inner = keras.optimizers.SGD(0.5)
    model.compile(optimizer=keras.optimizers.LossScaleOptimizer(inner), loss="mse")
    assert current_learning_rate(model.optimizer) == 0.5
