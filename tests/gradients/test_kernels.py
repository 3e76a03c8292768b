"""Reductions of whole tensors against float64."""

import keras
import numpy as np
import pytest

from keras_dlbasic.gradients.backend_tap import backend_tap

KERNELS = backend_tap().kernels
SHAPES = [(7,), (784, 512), (20_000, 128), (1_000_003,), (300_000, 1), (3, 3, 128, 300)]


def tensors(shape):
    spread = np.random.default_rng(0).standard_normal(shape, dtype="float32")
    return [spread * 1e-2, np.full(shape, 0.1, "float32")]


def reduced(kernel, arrays):
    found = kernel([keras.ops.convert_to_tensor(array) for array in arrays])
    return keras.ops.convert_to_numpy(found).astype("float64")


@pytest.mark.parametrize("shape", SHAPES)
def test_norms_of_tensors_of_any_size(shape):
    """Sums of many float32 numbers are exact only if they are not made in one go."""
    arrays = tensors(shape)
    expected = [np.linalg.norm(array.ravel().astype("float64")) for array in arrays]
    found = np.sqrt(reduced(KERNELS.squares, arrays))
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_what_is_not_in_one_piece():
    arrays = tensors((512, 400))
    whole = [keras.ops.convert_to_tensor(array) for array in arrays]
    turned = KERNELS.squares([keras.ops.transpose(x) for x in whole])
    expected = [np.sum(np.square(array.astype("float64"))) for array in arrays]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(turned), expected, rtol=2e-6)
    counts = KERNELS.zeros([keras.ops.relu(-whole[1]), whole[0]])
    assert keras.ops.convert_to_numpy(counts).tolist() == [512 * 400, 0]
