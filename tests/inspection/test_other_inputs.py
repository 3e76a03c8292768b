"""Inputs given to the doctor that a generator scales before `fit` gets them."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.other_inputs import other_inputs

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (64, 6)).astype("float32")


@pytest.mark.parametrize(
    ("given", "seen", "differ"),
    [
        (PIXELS, PIXELS / 255, True),
        (PIXELS, PIXELS[::2] * 1.2, False),  # augmented
        (PIXELS, PIXELS[:, :3] / 255, False),  # of another shape: something else
        ({"a": PIXELS}, {"a": PIXELS / 255}, True),
        ([PIXELS], PIXELS / 255, False),
        (PIXELS[:8], PIXELS / 255, False),  # too few
        (0 * PIXELS, PIXELS, False),
        (np.r_[0 * PIXELS, PIXELS], np.r_[0 * PIXELS, PIXELS / 255], True),  # blanks
        (np.sort(PIXELS, 0), np.sort(PIXELS, 0)[:16], False),  # the first rows
        (PIXELS.astype(str), PIXELS, False),
        (PIXELS / 255, PIXELS, True),
        (PIXELS, PIXELS / 5, True),
        (PIXELS, PIXELS / 3, False),
        (PIXELS[:15], PIXELS[:15] / 255, False),
        (PIXELS - 128, (PIXELS - 128) / 255, True),
        (PIXELS[:, 0], PIXELS[:, 0] / 255, False),
        ([PIXELS, PIXELS], [PIXELS[:, :3], PIXELS / 255], True),
        (PIXELS, PIXELS / [255, 255, 255, 255, 1, 1], False),  # columns of some
        (np.where(PIXELS > 250, np.inf, PIXELS), PIXELS / 255, True),
    ],
)
def test_sizes(given, seen, differ):
    assert (other_inputs(given, seen) is not None) is differ


@pytest.mark.parametrize("seed", range(20))
def test_rare_large_entries_differ_by_chance(seed):
    rng = np.random.default_rng(seed)
    rows = np.exp(rng.normal(0, 2.5, (2000, 2)))
    drawn = rng.choice(rows, 256, axis=0)
    assert other_inputs(rows, drawn) is None
    assert other_inputs(rows, drawn + 1e-9) is None  # the same but for rounding
    assert other_inputs(rows, drawn / 255) is not None


class Scaled(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(16 * index, 16 * index + 16)
        return PIXELS[rows] / 255, PIXELS[rows].mean(1, keepdims=True) / 255


@pytest.mark.once
def test_the_run_is_judged_by_what_it_trains_on():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    y = PIXELS.mean(1, keepdims=True) / 255
    doctor = kd.callbacks.TrainingDoctor(PIXELS, y, verbose=0)
    with pytest.warns(UserWarning, match=r"The `x` .* is not what `fit` trains on"):
        model.fit(Scaled(), epochs=3, verbose=0, callbacks=[doctor])
    assert "unscaled_inputs" not in doctor.diagnosis.names
    assert doctor.record.facts.inputs[0].max <= 1
