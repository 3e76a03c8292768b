"""Rows whose axes were exchanged by a reshape, in data and in models."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic._keras.exchanged_axes import exchanges_axes, exchanging_reshapes
from keras_dlbasic._keras.seen_in_call import seen_in_call
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.scrambled_axes import scrambled_axes

L = keras.layers


def series(channels=3, steps=40, n=60, seed=0):
    """Return series of channels that wander, `[n, channels, steps]`."""
    return np.random.default_rng(seed).normal(size=(n, channels, steps)).cumsum(axis=2)


def pictures(height=16, width=24, n=60, seed=0):
    """Return smooth pictures in three colors, channels first."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 3, height, 1)).cumsum(axis=2)
    columns = rng.normal(size=(n, 3, 1, width)).cumsum(axis=3)
    return rows + columns + 2 * rng.normal(size=(n, 3, 1, 1))


def turned(x):
    """Return channels last, by a transposition."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


@pytest.mark.parametrize("make", [series, pictures])
def test_a_reshape_is_told_from_a_transposition(make):
    x = make()
    shape = x.shape[1:]
    reshaped = x.reshape(len(x), *shape[1:], shape[0])
    assert scrambled_axes(reshaped) == shape
    assert scrambled_axes(x) is None
    assert scrambled_axes(turned(x)) is None


@given(
    channels=st.integers(2, 6), steps=st.integers(20, 60), seed=st.integers(0, 10**6)
)
def test_whatever_the_number_of_channels(channels, steps, seed):
    x = series(channels, steps, seed=seed)
    # lines that end where those of the other shape do tell nothing
    expected = None if steps % channels == 0 and channels == 2 else (channels, steps)
    found = scrambled_axes(x.reshape(len(x), steps, channels))
    assert found == (channels, steps) or (expected is None and found is None)
    assert scrambled_axes(x) is None
    assert scrambled_axes(turned(x)) is None


@pytest.mark.parametrize(
    "x",
    [
        np.random.default_rng(0).normal(size=(60, 40, 3)),  # nothing is smooth
        series(40, 3),  # smooth along the short axis, as bands of a spectrum are
        series()[:10],
        series().reshape(60, 120),
        np.zeros((60, 40, 3)),
        np.full((60, 40, 3), np.nan),
        series(12, 12).reshape(60, 12, 12),  # a square has one shape
        np.full((60, 40, 3), "a"),
    ],
)
def test_nothing_is_said_without_evidence(x):
    assert scrambled_axes(x) is None


@pytest.mark.parametrize(
    ("before", "after", "exchanged"),
    [
        ((2, 28), (28, 2), True),
        ((3, 8, 8), (8, 8, 3), True),
        ((8, 1), (1, 8), False),
        ((2, 28), (56,), False),
        ((2, 28), (2, 28), False),
        ((2, 28), (14, 4), False),
        ((None, 3), (3, None), False),
    ],
)
def test_shapes_with_axes_in_another_order(before, after, exchanged):
    assert exchanges_axes(before, after) is exchanged


class Turns(keras.Model):
    """Exchanges axes in a call, by a reshape or by a transposition."""

    def __init__(self, way):
        super().__init__()
        self.way = way
        self.last = L.Dense(1)

    def call(self, x):
        if self.way == "reshape":
            x = keras.ops.reshape(x, (-1, 28, 2))
        elif self.way == "heads":
            x = keras.ops.reshape(x, (-1, 2, 7, 4))
            x = keras.ops.reshape(x, (-1, 2, 28))
        else:
            x = keras.ops.transpose(x, (0, 2, 1))
        return self.last(keras.ops.mean(x, axis=1))


@pytest.mark.parametrize("way", ["reshape", "heads", "transpose"])
def test_a_reshape_in_a_call(way):
    model = Turns(way)
    model(np.zeros((2, 2, 28), "float32"))
    reshapes = seen_in_call(model, np.zeros((4, 2, 28), "float32")).reshapes
    assert len(reshapes) == (way == "reshape")
    if reshapes:
        assert reshapes[0].startswith("Turns.call (test_scrambled_axes.py, line ")
        assert reshapes[0].endswith(": (2, 28) to (28, 2)")


def test_reshapes_in_a_graph():
    inputs = keras.Input((2, 28))
    right = L.Permute((2, 1))(inputs)
    wrong = keras.ops.reshape(inputs, (-1, 28, 2))
    model = keras.Model(inputs, L.Dense(1)(L.Flatten()(right + wrong)))
    assert exchanging_reshapes(keras.Model(inputs, L.Flatten()(right))) == []
    (found,) = exchanging_reshapes(model)
    assert found.endswith(": (2, 28) to (28, 2)")
    outer = keras.Sequential([keras.Input((2, 28)), model])
    assert exchanging_reshapes(outer) == [found]


@pytest.mark.once
@pytest.mark.parametrize("fault", ["none", "data", "model"])
def test_the_doctor_names_it(fault):
    """Two channels agree or not: only their values at the same step tell."""
    rng = np.random.default_rng(0)
    x = np.stack([series(1, 29, 400, seed=s)[:, 0] for s in (1, 2)], axis=1)
    x -= x.mean(axis=2, keepdims=True)
    x /= x.std(axis=2, keepdims=True)
    y = rng.integers(0, 2, 400)
    x[:, 1] = np.where(y[:, None] == 1, 1, -1) * x[:, 0] + 0.1 * x[:, 1]
    x = x.astype("float32")
    turn = L.Reshape((29, 2)) if fault == "model" else L.Permute((2, 1))
    layers = [] if fault == "data" else [turn]
    shape = (29, 2) if fault == "data" else (2, 29)
    x = x.reshape(400, *shape)
    keras.utils.set_random_seed(0)
    layers += [L.Conv1D(16, 1, activation="relu"), L.GlobalAveragePooling1D()]
    model = keras.Sequential([keras.Input(shape), *layers, L.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=12, verbose=0, callbacks=[doctor])
    found = [f for f in doctor.diagnosis if f.name == "inputs_scrambled"]
    if fault == "none":
        assert not found
        assert not doctor.diagnosis.at_least("warning")
    else:
        assert doctor.diagnosis[0].name == "inputs_scrambled"
        assert found[0].severity == "critical"  # the run has learned nothing
        text = "transpose(0, 2, 1)" if fault == "data" else "keras.layers.Permute"
        assert text in str(found[0].remedies[0])


def test_axes_of_unknown_length_are_not_exchanged():
    inputs = keras.Input((None, 8))
    model = keras.Model(inputs, L.GRU(3)(L.Reshape((-1, 4))(inputs)))
    assert exchanging_reshapes(model) == []
    model(np.zeros((2, 6, 8), "float32"))
    assert network_facts(model, np.zeros((2, 6, 8), "float32")).exchanged_axes == ()


def test_steps_that_are_folded_into_features_are_meant():
    """As where a resolution is raised: unless it is done to the inputs themselves."""
    inputs = keras.Input((16, 8))
    raised = L.Reshape((64, 16))(L.Conv1D(64, 3, padding="same")(inputs))
    assert exchanging_reshapes(keras.Model(inputs, L.Conv1D(1, 1)(raised))) == []
    turned = L.Reshape((8, 16))(inputs)
    assert exchanging_reshapes(keras.Model(inputs, L.Conv1D(1, 1)(turned)))
    mixed = L.Reshape((24, 16))(L.Conv1D(24, 3, padding="same")(inputs))
    assert exchanging_reshapes(keras.Model(inputs, L.Conv1D(1, 1)(mixed)))


def test_what_jumps_where_the_steps_of_the_given_shape_end_is_right():
    """Channels of a step that are alike, as bands of a spectrum, are no series."""
    rng = np.random.default_rng(0)
    levels = rng.normal(size=(60, 40, 1)) + 0.05 * rng.normal(size=(60, 40, 6))
    assert scrambled_axes(levels) is None


def test_what_is_as_smooth_in_the_given_shape_is_right():
    """Phases with a level each may be those of a series, or its channels."""
    rng = np.random.default_rng(0)
    phases = np.repeat(rng.normal(size=(60, 3)), 40, axis=1)
    phases += 0.1 * rng.normal(size=phases.shape)
    assert scrambled_axes(phases.reshape(60, 40, 3)) is None


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        (STUCK, "critical"),
        ({}, "info"),  # a good run does not need the order
        ({"end_loss": 0.9, "skill": 0.3}, "warning"),
        ({"facts": {"probe": None}}, "info"),  # whether it is good is not known
    ],
)
def test_a_reshape_in_the_model_counts_where_the_run_is_poor(change, severity):
    record = made_run(**change)
    with edited_facts(record) as facts:
        facts["network"]["exchanged_axes"] = ["turn: (2, 28) to (28, 2)"]
    found = [f for f in kd.diagnose(record) if f.name == "inputs_scrambled"]
    assert [f.severity for f in found] == [severity]
