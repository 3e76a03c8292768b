"""Targets given to a callback that are not those of the fit."""

import re
import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._backends.guard import Guard
from keras_dlbasic.callbacks.probe_looks import ProbeLooks
from keras_dlbasic.inspection.other_targets import other_targets
from keras_dlbasic.records import TrainingRecord

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 5))
Y = np.arange(96) % 3
SEEN = RNG.permutation(96)[:64]
ONE_HOT = np.eye(3)[Y]


def seen(x=X, y=Y):
    return x[SEEN].astype("float32"), y[SEEN]


USERS, RATINGS = RNG.integers(0, 2000, 5000), RNG.normal(size=5000)
PASSED = RNG.permutation(5000)[:640]
MANY, NOISY = np.arange(120_000)[:, None] // 2, RNG.normal(size=120_000)
TWO = RNG.integers(0, 2, 96)

SAME = {
    "the same": (X, Y, *seen()),
    "a column": (X, Y[:, None], *seen()),
    "whole numbers as floats": (X, Y.astype("float64"), *seen()),
    "another dtype": (X, np.sqrt(Y), *seen(y=np.sqrt(Y).astype("float32"))),
    "other rows": (X + 1, Y[::-1], *seen()),
    "rows that repeat with other labels": (np.zeros((96, 5)), Y, *seen(x=0 * X)),
    "one label in error": (X, np.where(np.arange(96) == SEEN[0], 2 - Y, Y), *seen()),
    "several outputs": (X, {"a": Y, "b": X}, seen()[0], {"a": Y[SEEN], "b": X[SEEN]}),
    "another structure": (X, [Y, X], seen()[0], {"a": X[SEEN], "b": Y[SEEN]}),
    "two inputs of which one repeats": (
        [USERS[:200, None], np.arange(200)[:, None]],
        RATINGS[:200],
        [USERS[PASSED, None].astype("float32"), PASSED[:, None].astype("float32")],
        RATINGS[PASSED],
    ),
    "some of rows that repeat": (
        USERS[:200, None],
        RATINGS[:200],
        USERS[PASSED, None].astype("float32"),
        RATINGS[PASSED],
    ),
    "very many, in pairs": (MANY, NOISY, MANY[::50].astype("float32"), NOISY[::50]),
    "more than are read": (
        np.arange(2**21 + 1.0)[:, None],
        np.zeros(2**21 + 1),
        np.arange(64.0)[:, None],
        np.ones(64),
    ),
    "some labels in error": (X, np.where(np.arange(96) % 6 == 0, 2 - Y, Y), *seen()),
    "another number of inputs": ([X, X], Y + 1, *seen()),
    "a number as an input": ([X, X], Y + 1, [seen()[0], np.float32(1)], seen()[1]),
    "no targets": (X, None, *seen()),
    "text": (X.astype(str), Y, *seen()),
}

OTHER = {
    "shuffled": (
        (X, RNG.permutation(Y), *seen()),
        "^4. of 64 compared rows have different targets",
    ),
    "shuffled, of two classes": (
        (X, RNG.permutation(TWO), *seen(y=TWO)),
        "of 64 compared rows have different targets",
    ),
    "two inputs, in another order": (
        ([X, X[::-1]], Y + 1, [X[SEEN], X[::-1][SEEN]], Y[SEEN]),
        "^64 of 64 compared",
    ),
    "shuffled, some rows repeat": (
        (np.r_[X, X[:9]], np.r_[Y, Y[:9]] + 1, *seen()),
        "^5. of 5. compared rows",
    ),
    "in another order": (
        (X, Y[::-1], *seen()),
        r"^45 .*, \d was given, but `fit` used \d$",
    ),
    "encoded otherwise": ((X, Y + 1, *seen()), "^64 of 64 compared"),
    "one-hot": (
        (X, ONE_HOT, *seen()),
        "3 values for each row were given, but `fit` used 1 value",
    ),
    "one of two": (
        (X, {"a": Y, "b": -X}, seen()[0], {"a": Y[SEEN], "b": X[SEEN]}),
        "^64 of 64 compared",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_targets(case):
    assert other_targets(*SAME[case]) is None


@pytest.mark.parametrize("case", OTHER)
def test_other_targets(case):
    rows, said = OTHER[case]
    assert re.search(said, other_targets(*rows) or "")


def fit(given):
    layers = keras.layers
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    doctor = kd.callbacks.TrainingDoctor(X, given, verbose=0)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[doctor])
    return doctor


@pytest.mark.once
def test_a_fit_goes_on_where_warnings_are_errors(caplog):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="The `y` that")
        assert fit(ONE_HOT).record.facts.data.source == "first batches"
    assert "`y` that `TrainingDoctor` was given is not" in caplog.text


@pytest.mark.once
def test_another_process_does_not_say_so(caplog):
    looks = ProbeLooks(X, ONE_HOT, None, 64)
    looks.batches = SimpleNamespace(parts=[1], joined=seen)
    looks._compare_given(TrainingRecord(), Guard(is_silent=True))
    assert looks._given == (None, None, None)
    assert not caplog.text


@pytest.mark.once
def test_the_doctor_says_so_and_goes_on_with_what_passed():
    with pytest.warns(UserWarning, match=r"`y` that `TrainingDoctor` was given is not"):
        doctor = fit(ONE_HOT)
    names = [finding.name for finding in doctor.diagnosis]
    assert "loss_target_mismatch" not in names
    assert doctor.record.facts.data.source == "first batches"
    assert np.isfinite(doctor.record.tables["probe"]["loss"]).all()
    assert fit(Y).record.facts.data.source == "given"  # and warns of nothing
