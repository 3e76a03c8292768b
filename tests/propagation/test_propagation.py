"""The signal-propagation report, against theory and against plain computations."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.propagation import backward
from keras_dlbasic.propagation.probe import run_probe

laws = kd.initializers


def deep(activation, law, width, depth, seed=0):
    def kernel(i):
        return law(seed=1000 * seed + i)

    layers = [
        keras.layers.Dense(width, activation, kernel_initializer=kernel(i))
        for i in range(depth)
    ]
    last = keras.layers.Dense(10, kernel_initializer=kernel(depth))
    return keras.Sequential([keras.Input((width,)), *layers, last])


def data(width, n=16):
    return np.random.default_rng(0).normal(size=(n, width))


@pytest.mark.once
def test_xavier_and_relu_halve():
    report = kd.propagation_report(deep("relu", laws.XavierNormal, 512, 50), data(512))
    assert report.forward.kind == report.backward.kind == "exponential"
    assert report.forward.factor == pytest.approx(0.5, abs=0.03)
    assert report.backward.factor == pytest.approx(0.5, abs=0.03)
    assert report.layers[0].backward_verdict == "vanishing"
    assert report.layers[-1].forward_verdict == "vanishing"


@pytest.mark.once
def test_xavier_and_tanh_fall_as_a_power_of_depth():
    report = kd.propagation_report(deep("tanh", laws.XavierNormal, 512, 50), data(512))
    assert report.forward.kind == report.backward.kind == "power_law"
    assert -1.6 < report.forward.exponent < -0.6  # theory: -1
    assert {layer.forward_verdict for layer in report.layers} <= {"ok", "shrinking"}


@pytest.mark.once
def test_he_and_relu_are_constant():
    report = kd.propagation_report(deep("relu", laws.HeNormal, 512, 50), data(512))
    assert report.forward.kind == report.backward.kind == "constant"
    assert all(layer.forward_verdict == "ok" for layer in report.layers)
    assert report.spread < 1
    assert "narrow" not in str(report)


@pytest.mark.once
def test_narrow_layers_are_said_to_wander():
    report = kd.propagation_report(deep("relu", laws.HeNormal, 64, 50), data(64))
    assert report.spread > 1
    assert "chance alone" in str(report)
    assert "expectation" in str(report)


def test_numbers_are_those_of_the_model():
    model = deep("relu", laws.HeNormal, 16, 2)
    x = data(16).astype("float32")
    report = kd.propagation_report(model, x)
    w, b = (np.asarray(v, np.float64) for v in model.layers[0].get_weights())
    z = x @ w + b
    first = report.layers[0]
    assert first.preactivation_variance == pytest.approx(z.var(), rel=1e-4)
    assert first.activation_variance == pytest.approx(np.maximum(z, 0).var(), rel=1e-4)
    expected = 16 * (w**2).mean() * (x.astype(np.float64) ** 2).mean()
    assert first.expected_preactivation == pytest.approx(expected, rel=1e-5)
    assert first.fan_in == 16


def hidden_and_sent(model, x, y):
    """Return the hidden layer, what follows it, and the gradient at the outputs."""
    (w1, b1), (w2, b2) = (layer.get_weights() for layer in model.layers)
    hidden = np.tanh(x @ w1 + b1)
    return hidden, w2, 2 * (hidden @ w2 + b2 - y) / y.size


def test_gradients_are_those_of_the_loss():
    model = deep("tanh", laws.XavierNormal, 8, 1)
    model.compile(optimizer="sgd", loss="mse")
    x, y = data(8).astype("float32"), data(10).astype("float32")
    report = kd.propagation_report(model, x, y)
    a, w2, sent = hidden_and_sent(model, x, y)
    assert report.gradient_source == "loss"
    assert report.layers[1].gradient_variance == pytest.approx(
        np.mean(sent**2), rel=1e-3
    )
    back = (sent @ w2.T) * (1 - a**2)
    assert report.layers[0].gradient_variance == pytest.approx(
        np.mean(back**2), rel=1e-3
    )


@pytest.mark.parametrize(
    "penalty", [kd.regularizers.L2(1.0), keras.regularizers.L1(1.0)]
)
def test_penalties_of_weights_do_not_reach_the_signal(penalty):
    model, penalised = (deep("tanh", laws.XavierNormal, 8, 1) for _ in range(2))
    penalised.layers[0].kernel.regularizer = penalty
    reports = []
    for each in (model, penalised):
        each.compile(optimizer="sgd", loss="mse")
        reports.append(kd.propagation_report(each, data(8), data(10)))
    for one, other in zip(*(report.layers for report in reports), strict=True):
        assert one.gradient_variance == pytest.approx(other.gradient_variance)


def test_penalties_of_activities_are_part_of_the_loss():
    model = deep("tanh", laws.XavierNormal, 8, 1)
    model.layers[0].activity_regularizer = keras.regularizers.L2(0.5)
    model.compile(optimizer="sgd", loss="mse")
    x, y = data(8).astype("float32"), data(10).astype("float32")
    report = kd.propagation_report(model, x, y)
    a, w2, sent = hidden_and_sent(model, x, y)
    back = (sent @ w2.T + a / len(x)) * (1 - a**2)  # Keras divides by the batch
    assert report.layers[0].gradient_variance == pytest.approx(
        np.mean(back**2), rel=1e-3
    )


def branched():
    inputs = keras.Input((8, 8, 3))
    hidden = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    branch = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)(hidden)
    branch = keras.layers.BatchNormalization()(branch)
    hidden = keras.layers.ReLU()(keras.layers.Add()([hidden, branch]))
    hidden = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(hidden))
    outputs = keras.layers.Dense(3, "softmax")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model


@pytest.mark.once
def test_branches_and_nothing_changed():
    model = branched()
    x = np.random.default_rng(0).normal(size=(6, 8, 8, 3))
    before = [np.array(w) for w in model.get_weights()]
    state = np.random.get_state()[1].copy()
    report = kd.propagation_report(model, x, np.zeros(6))
    assert [s.activation for s in report.layers if s.activation] == [
        "relu",
        "relu",
        "softmax",
    ]
    assert all(layer.gradient_variance > 0 for layer in report.layers)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    assert all("call" not in vars(layer) for layer in model.layers)
    assert model.evaluate(x, np.zeros(6), verbose=0) > 0


@pytest.mark.once
def test_recurrent_attention_and_embedding():
    inputs = keras.Input((7,))
    hidden = keras.layers.Embedding(20, 8)(inputs)
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))(
        hidden
    )
    hidden = keras.layers.MultiHeadAttention(2, 4)(hidden, hidden)
    model = keras.Model(inputs, keras.layers.GRU(3)(hidden))
    report = kd.propagation_report(model, np.arange(14).reshape(2, 7))
    assert len(report.layers) == 4
    embedding = report.layers[0]
    assert embedding.expected_preactivation == pytest.approx(
        embedding.preactivation_variance, rel=0.4
    )
    assert all(np.isfinite(layer.gradient_variance) for layer in report.layers)


class Twice(keras.Model):
    """A subclassed model that calls one layer twice."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4, "tanh")

    def call(self, x):
        return self.dense(self.dense(x))


@pytest.mark.once
def test_subclassed_model_with_a_shared_layer():
    model = Twice()
    model(np.ones((1, 4), "float32"))
    (probe,) = run_probe(model, np.ones((2, 4), "float32"))
    assert len(probe.outputs) == 2
    assert len(kd.propagation_report(model, data(4)).layers) == 1


@pytest.mark.once
def test_layer_as_activation():
    dense = keras.layers.Dense(4, activation=keras.layers.LeakyReLU(0.3))
    model = keras.Sequential([keras.Input((4,)), dense])
    (probe,) = run_probe(model, data(4).astype("float32"))
    assert probe.activation == "leaky_relu"
    z, a = (
        np.asarray(keras.ops.convert_to_numpy(t))
        for t in (probe.preactivations[0], probe.outputs[0])
    )
    np.testing.assert_allclose(a, np.where(z > 0, z, 0.3 * z), rtol=1e-5)


@pytest.mark.once
@pytest.mark.parametrize(
    ("activation", "law", "scale"),
    [
        ("relu", laws.XavierNormal, np.sqrt(1 / 2)),
        ("relu", laws.HeNormal, 1.0),
        ("sigmoid", laws.XavierUniform, 1 / 4),
        ("tanh", laws.HeNormal, np.sqrt(2)),
    ],
)
def test_kernels_against_the_law_that_suits(activation, law, scale):
    report = kd.propagation_report(deep(activation, law, 128, 2), data(128))
    for layer in report.layers[:2]:
        assert layer.kernel_scale == pytest.approx(scale, rel=0.05)
    assert not report.is_trained


@pytest.mark.once
def test_causes_on_a_model():
    model = deep("relu", laws.XavierNormal, 64, 16)
    report = kd.propagation_report(model, 300 * data(64))
    inputs, kernels = report.causes
    assert "Normalization" in inputs
    assert "16 of 17 layers" in kernels
    better = kd.remedies.initialize(model, seed=0)
    assert kd.propagation_report(better, data(64)).causes == ()


@pytest.mark.once
def test_ids_are_no_inputs_out_of_scale():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Embedding(900, 8),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )
    ids = np.arange(120).reshape(20, 6) * 7
    assert not any("inputs" in c for c in kd.propagation_report(model, ids).causes)


@pytest.mark.once
def test_a_trained_model_is_known():
    model = deep("relu", laws.HeNormal, 8, 1)
    model.compile(optimizer="sgd", loss="mse")
    assert not kd.propagation_report(model, data(8)).is_trained
    model.train_on_batch(data(8), data(10))
    assert kd.propagation_report(model, data(8)).is_trained
    model.optimizer = None  # as after loading weights: the biases tell
    assert kd.propagation_report(model, data(8)).is_trained


class Batches(keras.utils.PyDataset):
    def __getitem__(self, place):
        return np.zeros((2, 4))

    def __len__(self):
        return 1


@pytest.mark.once
def test_bad_input():
    model = deep("relu", laws.HeNormal, 4, 1)
    with pytest.raises(ValueError, match="NaN or infinite"):
        kd.propagation_report(model, np.full((2, 4), np.nan))
    assert kd.propagation_report(model, Batches()).layers
    with pytest.raises(ValueError, match="at least one sample"):
        kd.propagation_report(model, np.zeros((0, 4)))
    with pytest.raises(ValueError, match="compile"):
        kd.propagation_report(model, np.ones((2, 4)), np.ones((2, 10)))


@pytest.mark.once("jax")
@pytest.mark.parametrize("y", [None, np.ones((8, 2), "float32")])
def test_signals_compiled_are_those_of_a_run_layer_by_layer(y, monkeypatch):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    one = keras.layers.Dense(4, "tanh")
    hidden = keras.layers.BatchNormalization()(one(one(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    model.compile(optimizer="sgd", loss="mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    ran, gradients = backward._compiled(model, x, y)

    def fails(*args):
        raise TypeError("cannot be traced")

    monkeypatch.setattr(backward, "_compiled", fails)
    other, expected = backward.run_with_gradients(model, x, y)
    assert [probe.label for probe in ran] == [probe.label for probe in other]
    assert list(gradients) == list(expected)
    for label, arrays in expected.items():
        for array, found in zip(arrays, gradients[label], strict=True):
            np.testing.assert_allclose(found, array, rtol=1e-4, atol=1e-6)


class Counting(keras.layers.Layer):
    """Reads a number on the host, which cannot be traced."""

    def call(self, x):
        return x * float(keras.ops.convert_to_numpy(keras.ops.max(x)) > -1e9)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


@pytest.mark.once("jax")
def test_gradients_of_a_loss_behind_what_cannot_be_traced():
    """The compiled loss is built then from outputs that were computed."""
    layers = [keras.Input((4,)), Counting(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    report = kd.propagation_report(model, np.eye(4), np.ones((4, 3)))
    assert report.gradient_source == "loss"
    assert report.layers[-1].gradient_variance > 0
