"""How predictions answer to changes, held against models that are known to."""

import keras
import numpy as np
import pytest
from keras import layers as L
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic._keras.padding_masks import makes_masks
from keras_dlbasic._keras.softmax_over_one import softmax_over_one
from keras_dlbasic.inspection.response_facts import response_facts

IDS = np.random.default_rng(0).integers(0, 20, (40, 6))


def of_words(head):
    inputs = keras.Input((6,), dtype="int32")
    return keras.Model(inputs, head(L.Embedding(20, 8)(inputs)))


def asked(model, x=IDS, **options):
    return response_facts(model, x, sequences=(0,), **options)


def attention(**options):
    return lambda h: L.Dense(5)(L.MultiHeadAttention(2, 4)(h, h, **options))


@pytest.mark.parametrize(
    ("head", "knows_order"),
    [
        (attention(), False),
        (lambda h: L.Dense(1)(L.GlobalMaxPooling1D()(h)), False),
        (lambda h: L.Dense(1)(L.GRU(4)(h)), True),
        (lambda h: L.Dense(1)(L.GlobalMaxPooling1D()(L.Conv1D(8, 2)(h))), True),
        (lambda h: L.Dense(1)(L.Flatten()(h)), True),
    ],
)
def test_whether_a_model_knows_the_order_of_steps(head, knows_order):
    assert (asked(of_words(head)).order > 1e-3) == knows_order


@pytest.mark.parametrize(
    ("head", "looks_ahead"),
    [
        (attention(), True),
        (attention(use_causal_mask=True), False),
        (lambda h: L.Conv1D(5, 3, padding="same")(h), True),
        (lambda h: L.Conv1D(5, 3, padding="causal")(h), False),
        (lambda h: L.Bidirectional(L.GRU(4, return_sequences=True))(h), True),
        (lambda h: L.GRU(4, return_sequences=True)(h), False),
    ],
)
def test_whether_a_step_sees_later_ones(head, looks_ahead):
    assert (asked(of_words(head), ahead=0).later_steps > 1e-3) == looks_ahead


@pytest.mark.parametrize(
    ("head", "mixes"),
    [
        (lambda h: L.Dense(2)(L.Softmax(axis=0)(L.Flatten()(h))), True),
        (lambda h: L.Dense(2)(L.BatchNormalization()(L.Flatten()(h))), False),
        (lambda h: L.Dense(2)(L.LayerNormalization()(L.Flatten()(h))), False),
    ],
)
def test_whether_rows_of_a_batch_are_mixed(head, mixes):
    assert (asked(of_words(head)).other_rows > 1e-3) == mixes


class Dropping(keras.Model):
    """A model that drops units whenever it is told to, or always."""

    def __init__(self, dropout, always=True):
        super().__init__()
        self.hidden, self.out = L.Dense(32, "relu"), L.Dense(2)
        self.dropout, self.always = dropout, always

    def call(self, inputs, training=False):
        hidden = self.hidden(inputs)
        drops = True if self.always else training
        return self.out(self.dropout(hidden, training=drops))


def built(model):
    model(np.zeros((2, 4), "float32"))
    return model


def test_dropout_that_drops_in_prediction(rng):
    x = rng.normal(size=(40, 4)).astype("float32")
    found = response_facts(built(Dropping(L.Dropout(0.5, name="drop"))), x)
    assert found.noise > 0.05
    assert found.dropping == "drop"
    assert np.isnan(found.other_rows)  # hidden by what is drawn
    still = response_facts(built(Dropping(L.Dropout(0.5), always=False)), x)
    assert (still.noise, still.dropping) == (0.0, None)


def test_dropout_on_purpose_is_not_held_against_a_model(rng):
    x = rng.normal(size=(40, 4)).astype("float32")
    own = kd.layers.Dropout(0.5, monte_carlo=True)
    assert response_facts(built(Dropping(own)), x).dropping is None


def test_the_state_of_the_model_stays(rng):
    model = built(Dropping(L.Dropout(0.5)))
    before = [ops.convert_to_numpy(v.value) for v in model.variables]
    response_facts(model, rng.normal(size=(40, 4)).astype("float32"))
    after = [ops.convert_to_numpy(v.value) for v in model.variables]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_outputs_that_are_all_alike_and_too_few_rows(rng):
    model = built(Dropping(L.Dropout(0.0), always=False))
    alike = response_facts(model, np.ones((40, 4), "float32"))
    assert np.isnan(alike.other_rows)
    assert alike.spread == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(response_facts(model, np.ones((3, 4), "float32")).noise)


@pytest.mark.once
@pytest.mark.parametrize(
    ("layer", "shape", "is_one"),
    [
        (L.Dense(1, activation="softmax"), (6, 3), True),
        (L.Dense(2, activation="softmax"), (6, 3), False),
        (L.Dense(1, activation="sigmoid"), (6, 3), False),
        (L.Softmax(), (6, 1), True),
        (L.Softmax(axis=1), (6, 1), False),
    ],
)
def test_a_softmax_over_a_single_entry(layer, shape, is_one):
    inputs = keras.Input(shape)
    keras.Model(inputs, layer(inputs))
    assert softmax_over_one(layer) == is_one


@pytest.mark.once
def test_whether_padding_is_masked():
    def masked(is_masked):
        layers = [L.Embedding(9, 4, mask_zero=is_masked), L.GRU(3)]
        return keras.Sequential([keras.Input((5,), dtype="int32"), *layers])

    assert makes_masks(masked(True)) is True
    assert makes_masks(masked(False)) is False
    assert makes_masks(built(Dropping(L.Dropout(0.1)))) is None
