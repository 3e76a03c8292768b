"""A compiled look sees what a run layer by layer sees, and leaves no trace."""

import gc
import random
import weakref

import keras
import numpy as np
import pytest

from keras_dlbasic._keras.joins_rows import joins_rows
from keras_dlbasic.propagation import compiled_look as module
from keras_dlbasic.propagation import layer_activations as looked
from keras_dlbasic.propagation.compiled_look import compiled_look

L = keras.layers
ROWS = 24


def small():
    """What each backend reduces in its own way."""
    x = inputs = keras.Input((6, 6, 3))
    x = L.BatchNormalization()(L.Conv2D(4, 3, activation="relu6")(x))
    return keras.Model(inputs, L.Dense(3, "tanh")(L.Flatten()(x)))


def images():
    x = inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, padding="same", activation="relu6")(x)
    x = L.BatchNormalization()(x)
    frozen = L.BatchNormalization()
    frozen.trainable = False
    x = L.PReLU()(frozen(L.DepthwiseConv2D(3, activation="tanh")(x)))
    x = L.MaxPooling2D()(x)
    x = L.GroupNormalization(2)(L.SeparableConv2D(6, 2, activation="sigmoid")(x))
    x = L.Dropout(0.5)(L.Conv2DTranspose(2, 2, activation="softplus")(x))
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Flatten()(x)))


def words():
    inputs = keras.Input((6,), dtype="int32")
    x = L.Embedding(20, 8, mask_zero=True)(inputs)
    x = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)
    x = L.LayerNormalization()(L.TimeDistributed(L.Dense(8, "gelu"))(x))
    x = L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)])
    x = L.GRU(5)(L.SpatialDropout1D(0.2)(x))
    return keras.Model(inputs, {"b": L.Dense(2)(x), "a": L.Dense(1, "sigmoid")(x)})


def shared():
    """A layer of many calls, of one shape and of several."""
    inputs = [keras.Input((4,)), keras.Input((4,)), keras.Input((3, 4))]
    one, many = L.Dense(5, "tanh"), L.Dense(4, "elu")
    parts = [one(inputs[0]), one(inputs[1]), L.Flatten()(many(inputs[2]))]
    return keras.Model(inputs, L.Dense(1)(L.Concatenate()([*parts, many(inputs[0])])))


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.last = L.Dense(6, "relu"), L.Dense(2)
        self.drop = L.Dropout(0.5)

    def call(self, x, training=False):
        hidden = self.drop(self.first(x), training=True)
        return self.last(keras.ops.tanh(hidden)), hidden


def batch_of(model):
    rng = np.random.default_rng(0)
    shapes = [tensor.shape[1:] for tensor in getattr(model, "inputs", None) or ()]
    drawn = [rng.normal(size=(ROWS, *shape)).astype("float32") for shape in shapes]
    if not shapes:
        return rng.normal(size=(ROWS, 4)).astype("float32")
    if model.inputs[0].dtype == "int32":
        return rng.integers(0, 20, (ROWS, 6)).astype("int32")
    return drawn if len(drawn) > 1 else drawn[0]


def built(make):
    keras.utils.set_random_seed(1)
    model = make()
    if make is Own:
        model(np.ones((2, 4), "float32"))
    return model


def assert_same(seen, expected, tolerance=1e-5):
    assert list(seen.layers) == list(expected.layers)
    for label, said in expected.layers.items():
        scale = np.sqrt(said["variance"]) + abs(said["mean"])
        for measure, value in said.items():
            size = max(abs(value), scale) if measure == "mean" else abs(value)
            np.testing.assert_allclose(
                seen.layers[label][measure], value, atol=tolerance * size, rtol=0,
                err_msg=f"{label} {measure}",
            )  # fmt: skip
    assert list(seen.outputs) == list(expected.outputs)
    for path, tensor in expected.outputs.items():
        np.testing.assert_allclose(
            seen.outputs[path], keras.ops.convert_to_numpy(tensor), rtol=1e-4, atol=1e-5
        )


def state_of(model):
    values = [np.array(keras.ops.convert_to_numpy(v)) for v in model.variables]
    numpy_state = np.random.get_state()[1].tolist()
    return values, random.getstate(), numpy_state, str(model.losses)


# Keras 3.16 says so of recurrent layers whose input has a mask
@pytest.mark.filterwarnings("ignore:.* was passed an input with a mask:UserWarning")
@pytest.mark.parametrize(
    "make",
    [
        small,
        Own,
        pytest.param(shared, marks=pytest.mark.once("tensorflow")),
        pytest.param(images, marks=pytest.mark.once("tensorflow")),
        pytest.param(words, marks=pytest.mark.once("tensorflow")),
    ],
)
def test_it_sees_what_a_run_layer_by_layer_sees(make):
    model = built(make)
    x = batch_of(model)
    before = state_of(model)
    seen = looked.layer_activations(model, x)
    assert seen.eager is None
    np.testing.assert_equal(state_of(model), before)
    assert_same(seen, looked._eager(model, x, 0.025, ""))


def test_half_precision_is_reduced_in_single():
    keras.utils.set_random_seed(1)
    hidden = L.Dense(300, "relu", dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((4,)), hidden, L.Dense(1)])
    x = batch_of(model)
    seen = looked.layer_activations(model, x)
    assert_same(seen, looked._eager(model, x, 0.025, ""))


def dense(width=3):
    keras.utils.set_random_seed(1)
    layers = [L.Dense(width, "relu"), L.BatchNormalization(), L.Dense(1)]
    return keras.Sequential([keras.Input((4,)), *layers])


def test_it_is_traced_once_and_reads_the_weights_as_they_are():
    model, x = dense(), np.ones((6, 4), "float32")
    x[::2] = -1
    first = looked.layer_activations(model, x)
    look = compiled_look(model)
    model.layers[0].kernel.assign(2 * model.layers[0].kernel)
    again = looked.layer_activations(model, x)
    assert compiled_look(model) is look
    assert look.traces == 1
    label = model.layers[0].name
    assert again.layers[label]["variance"] == pytest.approx(
        4 * first.layers[label]["variance"], rel=1e-5
    )


def test_it_is_made_anew_where_the_model_has_changed():
    model, x = dense(), batch_of(dense())
    label = model.layers[1].name
    in_training = looked.layer_activations(model, x).layers[label]["mean"]
    model.layers[1].trainable = False
    frozen = looked.layer_activations(model, x).layers[label]["mean"]
    assert abs(in_training) < 1e-5 < frozen
    model.add(L.Dense(2))
    assert len(looked.layer_activations(model, x).layers) == 4


def test_rows_that_do_not_mix_are_taken_in_pieces(monkeypatch):
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, "tanh"), L.Dense(2)])
    x = batch_of(model)
    whole = looked.layer_activations(model, x)
    monkeypatch.setattr(module, "PIECE", 4 * 8)
    in_pieces = looked.layer_activations(model, x)
    assert compiled_look(model).traces == 2  # all pieces are of one length
    assert_same(in_pieces, whole)


@pytest.mark.parametrize("size", [1e20, 1e-25])
def test_sizes_beyond_single_precision(size):
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, use_bias=False)])
    x = size * batch_of(model)
    seen = looked.layer_activations(model, x)
    assert seen.layers[model.layers[0].name]["variance"] > 0.01 * size**2
    assert "precision" in seen.eager
    assert looked.layer_activations(model, batch_of(model)).eager is None


ops = keras.ops
KEEPS_ROWS = [
    lambda x: ops.relu(x) + 2 * ops.tanh(x),
    lambda x: x - ops.mean(x, axis=-1, keepdims=True),
    lambda x: ops.concatenate([x, x], axis=1),
    lambda x: ops.softmax(x),
    lambda x: L.LayerNormalization()(x),
]
JOINS_ROWS = [
    lambda x: x - ops.mean(x, axis=0, keepdims=True),
    lambda x: x - ops.mean(x, axis=-2, keepdims=True),
    lambda x: x / ops.max(x),
    lambda x: ops.matmul(ops.matmul(x, ops.transpose(x)), x),
    lambda x: ops.softmax(x, axis=0),
    lambda x: L.Softmax(axis=0)(x),
    lambda x: ops.reshape(x, (-1, 2)),
]


def computing(function):
    inputs = keras.Input((4,))
    inner = keras.Input((4,))
    nested = keras.Model(inner, function(L.Dense(4)(inner)))
    return keras.Model(inputs, nested(L.Dense(4, name="first")(inputs)))


@pytest.mark.once
@pytest.mark.parametrize(
    ("function", "joins"),
    [*((f, False) for f in KEEPS_ROWS), *((f, True) for f in JOINS_ROWS)],
)
def test_operations_of_a_functional_model_that_join_rows(function, joins):
    assert joins_rows(computing(function)) == joins


@pytest.mark.once
@pytest.mark.parametrize("make", [images, words, shared])
def test_layers_keep_rows_apart(make):
    assert not joins_rows(built(make))


@pytest.mark.once
def test_rows_that_operations_join_are_taken_at_once(monkeypatch):
    model = computing(JOINS_ROWS[0])
    x = batch_of(model)
    monkeypatch.setattr(module, "PIECE", 4 * 8)
    seen = looked.layer_activations(model, x)
    assert_same(seen, looked._eager(model, x, 0.025, ""))


def bent(model):
    model.layers[0].activation = keras.activations.tanh


def frozen(model):
    model.layers[0].trainable = False


def halved(model):
    model.layers[0].dtype_policy = "mixed_bfloat16"


def recompiled(model):
    model.compile("sgd", "mse")


def longer(model):
    model.add(L.Dense(2))


@pytest.mark.once
@pytest.mark.parametrize("change", [bent, frozen, halved, recompiled, longer])
def test_what_a_compiled_look_hangs_on(change):
    model = dense()
    look = compiled_look(model)
    model.layers[0].kernel.assign(2 * model.layers[0].kernel)  # weights are read anew
    assert compiled_look(model) is look
    change(model)
    assert compiled_look(model) is not look


class Counting(L.Layer):
    """Reads a number on the host, which cannot be traced."""

    def call(self, x):
        return x * float(keras.ops.convert_to_numpy(keras.ops.max(x)) > -1e9)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


def test_what_cannot_be_traced_runs_layer_by_layer():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, "relu"), L.Dense(2)])
    own = keras.Sequential([keras.Input((4,)), Counting(), L.Dense(3)])
    x = batch_of(model)
    is_traced = keras.backend.backend() != "torch"
    for _ in range(2):
        seen = looked.layer_activations(own, x)
        assert (seen.eager is not None) == is_traced
        assert_same(seen, looked._eager(own, x, 0.025, ""))
    model.compile(run_eagerly=True)
    assert "run_eagerly" in looked.layer_activations(model, x).eager


@pytest.mark.once("jax")
def test_a_batch_that_fails_says_nothing_of_the_model():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, "relu"), L.Dense(2)])
    x = batch_of(model)
    with pytest.raises(ValueError, match="incompatible"):
        looked.layer_activations(model, x[:, :3])
    assert looked.layer_activations(model, x).eager is None


def test_the_model_is_let_go():
    model = dense(width=5)
    looked.layer_activations(model, batch_of(model))
    known = weakref.ref(model)
    del model
    gc.collect()
    assert known() is None


@pytest.mark.once
def test_rows_that_mix_are_bounded():
    """They cannot be taken in pieces, so large ones are fewer."""
    inputs = [np.zeros((256, 64, 64, 4), "int8")]
    mixing, plain = dense(), keras.Sequential([keras.Input((4,)), L.Dense(1)])
    assert module.rows_at_once(plain, inputs) == 256
    assert module.rows_at_once(mixing, inputs) == 2**21 // (64 * 64 * 4)
    mixing.layers[1].trainable = False  # then it runs as in inference
    assert module.rows_at_once(mixing, inputs) == 256
