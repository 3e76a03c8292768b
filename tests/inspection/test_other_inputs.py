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
        (PIXELS.astype(str), PIXELS, False),
    ],
)
def test_sizes(given, seen, differ):
    assert (other_inputs(given, seen) is not None) is differ


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
