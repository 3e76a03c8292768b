"""Bytes that begin again at 0 are told from dark beside bright."""

import math
import tracemalloc

import numpy as np
import pytest

from keras_dlbasic.inspection.wrapped_pixels import wrapped_pixels

RNG = np.random.default_rng(3)
ROW, COLUMN = np.mgrid[:16, :16]
TILT = RNG.normal(size=(2, 64, 1, 1))
SMOOTH = 128 + 9 * (TILT[0] * (ROW - 8) + TILT[1] * (COLUMN - 8))
SMOOTH = np.clip(SMOOTH + 4 * RNG.normal(size=SMOOTH.shape), 0, 255).astype("uint8")


def scaled(x):
    return (x / 255).astype("float32")[..., None]


def discs(low, high):
    """Pictures of bright discs with sharp borders, and a little noise."""
    center = RNG.uniform(4, 12, (2, 64, 1, 1))
    inside = np.hypot(ROW - center[0], COLUMN - center[1]) < 4
    return np.clip(
        np.where(inside, high, low) + 6 * RNG.normal(size=inside.shape), 0, 255
    )


@pytest.mark.parametrize(
    "x",
    [
        SMOOTH * np.uint8(2),
        SMOOTH - np.uint8(128),
        SMOOTH + np.uint8(100),
        scaled(SMOOTH * np.uint8(2)),
        (SMOOTH - np.uint8(128)) / 128.0 - 1,
    ],
)
def test_bytes_that_overflow(x):
    assert wrapped_pixels(x)[0] > 0.005


@pytest.mark.parametrize(
    "x",
    [
        SMOOTH,
        scaled(SMOOTH),
        np.where(SMOOTH > 128, 255, 0),  # black and white
        np.round(discs(0, 255)),
        np.round(discs(20, 235)),
        RNG.integers(0, 256, (64, 16, 16)),  # noise
        np.clip(2.0 * SMOOTH - 100, 0, 255).round(),  # too bright, cut off
    ],
)
def test_bytes_that_do_not(x):
    assert not wrapped_pixels(x)[0] > 0


@pytest.mark.parametrize(
    "x",
    [SMOOTH[:, 0], SMOOTH / 3 + 0.01 * ROW, SMOOTH[:, :3], np.full((9, 8, 8), np.nan)],
)
def test_no_pictures_of_bytes(x):
    assert math.isnan(wrapped_pixels(x)[0])


def test_one_channel_is_enough():
    x = np.stack([SMOOTH, SMOOTH * np.uint8(2), SMOOTH], axis=-1)
    share, may_be_angle = wrapped_pixels(x)
    assert share > 0.005
    assert not may_be_angle


def test_hue_and_phase_may_be_angles():
    hue = np.stack([SMOOTH + np.uint8(128), SMOOTH, SMOOTH], axis=-1)
    phase = (41 * ROW + 39 * COLUMN + 5 * np.arange(64)[:, None, None]) % 256
    for x in (hue, phase.astype("uint8")):
        share, may_be_angle = wrapped_pixels(x)
        assert share > 0
        assert may_be_angle
    assert not wrapped_pixels(SMOOTH * np.uint8(2))[1]


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_large_pictures_take_little_memory(kind):
    x = np.zeros((2, 1500, 1500, 3), kind)
    x[:, ::2] = np.arange(1500, dtype="uint8").astype(kind)[:1500, None] % 251
    tracemalloc.start()
    wrapped_pixels(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6
