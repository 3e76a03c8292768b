"""The penalties, against NumPy in float64 and against Keras' own."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_dlbasic as kd
from keras_dlbasic._backends.loading import backend_module

R = kd.regularizers
W = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
FORMULAS = [
    (R.L1(0.3), lambda w: 0.3 * np.abs(w).sum()),
    (R.L2(0.3), lambda w: 0.5 * 0.3 * (w**2).sum()),
    (R.L1L2(0.2, 0.3), lambda w: 0.2 * np.abs(w).sum() + 0.5 * 0.3 * (w**2).sum()),
    (
        R.GroupLasso(0.3),
        lambda w: 0.3 * np.sqrt(6) * np.sqrt((w**2).sum(axis=0)).sum(),
    ),
    (
        R.GroupLasso(0.3, axis=0),
        lambda w: 0.3 * np.sqrt(4) * np.sqrt((w**2).sum(axis=1)).sum(),
    ),
]


def number(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def gradient(penalty, w):
    (found,) = backend_module("autodiff", "Gradients").gradient(
        lambda at: penalty(at[0]), [keras.ops.convert_to_tensor(w)]
    )
    return np.asarray(keras.ops.convert_to_numpy(found))


@pytest.mark.parametrize(("penalty", "formula"), FORMULAS)
def test_value(penalty, formula):
    value = number(penalty(keras.ops.convert_to_tensor(W)))
    assert value == pytest.approx(formula(W.astype(np.float64)), rel=1e-6)


@pytest.mark.parametrize(("penalty", "formula"), FORMULAS)
def test_gradient(penalty, formula):
    w, step = W.astype(np.float64), 1e-6
    expected = np.zeros_like(w)
    for place in np.ndindex(w.shape):
        moved = np.zeros_like(w)
        moved[place] = step
        expected[place] = (formula(w + moved) - formula(w - moved)) / (2 * step)
    np.testing.assert_allclose(gradient(penalty, W), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("penalty", [penalty for penalty, _ in FORMULAS])
@pytest.mark.parametrize("size", [0.0, 1e-30])
def test_gradient_is_finite_at_zero(penalty, size):
    w = np.full((6, 4), size, "float32")
    w[:, 1] = 1.0
    assert np.isfinite(gradient(penalty, w)).all()
    if size == 0 and isinstance(penalty, R.GroupLasso):
        assert (gradient(penalty, w)[:, 0] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 100), st.integers(0, 1000))
def test_l2_is_half_of_keras(factor, seed):
    w = np.random.default_rng(seed).normal(size=5).astype("float32")
    own = number(keras.regularizers.L2(factor)(keras.ops.convert_to_tensor(w)))
    assert number(R.L2(factor)(keras.ops.convert_to_tensor(w))) == pytest.approx(
        own / 2, rel=1e-6
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_group_lasso_is_homogeneous(scale, seed):
    w = np.random.default_rng(seed).normal(size=(3, 3, 2, 4)).astype("float32")
    penalty = R.GroupLasso(1.0)
    small = number(penalty(keras.ops.convert_to_tensor(w)))
    large = number(penalty(keras.ops.convert_to_tensor((scale * w).astype("float32"))))
    assert large == pytest.approx(scale * small, rel=1e-5)


def test_no_penalty():
    assert number(R.L1L2()(keras.ops.convert_to_tensor(W))) == 0.0


@pytest.mark.parametrize("penalty", [penalty for penalty, _ in FORMULAS])
def test_config_round_trip(penalty):
    config = keras.regularizers.serialize(penalty)
    again = keras.regularizers.get(config)
    assert type(again) is type(penalty)
    assert again.get_config() == penalty.get_config()


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf"), "x", None, True])
@pytest.mark.parametrize("cls", [R.L1, R.L2, R.L1L2, R.GroupLasso])
def test_bad_factor(cls, wrong):
    with pytest.raises(ValueError, match=f"{wrong!r}"):
        cls(wrong)


def test_bad_axis():
    with pytest.raises(ValueError, match="axis='x'"):
        R.GroupLasso(0.1, axis="x")
    with pytest.raises(ValueError, match=r"axis=2.*\(6, 4\)"):
        R.GroupLasso(0.1, axis=2)(keras.ops.convert_to_tensor(W))


def test_half_precision_stays_finite_in_a_layer():
    layer = keras.layers.Dense(
        3, kernel_regularizer=R.GroupLasso(0.1), dtype="mixed_float16"
    )
    layer(np.ones((2, 4), "float32"))
    (loss,) = layer.losses
    assert np.isfinite(number(loss))


@pytest.mark.parametrize(("penalty", "formula"), FORMULAS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_of_half_precision_neither_overflow_nor_round(penalty, formula, dtype):
    w = np.random.default_rng(0).normal(scale=100, size=(6, 4))
    half = keras.ops.cast(keras.ops.convert_to_tensor(w), dtype)
    exact = np.asarray(
        keras.ops.convert_to_numpy(keras.ops.cast(half, "float32")), np.float64
    )
    assert number(penalty(half)) == pytest.approx(formula(exact), rel=1e-6)


def test_plain_steps_on_l2_decay_by_the_factor():
    w = W.copy()
    for _ in range(3):
        w = w - 0.1 * gradient(R.L2(0.5), w)
    np.testing.assert_allclose(w, W * (1 - 0.1 * 0.5) ** 3, rtol=1e-5)
