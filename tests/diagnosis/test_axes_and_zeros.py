"""Classes along another axis, and targets or outputs of zero."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.network_facts import network_facts

L = keras.layers
RNG = np.random.default_rng(5)
PLANES = RNG.normal(size=(48, 6, 6, 2)).astype("float32")
MASK = (PLANES[..., 0] > 0).astype(int)
FIRST = np.moveaxis(np.eye(2, dtype="float32")[MASK], -1, 1)  # classes at axis 1


def planes(softmax, loss):
    """A model whose classes are at axis 1."""
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(2, 1), L.Permute((3, 1, 2)), L.Softmax(axis=softmax)]
    model = keras.Sequential([keras.Input((6, 6, 2)), *layers])
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss)
    return model


def serious(model, x, y, **fit):
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, verbose=0, callbacks=[doctor], **fit)
    return doctor.diagnosis.at_least("warning")


def test_softmax_and_loss_along_the_same_axis_are_right():
    loss = keras.losses.CategoricalCrossentropy(axis=1)
    assert serious(planes(1, loss), PLANES, FIRST, epochs=30, batch_size=8) == ()


@pytest.mark.parametrize(
    ("softmax", "loss"),
    [
        (1, keras.losses.CategoricalCrossentropy()),
        (2, keras.losses.CategoricalCrossentropy(axis=1)),
    ],
)
def test_softmax_along_another_axis_than_the_loss(softmax, loss):
    (finding,) = (
        f
        for f in kd.preflight(planes(softmax, loss), PLANES, FIRST)
        if f.name == "output_activation_mismatch"
    )
    assert finding.severity == "critical"
    assert "along axis" in finding.message


def cross_entropy(y_true, y_pred):
    return -keras.ops.mean(keras.ops.sum(y_true * keras.ops.log(y_pred + 1e-7), axis=1))


@pytest.mark.once
@pytest.mark.parametrize(("softmax", "is_wrong"), [(-1, True), (2, True), (1, False)])
def test_softmax_along_another_axis_than_the_targets(softmax, is_wrong):
    """A loss of your own does not say where the classes lie; the targets do."""
    found = kd.preflight(planes(softmax, cross_entropy), PLANES, FIRST)
    named = [f for f in found if f.name == "output_activation_mismatch"]
    assert bool(named) == is_wrong
    if is_wrong:
        assert "Softmax(axis=-3)" in str(named[0].remedies[0])


@pytest.mark.once
@pytest.mark.parametrize("targets", [FIRST[:, :1], 2.0 * FIRST])
def test_targets_that_are_no_shares_say_nothing_of_an_axis(targets):
    found = kd.preflight(planes(-1, "mse"), PLANES, targets)
    assert not any("positions instead" in f.message for f in found)


def pooled(*layers):
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, L.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return network_facts(model).layers


POOLING = L.GlobalAveragePooling2D
AXES = {
    "pooled over the channels": [
        L.Conv2D(4, 3, name="conv"),
        L.ReLU(),
        POOLING(data_format="channels_first", name="wrong"),
    ],
    "normalized along rows": [
        L.Conv2D(4, 3, name="conv"),
        L.BatchNormalization(axis=1, name="wrong"),
        L.Flatten(),
    ],
    "pooled sequence": [
        L.Reshape((8, 8)),
        L.LSTM(4, return_sequences=True, name="conv"),
        L.GlobalMaxPooling1D(data_format="channels_first", name="wrong"),
    ],
    "pooled words": [
        L.Flatten(),
        L.Embedding(9, 4, name="conv"),
        L.GlobalMaxPooling1D(data_format="channels_first", name="wrong"),
    ],
    "right": [
        L.Conv2D(4, 3),
        L.BatchNormalization(axis=3),
        L.Dropout(0.5),
        L.MaxPooling2D(),
        L.Conv2D(4, 3),
        POOLING(),
    ],
    "pooled away": [
        L.Conv2D(4, 3),
        POOLING(),
        L.BatchNormalization(axis=1),
    ],
    "turned round": [
        L.Conv2D(4, 3),
        L.Permute((3, 1, 2)),
        L.BatchNormalization(axis=1),
        POOLING(data_format="channels_first"),
    ],
}


@pytest.mark.once
@pytest.mark.parametrize("case", AXES)
def test_layers_that_take_another_axis_for_the_channels(case):
    misread = {f.label: f.misreads for f in pooled(*AXES[case]) if f.misreads}
    has_fault = case not in ("right", "pooled away", "turned round")
    assert misread == ({"wrong": "conv"} if has_fault else {})


@pytest.mark.once
@pytest.mark.parametrize(
    ("layers", "before"),
    [
        ([L.Dense(3, "softmax"), L.Softmax()], "softmax"),
        ([L.Dense(3, "sigmoid"), L.Activation("softmax")], "sigmoid"),
        ([L.Dense(3), L.Softmax()], None),
        ([L.Dense(3, "softmax"), L.Dense(3, "softmax")], None),
        ([L.Dense(3, "relu"), L.Softmax()], "relu"),
    ],
)
def test_an_activation_behind_one_that_limits(layers, before):
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    assert network_facts(model).outputs[0].limited_before == before
    found = kd.preflight(model, X, np.arange(len(X)) % 3)
    assert ("output_activation_mismatch" in found.names) == (before is not None)


X = RNG.normal(size=(200, 4)).astype("float32")
COUNTS = RNG.poisson(np.exp(0.5 + 0.5 * X[:, :1])).astype("float32")


def regression(activation, loss, rate=0.01):
    keras.utils.set_random_seed(0)
    layers = [L.Dense(8, "relu"), L.Dense(1, activation)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss)
    return model


@pytest.mark.parametrize(
    ("loss", "y", "is_found"),
    [
        ("mape", COUNTS, True),
        ("mape", COUNTS + 1, False),
        ("mae", COUNTS, False),
        ("msle", COUNTS - 1, True),
        ("poisson", COUNTS - 1, True),
        ("msle", COUNTS, False),
    ],
)
def test_losses_that_cannot_take_the_targets(loss, y, is_found):
    found = kd.preflight(regression("softplus", loss), X, y).names
    assert ("loss_target_mismatch" in found) is is_found


def test_a_rectified_output_that_died():
    died = regression("relu", "mse")
    kernel, bias = died.layers[-1].get_weights()
    died.layers[-1].set_weights([kernel, bias - 100])
    first = serious(died, X, COUNTS, epochs=6)[0]
    assert first.name in ("output_activation_mismatch", "zero_gradients")
    named = {f.name: f for f in serious(died, X, COUNTS, epochs=6)}
    assert "0 for every input" in named["output_activation_mismatch"].message
    alive = serious(regression("relu", "mse"), X, COUNTS, epochs=30)
    assert "output_activation_mismatch" not in [f.name for f in alive]
