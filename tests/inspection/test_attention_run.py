"""How attention deals out its weights before and after training."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic._keras.softmax_calls import softmax_calls
from keras_dlbasic.inspection.attention_run import attention_run
from keras_dlbasic.records import ProbeFacts
from keras_dlbasic.records.probe_facts import AttentionFacts

L = keras.layers
X = np.random.default_rng(0).normal(size=(24, 8, 64)).astype("float32")
Y = (X[:, 0, 0] > 0).astype("int32")


class Dots(L.Layer):
    """Self-attention with a scale, and a mask of the last steps."""

    def __init__(self, scale, masked=0):
        super().__init__()
        self.scale, self.masked = scale, masked
        self.query, self.key = L.Dense(64), L.Dense(64)

    def call(self, x):
        scores = ops.matmul(self.query(x), ops.transpose(self.key(x), (0, 2, 1)))
        hidden = ops.cast(ops.arange(8) >= 8 - self.masked, "float32")
        scores = scores * self.scale - 1e9 * hidden
        return ops.matmul(ops.softmax(scores), x)


def attending(scale, masked=0):
    x = keras.Input((8, 64))
    hidden = L.GlobalAveragePooling1D()(Dots(scale, masked)(x))
    model = keras.Model(x, L.Dense(2, "softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("scale", "masked", "entries", "is_decided"),
    [(1 / 8, 0, 8, False), (8.0, 0, 8, True), (1 / 8, 4, 4, False)],
)
def test_scores_of_any_size_with_and_without_a_mask(scale, masked, entries, is_decided):
    (facts,) = attention_run(attending(scale, masked), X)
    assert (facts.entries, facts.is_new) == (entries, True)
    assert facts.layer == "dots" or facts.layer.startswith("dots_")
    assert (facts.decided > 0.8) is is_decided
    assert (facts.spread > 4) is is_decided


def test_three_entries_are_too_few_and_an_output_is_no_attention():
    assert attention_run(attending(8.0, 5), X) == ()
    assert attention_run(keras.Sequential([keras.Input((8,)), L.Dense(5)]), X) == ()


def test_trained_biases_are_not_new():
    model = attending(8.0)
    layer = model.layers[1]
    layer.query.bias.assign(np.full(64, 0.3, "float32"))
    (facts,) = attention_run(model, X)
    assert not facts.is_new


def test_a_softmax_of_ones_own_axis_is_noted_once():
    with softmax_calls() as calls:
        ops.softmax(ops.zeros((2, 3)), axis=0)
    assert [call.axis for call in calls] == [0]
    assert calls[0].layer is None


def test_the_doctor_measures_before_and_after_and_changes_nothing():
    weights = []
    for callbacks in ([], [kd.callbacks.TrainingDoctor(X, Y, verbose=0)]):
        keras.utils.set_random_seed(0)
        model = attending(8.0)
        model.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks)
        weights.append([ops.convert_to_numpy(w) for w in model.weights])
    for plain, watched in zip(*weights, strict=True):
        np.testing.assert_array_equal(plain, watched)
    facts = callbacks[0].record.facts.probe
    assert facts.attention_at_start[0].decided > 0.8
    assert len(facts.attention_at_end) == 1


def test_facts_are_read_as_they_were_written():
    facts = ProbeFacts(
        attention_at_start=(AttentionFacts("look", 8.0, 5.0, 0.9, True),)
    )
    assert ProbeFacts.from_dict(facts.to_dict()) == facts


class Softly(L.Layer):
    """Applies a function of a softmax to what it is given."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


def softly(function, shape=(8, 64)):
    x = keras.Input(shape)
    return keras.Model(x, L.Flatten()(Softly(function)(x))[:, :1])


def attended(x):
    return ops.matmul(ops.softmax(ops.matmul(x, ops.swapaxes(x, -1, -2))), x)


def compiled(x):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(attended)(x)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(attended)(x)
    return ops.vectorized_map(attended, x)


def test_a_softmax_in_a_trace_is_left_out():
    assert attention_run(softly(compiled), X) == ()
    mapped = attention_run(softly(lambda x: ops.vectorized_map(attended, x)), X)
    assert len(mapped) <= 1
    assert len(attention_run(softly(lambda x: ops.map(attended, x)), X)) <= 1


def test_what_cannot_run_gives_none():
    model = softly(attended)
    assert attention_run(model, X[:, :, :5]) is None


def test_many_scores_are_measured_on_fewer_rows_or_not_at_all():
    seen = []

    def look(x):
        seen.append(x.shape[0])
        wide = ops.repeat(x, 128, axis=1)  # 1024 steps of 8
        return ops.mean(attended(wide), axis=1)

    assert len(attention_run(softly(look), X)) == 1
    assert seen[-1] == 4
    longer = softly(lambda x: ops.mean(attended(ops.repeat(x, 300, axis=1)), axis=1))
    assert attention_run(longer, X) is None


def test_only_products_of_activations_are_attention():
    weight = np.ones((64, 8), "float32")
    gate = softly(lambda x: ops.softmax(ops.matmul(x, weight)))
    assert [one.is_attention for one in attention_run(gate, X)] == [False]
    flat = softly(lambda x: ops.softmax(10 * ops.mean(x, axis=1)))
    assert [one.is_attention for one in attention_run(flat, X)] == [False]
    for model in (softly(attended), attending(8.0)):
        assert [one.is_attention for one in attention_run(model, X)] == [True]
    cross = softly(lambda x: ops.softmax(ops.einsum("bqd,bkd->bqk", x[:, :5], x)))
    assert [one.is_attention for one in attention_run(cross, X)] == [True]
