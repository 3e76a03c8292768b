"""Steps in the middle of sequences that a mask hides."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.mask_value import mask_value
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.masked_inside import masked_inside, without_masked

L = keras.layers
IDS = np.array([[0, 5, 0, 7, 0, 0], [3, 3, 3, 3, 3, 0], [0, 0, 0, 0, 0, 0]])


def test_padding_at_the_ends_is_not_inside():
    assert masked_inside(IDS, 0.0, is_ids=True) == pytest.approx(1 / 8)
    values = np.repeat(IDS[..., None], 2, axis=2).astype("float32")
    assert masked_inside(values, 0.0) == pytest.approx(1 / 8)
    values[0, 2, 1] = 1.0  # one of two columns is no mask
    assert masked_inside(values, 0.0) == 0.0


@pytest.mark.parametrize(
    ("x", "value", "ids"),
    [
        (IDS, None, True),
        (IDS, 0.0, False),
        (IDS[:0], 0.0, True),
        (IDS[2:], 0.0, True),
        (IDS.astype(str), 0.0, True),
    ],
)
def test_what_is_no_masked_sequence(x, value, ids):
    assert np.isnan(masked_inside(x, value, is_ids=ids))


@pytest.mark.parametrize(
    ("first", "ids", "expected"),
    [
        (lambda: L.Embedding(9, 2, mask_zero=True), True, 0.0),
        (lambda: L.Embedding(9, 2), True, None),
        (lambda: L.Masking(-1.0), False, -1.0),
        (lambda: L.Masking(-1.0), True, None),
    ],
)
def test_the_value_that_a_model_masks(first, ids, expected):
    shape = (None,) if isinstance(first(), L.Embedding) else (None, 2)
    model = keras.Sequential([keras.Input(shape), first(), L.LSTM(2)])
    assert mask_value(model, ids=ids) == expected


def test_it_is_read_with_the_data():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (200, 10)).astype("int32")
    inputs = keras.Input((10,), dtype="int32")
    hidden = L.GRU(2)(L.Embedding(3, 2, mask_zero=True)(inputs))
    model = keras.Model(inputs, L.Dense(1)(hidden))
    facts = data_facts(x, rng.normal(size=(200, 1)), model=model)
    assert facts.inputs[0].masked_inside == pytest.approx(0.25, abs=0.06)


def test_what_a_mask_leaves_of_sequences():
    x = np.array([[0.0, 5.0, 0.0, 7.0], [1.0, 2.0, 3.0, 0.0]])[..., None]
    packed = [[5.0, 7.0, 0.0, 0.0], [1.0, 2.0, 3.0, 0.0]]
    assert without_masked(x, 0.0)[..., 0].tolist() == packed
    ends = [[0.0, 0.0, 5.0, 7.0], [0.0, 1.0, 2.0, 3.0]]
    assert without_masked(x, 0.0, at_end=True)[..., 0].tolist() == ends
    assert without_masked(x, 7.0)[0, :, 0].tolist() == [0.0, 5.0, 0.0, 0.0]


def test_padding_in_front_hides_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 12, 1)).astype("float32")
    x[np.arange(12)[None] < rng.integers(0, 8, 300)[:, None]] = 0
    y = (x[:, -1] - x[:, -2]).astype("float32")
    model = keras.Sequential([keras.Input((12, 1)), L.Masking(0.0), L.GRU(8)])
    model.add(L.Dense(1))
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=3, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.probe.masked_reference > 0.9
    assert "masked_data" not in doctor.diagnosis.names


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_mask_that_hides_when_something_happened(value):
    rng = np.random.default_rng(0)
    place = rng.integers(0, 12, 300)
    x = np.zeros((300, 12, 1), "float32")
    x[np.arange(300), place] = 1.0
    y = (place / 12).astype("float32")[:, None]
    model = keras.Sequential([keras.Input((12, 1)), L.Masking(value), L.GRU(8)])
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=4, verbose=0, callbacks=[doctor])
    probe = doctor.record.facts.probe
    assert max(probe.references.values()) > 0.9
    found = {f.name: f for f in doctor.diagnosis.at_least("warning")}
    if value:
        assert probe.masked_reference > 0.9
        assert "masked_data" not in found
        return
    assert probe.masked_reference < 0.1
    assert "The mask hides what the targets depend on" in found["masked_data"].message
    assert "order_is_lost" not in found
