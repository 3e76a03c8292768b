"""Values lost on the way: by steps that were too long, or all at once."""

import keras
import numpy as np
import pytest
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.diagnosis.breakdown import breakdown_of
from keras_dlbasic.records import MEASURES

L, ops = keras.layers, keras.ops
LOST_LATE = np.r_[np.linspace(1.4, 0.9, 10), np.full(10, np.nan)]


def lost(row=30, *, losses=None, only_loss=False, **given):
    """Return a record that is not finite from a row on."""
    batches = np.full(60, np.nan) if only_loss else np.linspace(1.4, 1.0, 60)
    batches[:row] = np.linspace(1.4, 1.0, row) if losses is None else losses
    batches[row:] = np.nan
    record = made_run(loss=LOST_LATE, batch_loss=batches, **given)
    if not only_loss:
        record._rows.measures[row:, MEASURES.index("non_finite")] = 4.0
    return record


def test_a_run_that_stays_finite_has_no_breakdown():
    assert breakdown_of(Run(made_run())) is None


def test_what_came_before_is_measured_up_to_the_step():
    weights = np.r_[np.ones(20), np.full(40, 1.2)]
    found = breakdown_of(Run(lost(weights=weights, ratio=0.02)))
    assert (found.lost, found.step, found.gap) == ("all", 150, 5)
    # a kernel of norm 1 counts as one of norm 2, which is usual for its units
    assert found.update_ratio == pytest.approx(0.01)
    assert found.growth == pytest.approx(1.2)
    assert not found.was_announced()


@pytest.mark.parametrize(
    "before",
    [
        {"ratio": 0.3},
        {"losses": np.geomspace(1.4, 20.0, 30)},
        {"weights": np.r_[np.geomspace(1, 4, 30), np.full(30, 4.0)]},
    ],
)
def test_steps_that_were_too_long_show_before(before):
    record = lost(**before)
    assert breakdown_of(Run(record)).was_announced()
    names = kd.diagnose(record).names
    assert "non_finite_operation" not in names


def test_the_rate_is_not_blamed_where_nothing_had_grown():
    diagnosis = kd.diagnose(lost())
    assert "learning_rate_too_high" in diagnosis.checked_fine
    (found,) = [f for f in diagnosis if f.name == "non_finite_operation"]
    assert "probably not the cause" in found.message
    assert "unknown_cause" not in diagnosis.names


def test_a_loss_alone_that_is_lost_is_beyond_doubt():
    diagnosis = kd.diagnose(lost(only_loss=True, ratio=0.05))
    assert diagnosis[0].name == "non_finite_operation"
    assert diagnosis[0].severity == "critical"
    assert "learning_rate_too_high" not in diagnosis.names


def poisson_like(y_true, y_pred):
    """A likelihood of counts without a guard: the rate may become negative."""
    return ops.mean(y_pred - y_true * ops.log(y_pred), axis=-1)


@pytest.mark.parametrize("repaired", [False, True])
def test_a_logarithm_without_a_guard(repaired):
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(96, 4)).astype("float32")
    y = rng.poisson(np.exp(x[:, :1])).astype("float32")
    last = L.Dense(1, "softplus" if repaired else None, bias_initializer="ones")
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh"), last])
    model.compile(keras.optimizers.Adam(0.01), poisson_like)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=3, verbose=0, callbacks=[doctor])
    assert "learning_rate_too_high" not in doctor.diagnosis.names
    assert ("non_finite_operation" in doctor.diagnosis.names) is not repaired


@pytest.mark.parametrize(("update", "is_long"), [(0.15, False), (0.3, True)])
def test_small_kernels_take_no_long_steps(update, is_long):
    """These have a quarter of the usual norm, as an embedding has at first."""
    found = breakdown_of(Run(lost(weights=np.full(60, 0.5), ratio=update)))
    assert found.update_ratio == pytest.approx(update / 2)
    assert found.was_announced() == is_long
