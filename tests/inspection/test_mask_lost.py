"""Masks of padding that a layer does not pass on.

Public reports: abr/keras-lmu#36, keras-team/keras#6194 (custom layers drop the mask).
"""

import keras
import numpy as np
import pytest
from made_runs import edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic._keras.padding_masks import mask_lost, padding_reader

L = keras.layers

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a m")


class Own(L.Layer):
    def __init__(self, passes, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = passes

    def call(self, x):
        return keras.ops.tanh(x)


def of_words(*between, masks=True, reader=None):
    inputs = keras.Input((12,), dtype="int32")
    h = L.Embedding(9, 4, mask_zero=masks)(inputs)
    for layer in between:
        h = layer(h)
    h = (reader or L.LSTM(3, name="reader"))(h)
    return keras.Model(inputs, L.Dense(1)(h))


@pytest.mark.parametrize(
    ("make", "lost"),
    [
        (lambda: of_words(Own(False, name="own")), ("own", "reader")),
        (lambda: of_words(Own(False, name="own"), L.Dense(4)), ("own", "reader")),
        (lambda: of_words(Own(True)), None),
        (lambda: of_words(L.Dense(4), L.Dropout(0.5)), None),
        (lambda: of_words(Own(False), masks=False), None),
        (lambda: of_words(Own(False), reader=L.GlobalMaxPooling1D()), None),
    ],
)
def test_where_it_is_lost(make, lost):
    model = make()
    assert mask_lost(model) == lost
    if lost is not None:
        assert padding_reader(model) == "reader"


def test_a_model_without_a_graph():
    model = keras.Sequential([L.Embedding(9, 4, mask_zero=True), L.LSTM(3)])
    model(np.zeros((2, 5), "int32"))
    assert mask_lost(model) is None


def padded(kind="custom", skill=0.5, **network):
    record = made_run(
        skill=skill,
        reference=0.5,
        inputs={"is_ids": True, "padding": 0.6, "shape": [500, 26]},
    )
    with edited_facts(record) as facts:
        facts["network"].update(padding_reader="lstm", **network)
        facts["network"]["layers"][1].update(kind=kind, label="own")
    return next((f for f in kd.diagnose(record) if f.name == "unmasked_padding"), None)


def test_what_is_said_of_it():
    assert padded() is None  # it has learned not to mind
    finding = padded(mask_lost="own")
    assert finding.severity == "warning"
    assert "lost at 'own'" in finding.message
    assert "supports_masking" in finding.remedies[0].code
    assert padded(skill=0.9, mask_lost="own") is None
    assert padded("conv", mask_lost="own") is None  # it does no harm
