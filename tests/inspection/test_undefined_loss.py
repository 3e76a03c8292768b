"""Rows whose loss is not finite, whatever is predicted."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic.inspection import probe_questions
from keras_dlbasic.inspection.undefined_loss import MOST_ALONE, undefined_loss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 3)).astype("float32")
Y = 1.0 + RNG.uniform(size=(96, 2)).astype("float32")
BROKEN = Y.copy()
BROKEN[[7, 50]] = -3.0


def of_logs(y_true, y_pred):
    return ops.mean(ops.square(ops.log(y_true) - y_pred), axis=-1)


def of_logs_in_all(y_true, y_pred):
    return ops.mean(of_logs(y_true, y_pred))


def of_predicted_logs(y_true, y_pred):
    return ops.mean(ops.square(y_true - ops.log(y_pred)), axis=-1)


def by_batch(y_true, y_pred):
    """One row makes the loss of all others NaN."""
    return of_logs(y_true, y_pred) / ops.mean(ops.log(y_true))


def never(y_true, y_pred):
    return ops.mean(y_pred, axis=-1) / 0.0 * 0.0


@pytest.mark.parametrize("loss", [of_logs, of_logs_in_all, by_batch])
def test_rows_with_impossible_targets_are_counted(loss):
    found = undefined_loss(loss, BROKEN, (96, 2))
    assert (found.rows, found.of) == (2, 96)
    assert found.example == (-3.0, -3.0)
    assert undefined_loss(loss, Y, (96, 2)) is None


@pytest.mark.parametrize("loss", ["mse", of_predicted_logs, never])
def test_what_is_not_about_some_rows_is_not_said_of_them(loss):
    """Logarithms of predictions, and losses that are never finite."""
    assert undefined_loss(loss, BROKEN, (96, 2)) is None


def test_only_some_rows_are_evaluated_alone():
    y = np.tile(Y, (4, 1))
    y[[3, -1]] = -1.0
    found = undefined_loss(of_logs_in_all, y, (len(y), 2))
    assert (found.rows, found.of) == (1, MOST_ALONE)


def fitted(y, loss, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.01), loss)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    options = {"batch_size": 16, "epochs": 2, "verbose": 0} | options
    model.fit(X, y, callbacks=[doctor], **options)
    return doctor.diagnosis


@pytest.mark.parametrize("is_first", [True, False])
def test_the_rows_are_named_as_the_cause(is_first):
    """In the first step and in a later one."""
    y = BROKEN.copy()
    if not is_first:
        y[7] = 1.0  # the first batch is finite
    found = fitted(y, of_logs, shuffle=False)
    assert found[0].name == "non_finite_operation"
    assert found[0].severity == "critical"
    assert f"The loss of {1 + is_first} of 96 rows is NaN" in found[0].message
    assert "[-3, -3]" in found[0].message
    assert "non_finite_start" not in [finding.name for finding in found]


def test_a_finite_run_is_not_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(probe_questions, "undefined_loss", lambda *a: asked.append(a))
    found = fitted(Y, of_logs)
    assert not any(finding.name.startswith("non_finite") for finding in found)
    assert not asked
    fitted(BROKEN, of_logs)
    assert asked


def test_the_start_names_the_rows_before_a_fit():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", of_logs)
    found = kd.preflight(model, X, BROKEN)
    assert found[0].name == "non_finite_start"
    assert "The loss of 2 of 96 rows is NaN" in found[0].message
