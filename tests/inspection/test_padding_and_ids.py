"""Padding that is read, and ids without a row: what is known of them."""

import keras
import numpy as np
import pytest
from keras import layers as L

import keras_dlbasic as kd
from keras_dlbasic._keras.padding_masks import padding_reader
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.trailing_padding import trailing_padding


def texts(rng, n=80, steps=30, words=40):
    """Return ids of 4 to 8 words, with zeros behind them."""
    x = rng.integers(1, words, (n, steps))
    return np.where(np.arange(steps) < rng.integers(4, 9, (n, 1)), x, 0)


def reader(*layers, words=40, **embedding):
    return keras.Sequential(
        [keras.Input((30,), dtype="int32"), L.Embedding(words, 4, **embedding), *layers]
    )


def functional_with_mask():
    words, known = keras.Input((30,)), keras.Input((30,), dtype="bool")
    hidden = L.LSTM(3)(L.Embedding(40, 4)(words), mask=known)
    return keras.Model([words, known], L.Dense(1)(hidden))


def test_padding_at_the_end(rng):
    x = texts(rng)
    assert trailing_padding(x, is_ids=True) == pytest.approx(0.8, abs=0.05)
    assert trailing_padding(x[:, ::-1], is_ids=True) < 0.05  # in front
    assert trailing_padding(rng.normal(size=(20, 9, 2))) == 0
    values = rng.normal(size=(20, 9, 2))
    values[:, 5:] = -1.0
    assert trailing_padding(values) == pytest.approx(4 / 9)
    assert np.isnan(trailing_padding(rng.normal(size=(20, 9))))  # a table


@pytest.mark.parametrize(
    ("make", "reads"),
    [
        (lambda: reader(L.LSTM(3), L.Dense(1)), True),
        (lambda: reader(L.GRU(3, return_sequences=True), L.SimpleRNN(3)), True),
        (lambda: reader(L.LSTM(3), mask_zero=True), False),
        (lambda: reader(L.Masking(), L.LSTM(3)), False),
        (lambda: reader(L.GRU(3, return_sequences=True), L.Dense(1)), False),
        (lambda: reader(L.GRU(3, go_backwards=True)), False),
        (lambda: reader(L.Bidirectional(L.GRU(3))), False),
        (lambda: reader(L.GlobalAveragePooling1D()), False),
        (functional_with_mask, False),
    ],
)
def test_layers_that_read_padding(make, reads):
    assert (padding_reader(make()) is not None) == reads


def test_ids_beyond_the_vocabulary(rng):
    x, y = texts(rng), rng.integers(0, 2, 80)
    x[3, 0], x[7, 1] = 40, 41
    for words, severity in ((40, ["critical"]), (42, [])):
        model = reader(L.GlobalAveragePooling1D(), L.Dense(1, "sigmoid"), words=words)
        model.compile("sgd", "binary_crossentropy")
        found = kd.preflight(model, x, y)
        named = [f for f in found if f.name == "token_ids_out_of_range"]
        assert [f.severity for f in named] == severity
        assert all("Embedding(42, ...)" in f.remedies[0].code for f in named)


def test_what_comes_between_may_make_other_ids(rng):
    words = keras.Input((30,), dtype="int32")
    inside = L.Lambda(lambda ids: ids % 10, output_shape=(30,))(words)
    model = keras.Model(words, L.GlobalAveragePooling1D()(L.Embedding(10, 4)(inside)))
    facts = data_facts(texts(rng), None, model=model).inputs[0]
    assert facts.vocabulary is None
    assert facts.beyond_vocabulary == 0
