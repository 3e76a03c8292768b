"""What batches tell: their order, their weights, and which rows were held out."""

import keras
import numpy as np
import pytest

from keras_dlbasic.inspection.batch_facts import batch_facts
from keras_dlbasic.inspection.held_out import HeldOut, held_out
from keras_dlbasic.inspection.id_inputs import id_inputs
from keras_dlbasic.inspection.weight_facts import weight_facts
from keras_dlbasic.records import BatchFacts

L = keras.layers


def split(values, size=16):
    return [values[i : i + size] for i in range(0, len(values), size)]


def test_classes_of_batches(rng):
    y = np.repeat(np.arange(6), 40)
    facts = batch_facts(split(np.eye(6)[y]))
    assert facts.classes[:3] == ((0,), (0,), (0, 1))
    assert (facts.n_batches, facts.n_rows) == (15, 240)
    assert facts.class_chance < -30
    mixed = batch_facts(split(rng.permutation(y)[:, None]))
    assert mixed.class_chance > -2
    assert mixed.classes_per_batch == pytest.approx(mixed.expected_classes, rel=0.1)
    assert BatchFacts.from_dict(facts.to_dict()) == facts


def test_the_output_in_order_is_told(rng):
    noise = rng.normal(size=240)
    pairs = zip(split(noise), split(np.sort(noise)), strict=True)
    batches = [{"a": a, "b": b} for a, b in pairs]
    facts = batch_facts(batches)
    assert facts.value_chance < -30
    assert facts.within < 0.1 < facts.expected_within


def test_batches_without_targets_and_of_many_columns(rng):
    assert batch_facts([None] * 5) == BatchFacts(n_batches=5)
    masks = batch_facts(split(rng.normal(size=(64, 3, 3, 2)), 8))
    assert (masks.n_rows, masks.classes) == (64, None)


def test_weights_by_class():
    y = [np.array([0, 1, 2, 2]), np.array([2, 2, 1, 0])]
    table = np.array([1.0, 3.0, 0.0])
    (facts,) = weight_facts(y, [table[batch] for batch in y])
    assert facts.by_class == (1.0, 3.0, 0.0)
    assert (facts.counts, facts.zeros) == ((2, 2, 4), 0.5)
    assert facts.weighted_shares == (0.25, 0.75, 0.0)
    assert weight_facts(y, [None, None]) == ()
    one_hot = [np.eye(3)[batch] for batch in y]
    assert weight_facts(one_hot, [table[b][:, None] for b in y])[0].by_class == (
        facts.by_class
    )


def test_weights_of_positions():
    y = [np.array([[3, 1, 0, 0], [2, 2, 1, 0]])]
    (facts,) = weight_facts(y, [(y[0] > 0).astype(float)])
    assert not facts.per_row
    assert facts.by_class == (0.0, 1.0, 1.0, 1.0)


def test_weights_of_several_outputs():
    y = [{"a": np.array([0, 1]), "b": np.array([0.5, 0.25])}]
    facts = weight_facts(y, [{"a": np.array([0.0, 1.0]), "b": np.array([1.0, 1.0])}])
    assert [f.name for f in facts] == ["a", "b"]
    assert facts[0].by_class == (0.0, 1.0)
    assert facts[1].by_class is None


ROWS = np.arange(1000.0).reshape(250, 4)
KNOWN = {"steps": 7, "batch_size": 32, "n_validated": 50}


def test_the_tail_is_held_out(rng):
    shuffled = ROWS[:200][rng.permutation(200)[:96]].astype("float32")
    assert held_out(ROWS, shuffled, **KNOWN) == HeldOut(200, 200)
    unknown = {**KNOWN, "n_validated": None}
    assert held_out(ROWS, shuffled, **unknown) == HeldOut(193, 224)


@pytest.mark.parametrize(
    "changes",
    [{"n_validated": 60}, {"steps": 8}, {"steps": None}, {"batch_size": None}],
)
def test_what_does_not_add_up(changes):
    assert held_out(ROWS, ROWS[:96], **{**KNOWN, **changes}) is None


def test_other_splits_are_not_taken_for_it(rng):
    at_random = ROWS[rng.permutation(250)[:96]]
    assert held_out(ROWS, at_random, **KNOWN) is None
    assert held_out(ROWS, ROWS[:20], **KNOWN) is None  # may be luck
    assert held_out(ROWS, ROWS[:96] + 0.5, **KNOWN) is None  # augmented
    assert held_out(ROWS, ROWS[:96, :2], **KNOWN) is None
    words = ROWS.astype(str)
    assert held_out(words, words[:96], **KNOWN) is None


def test_all_rows_were_trained():
    for n_validated in (None, 50):
        known = {"steps": 8, "batch_size": 32, "n_validated": n_validated}
        assert held_out(ROWS, ROWS[:96], **known) is None


def test_inputs_of_an_embedding(rng):
    words, tags = keras.Input((5,), name="words"), keras.Input((3,), name="tags")
    cast = L.Reshape((5,))(words)
    seen = L.GlobalAveragePooling1D()(L.Embedding(50, 4)(cast))
    model = keras.Model([words, tags], L.Dense(1)(L.concatenate([seen, tags])))
    ids, counts = rng.integers(0, 50, (9, 5)), rng.integers(0, 50, (9, 3))
    assert id_inputs(model, [("0", ids), ("1", counts)]) == [True, False]
    by_name = [("tags", counts), ("words", ids.astype(float))]
    assert id_inputs(model, by_name) == [False, True]
    stack = keras.Sequential([keras.Input((5,)), L.Embedding(50, 4), L.Flatten()])
    assert id_inputs(stack, [("0", ids)]) == [True]
    dense = keras.Sequential([keras.Input((5,)), L.Dense(4)])
    assert id_inputs(dense, [("0", ids)]) == [False]


def test_ids_of_a_model_without_a_graph(rng):
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.dense = L.Embedding(50, 4), L.Dense(1)

        def call(self, x):
            return self.dense(keras.ops.mean(self.embedding(x), axis=1))

    model = Reader()
    model(np.zeros((2, 5), "int32"))
    ids = rng.integers(0, 50, (9, 5))
    assert id_inputs(model, [("0", ids)]) == [True]
    assert id_inputs(model, [("0", ids + 0.5)]) == [False]
    assert id_inputs(model, [("0", ids + 1000)]) == [False]
