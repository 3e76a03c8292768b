"""The size of kernels whose outputs are normalized right away does not matter."""

import keras
import numpy as np
import pytest
from keras import layers as L

import keras_dlbasic as kd
from keras_dlbasic._keras.following_activation import normalized_layers

pytestmark = pytest.mark.once
X = np.random.default_rng(0).normal(size=(32, 8, 8, 4)).astype("float32")
Y = np.arange(32) % 2


def named(blocks):
    keras.utils.set_random_seed(0)
    head = [L.GlobalAveragePooling2D(), L.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((8, 8, 4)), *blocks, *head])
    model.compile("adam", "binary_crossentropy")
    found = kd.preflight(model, X, Y)
    return [f for f in found if f.name == "poor_initialization"]


def separable(normalizes, n=6):
    """Blocks as in MobileNet: depthwise kernels start small by Glorot's law."""
    blocks = [L.Conv2D(320, 1)]
    for _ in range(n):
        blocks.append(L.DepthwiseConv2D(3, padding="same", use_bias=False))
        blocks += [L.BatchNormalization()] if normalizes else []
        blocks.append(L.ReLU(6.0))
    return blocks


def test_small_kernels_before_a_normalization():
    assert named(separable(normalizes=True)) == []
    assert named(separable(normalizes=False))


def test_large_kernels_before_a_normalization():
    large = keras.initializers.RandomNormal(stddev=8.0)
    kernel = L.Conv2D(16, 3, kernel_initializer=large)
    again = L.Conv2D(16, 3, kernel_initializer=large)
    assert named([kernel, L.BatchNormalization(), L.ReLU()]) == []
    assert named([again, L.ReLU()])


def test_a_normalization_behind_an_activation_comes_too_late():
    first, second = L.Dense(4, "tanh"), L.Dense(4)
    inputs = keras.Input((4,))
    hidden = L.LayerNormalization()(first(inputs))
    outputs = L.LayerNormalization()(L.Dropout(0.1)(second(hidden)))
    found = normalized_layers(keras.Model(inputs, outputs))
    assert id(first) not in found
    assert id(second) in found
