"""One model of all blocks against NumPy in float64, so that backends agree as well.

Random numbers differ between backends, so weights and masks come from NumPy here; the
laws of what is drawn are tested with the initializers and dropout.
"""

import keras
import numpy as np

import keras_dlbasic as kd

RNG = np.random.default_rng(0)
X = RNG.normal(1, 2, size=(12, 5))
Y = RNG.normal(size=(12, 2))
WEIGHTS = {
    "w1": RNG.normal(size=(5, 4)),
    "b1": RNG.normal(size=4),
    "gamma1": RNG.uniform(0.5, 2, 4),
    "beta1": RNG.normal(size=4),
    "w2": RNG.normal(size=(4, 6)),
    "b2": RNG.normal(size=6),
    "gamma2": RNG.uniform(0.5, 2, 6),
    "beta2": RNG.normal(size=6),
    "w3": RNG.normal(size=(6, 2)),
    "b3": RNG.normal(size=2),
}
RATE, CLIP = 0.05, 3.0


def build_model():
    penalties, blocks = kd.regularizers, kd.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(4, kernel_regularizer=penalties.GroupLasso(0.02)),
            blocks.BatchNormalization(momentum=0.9, epsilon=1e-2),
            keras.layers.Activation("tanh"),
            blocks.GradientClipping(norm=CLIP),
            keras.layers.Dense(
                6,
                kernel_regularizer=penalties.L1L2(0.01, 0.02),
                bias_regularizer=penalties.L1(0.03),
            ),
            blocks.LayerNormalization(epsilon=1e-2),
            blocks.Dropout(0.0),
            keras.layers.Dense(2, kernel_regularizer=penalties.L2(0.04)),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
    for variable, value in zip(
        model.trainable_variables, WEIGHTS.values(), strict=True
    ):
        variable.assign(value)
    return model


def normalized(x, axis, gamma, beta):
    centred = x - x.mean(axis=axis, keepdims=True)
    return gamma * centred / np.sqrt(x.var(axis=axis, keepdims=True) + 1e-2) + beta


def clipped_part(w):
    return np.tanh(normalized(X @ w["w1"] + w["b1"], 0, w["gamma1"], w["beta1"]))


def fit_of(hidden, w):
    hidden = normalized(hidden @ w["w2"] + w["b2"], 1, w["gamma2"], w["beta2"])
    return np.mean((hidden @ w["w3"] + w["b3"] - Y) ** 2)


def penalty(w):
    return (
        0.02 * np.sqrt(5) * np.sqrt((w["w1"] ** 2).sum(axis=0)).sum()
        + 0.01 * np.abs(w["w2"]).sum()
        + 0.5 * 0.02 * (w["w2"] ** 2).sum()
        + 0.03 * np.abs(w["b2"]).sum()
        + 0.5 * 0.04 * (w["w3"] ** 2).sum()
    )


def slope(function, at):
    """Return the gradient by central differences, in float64."""
    gradient, step = np.zeros_like(at), 1e-6
    for place in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[place] = step
        gradient[place] = (function(at + moved) - function(at - moved)) / (2 * step)
    return gradient


def expected_weights():
    """Return the weights after one step of gradient descent."""
    hidden = clipped_part(WEIGHTS)
    sent = slope(lambda h: fit_of(h, WEIGHTS), hidden)
    norms = np.linalg.norm(sent, axis=1, keepdims=True)
    assert 0 < np.mean(norms > CLIP) < 1  # some are clipped, some are not
    sent = sent * np.minimum(1, CLIP / norms)
    after = {}
    for name, value in WEIGHTS.items():

        def loss(v, name=name):
            w = {**WEIGHTS, name: v}
            if name[-1] == "1":  # before the clipping
                return np.sum(clipped_part(w) * sent) + penalty(w)
            return fit_of(hidden, w) + penalty(w)

        after[name] = value - RATE * slope(loss, value)
    return after


def test_a_training_step_is_that_of_the_formulas():
    model = build_model()
    loss = model.train_on_batch(X, Y)
    expected_loss = fit_of(clipped_part(WEIGHTS), WEIGHTS) + penalty(WEIGHTS)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-6)
    for variable, (name, expected) in zip(
        model.trainable_variables, expected_weights().items(), strict=True
    ):
        found = keras.ops.convert_to_numpy(variable.value)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6, err_msg=name)
    before = X @ WEIGHTS["w1"] + WEIGHTS["b1"]
    moving_mean, moving_variance = model.layers[1].get_weights()[2:]
    np.testing.assert_allclose(moving_mean, 0.1 * before.mean(axis=0), rtol=2e-6)
    np.testing.assert_allclose(
        moving_variance, 0.9 + 0.1 * before.var(axis=0), rtol=2e-6
    )


def test_lsuv_divides_by_the_standard_deviation():
    model = build_model()
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.bias.assign(0 * layer.bias)
    new = kd.remedies.lsuv(model, X, orthogonal=False, tolerance=1e-4)
    kernel = keras.ops.convert_to_numpy(new.layers[0].kernel.value)
    z = X @ WEIGHTS["w1"]
    np.testing.assert_allclose(kernel, WEIGHTS["w1"] / z.std(), rtol=2e-5)


def test_dropout_scales_what_its_mask_leaves():
    x = RNG.normal(size=(50, 40)).astype("float32")
    y = keras.ops.convert_to_numpy(kd.layers.Dropout(0.3, seed=0)(x, training=True))
    mask = y != 0
    np.testing.assert_allclose(y, x * mask / 0.7, rtol=1e-6)
