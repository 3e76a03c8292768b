"""Initialize, LSUV and pruning."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.fans import model_kernels

L = keras.layers


def array(variable):
    return np.asarray(keras.ops.convert_to_numpy(variable.value), np.float64)


ZEROS = {"kernel_initializer": "zeros"}  # it is drawn anew; JAX compiles each draw
PARTS = {"depthwise_initializer": "zeros", "pointwise_initializer": "zeros"}
RECURRENT = {**ZEROS, "recurrent_initializer": "zeros"}
CASES = [
    (L.Conv2D(64, 3, **ZEROS), (8, 8, 32), [(9 * 32, 9 * 64)]),
    (L.Conv2D(64, 3, groups=4, **ZEROS), (8, 8, 32), [(9 * 8, 9 * 16)]),
    (L.Conv2DTranspose(64, 4, strides=2, **ZEROS), (8, 8, 32), [(4 * 32, 16 * 64)]),
    (L.Conv1DTranspose(64, 3, **ZEROS), (8, 32), [(3 * 32, 3 * 64)]),
    (
        L.DepthwiseConv2D(3, depth_multiplier=2, depthwise_initializer="zeros"),
        (8, 8, 300),
        [(9, 18)],
    ),
    (L.SeparableConv2D(80, 5, **PARTS), (8, 8, 60), [(25, 25), (60, 80)]),
    (L.EinsumDense("ab,bcd->acd", (20, 30), **ZEROS), (40,), [(40, 600)]),
    (L.EinsumDense("abc,bcd->abd", (30, 50), **ZEROS), (30, 40), [(40, 50)]),
    (L.Embedding(100, 50, embeddings_initializer="zeros"), (8,), [(1, 50)]),
    (L.LSTM(40, **RECURRENT), (5, 30), [(30, 40), (40, 40)]),
    (L.GRU(40, **RECURRENT), (5, 30), [(30, 40), (40, 40)]),
    (
        L.MultiHeadAttention(4, 15, **ZEROS),
        (5, 40),
        [(60, 40), (40, 60), (40, 60), (40, 60)],
    ),
]


@pytest.mark.once
@pytest.mark.parametrize(
    ("layer", "shape", "fans"), CASES, ids=lambda case: getattr(case, "name", None)
)
def test_fans_and_law(layer, shape, fans):
    inputs = keras.Input(shape)
    attention = isinstance(layer, L.MultiHeadAttention)
    outputs = layer(inputs, inputs) if attention else layer(inputs)
    model = keras.Model(inputs, outputs)
    law = kd.initializers.XavierNormal()
    new = kd.remedies.initialize(model, law, recurrent=True, seed=0)
    found = list(model_kernels(new))
    assert sorted((k.fan_in, k.fan_out) for _, k in found) == sorted(fans)
    for _, k in found:
        values = array(k.variable).ravel()
        sigma = np.sqrt(2 / (k.fan_in + k.fan_out))
        assert values.std() == pytest.approx(sigma, rel=4 / np.sqrt(2 * values.size))


@pytest.mark.once
def test_signal_survives_a_transposed_convolution():
    inputs = keras.Input((12, 12, 32))
    outputs = L.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(
        inputs
    )
    model = keras.Model(inputs, outputs)
    law = kd.initializers.HeNormal()
    x = np.random.default_rng(0).normal(size=(2, 12, 12, 32))
    (layer,) = kd.propagation_report(
        kd.remedies.initialize(model, law, seed=0), x
    ).layers
    assert layer.preactivation_variance == pytest.approx(2.0, rel=0.2)


@pytest.mark.once
def test_auto_takes_the_activation_that_follows():
    model = keras.Sequential(
        [
            keras.Input((200,)),
            L.Dense(200),
            L.BatchNormalization(),
            L.ReLU(),
            L.Dense(200, "sigmoid"),
            L.Dense(200),
        ]
    )
    new = kd.remedies.initialize(model, seed=0)
    sigmas = [array(k.variable).std() for _, k in model_kernels(new)]
    expected = [np.sqrt(2 / 200), 4 * np.sqrt(1 / 200), np.sqrt(1 / 200)]
    np.testing.assert_allclose(sigmas, expected, rtol=0.02)
    assert not np.array_equal(model.get_weights()[0], new.get_weights()[0])


@pytest.mark.once
def test_recurrent_kernels_stay_orthogonal_and_copies_are_copies():
    model = keras.Sequential([keras.Input((5, 30)), L.LSTM(40)])
    model.compile(optimizer="adam", loss="mse")
    kernel = model.get_weights()[1]
    new = kd.remedies.initialize(model, seed=0)
    np.testing.assert_array_equal(new.get_weights()[1], kernel)
    assert new.compiled
    assert kd.remedies.initialize(model, seed=0, in_place=True) is model
    np.testing.assert_array_equal(model.get_weights()[0], new.get_weights()[0])


@pytest.mark.once
def test_biases_go_to_zero_but_those_of_gates():
    layers = [
        L.LSTM(4),
        L.Dense(3, "relu", bias_initializer="ones"),
        L.BatchNormalization(beta_initializer="ones"),
    ]
    model = keras.Sequential([keras.Input((5, 2)), *layers])
    kept = kd.remedies.initialize(model, seed=0)
    new = kd.remedies.initialize(model, seed=0, zero_biases=True)
    for name, copy, bias in (("kept", kept, 1.0), ("zero", new, 0.0)):
        assert np.all(copy.layers[1].get_weights()[1] == bias), name
    for copy in (kept, new):
        gates = copy.layers[0].get_weights()[2]
        np.testing.assert_array_equal(gates, model.layers[0].get_weights()[2])
        assert gates.max() == 1
        assert np.all(copy.layers[2].get_weights()[1] == 1)


def test_initialize_errors():
    model = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    with pytest.raises(ValueError, match="'he'"):
        kd.remedies.initialize(model, "he")
    with pytest.raises(ValueError, match="not built"):
        kd.remedies.initialize(keras.Sequential([L.Dense(1)]))


@pytest.mark.once
def test_lsuv():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            L.Conv2D(12, 3, activation="relu", kernel_initializer="ones"),
            L.Flatten(),
            L.Dense(
                30, "tanh", kernel_initializer=keras.initializers.RandomNormal(9.0)
            ),
            L.Dense(5),
        ]
    )
    x = np.random.default_rng(0).normal(2, 3, size=(64, 6, 6, 2))
    new = kd.remedies.lsuv(model, x, seed=0)
    for layer in kd.propagation_report(new, x).layers:
        assert layer.preactivation_variance == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="rescaling its kernel does not change"):
        kd.remedies.lsuv(model, np.zeros((4, 6, 6, 2)))


@pytest.mark.once
def test_lsuv_that_does_not_come_to_an_end_says_so():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    model.layers[0].bias.assign([-9.0, 0.0, 9.0])
    with pytest.warns(UserWarning, match="its bias is not rescaled"):
        kd.remedies.lsuv(model, np.random.default_rng(0).normal(size=(32, 4)), seed=0)
    with pytest.raises(ValueError, match="max_iterations=0"):
        kd.remedies.lsuv(model, np.ones((2, 4)), max_iterations=0)


def pruned_pair(threshold=1e-2):
    inputs = keras.Input((8, 8, 3))
    hidden = L.Conv2D(8, 3)(inputs)
    hidden = L.MaxPooling2D()(L.ReLU()(L.BatchNormalization()(hidden)))
    hidden = L.Dropout(0.3)(L.Flatten()(L.Conv2D(6, 2, activation="tanh")(hidden)))
    outputs = L.Dense(2)(L.Dense(5, "relu")(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="mse")
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.set_weights(
                [generator.uniform(0.5, 2, w.shape) for w in layer.get_weights()]
            )
        if hasattr(layer, "kernel") and layer is not model.layers[-1]:
            kernel, bias = layer.get_weights()
            kernel[..., ::2] = 0
            layer.set_weights([kernel, generator.normal(size=bias.shape)])
    return model, kd.remedies.prune_units(model, threshold)


@pytest.mark.once
def test_pruning_keeps_the_function():
    model, small = pruned_pair()
    x = np.random.default_rng(1).normal(size=(5, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(
        small.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5
    )
    sizes = [
        layer.kernel.shape[-1] for layer in small.layers if hasattr(layer, "kernel")
    ]
    assert sizes == [4, 3, 2, 2]
    assert small.compiled
    assert model.layers[1].filters == 8


@pytest.mark.once
def test_layers_that_feed_a_sum_stay():
    inputs = keras.Input((4,))
    hidden = L.Dense(4, "relu", kernel_initializer="zeros")(inputs)
    outputs = L.Dense(1)(L.Add()([inputs, hidden]))
    model = keras.Model(inputs, outputs)
    with pytest.warns(UserWarning, match="4 of 'dense.*go into 'add.*class Add"):
        assert kd.remedies.prune_units(model).count_params() == model.count_params()


def with_dead_units(model):
    generator = np.random.default_rng(0)
    for layer in model.layers:
        weights = [generator.normal(size=w.shape) for w in layer.get_weights()]
        if hasattr(layer, "kernel") and len(layer.kernel.shape) > 1:
            weights[0][..., 1::2] *= 1e-4
        if isinstance(layer, L.BatchNormalization):
            weights = [abs(w) + 0.5 for w in weights]
        layer.set_weights(weights)
    return model


@pytest.mark.once
def test_branches_that_end_in_kernels():
    inputs = keras.Input((9, 3))
    hidden = L.BatchNormalization()(L.Conv1D(8, 3)(inputs))
    one = L.Conv1D(4, 2, activation="relu")(L.ReLU()(hidden))
    two = L.Dense(6, "tanh")(L.Dropout(0.5)(hidden))
    three = L.Dense(5)(L.Flatten()(hidden))
    four = L.Dense(5, use_bias=False)(L.GlobalMaxPooling1D()(two))
    outputs = [L.Dense(2)(L.Flatten()(one)), L.Softmax()(three), four]
    model = with_dead_units(keras.Model(inputs, outputs))
    small = kd.remedies.prune_units(model)
    sizes = {
        layer.name: layer.kernel.shape[-1]
        for layer in small.layers
        if layer.weights and hasattr(layer, "kernel")
    }
    kernels = [layer for layer in model.layers if hasattr(layer, "kernel")]
    whole = {layer.name: layer.kernel.shape[-1] for layer in kernels}
    cut = {name: size for name, size in sizes.items() if size != whole[name]}
    assert sorted(cut.values()) == [2, 4]  # of `one` and the trunk, read by three
    x = np.random.default_rng(1).normal(size=(4, 9, 3)).astype("float32")
    for got, expected in zip(
        small.predict(x, verbose=0), model.predict(x, verbose=0), strict=True
    ):
        np.testing.assert_allclose(got, expected, atol=0.02)


@pytest.mark.once
@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda h: L.Dense(2)(L.Concatenate()([h, h])), "class Concatenate"),
        (lambda h: [h, L.Dense(2)(h)], "outputs of the model"),
        (lambda h: L.Dense(2)(L.LayerNormalization()(h)), "class LayerNormalization"),
        (lambda h: L.Dense(2)(L.Softmax()(h)), "class Softmax"),
        (lambda h: L.Dense(2)(keras.ops.sin(h)), "class Sin"),
        (lambda h: L.Dense(2)(L.Activation("softmax")(h)), "may couple units"),
    ],
)
def test_units_that_stay_are_named(build, reason):
    inputs = keras.Input((4,))
    hidden = L.Dense(6, name="wide")(inputs)
    model = with_dead_units(keras.Model(inputs, build(hidden)))
    with pytest.warns(UserWarning, match=f"3 of 'wide': .*{reason}"):
        small = kd.remedies.prune_units(model)
    assert small.count_params() == model.count_params()


@pytest.mark.once
def test_one_unit_stays():
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(3, kernel_initializer="zeros"), L.Dense(1)]
    )
    assert kd.remedies.prune_units(model).layers[0].units == 1


@pytest.mark.once
def test_prune_errors():
    with pytest.raises(ValueError, match="threshold=2"):
        kd.remedies.prune_units(keras.Sequential([keras.Input((2,)), L.Dense(1)]), 2)


@pytest.mark.once
def test_group_lasso_leads_to_units_that_can_go():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
    y = np.maximum(x[:, :1], 0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(16, "relu", kernel_regularizer=kd.regularizers.GroupLasso(0.05)),
            L.Dense(1),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    model.fit(x, y, batch_size=32, epochs=60, verbose=0)
    small = kd.remedies.prune_units(model, 0.05)
    assert small.layers[0].units <= 12
    np.testing.assert_allclose(
        small.predict(x, verbose=0), model.predict(x, verbose=0), atol=0.05
    )


@pytest.mark.once
def test_a_sigmoid_that_is_an_output_starts_unsure():
    """Hidden sigmoids need large weights; an output with them is too sure at once."""
    layers = [keras.layers.Dense(400, "sigmoid"), keras.layers.Dense(300, "sigmoid")]
    model = keras.Sequential([keras.Input((500,)), *layers])
    new = kd.remedies.initialize(model, seed=0)
    hidden, last = (keras.ops.convert_to_numpy(la.kernel).std() for la in new.layers)
    assert last == pytest.approx(np.sqrt(2 / 700), rel=0.05)
    assert hidden > 3 * np.sqrt(2 / 900)
