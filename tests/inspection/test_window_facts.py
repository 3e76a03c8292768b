"""Whether steps before a window tell of targets what the window does not."""

import keras
import numpy as np
import pytest

from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.window_facts import window_facts


def tide(n=600, seed=0):
    rng = np.random.default_rng(seed)
    return np.sin(0.86 * np.arange(n)) + 0.1 * rng.normal(size=n)


def windows(series, length, stride=1, ahead=0):
    starts = range(0, len(series) - length - ahead, stride)
    x = np.stack([series[i : i + length] for i in starts])
    y = np.array([series[i + length + ahead] for i in starts])
    return x.astype("float32"), y.astype("float32")


@pytest.mark.parametrize("ahead", [0, 2])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_a_single_step_does_not_tell_where_a_wave_goes(ahead, axes, scale):
    x, y = windows(tide(), 1, ahead=ahead)
    x = {1: x[:, 0], 2: x, 3: x[..., None]}[axes]
    found = window_facts(x, scale * y + 5.0)
    assert found.steps == 1
    assert found.earlier == 12
    assert found.longer > 0.9
    assert found.alone < 0.7
    assert found.error < 0.1


@pytest.mark.parametrize("stride", [1, 2])
def test_a_window_that_is_long_enough(stride):
    x, y = windows(tide(900), 12, stride)
    found = window_facts(x[..., None], y[:, None])
    assert found.steps == 12
    assert found.longer - found.alone < 0.05
    latest_first = window_facts(x[:, ::-1], y)
    assert latest_first.steps == 12


def test_a_cycle_longer_than_the_window():
    x, y = windows(np.repeat(tide(160), 5) + 0.1 * tide(800, 1), 4)
    found = window_facts(x, y)
    assert found.steps == 4
    assert found.longer > found.alone


def test_a_walk_needs_no_longer_window():
    walk = np.cumsum(np.random.default_rng(0).normal(size=900))
    found = window_facts(*windows(walk, 1))
    assert found.longer < found.alone + 0.02


def test_rows_that_are_no_windows_in_order():
    x, y = windows(tide(), 1)
    order = np.random.default_rng(0).permutation(len(x))
    assert window_facts(x[order], y[order]) is None
    x, y = windows(tide(), 8)
    order = order[order < len(x)]
    assert window_facts(x[order], y[order]) is None
    rng = np.random.default_rng(1)
    assert window_facts(rng.normal(size=(500, 6)), rng.normal(size=500)) is None
    assert window_facts(np.ones((500, 6)), rng.normal(size=500)) is None
    # a slow series: the target is nearly a later input, as it is nearly this one
    slow = np.linspace(0, 1, 500)[:, None]
    assert window_facts(slow, slow[:, 0] + 0.01 * rng.normal(size=500)) is None


def test_what_cannot_be_read():
    x, y = windows(tide(), 1)
    assert window_facts(x[:50], y[:50]) is None
    assert window_facts(np.full((500, 3), np.nan), np.zeros(500)) is None
    assert window_facts(np.zeros((500, 400, 2)), np.zeros(500)) is None
    assert window_facts(x.astype(str), y) is None
    assert window_facts(x, np.zeros((len(y), 0))) is None


def test_series_one_after_the_other():
    parts = [windows(tide(seed=seed), 2) for seed in range(2)]
    x, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert window_facts(x, y).longer > 0.9


@pytest.mark.parametrize("stateful", [True, False])
def test_a_layer_with_a_state_knows_the_rows_before(stateful):
    x, y = windows(tide(), 1)
    model = keras.Sequential(
        [
            keras.Input((1, 1), batch_size=1 if stateful else None),
            keras.layers.GRU(2, stateful=stateful),
            keras.layers.Dense(1),
        ]
    )
    found = data_facts(x[..., None], y[:, None], model=model).targets[0].window
    assert (found is None) is stateful
