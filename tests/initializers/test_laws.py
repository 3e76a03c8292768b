"""The laws of the initializers, against the exact distributions."""

import keras
import numpy as np
import pytest
import reference
from scipy import stats

import keras_dlbasic as kd
from keras_dlbasic._keras.fans import compute_fans

laws = kd.initializers
SHAPE = (400, 150)
SIGMA_XAVIER = np.sqrt(2 / (400 + 150))
SIGMA_HE = np.sqrt(2 / 400)


def values(initializer, shape=SHAPE, dtype="float32"):
    return np.asarray(
        keras.ops.convert_to_numpy(initializer(shape, dtype=dtype)), np.float64
    ).ravel()


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize(
    ("cls", "law"),
    [
        (laws.XavierNormal, stats.norm(scale=SIGMA_XAVIER)),
        (laws.XavierUniform, stats.uniform(-np.sqrt(6 / 550), 2 * np.sqrt(6 / 550))),
        (laws.HeNormal, stats.norm(scale=SIGMA_HE)),
        (laws.HeUniform, stats.uniform(-np.sqrt(6 / 400), 2 * np.sqrt(6 / 400))),
    ],
)
def test_law(cls, law, gain):
    drawn = values(cls(gain=gain, seed=3)) / gain
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3
    # the variance of n draws: relative standard error sqrt((kurtosis - 1) / n)
    error = np.sqrt((law.stats("k") + 2) / drawn.size)
    assert abs(drawn.var() / law.var() - 1) < 4 * error
    assert abs(drawn.mean()) < 4 * law.std() / np.sqrt(drawn.size)


@pytest.mark.parametrize(
    ("ours", "keras_own"),
    [
        (laws.XavierNormal, keras.initializers.GlorotNormal),
        (laws.HeNormal, keras.initializers.HeNormal),
    ],
)
def test_normal_is_not_truncated_as_in_keras(ours, keras_own):
    own, other = values(keras_own(seed=3)), values(ours(seed=3))
    sigma = (SIGMA_XAVIER, SIGMA_HE)[ours is laws.HeNormal]
    assert np.abs(own).max() < 2.3 * sigma
    assert np.mean(np.abs(other) > 2.3 * sigma) == pytest.approx(0.0214, abs=0.004)
    assert stats.kstest(own, stats.norm(scale=sigma).cdf).pvalue < 1e-6


def test_fan_out():
    drawn = values(laws.HeNormal(mode="fan_out", seed=0))
    assert drawn.std() == pytest.approx(np.sqrt(2 / 150), rel=0.02)


@pytest.mark.parametrize(
    ("shape", "axes", "fans"),
    [
        ((7, 5), {}, (7, 5)),
        ((3, 3, 4, 8), {}, (36, 72)),
        ((5, 4, 8), {}, (20, 40)),
        ((6,), {}, (6, 6)),
        ((), {}, (1, 1)),
        ((10, 2, 3), {"input_axes": [0], "output_axes": [1, 2]}, (10, 6)),
        ((2, 3, 10), {"input_axes": [0, 1], "output_axes": [-1]}, (6, 10)),
    ],
)
def test_fans(shape, axes, fans):
    assert compute_fans(shape, **axes) == fans


def test_convolution_kernel():
    drawn = values(laws.HeUniform(seed=1), (3, 3, 32, 64))
    assert np.abs(drawn).max() <= np.sqrt(6 / 288)
    assert np.abs(drawn).max() > 0.99 * np.sqrt(6 / 288)


def test_einsum_dense_gets_its_axes():
    init = laws.HeNormal(seed=0, input_axes=[0], output_axes=[1, 2])
    layer = keras.layers.EinsumDense(
        "abc,cde->abde", (None, 16, 32), kernel_initializer=init
    )
    layer.build((None, 3, 64))
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel.value))
    assert kernel.std() == pytest.approx(np.sqrt(2 / 64), rel=0.03)


def test_integer_seed_repeats_and_generator_does_not():
    fixed = laws.HeNormal(seed=5)
    np.testing.assert_array_equal(values(fixed), values(fixed))
    moving = laws.HeNormal(seed=keras.random.SeedGenerator(5))
    assert (values(moving) != values(moving)).any()


def test_half_precision():
    kernel = laws.XavierNormal(seed=0)((8, 8), dtype="float16")
    assert keras.backend.standardize_dtype(kernel.dtype) == "float16"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"gain": -1.0}, "gain=-1.0"),
        ({"gain": float("nan")}, "gain=nan"),
        ({"gain": "big"}, "gain='big'"),
        ({"mode": "fan_avg"}, "mode='fan_avg'"),
        ({"input_axes": 3}, "input_axes=3"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        laws.HeNormal(**arguments)


def test_wrong_axis():
    with pytest.raises(ValueError, match=r"Axis 5 .*\(3, 4\)"):
        laws.XavierNormal(input_axes=[5], output_axes=[0])((3, 4))


@pytest.mark.parametrize(
    "initializer",
    [
        laws.HeNormal(gain=0.5, seed=3, mode="fan_out"),
        laws.HeUniform(gain=2, input_axes=[0], output_axes=[1]),
        laws.XavierNormal(gain=0.5, seed=keras.random.SeedGenerator(4)),
        laws.XavierUniform(),
    ],
)
def test_config_round_trip(initializer):
    config = keras.initializers.serialize(initializer)
    again = keras.initializers.deserialize(config)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    assert config["registered_name"].startswith("keras_dlbasic>")


@pytest.mark.skipif(
    reference.KERAS >= (3, 16), reason="Keras 3.16 knows its own names as strings only"
)
def test_registered_name_as_string():
    assert isinstance(keras.initializers.get("keras_dlbasic>HeNormal"), laws.HeNormal)
